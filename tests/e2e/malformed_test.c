/*
 * Odd and broken mail (corpora malformed/): no crash, the same verdict for every way of feeding,
 * and no pass, since the DNS of this test publishes nothing that could justify one.
 */
#include "harness.h"

#include <fts.h>
#include <stdlib.h>

static const struct assay_envelope envelope = {
    .size = sizeof envelope,
    .client_ip = "192.0.2.1",
    .helo = "mail.example.org",
    .mail_from = "a@example.org",
    .received_at = 1795000000,
};

static bool is_pass(const struct judged *judged)
{
    return judged->spf == ASSAY_RESULT_PASS || judged->dkim == ASSAY_RESULT_PASS ||
           judged->arc == ASSAY_RESULT_PASS || judged->dmarc == ASSAY_RESULT_PASS;
}

static void judge_file(struct assay_engine *engine, const char *path)
{
    struct span text = file_read(path);
    struct judged whole = judge_text(engine, &envelope, text, 0);
    cr_expect(!is_pass(&whole), "%s: %s", path, (const char *)whole.json.p);
    static const size_t pieces[] = {1, 7, 4096};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct judged other = judge_text(engine, &envelope, text, pieces[i]);
        cr_expect(span_equal(whole.json, other.json), "%s in pieces of %zu: %s and %s", path,
                  pieces[i], (const char *)whole.json.p, (const char *)other.json.p);
    }
}

Test(malformed, no_crash_and_no_unjustified_pass)
{
    struct buffer zone;
    buffer_init(&zone, 1024);
    buffer_append_string(&zone, "unrelated.example. A 192.0.2.1\n");
    struct assay_engine *engine = engine_over(&zone);
    char *roots[] = {strdup(corpora_require("malformed")), NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    cr_assert(walk != NULL);
    size_t files = 0;
    for (FTSENT *entry; (entry = fts_read(walk));) {
        if (entry->fts_info != FTS_F)
            continue;
        judge_file(engine, entry->fts_path);
        files++;
    }
    fts_close(walk);
    cr_expect(files > 800, "only %zu files", files);
    suite_report("malformed", files, files, 0);
    assay_engine_close(&engine);
}
