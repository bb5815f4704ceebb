/*
 * The text kernels at every level of this machine: bodies and header fields in canonical form,
 * header reading, base64. For each row the level, the work done and the best of many short
 * batches: on a machine with neighbours the median measures the neighbours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/base64.h"
#include "bench/bench.h"
#include "mail/canon.h"
#include "mail/header.h"
#include "mail/octets.h"
#include "simd/text.h"

enum
{
    BODY_BYTES = 75 * 1024,
    ROOM = 4096,
    HEADER_BYTES = 16 * 1024,
    BATCH_NS = 30 * 1000,
    FOR_MS = 60,
};

struct work /* of one call */
{
    uint64_t bytes;
    uint64_t results; /* octets or fields that came out: the same at every level */
};

struct job
{
    struct span text;
    enum canon canon;
    struct arena arena;
    struct mail_reader reader;
    struct buffer out;
    struct work work;
};

/* Text -------------------------------------------------------------------------------------------
 */

static uint32_t random_next(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static void put(struct buffer *out, const char *text)
{
    buffer_append(out, span_from_string(text));
}

static void put_letters(struct buffer *out, unsigned count)
{
    static const char letters[] = "etaoinshrdlucmfwypvbgkjqxzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    while (count--)
        buffer_append_byte(out, (uint8_t)letters[random_next() % (sizeof letters - 1)]);
}

static void prose_line(struct buffer *out)
{
    for (unsigned words = 0; words < 11; words++) {
        put_letters(out, 2 + random_next() % 8);
        put(out, words < 10 ? " " : "\r\n");
    }
}

/* 3 % of the blanks doubled, 5 % of the lines with one at the end, now and then a HTAB. */
static void sloppy_line(struct buffer *out)
{
    for (unsigned words = 0; words < 11; words++) {
        put_letters(out, 2 + random_next() % 8);
        if (words < 10)
            put(out, random_next() % 33 == 0 ? "  " : random_next() % 50 == 0 ? "\t" : " ");
    }
    put(out, random_next() % 20 == 0 ? " \r\n" : "\r\n");
}

static void html_line(struct buffer *out)
{
    for (unsigned depth = random_next() % 7; depth > 0; depth--)
        put(out, "  ");
    put(out, "<td class=\"");
    put_letters(out, 4 + random_next() % 8);
    put(out, "\">");
    put_letters(out, random_next() % 24);
    put(out, random_next() % 16 ? "</td>\r\n" : "</td> \r\n");
}

static void base64_line(struct buffer *out)
{
    put_letters(out, 76);
    put(out, "\r\n");
}

/* The worst: nothing can be copied as it is. */
static void blanks_line(struct buffer *out)
{
    put(out, "a  b\t\tc   d \r\n \r\n");
}

static const struct
{
    const char *name;
    void (*line)(struct buffer *out);
} texts[] = {
    {"prose", prose_line},   {"sloppy", sloppy_line}, {"html", html_line},
    {"base64", base64_line}, {"blanks", blanks_line},
};

static void header_text(struct buffer *out)
{
    static const char *const names[] = {
        "Return-Path",    "Delivered-To", "Received", "Received",     "Received",   "Received",
        "ARC-Seal",       "X-Spam-Score", "From",     "To",           "Subject",    "Message-ID",
        "DKIM-Signature", "X-Received",   "Date",     "MIME-Version", "X-Mailer",   "Content-Type",
        "List-Id",        "Precedence",   "Reply-To", "Feedback-ID",  "User-Agent",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        put(out, names[i]);
        put(out, ": ");
        for (unsigned lines = random_next() % 4; lines > 0; lines--) {
            put_letters(out, 70);
            put(out, "\r\n\t");
        }
        put_letters(out, 20 + random_next() % 50);
        put(out, "\r\n");
    }
    put(out, "\r\n");
}

static void signature_text(struct buffer *out)
{
    for (unsigned line = 0; line < 5; line++) {
        put_letters(out, line < 4 ? 74 : 45);
        put(out, line < 4 ? "\r\n\t" : "A==");
    }
}

/* Calls ------------------------------------------------------------------------------------------
 */

static void body_call(void *context)
{
    struct job *job = context;
    struct span rest = job->text;
    struct canon_body body;
    uint8_t out[ROOM];
    size_t n;
    job->work = (struct work){job->text.n, 0};
    canon_body_init(&body, job->canon);
    while (rest.n) {
        job->work.results += canon_body_step(&body, &rest, out, sizeof out);
        bench_keep(out);
    }
    while ((n = canon_body_finish(&body, out, sizeof out)) != 0)
        job->work.results += n;
}

static void count_call(void *context)
{
    struct job *job = context;
    struct simd_octets octets = {0};
    mail_octets_count(&octets, job->text);
    job->work = (struct work){job->text.n, octets.crlf};
}

/* A header of up to a hundred fields or so goes through one call. */
static void split_call(void *context)
{
    struct job *job = context;
    struct simd_header header = SIMD_HEADER_BEGIN;
    struct simd_piece pieces[SIMD_PIECES];
    size_t count;
    size_t n = simd_text()->header_end(&header, job->text.p, job->text.n, pieces, &count);
    simd_text()->names(job->text.p, n, 0, &field_words, pieces + 1, count - 1);
    job->work = (struct work){n, count};
    bench_keep(pieces);
}

static void read_call(void *context)
{
    static struct limit_hits hits;
    static struct mail_anomalies anomalies;
    struct job *job = context;
    arena_reset(&job->arena);
    mail_reader_init(&job->reader, &job->arena, &hits, &anomalies);
    mail_reader_feed(&job->reader, job->text);
    mail_reader_end(&job->reader);
    job->work = (struct work){job->text.n, job->reader.header.count};
}

static void fields_call(void *context)
{
    struct job *job = context;
    const struct mail_header *header = &job->reader.header;
    buffer_reset(&job->out);
    for (uint32_t i = 0; i < header->count; i++)
        canon_field(CANON_RELAXED, &header->fields[i], (struct span){NULL, 0}, &job->out);
    job->work = (struct work){header->block.n, job->out.n};
}

static void base64_call(void *context)
{
    struct job *job = context;
    uint8_t out[1024];
    size_t n = 0;
    if (!base64_decode(job->text, out, sizeof out, &n))
        abort();
    bench_keep(out);
    job->work = (struct work){job->text.n, n};
}

/* Measuring --------------------------------------------------------------------------------------
 */

static uint64_t batch_ns(bench_call *call, void *context, uint64_t calls)
{
    uint64_t begin = bench_now_ns();
    for (uint64_t i = 0; i < calls; i++)
        call(context);
    return bench_now_ns() - begin;
}

/* Nanoseconds a call in the best batch. */
static double best_ns(bench_call *call, struct job *job, uint64_t *batches)
{
    uint64_t calls = 1, ns;
    while ((ns = batch_ns(call, job, calls)) < BATCH_NS)
        calls *= 2;
    double best = (double)ns / (double)calls;
    uint64_t end = bench_now_ns() + UINT64_C(1000000) * FOR_MS;
    for (*batches = 0; bench_now_ns() < end; ++*batches) {
        double now = (double)batch_ns(call, job, calls) / (double)calls;
        best = now < best ? now : best;
    }
    return best;
}

static void row(const char *name, bench_call *call, struct job *job)
{
    const char *only = getenv("ASSAY_BENCH_ONLY");
    if (only && !strstr(name, only))
        return;
    for (int level = 0; level < KERNEL_LEVELS; level++) {
        uint64_t batches;
        if (!kernel_force((enum kernel_level)level))
            continue;
        double ns = best_ns(call, job, &batches);
        printf("%-24s %-8s %9lu %9lu %9lu %11.1f %8.2f\n", name,
               kernel_level_name((enum kernel_level)level), job->work.bytes, job->work.results,
               batches, ns, (double)job->work.bytes / ns);
        fflush(stdout);
    }
}

static void bodies(struct job *job)
{
    static const char *const canons[] = {"simple", "relaxed"};
    char name[64];
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct buffer text;
        buffer_init(&text, 2 * BODY_BYTES);
        while (text.n < BODY_BYTES)
            texts[i].line(&text);
        job->text = span_of(text.p, BODY_BYTES);
        for (int canon = i ? CANON_RELAXED : CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
            job->canon = (enum canon)canon;
            snprintf(name, sizeof name, "%s body, %s", canons[canon], texts[i].name);
            row(name, body_call, job);
        }
        if (i == 0)
            row("count octets, prose", count_call, job);
        buffer_fini(&text);
    }
}

static void headers(struct job *job)
{
    struct buffer text;
    buffer_init(&text, HEADER_BYTES);
    header_text(&text);
    job->text = buffer_span(&text);
    arena_init(&job->arena, MAX_ARENA_BYTES);
    buffer_init(&job->out, 2 * HEADER_BYTES);
    row("header: its end, pieces, names", split_call, job);
    row("header: read and index", read_call, job);
    read_call(job);
    row("header: relaxed fields", fields_call, job);
    buffer_fini(&job->out);
    arena_fini(&job->arena);
    buffer_reset(&text);
    signature_text(&text);
    job->text = buffer_span(&text);
    row("base64: b= of rsa-2048", base64_call, job);
    buffer_fini(&text);
}

int main(void)
{
    static struct job job;
    printf("best of many batches of at least %d us\n%-24s %-8s %9s %9s %9s %11s %8s\n",
           BATCH_NS / 1000, "", "level", "bytes", "results", "batches", "best ns", "GB/s");
    bodies(&job);
    headers(&job);
    return 0;
}
