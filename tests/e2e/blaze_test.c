/*
 * blaze's five messages (corpora e2e/blaze) with their cached DNS answers: SPF, DKIM, DMARC, ARC.
 */
#include "harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static void add_cache_file(struct buffer *zone, const char *file)
{
    char path[512];
    snprintf(path, sizeof path, "e2e/blaze/dns-cache/%s", file);
    struct span rest = file_read(corpora_require(path));
    struct span line;
    struct span name = span_of(file, strlen(file) - strlen(".dns"));
    while (line_next(&rest, &line))
        if (span_starts_fold(line, SPAN("txt:")))
            zone_add(zone, name, SPAN("TXT"), span_skip(line, 4));
}

static struct assay_engine *open_zone(void)
{
    struct buffer zone;
    buffer_init(&zone, 1024 * 1024);
    DIR *folder = opendir(corpora_require("e2e/blaze/dns-cache"));
    cr_assert(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strlen(entry->d_name) > 4 &&
            strcmp(entry->d_name + strlen(entry->d_name) - 4, ".dns") == 0)
            add_cache_file(&zone, entry->d_name);
    closedir(folder);
    struct assay_engine *engine = engine_over(&zone);
    buffer_fini(&zone);
    return engine;
}

struct blaze_case
{
    const char *file, *command;
    const char *mail_from, *ip;
    enum assay_result spf, dkim, dmarc, arc; /* UNSET: the row says nothing of it */
};

#define PASS ASSAY_RESULT_PASS
#define FAIL ASSAY_RESULT_FAIL
#define NONE ASSAY_RESULT_NONE
#define ANY ASSAY_RESULT_UNSET

#define GITHUB_BOUNCE "bounces+848413-e276-romain.calascibetta=gmail.com@sgmail.github.com"
#define OCAML_BOUNCE "ocaml+verp-cdef9eaa098cd788943a4314c682b75a@discoursemail.com"

/* The rows of the source's expected.tsv. */
static const struct blaze_case cases[] = {
    {"001.mail", "dkim", NULL, NULL, ANY, PASS, ANY, ANY},
    {"002.mail", "dkim", NULL, NULL, ANY, PASS, ANY, ANY},
    {"003.mail", "dkim", NULL, NULL, ANY, PASS, ANY, ANY},
    {"004.mail", "dkim", NULL, NULL, ANY, FAIL, ANY, ANY},
    {"007.mail", "dkim", NULL, NULL, ANY, PASS, ANY, ANY},
    {"001.mail", "spf", GITHUB_BOUNCE, "192.254.112.98", PASS, ANY, ANY, ANY},
    {"002.mail", "spf", "noreply@github.com", "192.30.252.192", PASS, ANY, ANY, ANY},
    {"003.mail", "spf", "tbraibant@janestreet.com", "38.105.200.233", FAIL, ANY, ANY, ANY},
    {"003.mail", "spf", "tbraibant@janestreet.com", "38.105.200.78", PASS, ANY, ANY, ANY},
    {"004.mail", "spf", OCAML_BOUNCE, "216.218.240.121", PASS, ANY, ANY, ANY},
    {"001.mail", "dmarc", GITHUB_BOUNCE, "192.254.112.98", PASS, PASS, PASS, ANY},
    {"002.mail", "dmarc", "noreply@github.com", "192.30.252.192", PASS, PASS, PASS, ANY},
    {"003.mail", "dmarc", "tbraibant@janestreet.com", "38.105.200.233", FAIL, PASS, PASS, ANY},
    {"004.mail", "dmarc", OCAML_BOUNCE, "216.218.240.121", PASS, FAIL, PASS, ANY},
    {"001.mail", "arc", NULL, NULL, ANY, ANY, ANY, NONE},
    {"002.mail", "arc", NULL, NULL, ANY, ANY, ANY, PASS},
    {"004.mail", "arc", NULL, NULL, ANY, ANY, ANY, PASS},
};

static bool agrees(enum assay_result got, enum assay_result want)
{
    return want == ASSAY_RESULT_UNSET || got == want;
}

Test(blaze, messages_with_cached_answers)
{
    static struct deviations deviations;
    deviations_read(&deviations, "tests/e2e/deviations.tsv");
    struct assay_engine *engine = open_zone();
    size_t passed = 0, deviating = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char path[512], name[64];
        snprintf(path, sizeof path, "e2e/blaze/%s", cases[i].file);
        snprintf(name, sizeof name, "%s %s", cases[i].file, cases[i].command);
        struct assay_envelope envelope = {
            .size = sizeof envelope,
            .client_ip = cases[i].ip,
            .mail_from = cases[i].mail_from,
            .received_at = 1795000000,
        };
        struct judged judged = judge_text(engine, &envelope, file_read(corpora_require(path)), 0);
        bool ok = agrees(judged.spf, cases[i].spf) && agrees(judged.dkim, cases[i].dkim) &&
                  agrees(judged.dmarc, cases[i].dmarc) && agrees(judged.arc, cases[i].arc);
        const struct deviation *row = deviation_find(&deviations, "blaze", span_from_string(name));
        passed += ok && !row;
        deviating += row != NULL;
        cr_expect(ok == !row, "%s: got %s", name, (const char *)judged.json.p);
        if (row)
            cr_expect(memmem(judged.results.p, judged.results.n, row->ours.p, row->ours.n) != NULL,
                      "%s: want %.*s, got %s", name, (int)row->ours.n, (const char *)row->ours.p,
                      (const char *)judged.results.p);
    }
    suite_report("blaze end to end", COUNT_OF(cases), passed, deviating);
    assay_engine_close(&engine);
}
