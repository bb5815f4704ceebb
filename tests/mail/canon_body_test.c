/* Body canonicalization: RFC examples, the slow reference on all short bodies, long lines. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "canon_reference.h"
#include "mail_support.h"
#include "support/guard.h"

enum
{
    SHORT_MAX = 8,
    COLLECTED_MAX = 4096,
};

struct collected
{
    size_t n;
    uint8_t bytes[COLLECTED_MAX];
};

static void collect(void *context, struct span bytes)
{
    struct collected *collected = context;
    cr_assert(bytes.n <= sizeof collected->bytes - collected->n);
    memcpy(collected->bytes + collected->n, bytes.p, bytes.n);
    collected->n += bytes.n;
}

static const char *const canon_names[] = {"simple", "relaxed"};

/* Feeds `body` in pieces that end at each multiple of `step` and at `split`. */
static void run(enum canon canon, struct span body, size_t split, size_t step,
                struct collected *out)
{
    struct canon_pipe state;
    out->n = 0;
    canon_pipe_init(&state, canon, collect, out);
    for (size_t at = 0; at < body.n;) {
        size_t end = at + step < body.n ? at + step : body.n;
        if (at < split && split < end)
            end = split;
        canon_pipe_feed(&state, span_slice(body, at, end));
        at = end;
    }
    canon_pipe_end(&state);
}

static bool same(const struct collected *out, struct span want)
{
    return span_equal(span_of(out->bytes, out->n), want);
}

/* Whole = every split in two = byte by byte = the reference (B05, B08). */
static void compare(enum canon canon, struct span body)
{
    static struct collected out;
    uint8_t expected[COLLECTED_MAX + 2];
    struct span want = span_of(expected, canon_reference(canon, body, expected));
    for (size_t split = 0; split <= body.n; split++) {
        run(canon, body, split, body.n + 1, &out);
        cr_assert(same(&out, want), "%s, split at %zu: \"%.*s\" gives \"%.*s\", want \"%.*s\"",
                  canon_names[canon], split, (int)body.n, (const char *)body.p, (int)out.n,
                  (const char *)out.bytes, (int)want.n, (const char *)want.p);
    }
    run(canon, body, 0, 1, &out);
    cr_assert(same(&out, want), "%s, byte by byte: \"%.*s\"", canon_names[canon], (int)body.n,
              (const char *)body.p);
}

/* The body that `number` spells in base 5 over {CR, LF, SP, TAB, a}. */
static struct span spell(uint32_t number, size_t length, uint8_t *bytes)
{
    static const uint8_t symbols[] = {'\r', '\n', ' ', '\t', 'a'};
    for (size_t i = 0; i < length; i++) {
        bytes[i] = symbols[number % COUNT_OF(symbols)];
        number /= COUNT_OF(symbols);
    }
    return span_of(bytes, length);
}

/* B08. ASSAY_EXHAUSTIVE=8 asks for all 488,281 bodies of up to 8 symbols; 6 is the default. */
Test(canon_body, every_short_body_equals_the_reference)
{
    const char *wish = getenv("ASSAY_EXHAUSTIVE");
    size_t longest = wish ? (size_t)atoi(wish) : 6;
    cr_assert(longest <= SHORT_MAX, "ASSAY_EXHAUSTIVE: at most %d", SHORT_MAX);
    uint8_t bytes[SHORT_MAX];
    uint32_t count = 1, total = 0;
    for (size_t length = 0; length <= longest; length++, count *= 5) {
        for (uint32_t number = 0; number < count; number++) {
            struct span body = spell(number, length, bytes);
            compare(CANON_SIMPLE, body);
            compare(CANON_RELAXED, body);
            total++;
        }
    }
    printf("suite canon_body/short: %u bodies, both algorithms, all splits\n", total);
}

/* Longer bodies, so that the eight-byte steps and their ends meet every symbol. */
Test(canon_body, random_bodies_equal_the_reference)
{
    uint64_t seed = 0x2545f4914f6cdd1d;
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[96];
        size_t n = (size_t)round % sizeof bytes;
        for (size_t i = 0; i < n; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            bytes[i] = (uint8_t) "\r\n  \tabcdefgh\0\xff"[(seed >> 32) % 16];
        }
        struct span body = guard_copy(span_of(bytes, n));
        compare(CANON_SIMPLE, body);
        compare(CANON_RELAXED, body);
    }
}

struct body_case
{
    const char *name, *body, *simple, *relaxed;
};

static const struct body_case body_cases[] = {
    {"DV-25 DV-26: empty body", "", "\r\n", ""},
    {"RFC 6376 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
    {"DV-25: only empty lines", "\r\n\r\n\r\n", "\r\n", ""},
    {"DV-25: a line of blanks is not empty", "a\r\n \r\n", "a\r\n \r\n", "a\r\n"},
    {"DV-26: a body of blanks", " \t", " \t\r\n", ""},
    {"DV-26: no final CRLF", "a", "a\r\n", "a\r\n"},
    {"B08: ends in CR", "a\r", "a\r\r\n", "a\r\r\n"},
    {"DV-2: bare LF is content", "a\n\n", "a\n\n\r\n", "a\n\n\r\n"},
    {"DV-2: blanks in front of a bare LF stay", "a  \n", "a  \n\r\n", "a \n\r\n"},
    {"B01: LF . LF", "a\r\n\n.\n\r\n", "a\r\n\n.\n\r\n", "a\r\n\n.\n\r\n"},
    {"B01: LF . CRLF", "a\n.\r\nb", "a\n.\r\nb\r\n", "a\n.\r\nb\r\n"},
    {"B01: CR . CR", "\r.\r", "\r.\r\r\n", "\r.\r\r\n"},
    {"B12: dots are content", ".\r\n..\r\n", ".\r\n..\r\n", ".\r\n..\r\n"},
    {"DV-24: VT and FF are no WSP", "a \v \f\r\n", "a \v \f\r\n", "a \v \f\r\n"},
};

Test(canon_body, named_cases)
{
    static struct collected out;
    for (size_t i = 0; i < COUNT_OF(body_cases); i++) {
        const struct body_case *c = &body_cases[i];
        struct span body = guard_copy(span_from_string(c->body));
        run(CANON_SIMPLE, body, 0, body.n + 1, &out);
        cr_expect(same(&out, span_from_string(c->simple)), "%s: simple gives \"%.*s\"", c->name,
                  (int)out.n, (const char *)out.bytes);
        run(CANON_RELAXED, body, 0, body.n + 1, &out);
        cr_expect(same(&out, span_from_string(c->relaxed)), "%s: relaxed gives \"%.*s\"", c->name,
                  (int)out.n, (const char *)out.bytes);
        compare(CANON_SIMPLE, body);
        compare(CANON_RELAXED, body);
    }
}

struct counted
{
    uint64_t bytes;
};

static void count(void *context, struct span bytes)
{
    struct counted *counted = context;
    counted->bytes += bytes.n;
}

static struct counted count_run(enum canon canon, struct span body)
{
    struct canon_pipe state;
    struct counted counted = {0};
    canon_pipe_init(&state, canon, count, &counted);
    canon_pipe_feed(&state, body);
    canon_pipe_end(&state);
    return counted;
}

/* B09: a line of 20 MB */
Test(canon_body, a_line_of_20_megabytes)
{
    enum
    {
        LINE = 20 * 1000 * 1000
    };
    struct span plain = repeated("one word a", LINE / 10);
    struct counted simple = count_run(CANON_SIMPLE, plain);
    cr_expect(simple.bytes == LINE + 2, "got %lu", simple.bytes);
    struct counted relaxed = count_run(CANON_RELAXED, plain);
    cr_expect(relaxed.bytes == LINE + 2, "got %lu", relaxed.bytes);
    cr_expect(count_run(CANON_RELAXED, repeated(" ", LINE)).bytes == 0);
    struct span lines = repeated("\r\n", LINE / 2);
    cr_expect(count_run(CANON_RELAXED, lines).bytes == 0);
    cr_expect(count_run(CANON_SIMPLE, lines).bytes == 2);
    cr_expect(count_run(CANON_RELAXED, repeated("a \t", LINE / 4)).bytes == LINE / 2 - 1 + 2);
}

/* Empty lines that turn out to be inside the body all come back, however many were held. */
Test(canon_body, held_lines_come_back)
{
    for (uint64_t lines = 250; lines <= 520; lines += 3) {
        struct canon_pipe state;
        struct counted counted = {0};
        canon_pipe_init(&state, CANON_RELAXED, count, &counted);
        for (uint64_t i = 0; i < lines; i++)
            canon_pipe_feed(&state, SPAN(" \r\n"));
        canon_pipe_feed(&state, SPAN("a"));
        canon_pipe_end(&state);
        cr_expect(counted.bytes == 2 * lines + 3, "%lu lines: got %lu", lines, counted.bytes);
    }
}
