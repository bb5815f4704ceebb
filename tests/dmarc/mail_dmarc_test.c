/*
 * Mail::DMARC's cases (RFC 9989): each names the results it cares about, and those are compared,
 * written as "key=value key=value".
 */
#include <jansson.h>
#include <stdio.h>

#include "dmarc/align.h"
#include "dmarc/dmarc_test_support.h"
#include "dmarc/report.h"
#include "support/corpora.h"

/* Mail::DMARC speaks of the policy's wish: its reject is our reject with the operator's switch. */
static const struct dmarc_options options = {.mode = DMARC_TREE_WALK, .reject = true};

/* One value of ours for a key that the case expects; "?" for a key we do not know. */
typedef const char *answer(void *facts, const char *key);

static const char *yes_no(bool value)
{
    return value ? "true" : "false";
}

static const char *json_text(const json_t *value, char *out, size_t size)
{
    if (json_is_integer(value))
        snprintf(out, size, "%lld", (long long)json_integer_value(value));
    else if (json_is_string(value))
        snprintf(out, size, "%s", json_string_value(value));
    else
        snprintf(out, size, "%s", json_is_null(value) ? "null" : yes_no(json_is_true(value)));
    return out;
}

static const char *input_text(const json_t *test, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(test, "input"), key));
    return text ? text : "";
}

struct line
{
    char text[512];
    size_t n;
};

static void line_add(struct line *line, const char *key, const char *value)
{
    line->n += (size_t)snprintf(line->text + line->n, sizeof line->text - line->n, "%s%s=%s",
                                line->n ? " " : "", key, value);
    cr_assert(line->n < sizeof line->text);
}

/* Asks `ours` for every key of the case's expectation. */
static void answer_all(const json_t *test, answer *ours, void *facts, struct line *got)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(test, "expect"), key, value)
        line_add(got, key, ours(facts, key));
}

/* --- org_domain, tree_walk --- */

struct walk_facts
{
    struct dmarc_walk walk;
    const struct dmarc_step *found; /* the longest name with a record */
};

static const char *level_of(const struct walk_facts *facts)
{
    struct dns_name domain = dmarc_step_domain(&facts->walk, facts->found);
    return text_of(&domain);
}

static const char *walk_answer(void *facts, const char *key)
{
    const struct walk_facts *f = facts;
    struct dns_name org = dmarc_walk_org(&f->walk);
    if (strcmp(key, "record_found") == 0)
        return yes_no(f->found != NULL);
    if (strcmp(key, "found_at") == 0)
        return f->found ? level_of(f) : "null";
    if (strcmp(key, "org_domain") == 0)
        return text_of(&org);
    return "?";
}

/* The walk alone, without the rule that the start stands where nothing is found. */
static const char *bare_walk_answer(void *facts, const char *key)
{
    const struct walk_facts *f = facts;
    return f->found || strcmp(key, "org_domain") != 0 ? walk_answer(facts, key) : "null";
}

static void walk_case(struct scene *scene, const json_t *test, answer *ours, struct line *got)
{
    struct walk_facts facts = {.found = NULL};
    scene_walk(scene, input_text(test, "domain"), &facts.walk);
    for (uint32_t i = 0; i < facts.walk.count && !facts.found; i++)
        if (facts.walk.steps[i].record)
            facts.found = &facts.walk.steps[i];
    answer_all(test, ours, &facts, got);
}

static void run_org_domain(struct scene *scene, const json_t *test, struct line *got)
{
    walk_case(scene, test, walk_answer, got);
}

static void run_tree_walk(struct scene *scene, const json_t *test, struct line *got)
{
    walk_case(scene, test, bare_walk_answer, got);
}

/* --- identifiers --- */

static bool passed(const json_t *item)
{
    return strcmp(json_string_value(json_object_get(item, "result")), "pass") == 0;
}

static struct dns_name domain_of(const json_t *item)
{
    return name_of(json_string_value(json_object_get(item, "domain")));
}

/* Passing DKIM domains, and the SPF domain where MAIL FROM passed (DP-29). */
static void read_identifiers(struct scene *scene, const json_t *test,
                             struct dmarc_identifiers *identifiers)
{
    const json_t *input = json_object_get(test, "input"), *item;
    struct dns_name *dkim = ARENA_ARRAY(&scene->arena, 16, struct dns_name);
    size_t i;
    *identifiers = (struct dmarc_identifiers){.known = true, .dkim = dkim};
    json_array_foreach(json_object_get(input, "dkim"), i, item) if (passed(item))
        dkim[identifiers->dkim_count++] = domain_of(item);
    json_array_foreach(
        json_object_get(input, "spf"), i,
        item) if (passed(item) &&
                  strcmp(json_string_value(json_object_get(item, "scope")), "mfrom") == 0)
    {
        identifiers->spf_pass = true;
        identifiers->spf_domain = domain_of(item);
    }
}

/* --- validate --- */

static const char *judgement_answer(void *facts, const char *key)
{
    const struct dmarc_judgement *j = facts;
    if (strcmp(key, "result") == 0)
        return result_word(j->result);
    if (strcmp(key, "disposition") == 0)
        return dmarc_disposition_word(j->disposition);
    if (strcmp(key, "spf_aligned") == 0)
        return yes_no(j->spf_aligned);
    if (strcmp(key, "dkim_aligned") == 0)
        return yes_no(j->dkim_aligned);
    if (strcmp(key, "spf") == 0)
        return j->spf_aligned ? "pass" : "fail";
    if (strcmp(key, "published_p") == 0)
        return j->policy ? dmarc_policy_word(j->discovery.published) : "null";
    return "?";
}

static void run_validate(struct scene *scene, const json_t *test, struct line *got)
{
    struct mail_from *from = ARENA_NEW(&scene->arena, struct mail_from);
    struct dmarc_identifiers identifiers;
    struct dmarc_judgement judgement;
    from_of(input_text(test, "header_from"), from);
    read_identifiers(scene, test, &identifiers);
    scene_judge_from(scene, from, &identifiers, &options, &judgement);
    answer_all(test, judgement_answer, &judgement, got);
}

/* --- discover_policy --- */

static const char *tag_text(const struct dmarc_record *record, const char *name)
{
    static char texts[4][128];
    static unsigned turn;
    for (uint32_t i = 0; i < record->tag_count; i++) {
        const struct tag *tag = &record->tags[i];
        if (!span_equal(tag->name, span_from_string(name)))
            continue;
        char *out = texts[turn++ % 4];
        snprintf(out, sizeof texts[0], "%.*s", (int)tag->value.n, (const char *)tag->value.p);
        return out;
    }
    return "null";
}

static const char *policy_answer(void *facts, const char *key)
{
    const struct dmarc_discovery *d = facts;
    if (strcmp(key, "is_subdomain") == 0)
        return yes_no(!dns_name_equal(&d->from_domain, &d->org_domain));
    if (!d->record)
        return "null";
    if (strcmp(key, "domain") == 0)
        return text_of(&d->policy_domain);
    if (strcmp(key, "p") == 0)
        return dmarc_policy_word(d->record->p);
    if (strcmp(key, "aspf") == 0)
        return d->record->aspf_strict ? "s" : "r";
    if (strcmp(key, "adkim") == 0)
        return d->record->adkim_strict ? "s" : "r";
    if (strcmp(key, "fo") == 0)
        return d->record->fo.n ? "?" : "0"; /* the default */
    return tag_text(d->record, key);        /* rua, ruf; pct as published, never used */
}

static void run_discover_policy(struct scene *scene, const json_t *test, struct line *got)
{
    struct dmarc_discovery discovery;
    scene_discover(scene, input_text(test, "header_from"), &options, &discovery);
    answer_all(test, policy_answer, &discovery, got);
}

/* --- alignment: without a policy --- */

struct alignment_facts
{
    bool spf, dkim;
    bool equal; /* the aligned name is the author domain */
};

static const char *alignment_answer(void *facts, const char *key)
{
    const struct alignment_facts *f = facts;
    if (strcmp(key, "spf_aligned") == 0)
        return yes_no(f->spf);
    if (strcmp(key, "dkim_aligned") == 0)
        return yes_no(f->dkim);
    if (strcmp(key, "mode") == 0)
        return f->equal ? "strict" : "relaxed";
    return "?";
}

static bool align(struct scene *scene, const struct dmarc_discovery *discovery,
                  const struct dns_name *name, struct alignment_facts *facts)
{
    enum dmarc_aligned aligned;
    while ((aligned = dmarc_align(discovery, name, false, &options, &scene->context)) ==
           DMARC_ALIGNED_WAITING)
        scene_resolve(scene);
    if (aligned == DMARC_ALIGNED_YES)
        facts->equal |= dns_name_equal(name, &discovery->from_domain);
    return aligned == DMARC_ALIGNED_YES;
}

static void run_alignment(struct scene *scene, const json_t *test, struct line *got)
{
    struct dmarc_identifiers identifiers;
    struct dmarc_discovery discovery;
    struct alignment_facts facts = {.spf = false};
    read_identifiers(scene, test, &identifiers);
    scene_discover(scene, input_text(test, "header_from"), &options, &discovery);
    for (uint32_t i = 0; i < identifiers.dkim_count; i++)
        facts.dkim |= align(scene, &discovery, &identifiers.dkim[i], &facts);
    if (identifiers.spf_pass)
        facts.spf = align(scene, &discovery, &identifiers.spf_domain, &facts);
    answer_all(test, alignment_answer, &facts, got);
}

/* --- from_domain --- */

static const char *from_answer(void *facts, const char *key)
{
    const struct dmarc_judgement *j = facts;
    return strcmp(key, "domain") == 0 ? text_of(&j->discovery.from_domain) : "?";
}

static void run_from_domain(struct scene *scene, const json_t *test, struct line *got)
{
    struct mail_from *from = ARENA_NEW(&scene->arena, struct mail_from);
    struct mail_anomalies anomalies = {0};
    const struct dmarc_identifiers identifiers = {.known = true};
    struct dmarc_judgement judgement;
    struct span value = span_from_string(input_text(test, "header"));
    if (span_starts_fold(value, SPAN("From:")))
        value = span_skip(value, 5);
    mail_address_list_parse(value, &scene->arena, &anomalies, &scene->hits, &from->list);
    from->state = from->list.error ? MAIL_FROM_BAD : MAIL_FROM_OK;
    scene_judge_from(scene, from, &identifiers, &options, &judgement);
    answer_all(test, from_answer, &judgement, got);
}

/* --- verify_external_reporting --- */

static const char *report_answer(void *facts, const char *key)
{
    static char text[128];
    const struct dmarc_report_check *check = facts;
    if (strcmp(key, "authorised") == 0)
        return yes_no(check->verdict == DMARC_REPORT_AUTHORIZED);
    snprintf(text, sizeof text, "%.*s", (int)check->override.n, (const char *)check->override.p);
    return strcmp(key, "rua_override") == 0 ? text : "?";
}

static void run_report(struct scene *scene, const json_t *test, struct line *got)
{
    struct dns_name domain = name_of(input_text(test, "policy_domain"));
    struct dns_name host = name_of(input_text(test, "rua_domain"));
    struct dmarc_report_check check;
    while (dmarc_report_authorized(&domain, &host, &options, &scene->answers, &scene->arena,
                                   &scene->hits, &check) == JUDGE_WAITING)
        scene_resolve(scene);
    answer_all(test, report_answer, &check, got);
}

/* --- the suite --- */

static const struct
{
    const char *api;
    void (*run)(struct scene *, const json_t *, struct line *);
} apis[] = {
    {"org_domain", run_org_domain},
    {"tree_walk", run_tree_walk},
    {"validate", run_validate},
    {"discover_policy", run_discover_policy},
    {"alignment", run_alignment},
    {"from_domain", run_from_domain},
    {"verify_external_reporting", run_report},
};

struct totals
{
    size_t cases, passed, deviating;
};

static void compare(const char *id, const struct line *got, const struct line *want,
                    const struct deviations *deviations, struct totals *totals)
{
    const struct deviation *row = deviation_find(deviations, "mail-dmarc", span_from_string(id));
    const char *expected = want->text;
    char ours[512];
    if (row) {
        cr_expect(span_equal(row->expected, span_from_string(want->text)),
                  "%s: the table expects \"%.*s\", the case \"%s\"", id, (int)row->expected.n,
                  row->expected.p, want->text);
        snprintf(ours, sizeof ours, "%.*s", (int)row->ours.n, (const char *)row->ours.p);
        expected = ours;
    }
    bool same = strcmp(got->text, expected) == 0;
    cr_expect(same, "%s: got \"%s\", want \"%s\"", id, got->text, expected);
    totals->passed += same && !row;
    totals->deviating += same && row;
}

static void run_case(const json_t *test, const char *zone, const struct deviations *deviations,
                     struct totals *totals)
{
    const char *id = json_string_value(json_object_get(test, "id")), *key;
    const char *api = json_string_value(json_object_get(test, "api"));
    struct line got = {.n = 0}, want = {.n = 0};
    struct scene scene;
    json_t *value;
    char text[256];
    totals->cases++;
    json_object_foreach(json_object_get(test, "expect"), key, value)
        line_add(&want, key, json_text(value, text, sizeof text));
    scene_init(&scene, zone);
    for (size_t i = 0; i < COUNT_OF(apis); i++)
        if (strcmp(apis[i].api, api) == 0)
            apis[i].run(&scene, test, &got);
    cr_expect(got.n > 0, "%s: no such api: %s", id, api);
    compare(id, &got, &want, deviations, totals);
    scene_fini(&scene);
}

Test(corpora, mail_dmarc)
{
    struct deviations *deviations = calloc(1, sizeof *deviations);
    struct totals totals = {0};
    struct span zone = file_read(corpora_require("dmarc/mail-dmarc/zone.txt"));
    struct span rest = file_read(corpora_require("dmarc/mail-dmarc/cases.jsonl")), line;
    deviations_read(deviations, "tests/dmarc/deviations.tsv");
    while (line_next(&rest, &line)) {
        json_error_t error;
        json_t *test = json_loadb((const char *)line.p, line.n, 0, &error);
        cr_assert(test != NULL, "%s", error.text);
        run_case(test, (const char *)zone.p, deviations, &totals);
        json_decref(test);
    }
    cr_expect(totals.cases == 48, "%zu cases", totals.cases);
    suite_report("mail-dmarc", totals.cases, totals.passed, totals.deviating);
    free(deviations);
}
