/* External report destinations (RFC 9990 4; AG-25 to AG-30; security.md H01). */
#include "dmarc/report.h"

#include <stdio.h>

#include "dmarc/dmarc_test_support.h"

#define RECORD(name, rest) "_dmarc." name " TXT \"v=DMARC1" rest "\"\n"
#define PERMIT(domain, host, rest) domain "._report._dmarc." host " TXT \"v=DMARC1" rest "\"\n"

struct report_case
{
    const char *what;
    const char *zone;
    const char *domain;
    const char *host;
    enum dmarc_report_verdict verdict;
    const char *reason;
    bool external;
    const char *override;
};

#define YES DMARC_REPORT_AUTHORIZED
#define REFUSED DMARC_REPORT_REFUSED
#define LATER DMARC_REPORT_TEMPERROR

static const struct report_case cases[] = {
    {"the same name", "", "a.test", "a.test", YES, NULL, false, ""},
    {"AG-25: one Organizational Domain", RECORD("a.test", "; p=none"), "a.test", "r.a.test", YES,
     NULL, false, ""},
    {"AG-25, 13.14: below, but an Organizational Domain of its own",
     RECORD("a.test", "; p=none") RECORD("r.a.test", "; psd=n"), "a.test", "r.a.test", REFUSED,
     "not_authorized", true, ""},
    {"H01: a victim that did not ask", "", "a.test", "victim.test", REFUSED, "not_authorized", true,
     ""},
    {"AG-27: authorized, no p needed", PERMIT("a.test", "r.test", ""), "a.test", "r.test", YES,
     NULL, true, ""},
    {"AG-27: several records",
     PERMIT("a.test", "r.test", "") PERMIT("a.test", "r.test", "; x=y") "a.test._report._dmarc.r."
                                                                        "test TXT \"hello\"\n",
     "a.test", "r.test", YES, NULL, true, ""},
    {"AG-27: other text", "a.test._report._dmarc.r.test TXT \"v=spf1 -all\"\n", "a.test", "r.test",
     REFUSED, "not_authorized", true, ""},
    {"AG-26: for another domain", PERMIT("b.test", "r.test", ""), "a.test", "r.test", REFUSED,
     "not_authorized", true, ""},
    {"AG-26: no answer", "a.test._report._dmarc.r.test TXT !timeout\n", "a.test", "r.test", LATER,
     "timeout", true, ""},
    {"AG-25: no answer on the way", "_dmarc.test TXT !servfail\n", "a.test", "r.test", LATER,
     "servfail", false, ""},
    {"AG-28: another mailbox on the same host", PERMIT("a.test", "r.test", "; rua=mailto:x@r.test"),
     "a.test", "r.test", YES, NULL, true, "mailto:x@r.test"},
    {"AG-28: another host, so neither", PERMIT("a.test", "r.test", "; rua=mailto:x@victim.test"),
     "a.test", "r.test", REFUSED, "override_of_other_host", true, ""},
    {"AG-28: both hosts, so neither",
     PERMIT("a.test", "r.test", "; rua=mailto:x@r.test,mailto:x@victim.test"), "a.test", "r.test",
     REFUSED, "override_of_other_host", true, ""},
};

Test(report, destinations)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct report_case *c = &cases[i];
        struct dns_name domain = name_of(c->domain), host = name_of(c->host);
        struct scene scene;
        struct dmarc_report_check got;
        scene_init(&scene, c->zone);
        while (dmarc_report_authorized(&domain, &host, &default_options, &scene.answers,
                                       &scene.arena, &scene.hits, &got) == JUDGE_WAITING)
            scene_resolve(&scene);
        cr_expect(got.verdict == c->verdict, "%s: %#x, want %#x", c->what, got.verdict, c->verdict);
        cr_expect(same_word(got.reason, c->reason), "%s: %s", c->what, got.reason);
        cr_expect(got.external == c->external, "%s: external %d", c->what, got.external);
        cr_expect(span_equal(got.override, span_from_string(c->override)), "%s: override %.*s",
                  c->what, (int)got.override.n, got.override.p);
        scene_fini(&scene);
    }
}

/* AG-25: "the same discovery method": by the list, two names of one registrable domain. */
Test(report, by_the_list)
{
    const struct dmarc_options options = {.mode = DMARC_PSL};
    struct dns_name domain = name_of("example.com"), host = name_of("r.example.com");
    struct dns_name other = name_of("r.example.net");
    struct scene scene;
    struct dmarc_report_check got;
    scene_init(&scene, "");
    cr_expect(dmarc_report_authorized(&domain, &host, &options, &scene.answers, &scene.arena,
                                      &scene.hits, &got) == JUDGE_DONE);
    cr_expect(got.verdict == DMARC_REPORT_AUTHORIZED && scene.answers.count == 0);
    while (dmarc_report_authorized(&domain, &other, &options, &scene.answers, &scene.arena,
                                   &scene.hits, &got) == JUDGE_WAITING)
        scene_resolve(&scene);
    cr_expect(got.verdict == DMARC_REPORT_REFUSED && scene.answers.count == 1);
    scene_fini(&scene);
}

/* AG-26: a question that does not fit in 255 bytes is not authorized. */
Test(report, name_too_long)
{
    static const char label[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    char text[256];
    snprintf(text, sizeof text, "%s.%s.%s.test", label, label, label);
    struct dns_name domain = name_of(text),
                    host = name_of("rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr.example");
    struct scene scene;
    struct dmarc_report_check got;
    scene_init(&scene, "");
    while (dmarc_report_authorized(&domain, &host, &default_options, &scene.answers, &scene.arena,
                                   &scene.hits, &got) == JUDGE_WAITING)
        scene_resolve(&scene);
    cr_expect(got.verdict == DMARC_REPORT_REFUSED);
    cr_expect_str_eq(got.reason, "name_too_long");
    scene_fini(&scene);
}
