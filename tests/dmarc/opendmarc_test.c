/* OpenDMARC's tables of RFC 7489: alignment by the public suffix list, and record syntax. */
#include <stdio.h>

#include "dmarc/align.h"
#include "dmarc/dmarc_test_support.h"
#include "support/corpora.h"

struct totals
{
    size_t cases, passed, deviating;
};

static void compare(const char *suite, struct span id, const char *got, const char *want,
                    const struct deviations *deviations, struct totals *totals)
{
    const struct deviation *row = deviation_find(deviations, suite, id);
    struct span ours = row ? row->ours : span_from_string(want);
    bool same = span_equal(span_from_string(got), ours);
    totals->cases++;
    if (row)
        cr_expect(span_equal(row->expected, span_from_string(want)), "%s %.*s: the table is wrong",
                  suite, (int)id.n, id.p);
    cr_expect(same, "%s %.*s: got %s, want %.*s", suite, (int)id.n, id.p, got, (int)ours.n, ours.p);
    totals->passed += same && !row;
    totals->deviating += same && row;
}

static bool aligned(struct span domain_a, struct span domain_b, bool strict)
{
    const struct dmarc_options options = {.mode = DMARC_PSL};
    struct dns_name a, b;
    struct dmarc_discovery discovery;
    struct scene scene;
    if (dns_name_from_domain(&a, domain_a) != DNS_NAME_OK ||
        dns_name_from_domain(&b, domain_b) != DNS_NAME_OK)
        return false; /* no name is aligned with nothing */
    scene_init(&scene, "");
    scene_discover(&scene, text_of(&a), &options, &discovery);
    bool yes = dmarc_align(&discovery, &b, strict, &options, &scene.context) == DMARC_ALIGNED_YES;
    scene_fini(&scene);
    return yes;
}

/* Rows of a table of `columns` columns behind its header line. */
static bool next_row(struct span *rest, struct span *cells, size_t columns)
{
    struct span line;
    if (!line_next(rest, &line))
        return false;
    cr_assert(line_cells(line, cells, columns) == columns, "%.*s", (int)line.n, line.p);
    return true;
}

Test(corpora, opendmarc_alignment)
{
    struct deviations *deviations = calloc(1, sizeof *deviations);
    struct span rest = file_read(corpora_require("dmarc/opendmarc/alignment.tsv")), cells[5];
    struct totals totals = {0};
    deviations_read(deviations, "tests/dmarc/deviations.tsv");
    cr_assert(next_row(&rest, cells, 5));
    while (next_row(&rest, cells, 5)) {
        bool got = aligned(cells[1], cells[2], span_equal(cells[3], SPAN("strict")));
        compare("opendmarc-alignment", cells[0], got ? "yes" : "no",
                span_equal(cells[4], SPAN("yes")) ? "yes" : "no", deviations, &totals);
    }
    cr_expect(totals.cases == 10);
    suite_report("opendmarc-alignment", totals.cases, totals.passed, totals.deviating);
    free(deviations);
}

/* Does this text give a policy to its domain? */
static bool gives_policy(struct span record)
{
    char zone[512];
    struct scene scene;
    struct dmarc_discovery got;
    snprintf(zone, sizeof zone, "_dmarc.example.com TXT \"%.*s\"\n", (int)record.n,
             (const char *)record.p);
    scene_init(&scene, zone);
    scene_discover(&scene, "example.com", &default_options, &got);
    cr_expect(got.result == RESULT_UNSET || got.result == RESULT_NONE);
    scene_fini(&scene);
    return got.result == RESULT_UNSET;
}

Test(corpora, opendmarc_record_parse)
{
    struct deviations *deviations = calloc(1, sizeof *deviations);
    struct span rest = file_read(corpora_require("dmarc/opendmarc/record_parse.tsv")), cells[3];
    struct totals totals = {0};
    deviations_read(deviations, "tests/dmarc/deviations.tsv");
    cr_assert(next_row(&rest, cells, 3));
    while (next_row(&rest, cells, 3))
        compare("opendmarc-record", cells[0], gives_policy(cells[1]) ? "OKAY" : "ERROR",
                span_equal(cells[2], SPAN("OKAY")) ? "OKAY" : "ERROR", deviations, &totals);
    cr_expect(totals.cases == 19);
    suite_report("opendmarc-record", totals.cases, totals.passed, totals.deviating);
    free(deviations);
}
