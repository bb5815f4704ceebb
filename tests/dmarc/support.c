#include "dmarc/dmarc_test_support.h"

void scene_init(struct scene *scene, const char *zone)
{
    struct dns_error error = {{0}};
    *scene = (struct scene){.runs = 0};
    arena_init(&scene->arena, MAX_ARENA_BYTES);
    dns_answers_init(&scene->answers, &scene->arena, &scene->hits);
    scene->source = dns_zone_parse(span_from_string(zone), "zone", &error);
    cr_assert(scene->source != NULL, "%s\n%s", error.text, zone);
    scene->context = (struct dmarc_context){
        .answers = &scene->answers, .arena = &scene->arena, .hits = &scene->hits};
}

void scene_fini(struct scene *scene)
{
    dns_source_free(&scene->source);
    arena_fini(&scene->arena);
}

void scene_resolve(struct scene *scene)
{
    cr_assert(scene->answers.waiting > 0, "waiting, but nothing was asked");
    cr_assert(++scene->runs < 20, "a judge does not come to an end");
    dns_source_resolve(scene->source, &scene->answers, INT64_MAX);
}

struct dns_name name_of(const char *text)
{
    struct dns_name name = {0};
    if (!*text)
        return name;
    enum dns_name_error error = dns_name_from_domain(&name, span_from_string(text));
    cr_assert(error == DNS_NAME_OK, "test name \"%s\": %s", text, dns_name_error_word(error));
    return name;
}

const char *text_of(const struct dns_name *name)
{
    static char texts[8][DNS_NAME_TEXT_MAX];
    static unsigned turn;
    if (name->length == 0)
        return "";
    return dns_name_text(name, texts[turn++ % 8]);
}

void scene_walk(struct scene *scene, const char *start, struct dmarc_walk *walk)
{
    struct dns_name name = name_of(start);
    while (dmarc_walk(&name, &scene->context, walk) == JUDGE_WAITING)
        scene_resolve(scene);
}

void scene_discover(struct scene *scene, const char *author, const struct dmarc_options *options,
                    struct dmarc_discovery *discovery)
{
    struct dns_name name = name_of(author);
    while (dmarc_discover(&name, options, &scene->answers, &scene->arena, &scene->hits,
                          discovery) == JUDGE_WAITING)
        scene_resolve(scene);
}

/* The next word of a blank-separated list; false at its end. */
static bool next_word(struct span *list, struct span *word)
{
    *list = span_trim_wsp(*list);
    size_t end = span_find(*list, ' ');
    *word = span_slice(*list, 0, end);
    *list = span_skip(*list, end);
    return word->n > 0;
}

static struct dns_name *names_of(struct scene *scene, const char *list, uint32_t *count)
{
    struct span rest = span_from_string(list), word;
    struct dns_name *names = ARENA_ARRAY(&scene->arena, 16, struct dns_name);
    *count = 0;
    while (next_word(&rest, &word)) {
        cr_assert(*count < 16);
        cr_assert(dns_name_from_domain(&names[(*count)++], word) == DNS_NAME_OK, "\"%s\"", list);
    }
    return names;
}

void from_of(const char *domains, struct mail_from *from)
{
    static struct mail_address addresses[MAX_FROM_ADDRESSES]; /* of the newest call */
    struct span rest = span_from_string(domains), word;
    *from = (struct mail_from){.state = MAIL_FROM_OK, .list = {.addresses = addresses}};
    while (next_word(&rest, &word)) {
        cr_assert(from->list.count < COUNT_OF(addresses));
        addresses[from->list.count++] =
            (struct mail_address){.local = SPAN("a"), .domain = word, .literal = word.p[0] == '['};
    }
}

void scene_judge_from(struct scene *scene, const struct mail_from *from,
                      const struct dmarc_identifiers *identifiers,
                      const struct dmarc_options *options, struct dmarc_judgement *judgement)
{
    while (dmarc_judge(from, identifiers, options, &scene->answers, &scene->arena, &scene->hits,
                       judgement) == JUDGE_WAITING)
        scene_resolve(scene);
}

void scene_judge(struct scene *scene, const struct message *message,
                 const struct dmarc_options *options, struct dmarc_judgement *judgement)
{
    struct mail_from from;
    uint32_t dkim_count, failed_count;
    struct dns_name *dkim = names_of(scene, message->dkim, &dkim_count);
    struct dns_name *failed = names_of(scene, message->dkim_temperror, &failed_count);
    const char *spf = message->spf ? message->spf : message->spf_temperror;
    from_of(message->from, &from);
    struct dmarc_identifiers identifiers = {
        .known = true,
        .spf_pass = message->spf != NULL,
        .spf_temperror = message->spf_temperror != NULL,
        .spf_domain = name_of(spf ? spf : ""),
        .dkim = dkim,
        .dkim_count = dkim_count,
        .dkim_temperror = failed,
        .dkim_temperror_count = failed_count,
    };
    scene_judge_from(scene, &from, &identifiers, options, judgement);
}

bool scene_asked(const struct scene *scene, const char *name, enum dns_type type)
{
    struct dns_name wanted = {0};
    cr_assert(dns_name_from_zone_text(&wanted, span_from_string(name)) == DNS_NAME_OK);
    for (const struct dns_question *q = scene->answers.first; q; q = q->next)
        if (q->type == type && dns_name_equal(&q->name, &wanted))
            return true;
    return false;
}
