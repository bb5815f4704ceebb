/* The tree walk, level by level (RFC 9989 4.10; DP-11, DP-14 to DP-20, DP-28; G02, G06, F10). */
#include <stdio.h>

#include "base/buffer.h"
#include "dmarc/dmarc_test_support.h"

#define RECORD(name, rest) "_dmarc." name " TXT \"v=DMARC1" rest "\"\n"

/* "l14.l13.….l1": the top label is l1. */
static const char *name_with_labels(unsigned labels)
{
    static char text[256];
    size_t n = 0;
    for (unsigned i = labels; i; i--)
        n += (size_t)snprintf(text + n, sizeof text - n, "%sl%u", n ? "." : "", i);
    return text;
}

/* DP-14, G02: min(labels, 8) questions, the start and its seven shortest parents; never more. */
static const char *level_of(const struct dmarc_walk *walk, unsigned i)
{
    struct dns_name domain = dmarc_step_domain(walk, &walk->steps[i]);
    return text_of(&domain);
}

Test(walk, one_to_fourteen_labels)
{
    for (unsigned labels = 1; labels <= 14; labels++) {
        struct scene scene;
        struct dmarc_walk walk;
        unsigned want = labels < 8 ? labels : 8;
        scene_init(&scene, "");
        scene_walk(&scene, name_with_labels(labels), &walk);
        cr_expect(scene.answers.count == want, "%u labels: %u questions", labels,
                  scene.answers.count);
        cr_expect(walk.count == want && walk.complete);
        cr_expect_str_eq(level_of(&walk, 0), name_with_labels(labels));
        for (unsigned i = 1; i < walk.count; i++)
            cr_expect_str_eq(level_of(&walk, i), name_with_labels(want - i),
                             "%u labels, step %u: %s", labels, i, level_of(&walk, i));
        cr_expect(scene.hits.n[LIMIT_DMARC_WALK] == 0 || labels > 8);
        cr_expect(scene.hits.n[LIMIT_DMARC_WALK] > 0 || labels <= 8);
        scene_fini(&scene);
    }
}

/* G02: the longest name there is, 127 labels. */
Test(walk, name_of_127_labels)
{
    struct scene scene;
    struct dmarc_walk walk;
    char text[256] = "";
    for (size_t i = 0; i < 253; i++)
        text[i] = i % 2 ? '.' : 'a';
    text[253] = '\0';
    scene_init(&scene, "");
    scene_walk(&scene, text, &walk);
    cr_expect(walk.count == 8);
    cr_expect(scene.answers.count == 7, "%u: \"_dmarc\" does not fit before the start",
              scene.answers.count);
    cr_expect_str_eq(walk.steps[0].reason, "name_too_long");
    cr_expect(walk.steps[0].outcome == DNS_NXDOMAIN && !walk.steps[0].unknown);
    scene_fini(&scene);
}

struct level_case
{
    const char *what;
    const char *zone;
    const char *reason; /* of the step b.example */
    bool unknown, found;
};

static const struct level_case level_cases[] = {
    {"one record", RECORD("b.example", "; p=none"), NULL, false, true},
    {"no such name", "", NULL, false, false},
    {"other types only", "_dmarc.b.example A 192.0.2.1\n", NULL, false, false},
    {"F10: unrelated text", "_dmarc.b.example TXT \"v=spf1 -all\"\n", "not_dmarc", false, false},
    {"F10: unrelated text beside it",
     "_dmarc.b.example TXT \"v=spf1 -all\"\n" RECORD("b.example",
                                                     "; p=none") "_dmarc.b.example TXT \"\"\n",
     NULL, false, true},
    {"DP-11: two records", RECORD("b.example", "; p=none") RECORD("b.example", "; p=reject"),
     "several_records", false, false},
    {"DP-11: two records, psd=n", RECORD("b.example", "; psd=n") RECORD("b.example", "; psd=n"),
     "several_records", false, false},
    {"another version beside it",
     RECORD("b.example", "; p=none") "_dmarc.b.example TXT \"v=DMARC2; p=none\"\n", NULL, false,
     true},
    {"DP-6: strings joined without blanks", "_dmarc.b.example TXT \"v=DMA\" \"RC1; p=no\" \"ne\"\n",
     NULL, false, true},
    {"servfail", "_dmarc.b.example TXT !servfail\n", "servfail", true, false},
    {"timeout", "_dmarc.b.example TXT !timeout\n", "timeout", true, false},
    {"through a CNAME", "_dmarc.b.example CNAME x.example\nx.example TXT \"v=DMARC1; p=none\"\n",
     NULL, false, true},
};

Test(walk, what_stands_at_a_level)
{
    for (size_t i = 0; i < COUNT_OF(level_cases); i++) {
        const struct level_case *c = &level_cases[i];
        struct scene scene;
        struct dmarc_walk walk;
        scene_init(&scene, c->zone);
        scene_walk(&scene, "a.b.example", &walk);
        const struct dmarc_step *step = &walk.steps[1];
        cr_assert(walk.count == 3, "%s: %u steps", c->what, walk.count);
        cr_expect(same_word(step->reason, c->reason), "%s: reason %s, want %s", c->what,
                  step->reason, c->reason);
        cr_expect(step->unknown == c->unknown && walk.tempfail == c->unknown, "%s: unknown %d",
                  c->what, step->unknown);
        cr_expect((step->record != NULL) == c->found, "%s: record %d", c->what,
                  step->record != NULL);
        cr_expect(!walk.permfail);
        scene_fini(&scene);
    }
}

/*
 * An answer beyond the limits is not an empty one: whatever stands in the part that was cut, the
 * result is an error and not the parent's policy (security.md section 2, G06).
 */
Test(walk, cut_answer_is_an_error)
{
    static const struct
    {
        unsigned others;
        unsigned records;
        const char *reason;
        bool unknown;
    } cases[] = {
        {MAX_DNS_RECORDS - 2, 1, NULL, false},
        {MAX_DNS_RECORDS - 1, 1, NULL, false},
        {MAX_DNS_RECORDS, 1, "dns_answer_too_large", true},
        {MAX_DNS_RECORDS + 1, 0, "dns_answer_too_large", true},
        {MAX_DNS_RECORDS, 0, "not_dmarc", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scene scene;
        struct buffer zone;
        struct dmarc_discovery got;
        buffer_init(&zone, 1 << 20);
        buffer_append(&zone, SPAN("_dmarc.example TXT \"v=DMARC1; p=none\"\n"));
        for (unsigned k = 0; k < cases[i].records; k++)
            buffer_append(&zone, SPAN("_dmarc.a.example TXT \"v=DMARC1; p=reject\"\n"));
        for (unsigned k = 0; k < cases[i].others; k++)
            buffer_printf(&zone, "_dmarc.a.example TXT \"other %u\"\n", k);
        buffer_append_byte(&zone, '\0');
        scene_init(&scene, (const char *)zone.p);
        scene_discover(&scene, "a.example", &default_options, &got);
        cr_expect(same_word(got.walk.steps[0].reason, cases[i].reason), "case %zu: %s", i,
                  got.walk.steps[0].reason);
        cr_expect(got.walk.permfail == cases[i].unknown, "case %zu", i);
        cr_expect(got.result == (cases[i].unknown ? RESULT_PERMERROR : RESULT_UNSET),
                  "case %zu: %#x", i, got.result);
        scene_fini(&scene);
        buffer_fini(&zone);
    }
}

/* A record too long to be read hides a policy: an error, not the parent's p=none (G01). */
Test(walk, overlong_record_is_an_error)
{
    struct scene scene;
    struct buffer zone;
    struct dmarc_discovery got;
    buffer_init(&zone, 1 << 20);
    buffer_append(&zone, SPAN("_dmarc.example TXT \"v=DMARC1; p=none\"\n"
                              "_dmarc.a.example TXT \"v=DMARC1; p=reject; x=\""));
    for (unsigned k = 0; k < 20; k++)
        buffer_printf(&zone, " \"%0240u\"", k);
    buffer_append(&zone, SPAN("\n\0"));
    scene_init(&scene, (const char *)zone.p);
    scene_discover(&scene, "a.example", &default_options, &got);
    cr_expect(got.result == RESULT_PERMERROR, "%#x", got.result);
    cr_expect_str_eq(got.reason, "dmarc_record_too_long");
    cr_expect(scene.hits.n[LIMIT_DMARC_RECORD_BYTES] == 1, "%u hits in %u runs",
              scene.hits.n[LIMIT_DMARC_RECORD_BYTES], scene.runs + 1);
    scene_fini(&scene);
    buffer_fini(&zone);
}

/* Levels above a psd= tag are no part of the walk, nor are their errors (DP-28). */
Test(walk, errors_behind_psd_do_not_count)
{
    static const char *const tags[] = {"; psd=n", "; psd=y"};
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        char zone[256];
        struct scene scene;
        struct dmarc_walk walk;
        snprintf(zone, sizeof zone,
                 "_dmarc.b.c.example TXT \"v=DMARC1%s\"\n_dmarc.c.example TXT !servfail\n"
                 "_dmarc.example TXT \"v=DMARC1; psd=n\"\n",
                 tags[i]);
        scene_init(&scene, zone);
        scene_walk(&scene, "a.b.c.example", &walk);
        cr_expect(walk.count == 2 && !walk.tempfail, "%s: %u steps", tags[i], walk.count);
        struct dns_name org = dmarc_walk_org(&walk);
        cr_expect_str_eq(text_of(&org), i ? "a.b.c.example" : "b.c.example");
        scene_fini(&scene);
    }
}

/* The answers may come one at a time: a known end of the walk needs no more of them. */
Test(walk, ends_while_later_levels_wait)
{
    struct scene scene;
    struct dmarc_walk walk;
    struct dns_name start = name_of("a.b.example");
    scene_init(&scene, RECORD("a.b.example", "; psd=n"));
    cr_expect(dmarc_walk(&start, &scene.context, &walk) == JUDGE_WAITING);
    cr_expect(scene.answers.waiting == 3);
    struct dns_record record = {.text = SPAN("v=DMARC1; psd=n")};
    struct dns_answer answer = {.outcome = DNS_ANSWER, .count = 1, .records = &record};
    dns_answers_put(&scene.answers, scene.answers.first, &answer);
    cr_expect(dmarc_walk(&start, &scene.context, &walk) == JUDGE_DONE);
    cr_expect(walk.complete && walk.count == 1);
    scene_fini(&scene);
}

/* DP-17: "one label below" lies on the start's own path, also where that level was skipped. */
Test(walk, one_label_below_a_skipped_level)
{
    struct scene scene;
    struct dmarc_walk walk;
    scene_init(&scene, RECORD("l7.l6.l5.l4.l3.l2.l1", "; psd=y"));
    scene_walk(&scene, name_with_labels(10), &walk);
    struct dns_name org = dmarc_walk_org(&walk);
    cr_expect_str_eq(text_of(&org), name_with_labels(8));
    scene_fini(&scene);
}

/* DP-19: a PSD that forgot psd=y, named by the operator; its own psd=n stands. */
Test(walk, configured_public_suffixes)
{
    struct dns_name psd = name_of("com");
    const struct dmarc_options options = {.psd_names = &psd, .psd_count = 1};
    static const struct
    {
        const char *zone;
        bool configured;
        const char *org;
    } cases[] = {
        {RECORD("com", "; p=reject"), false, "com"},
        {RECORD("com", "; p=reject"), true, "example.com"},
        {RECORD("com", "; p=reject; psd=n"), true, "com"},
        {"", true, "x.example.com"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scene scene;
        struct dmarc_discovery got;
        scene_init(&scene, cases[i].zone);
        scene_discover(&scene, "x.example.com", cases[i].configured ? &options : &default_options,
                       &got);
        cr_expect_str_eq(text_of(&got.org_domain), cases[i].org, "case %zu: %s", i,
                         text_of(&got.org_domain));
        scene_fini(&scene);
    }
}

/* Without memory a level is unknown, and that is a temporary error. */
Test(walk, no_memory)
{
    struct scene scene;
    struct dmarc_walk walk;
    scene_init(&scene, RECORD("example", "; p=none"));
    scene_walk(&scene, "example", &walk);
    cr_expect(walk.steps[0].record != NULL);
    struct arena small;
    arena_init(&small, 64);
    scene.context.arena = &small;
    scene_walk(&scene, "example", &walk);
    cr_expect(walk.tempfail && walk.steps[0].record == NULL);
    cr_expect_str_eq(walk.steps[0].reason, "no_memory");
    arena_fini(&small);
    scene_fini(&scene);
}
