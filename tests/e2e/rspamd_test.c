/*
 * rspamd's functional cases (corpora e2e/rspamd): message, envelope and DNS in, symbols out.
 * The table below is the one of corpora/README.md; a symbol of rspamd's own makes no demand on us.
 */
#include "harness.h"

#include <stdio.h>

struct symbol
{
    const char *name;
    enum
    {
        OF_SPF,
        OF_DKIM,
        OF_DMARC,
        OF_POLICY,
    } of;
    int value;
};

static const struct symbol symbols[] = {
    {"R_SPF_ALLOW", OF_SPF, ASSAY_RESULT_PASS},
    {"R_SPF_PLUSALL", OF_SPF, ASSAY_RESULT_PASS},
    {"R_SPF_FAIL", OF_SPF, ASSAY_RESULT_FAIL},
    {"R_SPF_DNSFAIL", OF_SPF, ASSAY_RESULT_TEMPERROR},
    {"R_SPF_PERMFAIL", OF_SPF, ASSAY_RESULT_PERMERROR},
    {"R_SPF_NA", OF_SPF, ASSAY_RESULT_NONE},
    {"R_DKIM_ALLOW", OF_DKIM, ASSAY_RESULT_PASS},
    {"R_DKIM_REJECT", OF_DKIM, ASSAY_RESULT_FAIL},
    {"R_DKIM_TEMPFAIL", OF_DKIM, ASSAY_RESULT_TEMPERROR},
    {"R_DKIM_PERMFAIL", OF_DKIM, ASSAY_RESULT_PERMERROR},
    {"R_DKIM_NA", OF_DKIM, ASSAY_RESULT_NONE},
    {"DMARC_POLICY_ALLOW", OF_DMARC, ASSAY_RESULT_PASS},
    {"DMARC_NA", OF_DMARC, ASSAY_RESULT_NONE},
    {"DMARC_DNSFAIL", OF_DMARC, ASSAY_RESULT_TEMPERROR},
    {"DMARC_POLICY_REJECT", OF_POLICY, ASSAY_DISPOSITION_REJECT},
    {"DMARC_POLICY_QUARANTINE", OF_POLICY, ASSAY_DISPOSITION_QUARANTINE},
    {"DMARC_POLICY_SOFTFAIL", OF_POLICY, ASSAY_DISPOSITION_NONE},
};

static bool shows(const struct judged *judged, const struct symbol *symbol)
{
    switch (symbol->of) {
    case OF_SPF:
        return (int)judged->spf == symbol->value;
    case OF_DKIM:
        return (int)judged->dkim == symbol->value;
    case OF_DMARC:
        return (int)judged->dmarc == symbol->value;
    case OF_POLICY:
        return judged->dmarc == ASSAY_RESULT_FAIL && (int)judged->disposition == symbol->value;
    }
    return false;
}

/* Every symbol of a comma-separated list that we know shows as `wanted`. */
static bool all_show(const struct judged *judged, struct span list, bool wanted)
{
    while (list.n) {
        size_t end = span_find(list, ',');
        struct span name = span_slice(list, 0, end);
        for (size_t i = 0; i < COUNT_OF(symbols); i++)
            if (span_equal(name, span_from_string(symbols[i].name)) &&
                shows(judged, &symbols[i]) != wanted)
                return false;
        list = span_skip(list, end < list.n ? end + 1 : end);
    }
    return true;
}

static struct assay_engine *open_zone(void)
{
    struct span rest = file_read(corpora_require("e2e/rspamd/dns.tsv"));
    struct span line;
    struct buffer zone;
    buffer_init(&zone, 4 * 1024 * 1024);
    cr_assert(line_next(&rest, &line));
    while (line_next(&rest, &line)) {
        struct span cells[5] = {{0}};
        cr_assert(line_cells(line, cells, 5) == 5);
        if (span_equal(cells[2], SPAN("nxdomain")))
            continue;
        if (span_equal(cells[0], SPAN("_dmarc.reject.cacophony.za.org")) &&
            span_equal(cells[4], SPAN("plugins.conf")))
            continue; /* the twin of merged-local.conf, see corpora/README.md */
        struct span data = cells[3];
        if (span_equal(cells[2], SPAN("norec")))
            data = SPAN("!empty");
        if (span_equal(cells[2], SPAN("timeout")))
            data = SPAN("!timeout");
        struct buffer exchange;
        buffer_init(&exchange, 1024);
        if (span_equal(cells[1], SPAN("MX")) && data.p[0] != '!' &&
            span_find(data, ' ') == data.n) {
            buffer_printf(&exchange, "10 %.*s", (int)data.n, (const char *)data.p);
            data = buffer_span(&exchange);
        }
        zone_add(&zone, cells[0], cells[1], data);
        buffer_fini(&exchange);
    }
    struct assay_engine *engine = engine_over(&zone);
    buffer_fini(&zone);
    return engine;
}

static struct span read_message(struct span file)
{
    char path[512];
    if (span_equal(file, SPAN("/dev/null")))
        return (struct span){NULL, 0};
    snprintf(path, sizeof path, "e2e/rspamd/messages/%.*s", (int)file.n, (const char *)file.p);
    return file_read(corpora_require(path));
}

static char *text_or_null(struct span cell)
{
    return cell.n ? strndup((const char *)cell.p, cell.n) : NULL;
}

Test(rspamd, functional_cases)
{
    static struct deviations deviations;
    deviations_read(&deviations, "tests/e2e/deviations.tsv");
    struct assay_engine *engine = open_zone();
    struct span rest = file_read(corpora_require("e2e/rspamd/cases.tsv"));
    struct span line;
    size_t cases = 0, passed = 0, deviating = 0;
    cr_assert(line_next(&rest, &line));
    while (line_next(&rest, &line)) {
        struct span cells[7] = {{0}};
        cr_assert(line_cells(line, cells, 7) == 7);
        struct assay_envelope envelope = {
            .size = sizeof envelope,
            .client_ip = text_or_null(cells[2]),
            .mail_from = text_or_null(cells[3]),
            .helo = text_or_null(cells[4]),
            .received_at = 1795000000,
        };
        struct judged judged = judge_text(engine, &envelope, read_message(cells[1]), 0);
        bool ok = all_show(&judged, cells[5], true) && all_show(&judged, cells[6], false);
        const struct deviation *row = deviation_find(&deviations, "rspamd", cells[0]);
        cases++;
        if (!row) {
            passed += ok;
            cr_expect(ok, "%.*s: want %.*s without \"%.*s\", got %s", (int)cells[0].n,
                      (const char *)cells[0].p, (int)cells[5].n, (const char *)cells[5].p,
                      (int)cells[6].n, (const char *)cells[6].p, (const char *)judged.json.p);
            continue;
        }
        deviating++;
        cr_expect(!ok, "%.*s is listed as a deviation but does what the source expects",
                  (int)cells[0].n, (const char *)cells[0].p);
        cr_expect(all_show(&judged, row->ours, true), "%.*s: want %.*s, got %s", (int)cells[0].n,
                  (const char *)cells[0].p, (int)row->ours.n, (const char *)row->ours.p,
                  (const char *)judged.json.p);
    }
    suite_report("rspamd end to end", cases, passed, deviating);
    assay_engine_close(&engine);
}
