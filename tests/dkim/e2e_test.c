/* The DKIM part of the end-to-end corpora: blaze with its cached DNS answers, rspamd. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

#include "dkim/corpus.h"
#include "dkim/signing.h"

/* dns-cache/NAME.dns: each line "type:value". */
static void zone_from_cache_file(struct buffer *zone, const char *folder, const char *file)
{
    struct span name = span_from_string(file);
    struct span rest = file_read(joined(folder, name));
    struct span line;
    while (line_next(&rest, &line))
        if (span_starts_fold(line, SPAN("txt:")))
            zone_add_txt(zone, span_slice(name, 0, name.n - 4), span_skip(line, 4));
}

static void zone_from_cache(struct buffer *zone, const char *folder)
{
    DIR *directory = opendir(folder);
    cr_assert(directory, "%s", folder);
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t n = strlen(entry->d_name);
        if (n > 4 && strcmp(entry->d_name + n - 4, ".dns") == 0)
            zone_from_cache_file(zone, folder, entry->d_name);
    }
    closedir(directory);
    cr_assert(!zone->failed);
}

/* "sendgrid.info=pass; github.com=pass": the result words in message order. */
static bool blaze_agrees(struct span expected, struct span ours)
{
    while (expected.n) {
        size_t end = span_find(expected, ';');
        struct span item = span_slice(expected, 0, end);
        size_t equals = span_find(item, '=');
        cr_assert(equals < item.n);
        struct span word = span_skip(item, equals + 1);
        size_t comma = span_find(ours, ',');
        if (!span_starts_fold(span_slice(ours, 0, comma), word))
            return false;
        ours = span_skip(ours, comma < ours.n ? comma + 1 : comma);
        expected = span_skip(expected, end < expected.n ? end + 1 : end);
    }
    return ours.n == 0;
}

Test(e2e, blaze)
{
    char folder[1024];
    char cache[1100];
    struct corpus corpus;
    struct buffer zone;
    snprintf(folder, sizeof folder, "%s", corpora_require("e2e/blaze"));
    snprintf(cache, sizeof cache, "%s/dns-cache", folder);
    buffer_init(&zone, 1 << 20);
    zone_from_cache(&zone, cache);
    corpus_open(&corpus, "blaze", 1800000000, buffer_span(&zone));
    struct span rest = file_read(joined(folder, SPAN("expected.tsv")));
    struct span line;
    while (line_next(&rest, &line)) {
        struct span cells[4] = {{0}};
        line_cells(line, cells, 4);
        if (!span_equal(cells[1], SPAN("dkim")))
            continue;
        struct span ours = corpus_judge(&corpus, joined(folder, cells[0]));
        corpus_settle(&corpus, cells[0], cells[2], ours, blaze_agrees(cells[2], ours));
    }
    corpus_close(&corpus);
    buffer_fini(&zone);
}

/* dns.tsv: name, type, rcode, data. */
static void zone_from_rspamd(struct buffer *zone, const char *path)
{
    struct span rest = file_read(path);
    struct span line;
    while (line_next(&rest, &line)) {
        struct span cells[4] = {{0}};
        line_cells(line, cells, 4);
        if (!span_equal(cells[1], SPAN("TXT")) || !contains(cells[0], "._domainkey."))
            continue;
        if (span_equal(cells[2], SPAN("noerror"))) {
            zone_add_txt(zone, cells[0], cells[3]);
        } else if (span_equal(cells[2], SPAN("timeout"))) {
            buffer_append(zone, cells[0]);
            buffer_append_string(zone, " TXT !timeout\n");
        }
    }
    cr_assert(!zone->failed);
}

static const struct
{
    const char *symbol;
    const char *word; /* our results hold it */
} symbols[] = {
    {"R_DKIM_ALLOW", "pass"},         {"R_DKIM_REJECT", "fail"}, {"R_DKIM_TEMPFAIL", "temperror"},
    {"R_DKIM_PERMFAIL", "permerror"}, {"R_DKIM_NA", "-"},
};

/* Is every symbol of the list that is ours there, or (absent) none? */
static bool symbols_hold(struct span list, struct span ours, bool there)
{
    for (size_t i = 0; i < COUNT_OF(symbols); i++)
        if (contains(list, symbols[i].symbol) && contains(ours, symbols[i].word) != there)
            return false;
    return true;
}

Test(e2e, rspamd)
{
    char folder[1024];
    char messages[1100];
    struct corpus corpus;
    struct buffer zone;
    snprintf(folder, sizeof folder, "%s", corpora_require("e2e/rspamd"));
    snprintf(messages, sizeof messages, "%s/messages", folder);
    buffer_init(&zone, 1 << 20);
    zone_from_rspamd(&zone, joined(folder, SPAN("dns.tsv")));
    corpus_open(&corpus, "rspamd", 1800000000, buffer_span(&zone));
    struct span rest = file_read(joined(folder, SPAN("cases.tsv")));
    struct span line;
    while (line_next(&rest, &line)) {
        struct span cells[7] = {{0}};
        line_cells(line, cells, 7);
        if (!contains(cells[5], "R_DKIM_") && !contains(cells[6], "R_DKIM_"))
            continue;
        struct span ours = corpus_judge(&corpus, joined(messages, cells[1]));
        bool agrees = symbols_hold(cells[5], ours, true) && symbols_hold(cells[6], ours, false);
        corpus_settle(&corpus, cells[0], cells[5].n ? cells[5] : cells[6], ours, agrees);
    }
    corpus_close(&corpus);
    buffer_fini(&zone);
}
