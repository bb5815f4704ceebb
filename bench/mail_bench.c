/*
 * The mail module: header reading, canonicalization and body hashing for three kinds of text, and
 * how header and canonicalization grow with bombs (security.md B09-B11).
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "mail/body.h"

enum
{
    BODY_MAX = 1024 * 1024,
};

static struct limit_hits hits;
static struct mail_anomalies anomalies;

static uint8_t *bytes_new(size_t n)
{
    uint8_t *bytes = malloc(n);
    if (!bytes)
        abort();
    return bytes;
}

/* Bodies */

static uint32_t random_next(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static size_t put(uint8_t *out, size_t n, size_t max, const char *text)
{
    for (; *text && n < max; text++)
        out[n++] = (uint8_t)*text;
    return n;
}

static size_t put_letters(uint8_t *out, size_t n, size_t max, unsigned count)
{
    static const char letters[] =
        "etaoinshrdlucmfwypvbgkjqxzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    while (count-- && n < max)
        out[n++] = (uint8_t)letters[random_next() % 64];
    return n;
}

/* Words of 2 to 9 letters, lines of about 70: no blank changes. */
static size_t prose_line(uint8_t *out, size_t n, size_t max)
{
    for (unsigned words = 0; words < 11; words++) {
        n = put_letters(out, n, max, 2 + random_next() % 8);
        n = put(out, n, max, words < 10 ? " " : "\r\n");
    }
    return n;
}

/* Lines of about 40 behind an indentation of 0 to 12 blanks; now and then a blank at the end. */
static size_t html_line(uint8_t *out, size_t n, size_t max)
{
    for (unsigned depth = random_next() % 7; depth > 0; depth--)
        n = put(out, n, max, "  ");
    n = put(out, n, max, "<td class=\"");
    n = put_letters(out, n, max, 4 + random_next() % 8);
    n = put(out, n, max, "\">");
    n = put_letters(out, n, max, random_next() % 24);
    return put(out, n, max, random_next() % 16 ? "</td>\r\n" : "</td> \r\n");
}

static size_t base64_line(uint8_t *out, size_t n, size_t max)
{
    n = put_letters(out, n, max, 76);
    return put(out, n, max, "\r\n");
}

typedef size_t line_maker(uint8_t *out, size_t n, size_t max);

struct body_kind
{
    const char *name;
    line_maker *line;
};

static const struct body_kind body_kinds[] = {
    {"prose", prose_line},
    {"html", html_line},
    {"base64", base64_line},
};

static const size_t body_sizes[] = {2 * 1024, 75 * 1024, BODY_MAX};

static struct span body_make(const struct body_kind *kind, size_t size)
{
    uint8_t *bytes = bytes_new(size);
    size_t n = 0;
    while (n < size)
        n = kind->line(bytes, n, size);
    return span_of(bytes, size);
}

struct body_job
{
    struct span body;
    enum canon canon;
    uint64_t pieces, octets;
};

static void count_piece(void *context, struct span bytes)
{
    struct body_job *job = context;
    job->pieces++;
    job->octets += bytes.n;
    bench_keep(bytes.p);
}

static void canon_call(void *context)
{
    struct body_job *job = context;
    struct canon_pipe state;
    job->pieces = job->octets = 0;
    canon_pipe_init(&state, job->canon, count_piece, job);
    canon_pipe_feed(&state, job->body);
    canon_pipe_end(&state);
}

static void hasher_call(void *context)
{
    struct body_job *job = context;
    struct body_hasher hasher;
    body_hasher_init(&hasher, &anomalies, &hits);
    if (body_hasher_want(&hasher, job->canon, BODY_WHOLE) < 0)
        abort();
    body_hasher_feed(&hasher, job->body);
    body_hasher_end(&hasher);
    if (!hasher.hashes[0].known)
        abort();
    body_hasher_fini(&hasher);
}

static void count_call(void *context)
{
    struct body_job *job = context;
    struct body_hasher hasher;
    body_hasher_init(&hasher, &anomalies, &hits);
    body_hasher_feed(&hasher, job->body);
    body_hasher_end(&hasher);
    body_hasher_fini(&hasher);
}

static void bench_body(const char *title, bench_call *call, bool both)
{
    static const char *const canons[] = {"simple", "relaxed"};
    bench_title(title);
    for (int canon = both ? CANON_SIMPLE : CANON_RELAXED; canon <= CANON_RELAXED; canon++) {
        for (size_t kind = 0; kind < COUNT_OF(body_kinds); kind++) {
            for (size_t size = 0; size < COUNT_OF(body_sizes); size++) {
                struct body_job job = {.body = body_make(&body_kinds[kind], body_sizes[size]),
                                       .canon = (enum canon)canon};
                char name[80];
                canon_call(&job);
                snprintf(name, sizeof name, "%s %s %zu KB, %lu pieces", both ? canons[canon] : "",
                         body_kinds[kind].name, body_sizes[size] / 1024, job.pieces);
                bench_run(name, call, &job, (struct bench_work){1, job.body.n});
                free((void *)(uintptr_t)job.body.p);
            }
        }
    }
}

/* Headers */

struct header_job
{
    struct span text;
    struct arena arena;
    uint32_t fields;
};

static void header_call(void *context)
{
    struct header_job *job = context;
    struct mail_reader reader;
    arena_reset(&job->arena);
    mail_reader_init(&reader, &job->arena, &hits, &anomalies);
    mail_reader_feed(&reader, job->text);
    mail_reader_end(&reader);
    job->fields = reader.header.count;
    bench_keep(reader.header.fields);
}

static const char *const usual_names[] = {
    "Return-Path",
    "Delivered-To",
    "Received",
    "Received",
    "Received",
    "Received",
    "ARC-Seal",
    "X-Spam-Score",
    "ARC-Message-Signature",
    "ARC-Authentication-Results",
    "DKIM-Signature",
    "DKIM-Signature",
    "X-Received",
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "Precedence",
    "X-Mailer",
    "Feedback-ID",
};

static struct span header_usual(void)
{
    enum
    {
        SIZE = 16 * 1024
    };
    uint8_t *out = bytes_new(SIZE);
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(usual_names); i++) {
        n = put(out, n, SIZE, usual_names[i]);
        n = put(out, n, SIZE, ": ");
        for (unsigned lines = random_next() % 4; lines > 0; lines--) {
            n = put_letters(out, n, SIZE, 60);
            n = put(out, n, SIZE, "\r\n\t");
        }
        n = put_letters(out, n, SIZE, 10 + random_next() % 40);
        n = put(out, n, SIZE, "\r\n");
    }
    n = put(out, n, SIZE, "\r\n");
    return span_of(out, n);
}

static void bench_header(void)
{
    struct header_job job = {.text = header_usual()};
    char name[80];
    bench_title("header: read and index, one call a message");
    arena_init(&job.arena, MAX_ARENA_BYTES);
    header_call(&job);
    snprintf(name, sizeof name, "%u fields, %zu bytes", job.fields, job.text.n);
    bench_run(name, header_call, &job, (struct bench_work){1, job.text.n});
    arena_fini(&job.arena);
    free((void *)(uintptr_t)job.text.p);
}

struct fields_job
{
    struct header_job header;
    struct mail_reader reader;
    struct buffer out;
    enum canon canon;
};

static void fields_call(void *context)
{
    struct fields_job *job = context;
    buffer_reset(&job->out);
    for (uint32_t i = 0; i < job->reader.header.count; i++)
        canon_field(job->canon, &job->reader.header.fields[i], (struct span){NULL, 0}, &job->out);
}

static void bench_fields(void)
{
    struct fields_job job = {.header = {.text = header_usual()}};
    arena_init(&job.header.arena, MAX_ARENA_BYTES);
    buffer_init(&job.out, MAX_HEADER_BYTES * 2);
    mail_reader_init(&job.reader, &job.header.arena, &hits, &anomalies);
    mail_reader_feed(&job.reader, job.header.text);
    bench_title("header: canonical form of all fields, one call a message");
    for (int canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
        job.canon = (enum canon)canon;
        bench_run(canon ? "relaxed" : "simple", fields_call, &job,
                  (struct bench_work){1, job.header.text.n});
    }
    buffer_fini(&job.out);
    arena_fini(&job.header.arena);
    free((void *)(uintptr_t)job.header.text.p);
}

/* Growth */

struct bomb
{
    struct header_job header;
    struct body_job body;
    const char *first, *again, *last;
    unsigned count; /* of `again`, at 1x */
    uint8_t *bytes;
    size_t capacity;
};

static void bomb_prepare(void *context, unsigned factor)
{
    struct bomb *bomb = context;
    size_t n = put(bomb->bytes, 0, bomb->capacity, bomb->first);
    for (unsigned i = 0; i < bomb->count * factor; i++)
        n = put(bomb->bytes, n, bomb->capacity, bomb->again);
    n = put(bomb->bytes, n, bomb->capacity, bomb->last);
    bomb->header.text = bomb->body.body = span_of(bomb->bytes, n);
}

static void bomb_header_call(void *context)
{
    header_call(&((struct bomb *)context)->header);
}

static void bomb_body_call(void *context)
{
    canon_call(&((struct bomb *)context)->body);
}

struct bomb_row
{
    const char *name;
    bench_call *call;
    const char *first, *again, *last;
    unsigned count;
};

static const struct bomb_row bomb_rows[] = {
    {"header: fields of one name", bomb_header_call, "", "A: b\r\n", "\r\n", 125},
    {"header: folds of one space", bomb_header_call, "A: b", "\r\n ", "\r\n\r\n", 4000},
    {"header: bare LF", bomb_header_call, "A: b", "\n", "\r\n\r\n", 12000},
    {"header: over the limit", bomb_header_call, "", "A: b\r\n", "\r\n", 100000},
    {"relaxed: one line", bomb_body_call, "", "word ", "\r\n", 100000},
    {"relaxed: one run of blanks", bomb_body_call, "a", " ", "b", 500000},
    {"relaxed: blank, CRLF in turn", bomb_body_call, "a", " \r\n", "b", 150000},
    {"relaxed: empty lines", bomb_body_call, "a", "\r\n", "b", 250000},
    {"relaxed: bare CR", bomb_body_call, "a", "\r", "b", 500000},
};

static void bench_growth(void)
{
    struct bomb bomb = {.capacity = 8 * BODY_MAX, .body = {.canon = CANON_RELAXED}};
    bomb.bytes = bytes_new(bomb.capacity);
    arena_init(&bomb.header.arena, MAX_ARENA_BYTES);
    printf("\ngrowth: nanoseconds a call at 1, 2, 4 and 8 times the size\n");
    for (size_t i = 0; i < COUNT_OF(bomb_rows); i++) {
        const struct bomb_row *row = &bomb_rows[i];
        bomb.first = row->first;
        bomb.again = row->again;
        bomb.last = row->last;
        bomb.count = row->count;
        bench_scale(row->name, bomb_prepare, row->call, &bomb);
    }
    arena_fini(&bomb.header.arena);
    free(bomb.bytes);
}

int main(void)
{
    bench_header();
    bench_fields();
    bench_body("body: canonicalization alone (to a sink that counts)", canon_call, true);
    bench_body("body: canonicalize and hash, one hash", hasher_call, true);
    bench_body("body: count bare CR, LF and NUL, no hash wanted", count_call, false);
    bench_growth();
    return 0;
}
