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

/* --- discoveries that other messages take --- */

static bool find_told(void *context, const struct dns_question *question, struct dns_answer *answer)
{
    struct scene *scene = context;
    const struct dns_answer *told = dns_peek(&scene->answers, &question->name, question->type);
    if (!told)
        return false;
    *answer = *told;
    answer->shared_until_ms = 1000;
    return true;
}

static void expect_same_record(const struct dmarc_record *a, const struct dmarc_record *b)
{
    cr_assert(!a == !b, "a record is there or not");
    if (!a)
        return;
    cr_expect(span_equal(a->text, b->text) && span_equal(a->rua, b->rua) &&
              span_equal(a->ruf, b->ruf) && span_equal(a->fo, b->fo));
    cr_expect(a->p == b->p && a->sp == b->sp && a->np == b->np && a->psd == b->psd &&
              a->testing == b->testing && a->adkim_strict == b->adkim_strict &&
              a->aspf_strict == b->aspf_strict && a->has_usable_rua == b->has_usable_rua &&
              a->faults == b->faults);
}

static void expect_same_walk(const struct dmarc_walk *a, const struct dmarc_walk *b)
{
    cr_assert(a->count == b->count && dns_name_equal(&a->start, &b->start));
    cr_expect(a->tempfail == b->tempfail && a->permfail == b->permfail &&
              a->complete == b->complete);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct dmarc_step *x = &a->steps[i], *y = &b->steps[i];
        cr_expect(x->labels == y->labels && x->outcome == y->outcome && x->unknown == y->unknown &&
                      same_word(x->reason, y->reason),
                  "step %u", i);
        expect_same_record(x->record, y->record);
    }
}

static void expect_same_discovery(const struct dmarc_discovery *a, const struct dmarc_discovery *b)
{
    cr_expect(a->result == b->result && same_word(a->reason, b->reason) &&
                  a->author_exists == b->author_exists &&
                  a->existence_known == b->existence_known && a->published == b->published &&
                  a->policy == b->policy && same_word(a->policy_tag, b->policy_tag) &&
                  a->used_psl == b->used_psl && a->psl_differs == b->psl_differs &&
                  same_word(a->psl_difference, b->psl_difference),
              "%s: got %s (%s), want %s (%s)", text_of(&b->from_domain), result_word(a->result),
              a->reason ? a->reason : "-", result_word(b->result), b->reason ? b->reason : "-");
    cr_expect(dns_name_equal(&a->from_domain, &b->from_domain) &&
                  dns_name_equal(&a->org_domain, &b->org_domain) &&
                  dns_name_equal(&a->policy_domain, &b->policy_domain) &&
                  dns_name_equal(&a->psl_org_domain, &b->psl_org_domain),
              "%s: other names", text_of(&b->from_domain));
    expect_same_record(a->record, b->record);
    if (a->walk.count || b->walk.count)
        expect_same_walk(&a->walk, &b->walk);
}

static void expect_same_judgement(const struct dmarc_judgement *a, const struct dmarc_judgement *b)
{
    cr_expect(a->result == b->result && same_word(a->reason, b->reason) && a->policy == b->policy &&
              a->disposition == b->disposition && a->spf_aligned == b->spf_aligned &&
              a->dkim_aligned == b->dkim_aligned && a->spf_strict == b->spf_strict &&
              a->dkim_strict == b->dkim_strict && same_word(a->override, b->override));
    cr_assert(a->dkim_count == b->dkim_count);
    for (uint32_t i = 0; i < a->dkim_count; i++)
        cr_expect(a->dkim_alignment[i] == b->dkim_alignment[i]);
    expect_same_discovery(&a->discovery, &b->discovery);
}

/* The first message leaves its discovery behind and the second takes it, where that may be. */
static void expect_same_sharing(struct scene *scene, const struct mail_from *from,
                                const struct dmarc_identifiers *identifiers,
                                const struct dmarc_options *options,
                                const struct dmarc_judgement *want)
{
    struct result_cache *results = result_cache_new(1, 4096, 0);
    cr_assert(results != NULL);
    for (unsigned i = 0; i < 2; i++) {
        const struct dns_near near = {
            .find = find_told, .context = scene, .results = {.dmarc = results}};
        struct limit_hits hits = {.set = 0}, want_hits = {.set = 0};
        struct dns_answers answers;
        struct dmarc_judgement got, again;
        dns_answers_init(&answers, &scene->arena, &hits);
        answers.near = &near;
        answers.results = near.results;
        cr_assert(dmarc_judge(from, identifiers, options, &answers, &scene->arena, &hits, &got) ==
                  JUDGE_DONE);
        cr_assert(dmarc_judge(from, identifiers, options, &scene->answers, &scene->arena,
                              &want_hits, &again) == JUDGE_DONE);
        expect_same_judgement(&got, want);
        cr_expect(memcmp(&hits, &want_hits, sizeof hits) == 0, "other limits were hit");
        cr_expect(i == 1 || got.discovery.spared == 0);
        scene->spared = got.discovery.spared;
    }
    result_cache_free(&results);
}

void scene_judge_from(struct scene *scene, const struct mail_from *from,
                      const struct dmarc_identifiers *identifiers,
                      const struct dmarc_options *options, struct dmarc_judgement *judgement)
{
    while (dmarc_judge(from, identifiers, options, &scene->answers, &scene->arena, &scene->hits,
                       judgement) == JUDGE_WAITING)
        scene_resolve(scene);
    if (!scene->answers.failed) /* the ceiling of questions is the message's to keep */
        expect_same_sharing(scene, from, identifiers, options, judgement);
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
