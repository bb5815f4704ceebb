/* The Public Suffix List door, the list's own test file, and discovery in psl and compare mode. */
#include "dmarc/psl.h"

#include "dmarc/dmarc_test_support.h"
#include "support/corpora.h"

/* The text between the next two quotes, or false: null and no quote at all. */
static bool quoted(struct span *line, struct span *text)
{
    size_t open = span_find(*line, '\'');
    if (open == line->n)
        return false;
    *line = span_skip(*line, open + 1);
    size_t close = span_find(*line, '\'');
    cr_assert(close < line->n);
    *text = span_slice(*line, 0, close);
    *line = span_skip(*line, close + 1);
    return true;
}

struct totals
{
    size_t cases, passed, deviating;
};

/*
 * checkPublicSuffix('name', 'registrable domain' or null). A name with a leading dot, or none, is
 * no name here and never reaches the list.
 */
static void check_suffix(struct span line, const struct dmarc_psl *psl, struct totals *totals)
{
    struct span text, want_text;
    struct dns_name name, want;
    totals->cases++;
    if (!quoted(&line, &text) || dns_name_from_domain(&name, text) != DNS_NAME_OK) {
        totals->passed += !quoted(&line, &want_text);
        return;
    }
    want = name; /* null: no registrable domain, the name itself */
    if (quoted(&line, &want_text))
        cr_assert(dns_name_from_domain(&want, want_text) == DNS_NAME_OK);
    struct dns_name got = dmarc_psl_org(psl, &name);
    cr_expect(dns_name_equal(&got, &want), "%s: got %s, want %s", text_of(&name), text_of(&got),
              text_of(&want));
    totals->passed += dns_name_equal(&got, &want);
}

Test(psl, test_file_of_the_list)
{
    struct dmarc_psl *psl = dmarc_psl_open(corpora_require("dmarc/psl/public_suffix_list.dat"));
    cr_assert(psl != NULL);
    struct span rest = file_read(corpora_require("dmarc/psl/test_psl.txt")), line;
    struct totals totals = {0};
    while (line_next(&rest, &line))
        if (span_starts_fold(line, SPAN("checkPublicSuffix(")))
            check_suffix(line, psl, &totals);
    cr_expect(totals.cases == 78, "%zu cases", totals.cases);
    suite_report("psl", totals.cases, totals.passed, totals.deviating);
    dmarc_psl_free(&psl);
    cr_expect_null(psl);
}

Test(psl, built_in_list)
{
    static const char *const cases[][2] = {
        {"a.b.example.com", "example.com"},
        {"example.com", "example.com"},
        {"com", "com"},
        {"a.b.co.uk", "b.co.uk"},
        {"a.b.unlisted-tld", "b.unlisted-tld"},
        {"_dmarc.a_b.com", "a_b.com"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_name name = name_of(cases[i][0]);
        struct dns_name got = dmarc_psl_org(NULL, &name);
        cr_expect_str_eq(text_of(&got), cases[i][1], "%s: %s", cases[i][0], text_of(&got));
    }
}

/* Bytes that text would read as something else do not reach the list. */
Test(psl, odd_bytes_stay_outside)
{
    static const char *const texts[] = {"a\\.b.example.com", "a\\000.example.com",
                                        "a\\032b.example.com"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct dns_name name = {0};
        cr_assert(dns_name_from_zone_text(&name, span_from_string(texts[i])) == DNS_NAME_OK);
        struct dns_name got = dmarc_psl_org(NULL, &name);
        cr_expect(dns_name_equal(&got, &name), "%s: %s", texts[i], text_of(&got));
    }
    struct dns_name root = {.length = 1};
    struct dns_name got = dmarc_psl_org(NULL, &root);
    cr_expect(dns_name_equal(&got, &root), "the root is itself");
}

Test(psl, no_such_file)
{
    cr_expect_null(dmarc_psl_open("/nonexistent/public_suffix_list.dat"));
    struct dmarc_psl *psl = dmarc_psl_open(NULL);
    cr_assert(psl != NULL);
    struct dns_name name = name_of("www.example.com");
    struct dns_name got = dmarc_psl_org(psl, &name);
    cr_expect_str_eq(text_of(&got), "example.com");
    dmarc_psl_free(&psl);
    dmarc_psl_free(&psl);
}

#define RECORD(name, rest) "_dmarc." name " TXT \"v=DMARC1" rest "\"\n"

/* DMARC_PSL: the author's record, else the registrable domain's; nothing between, nothing above. */
static const struct psl_case
{
    const char *what;
    const char *zone;
    const char *author;
    const char *dkim;
    const char *policy_domain;
    const char *tag;
    enum result result;
    uint32_t questions;
} psl_cases[] = {
    {"the registrable domain's record", RECORD("example.com", "; p=none; sp=reject"),
     "a.b.example.com", "c.example.com", "example.com", "sp", RESULT_PASS, 2},
    {"the author's own", RECORD("a.example.com", "; p=none") RECORD("example.com", "; p=reject"),
     "a.example.com", "other.com", "a.example.com", "p", RESULT_FAIL, 2},
    {"not the one between", RECORD("b.example.com", "; p=reject"), "a.b.example.com", "example.com",
     "", NULL, RESULT_NONE, 2},
    {"nor the one above", RECORD("com", "; p=reject; psd=y"), "a.example.com", "example.com", "",
     NULL, RESULT_NONE, 2},
    {"one question for the registrable domain itself", RECORD("example.com", "; p=reject"),
     "example.com", "x.example.com", "example.com", "p", RESULT_PASS, 1},
    {"psd=n below does not divide it",
     RECORD("example.com", "; p=reject") RECORD("b.example.com", "; p=none; psd=n"), "example.com",
     "b.example.com", "example.com", "p", RESULT_PASS, 1},
    {"names under one public suffix", RECORD("a.co.uk", "; p=reject"), "a.co.uk", "b.co.uk",
     "a.co.uk", "p", RESULT_FAIL, 1},
    {"the public suffix itself", RECORD("a.co.uk", "; p=reject"), "a.co.uk", "co.uk", "a.co.uk",
     "p", RESULT_FAIL, 1},
    {"strict", RECORD("example.com", "; p=reject; adkim=s"), "example.com", "x.example.com",
     "example.com", "p", RESULT_FAIL, 1},
    {"the registrable domain's answer is missing", "_dmarc.example.com TXT !servfail\n",
     "a.example.com", "a.example.com", "", NULL, RESULT_TEMPERROR, 2},
    {"it is not needed", "_dmarc.example.com TXT !servfail\n" RECORD("a.example.com", "; p=none"),
     "a.example.com", "example.com", "a.example.com", "p", RESULT_PASS, 2},
};

Test(psl, discovery_and_alignment)
{
    const struct dmarc_options options = {.mode = DMARC_PSL};
    for (size_t i = 0; i < COUNT_OF(psl_cases); i++) {
        const struct psl_case *c = &psl_cases[i];
        const struct message message = {.from = c->author, .dkim = c->dkim};
        struct scene scene;
        struct dmarc_judgement got;
        scene_init(&scene, c->zone);
        scene_judge(&scene, &message, &options, &got);
        cr_expect(got.result == c->result, "%s: %s", c->what, result_word(got.result));
        cr_expect_str_eq(text_of(&got.discovery.policy_domain), c->policy_domain, "%s: %s", c->what,
                         text_of(&got.discovery.policy_domain));
        cr_expect(same_word(got.discovery.policy_tag, c->tag), "%s: tag %s", c->what,
                  got.discovery.policy_tag);
        cr_expect(got.discovery.used_psl);
        cr_expect(scene.answers.count == c->questions, "%s: %u questions", c->what,
                  scene.answers.count);
        scene_fini(&scene);
    }
}

/* DMARC_COMPARE: the walk decides (13.1), the difference is named. */
Test(psl, compare)
{
    static const struct
    {
        const char *zone;
        const char *author;
        const char *org;
        const char *difference;
    } compared[] = {
        {RECORD("example.com", "; p=reject"), "a.example.com", "example.com", NULL},
        {"", "example.com", "example.com", NULL},
        {"", "a.example.com", "a.example.com", "org_domain"},
        {RECORD("com", "; p=reject"), "a.example.com", "com", "policy"},
        {RECORD("a.example.com", "; p=none; psd=n") RECORD("example.com", "; p=none"),
         "x.a.example.com", "a.example.com", "policy_domain"},
        {RECORD("a.example.com", "; p=none; psd=n"), "a.example.com", "a.example.com",
         "org_domain"},
        {RECORD("a.example.com", "; p=none; psd=n") "_dmarc.example.com TXT !servfail\n",
         "x.a.example.com", "a.example.com", NULL}, /* the list's side has no answer */
        {RECORD("a.example.com", "; p=none; psd=n") RECORD("example.com", "; p=none; np=reject"),
         "x.a.example.com", "a.example.com", "policy"},
    };
    const struct dmarc_options options = {.mode = DMARC_COMPARE};
    for (size_t i = 0; i < COUNT_OF(compared); i++) {
        struct scene scene;
        struct dmarc_discovery got;
        scene_init(&scene, compared[i].zone);
        scene_discover(&scene, compared[i].author, &options, &got);
        cr_expect_str_eq(text_of(&got.org_domain), compared[i].org, "case %zu: %s", i,
                         text_of(&got.org_domain));
        cr_expect(same_word(got.psl_difference, compared[i].difference), "case %zu: %s", i,
                  got.psl_difference);
        cr_expect(got.psl_differs == (compared[i].difference != NULL));
        cr_expect(!got.used_psl);
        scene_fini(&scene);
    }
}
