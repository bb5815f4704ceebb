/*
 * Real and odd messages that others collected (corpora e2e), with their DNS: judged with copied
 * answers, near answers and parsed ones, parked or not, the verdict is the same.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "driving.h"
#include "run/prepare.h"
#include "support/corpora.h"

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), tail = strlen(ending);
    return n > tail && strcmp(name + n - tail, ending) == 0;
}

static void add_text(struct buffer *zone, struct span owner, struct span text)
{
    buffer_append(zone, owner);
    buffer_append_string(zone, " TXT ");
    for (size_t at = 0; at == 0 || at < text.n; at += 200) {
        struct span piece = span_slice(text, at, at + 200 < text.n ? at + 200 : text.n);
        buffer_append_string(zone, at ? " \"" : "\"");
        for (size_t i = 0; i < piece.n; i++) {
            if (piece.p[i] == '"' || piece.p[i] == '\\')
                buffer_append_byte(zone, '\\');
            buffer_append_byte(zone, piece.p[i]);
        }
        buffer_append_byte(zone, '"');
    }
    buffer_append_byte(zone, '\n');
}

/* dns-cache/NAME.dns: lines "txt:value". */
static void zone_of_blaze(struct buffer *zone, const char *folder)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/dns-cache", folder);
    DIR *directory = opendir(path);
    cr_assert(directory != NULL, "%s", path);
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct span line;
        if (!ends_in(entry->d_name, ".dns"))
            continue;
        snprintf(path, sizeof path, "%s/dns-cache/%s", folder, entry->d_name);
        struct span rest = file_read(path);
        struct span owner = span_of(entry->d_name, strlen(entry->d_name) - 4);
        while (line_next(&rest, &line))
            if (span_starts_fold(line, SPAN("txt:")))
                add_text(zone, owner, span_skip(line, 4));
    }
    closedir(directory);
}

/* dns.tsv: name, type, rcode, data. */
static void zone_of_rspamd(struct buffer *zone, const char *folder)
{
    char path[1200];
    struct span line;
    snprintf(path, sizeof path, "%s/dns.tsv", folder);
    struct span rest = file_read(path);
    while (line_next(&rest, &line)) {
        struct span cells[5] = {{0}};
        line_cells(line, cells, 5);
        if (span_equal(cells[1], SPAN("TXT")) && span_equal(cells[2], SPAN("noerror")))
            add_text(zone, cells[0], cells[3]);
    }
}

static struct assay_engine *engine_over(struct buffer *zone)
{
    struct dns_error error;
    struct assay_engine *engine = driving_engine("share/samples/zone.txt");
    dns_source_free(&engine->source);
    cr_assert(!zone->failed);
    engine->source = dns_zone_parse(buffer_span(zone), "zone", &error);
    cr_assert(engine->source != NULL, "%s", error.text);
    buffer_fini(zone);
    return engine;
}

static struct span with_crlf(struct span text, struct buffer *out)
{
    buffer_init(out, 2 * text.n + 2);
    struct span line;
    if (memmem(text.p, text.n, "\r\n", 2))
        return text;
    while (line_next(&text, &line)) {
        buffer_append(out, line);
        buffer_append_string(out, "\r\n");
    }
    cr_assert(!out->failed);
    return buffer_span(out);
}

static void expect_same(struct assay_engine *engine, const char *name, struct span text)
{
    static const struct message_envelope envelope = {
        .client = {.family = IP_V4, .bytes = {37, 48, 67, 26}},
        .helo = {(const uint8_t *)"mail.example", 12},
        .mail_from = {(const uint8_t *)"a@github.com", 12},
        .now = 1540000000,
    };
    struct buffer crlf;
    text = with_crlf(text, &crlf);
    struct driving plain = {.engine = engine};
    char *want = drive(&plain, &envelope, text);
    for (unsigned way = 0; way < 8; way++) {
        struct near_source near;
        struct driving driving = {.engine = engine,
                                  .near = &near,
                                  .piece = 4000,
                                  .park = way & 1 ? PARK_EVERYWHERE : PARK_NEVER};
        near_source_init(&near, engine->source, way & 2 ? run_prepare : NULL);
        near.miss_every = way & 4 ? 3 : 0;
        char *got = drive(&driving, &envelope, text);
        cr_expect(same_but_questions(got, want), "%s, way %u%s", name, way,
                  verdict_difference(got, want));
        free(got);
    }
    free(want);
    buffer_fini(&crlf);
}

static size_t judge_folder(struct assay_engine *engine, const char *folder, const char *ending)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    cr_assert(directory != NULL, "%s", folder);
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[1500];
        if (!ends_in(entry->d_name, ending))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        expect_same(engine, entry->d_name, file_read(path));
        count++;
    }
    closedir(directory);
    return count;
}

Test(near_corpora, blaze)
{
    char folder[1024];
    struct buffer zone;
    snprintf(folder, sizeof folder, "%s", corpora_require("e2e/blaze"));
    buffer_init(&zone, 1 << 20);
    zone_of_blaze(&zone, folder);
    struct assay_engine *engine = engine_over(&zone);
    size_t count = judge_folder(engine, folder, ".mail");
    cr_expect(count >= 5);
    suite_report("near blaze", count, count, 0);
    assay_engine_close(&engine);
}

Test(near_corpora, rspamd)
{
    char folder[1024];
    struct buffer zone;
    snprintf(folder, sizeof folder, "%s", corpora_require("e2e/rspamd"));
    buffer_init(&zone, 1 << 20);
    zone_of_rspamd(&zone, folder);
    struct assay_engine *engine = engine_over(&zone);
    strncat(folder, "/messages", sizeof folder - strlen(folder) - 1);
    size_t count = judge_folder(engine, folder, ".eml");
    strncat(folder, "/dmarc", sizeof folder - strlen(folder) - 1);
    count += judge_folder(engine, folder, ".eml");
    cr_expect(count >= 13, "%zu", count);
    suite_report("near rspamd", count, count, 0);
    assay_engine_close(&engine);
}
