#include "dkim/corpus.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "dkim/signing.h"

static struct deviations deviations;

void corpus_open(struct corpus *corpus, const char *name, int64_t now, struct span zone)
{
    *corpus = (struct corpus){.name = name, .zone = zone, .options = {.now = now}};
    deviations_read(&deviations, "tests/dkim/deviations.tsv");
}

struct span corpus_judge(const struct corpus *corpus, const char *path)
{
    struct judging j;
    struct buffer words;
    struct span message = with_crlf(file_read(path));
    buffer_init(&words, 4096);
    judging_run(&j, message, 0, corpus->zone, &corpus->options);
    for (uint32_t i = 0; i < j.judgement.count; i++) {
        buffer_append_string(&words, i ? "," : "");
        buffer_append_string(&words, judging_word(&j, i));
    }
    if (j.judgement.count == 0)
        buffer_append_string(&words, "-");
    judging_fini(&j);
    return buffer_span(&words);
}

void corpus_settle(struct corpus *corpus, struct span name, struct span expected, struct span ours,
                   bool as_expected)
{
    const struct deviation *row = deviation_find(&deviations, corpus->name, name);
    corpus->cases++;
    if (!row) {
        corpus->passed += as_expected;
        cr_expect(as_expected, "%s %.*s: got %.*s, want %.*s", corpus->name, (int)name.n, name.p,
                  (int)ours.n, ours.p, (int)expected.n, expected.p);
        return;
    }
    bool listed = span_equal(row->ours, ours) && span_equal(row->expected, expected);
    corpus->deviating += listed && !as_expected;
    cr_expect(listed && !as_expected, "%s %.*s: got %.*s (expected %.*s), listed as %.*s",
              corpus->name, (int)name.n, name.p, (int)ours.n, ours.p, (int)expected.n, expected.p,
              (int)row->ours.n, row->ours.p);
}

void corpus_close(struct corpus *corpus)
{
    suite_report(corpus->name, corpus->cases, corpus->passed, corpus->deviating);
    cr_expect(corpus->cases > 0);
}

const char *joined(const char *folder, struct span name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.n, (const char *)name.p);
    return path;
}

void zone_from_keys(struct buffer *zone, const char *path)
{
    struct span rest = file_read(path);
    struct span line;
    while (line_next(&rest, &line)) {
        struct span cells[3];
        cr_assert(line_cells(line, cells, 3) == 3);
        zone_add_txt(zone, cells[0], cells[2]);
    }
    cr_assert(!zone->failed);
}

bool contains(struct span text, const char *word)
{
    return memmem(text.p, text.n, word, strlen(word)) != NULL;
}
