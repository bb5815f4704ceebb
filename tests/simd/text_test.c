/*
 * Every kernel of every level against plain loops: each offset, each length around the blocks,
 * each split, inputs and outputs that end at an inaccessible page, and soup in which blanks, CR
 * and LF are frequent.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/base64.h"
#include "levels.h"
#include "reference.h"

enum
{
    OFFSETS = 64,
    LONGEST = 320, /* five blocks */
    ROUNDS = 4000,
    MARK = 0xa5,
};

#define SEED UINT64_C(0x2545f4914f6cdd1d)

static const struct span hard = {(const uint8_t *)"\r\n\r\n\r\n   \t\t a:b\0\xff", 18};
static const struct span easy = {(const uint8_t *)"abcdefghijklm \r\nopqrstuvw:yz0123", 32};

#define LEVEL kernel_level_name(kernel_level())

static struct span alphabet(uint64_t *state)
{
    return soup_next(state) % 2 ? hard : easy;
}

/* The kernel, with its word on what is unusual held against the reference. */
static size_t relax_body(const uint8_t *in, size_t n, uint8_t *out)
{
    bool unusual, want = reference_unusual(in, n);
    size_t count = simd_text()->relax_body(in, n, SIMD_LOOK_AHEAD, out, &unusual);
    cr_assert(unusual == want, "%s: %zu octets unusual: %d, want %d", LEVEL, n, unusual, want);
    return count;
}

/* The input stands at every offset from an address that is aligned for every register. */
static void relax_body_at(uint64_t *state, size_t offset)
{
    static _Alignas(64) uint8_t in[OFFSETS + LONGEST + SIMD_LOOK_AHEAD];
    static uint8_t got[LONGEST + SIMD_SLACK], want[LONGEST];
    size_t n = LONGEST / SIMD_BLOCK * SIMD_BLOCK;
    soup_fill(state, alphabet(state), in, sizeof in);
    size_t wanted = reference_relax_body(in + offset, n, want);
    size_t count = relax_body(in + offset, n, got);
    cr_assert(count == wanted && memcmp(got, want, count) == 0, "%s, offset %zu: %zu of %zu", LEVEL,
              offset, count, wanted);
}

Test(text, relax_body_at_every_offset)
{
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        for (size_t round = 0; round < 4 * OFFSETS; round++)
            relax_body_at(&state, round % OFFSETS);
    }
}

/* Neither the octet behind the look-ahead nor one behind the slack. */
Test(text, relax_body_stays_in_bounds)
{
    uint8_t want[LONGEST];
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        for (size_t round = 0; round < ROUNDS; round++) {
            size_t n = round % 6 * SIMD_BLOCK;
            uint8_t *in = guarded(0, n + SIMD_LOOK_AHEAD);
            soup_fill(&state, alphabet(&state), in, n + SIMD_LOOK_AHEAD);
            size_t wanted = reference_relax_body(in, n, want);
            uint8_t *out = guarded(1, wanted + SIMD_SLACK);
            size_t count = relax_body(in, n, out);
            cr_assert(count == wanted && memcmp(out, want, count) == 0, "%s, round %zu", LEVEL,
                      round);
        }
    }
}

/* "CRLF followed by a blank is a fold" holds in a header; in a body it would eat the empty line
 * in front of a line that begins with a blank. */
Test(text, a_crlf_before_a_blank_stays_in_a_body)
{
    uint8_t in[SIMD_BLOCK + SIMD_LOOK_AHEAD], out[2 * SIMD_BLOCK];
    for (int level = -1; levels_next(&level);) {
        for (size_t at = 0; at + 4 <= SIMD_BLOCK; at++) {
            memset(in, 'x', sizeof in);
            memcpy(in + at, "\r\n\r\n a", at + 6 <= SIMD_BLOCK ? 6 : 4);
            size_t count = relax_body(in, SIMD_BLOCK, out);
            cr_expect(count == SIMD_BLOCK && memcmp(in, out, count) == 0, "%s at %zu", LEVEL, at);
        }
    }
}

/* Pairs that stand across the end of a block. */
Test(text, relax_body_across_blocks)
{
    static const char *const across[] = {" \r\n",   "\t\r\n", "  ",   " \t\r\n",
                                         " \r\r\n", "\r \n",  " \rx", "\t\r "};
    uint8_t in[3 * SIMD_BLOCK + SIMD_LOOK_AHEAD], want[LONGEST], out[LONGEST];
    for (int level = -1; levels_next(&level);) {
        for (size_t i = 0; i < COUNT_OF(across); i++) {
            for (size_t at = 0; at + strlen(across[i]) <= sizeof in; at++) {
                memset(in, 'x', sizeof in);
                memcpy(in + at, across[i], strlen(across[i]));
                size_t wanted = reference_relax_body(in, 3 * SIMD_BLOCK, want);
                size_t count = relax_body(in, 3 * SIMD_BLOCK, out);
                cr_assert(count == wanted && memcmp(out, want, count) == 0,
                          "%s, row %zu at %zu: %zu of %zu", LEVEL, i, at, count, wanted);
            }
        }
    }
}

/* One octet or pair at every place of ordinary text, and one behind its end that decides. */
Test(text, relax_body_finds_what_is_unusual)
{
    static const struct span rows[] = {SPAN("\0"),   SPAN("\r"),     SPAN("\n"),     SPAN("\r\n"),
                                       SPAN("\n\r"), SPAN("\r\r\n"), SPAN("\r\n\n"), SPAN("\xff"),
                                       SPAN("\x8d"), SPAN("\x8a"),   SPAN(" \r\n"),  SPAN("\x01")};
    enum
    {
        N = 4 * SIMD_BLOCK
    };
    uint8_t in[N + SIMD_LOOK_AHEAD], out[N + SIMD_SLACK];
    for (int level = -1; levels_next(&level);) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            for (size_t at = 0; at + rows[i].n <= sizeof in; at++) {
                memset(in, at % 3 ? 'x' : ' ', sizeof in);
                memcpy(in + at, rows[i].p, rows[i].n);
                cr_expect(relax_body(in, N, out) <= N);
            }
        }
    }
}

static void relax_field_compare(const uint8_t *in, size_t n, size_t head, size_t *refused)
{
    uint8_t want[LONGEST];
    size_t wanted = reference_relax_field(in, n, head, want);
    uint8_t *out = guarded(1, n + SIMD_SLACK);
    size_t count = simd_text()->relax_field(in, n, head, out);
    cr_assert(count == wanted && (count == SIZE_MAX || memcmp(out, want, count) == 0),
              "%s, %zu octets, %zu of them head: %zu of %zu", LEVEL, n, head, count, wanted);
    *refused += count == SIZE_MAX;
}

/* A name of each length in front, or none; the input and the slack behind the output end at a
 * page's end. */
Test(text, relax_field)
{
    static const struct span folds = {(const uint8_t *)"abcDEF  \t\r\n\r", 12};
    static const struct span heads = {(const uint8_t *)"abyzAMYZ@[`{-09\xc1\xda", 17};
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        size_t refused = 0;
        for (size_t round = 0; round < 4 * ROUNDS; round++) {
            size_t n = round % LONGEST, head = soup_next(&state) % SIMD_BLOCK;
            uint8_t *in = guarded(0, n);
            head = round % 3 && head <= n ? head : 0;
            soup_fill(&state, folds, in, n);
            for (size_t i = 0; i < n && round % 4; i++) /* no bare ones but for one in four */
                if (in[i] == '\r' || in[i] == '\n')
                    in[i] = ' ';
            for (size_t i = head; i + 3 <= n && round % 4; i += 3 + soup_next(&state) % 32)
                memcpy(in + i, "\r\n\t", 3);
            soup_fill(&state, heads, in, head);
            relax_field_compare(in, n, head, &refused);
        }
        cr_expect(refused > ROUNDS / 2 && refused < 2 * ROUNDS, "%s: both kinds are met: %zu",
                  LEVEL, refused);
    }
}

/* One gap at every place of texts of one, two and three blocks, which may be all behind it too. */
Test(text, relax_field_gap_at_every_place)
{
    static const struct span gaps[] = {
        SPAN(" "),  SPAN("\t"), SPAN("  "),      SPAN("\r\n "),     SPAN(" \r\n\t"), SPAN("\r\n"),
        SPAN("\r"), SPAN("\n"), SPAN("\r\r\n "), SPAN("\r\n\r\n "), SPAN("\n\r")};
    for (int level = -1; levels_next(&level);) {
        size_t refused = 0;
        for (size_t i = 0; i < COUNT_OF(gaps); i++) {
            for (size_t at = 2; at + gaps[i].n <= 3 * SIMD_BLOCK; at++) {
                for (size_t n = at + gaps[i].n; n <= 3 * SIMD_BLOCK; n += 1 + at % 8) {
                    uint8_t *in = guarded(0, n);
                    memset(in, n % 2 ? 'x' : ' ', n);
                    memset(in, 'a', at);
                    memcpy(in + at, gaps[i].p, gaps[i].n);
                    relax_field_compare(in, n, n % 3 ? 2 : 0, &refused);
                }
            }
        }
        cr_expect(refused != 0, "%s", LEVEL);
    }
}

static bool octets_equal(const struct simd_octets *a, const struct simd_octets *b)
{
    return a->nul == b->nul && a->cr == b->cr && a->lf == b->lf && a->crlf == b->crlf &&
           a->high == b->high && a->after_cr == b->after_cr;
}

Test(text, count_whole_split_and_guarded)
{
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        for (size_t n = 0; n < LONGEST; n++) {
            struct simd_octets want = {0};
            uint8_t *in = guarded(0, n);
            soup_fill(&state, alphabet(&state), in, n);
            reference_count(&want, in, n);
            for (size_t split = 0; split <= n; split++) {
                struct simd_octets got = {0};
                simd_text()->count(&got, in, split);
                simd_text()->count(&got, in + split, n - split);
                cr_assert(octets_equal(&got, &want), "%s: %zu octets, split at %zu", LEVEL, n,
                          split);
            }
        }
    }
}

struct header_run
{
    struct simd_header header;
    size_t taken, count;
    struct simd_piece pieces[LONGEST];
};

static void runs_compare(const struct header_run *got, const struct header_run *want,
                         const char *what, size_t split)
{
    const struct simd_octets *a = &got->header.octets, *b = &want->header.octets;
    cr_assert(got->taken == want->taken && got->header.taken == want->taken &&
                  got->header.ended == want->header.ended,
              "%s, %s %zu: took %zu of %zu", LEVEL, what, split, got->taken, want->taken);
    cr_assert(a->cr - a->crlf == b->cr - b->crlf && a->lf - a->crlf == b->lf - b->crlf &&
                  a->nul == b->nul && a->high == b->high && a->after_cr == b->after_cr,
              "%s, %s %zu: octets", LEVEL, what, split);
    cr_assert(got->count == want->count, "%s, %s %zu: %zu pieces of %zu", LEVEL, what, split,
              got->count, want->count);
    for (size_t i = 0; i < want->count; i++)
        cr_assert(got->pieces[i].end == want->pieces[i].end, "%s, %s %zu: piece %zu at %u, not %u",
                  LEVEL, what, split, i, got->pieces[i].end, want->pieces[i].end);
}

/* As mail/reader.c does: until the header has ended. */
static void header_feed(struct header_run *run, const uint8_t *in, size_t n, size_t step,
                        size_t split)
{
    struct simd_piece pieces[SIMD_PIECES];
    run->header = SIMD_HEADER_BEGIN;
    run->taken = run->count = 0;
    while (run->taken < n && !run->header.ended) {
        size_t end = run->taken + step < n ? run->taken + step : n, count;
        if (run->taken < split && split < end)
            end = split;
        run->taken += simd_text()->header_end(&run->header, in + run->taken, end - run->taken,
                                              pieces, &count);
        cr_assert(count <= SIMD_PIECES && run->count + count <= LONGEST);
        memcpy(run->pieces + run->count, pieces, count * sizeof *pieces);
        run->count += count;
    }
}

/* Text of round `round`: sparse, hard, lines of one octet; an end that comes late. */
static void header_make(uint64_t *state, size_t round, uint8_t *in, size_t n)
{
    static const struct span sparse = {(const uint8_t *)"abc:defghijklmno\r\n pqrs\r\n\r\ntuvwxyz",
                                       35};
    soup_fill(state, round % 3 ? sparse : hard, in, n);
    if (round % 5 == 0 && n > 100)
        memset(in, 'x', n - 20);
    for (size_t i = 0; i < n && round % 7 == 0; i++)
        in[i] = (uint8_t) "x\r\n"[i % 3];
    if (round % 2 && n > 20)
        memcpy(in + n - 4 - round % 17, "\r\n\r\n", 4);
}

/* B05: whole = every split in two = octet by octet. */
Test(text, header_end)
{
    static struct header_run want, got;
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        size_t ended = 0, full = 0;
        for (size_t n = 0; n < LONGEST; n++) {
            uint8_t *in = guarded(0, n);
            header_make(&state, n, in, n);
            want.taken = reference_header_end(&want.header, in, n, want.pieces, &want.count);
            for (size_t split = 0; split <= n; split++) {
                header_feed(&got, in, n, n + 1, split);
                runs_compare(&got, &want, "split at", split);
            }
            header_feed(&got, in, n, 1, 0);
            runs_compare(&got, &want, "octet by octet of", n);
            ended += want.header.ended;
            full += want.count > SIMD_PIECES - SIMD_BLOCK / 2;
        }
        cr_expect(ended > 50 && full > 0, "%s: %zu ended, %zu were full", LEVEL, ended, full);
    }
}

/* Lines and folds as they are, all lengths, now and then something odd; the end, if any, anywhere.
 */
static void lines_make(uint64_t *state, uint8_t *in, size_t n)
{
    static const struct span odd[] = {SPAN("\r"),     SPAN("\n"),   SPAN("\n\r"),  SPAN("\0"),
                                      SPAN("\r\r\n"), SPAN("\x80"), SPAN("\r\n\n")};
    unsigned longest = 1 + soup_next(state) % 90, strange = soup_next(state) % 3;
    size_t at = 0, end = soup_next(state) % (n + 1);
    memset(in, 'y', n);
    while (at < end) {
        struct span piece = soup_next(state) % 4 ? SPAN("\r\n") : SPAN("\r\n\t");
        if (strange == 0 && soup_next(state) % 8 == 0)
            piece = odd[soup_next(state) % COUNT_OF(odd)];
        at += 1 + soup_next(state) % longest;
        if (at + piece.n > end)
            break;
        memcpy(in + at, piece.p, piece.n);
        at += piece.n;
    }
    if (end >= 4 && soup_next(state) % 4)
        memcpy(in + end - 4, "\r\n\r\n", 4);
}

Test(text, header_end_of_lines)
{
    static struct header_run want, got;
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        size_t ended = 0;
        for (size_t round = 0; round < 5 * ROUNDS; round++) {
            size_t n = round % LONGEST;
            uint8_t *in = guarded(0, n);
            lines_make(&state, in, n);
            want.taken = reference_header_end(&want.header, in, n, want.pieces, &want.count);
            header_feed(&got, in, n, n + 1, 0);
            runs_compare(&got, &want, "lines, round", round);
            header_feed(&got, in, n, 1 + soup_next(&state) % 200, soup_next(&state) % LONGEST);
            runs_compare(&got, &want, "lines in pieces, round", round);
            ended += want.header.ended;
        }
        cr_expect(ended > ROUNDS, "%s: %zu ended", LEVEL, ended);
    }
}

/* Nothing is written behind the pieces, however full they are when each octet is a LF. */
Test(text, header_end_of_bare_lfs)
{
    static struct header_run want, got;
    for (int level = -1; levels_next(&level);) {
        for (size_t lines = 0; lines * 5 < LONGEST; lines++) {
            struct
            {
                struct simd_piece list[SIMD_PIECES], beyond[SIMD_BLOCK];
            } pieces;
            uint8_t in[LONGEST];
            size_t n = LONGEST, count;
            memset(in, '\n', n);
            for (size_t i = 0; i < lines; i++)
                memcpy(in + 5 * i, "a:b\r\n", 5);
            memset(pieces.beyond, 0xaa, sizeof pieces.beyond);
            struct simd_header header = SIMD_HEADER_BEGIN;
            for (size_t taken = 0; taken < n && !header.ended;) {
                taken +=
                    simd_text()->header_end(&header, in + taken, n - taken, pieces.list, &count);
                cr_assert(count <= SIMD_PIECES);
                for (size_t i = 0; i < SIMD_BLOCK; i++)
                    cr_assert(pieces.beyond[i].end == 0xaaaaaaaa, "%s: %zu lines, place %zu", LEVEL,
                              lines, i);
            }
            want.taken = reference_header_end(&want.header, in, n, want.pieces, &want.count);
            header_feed(&got, in, n, n + 1, 0);
            runs_compare(&got, &want, "lines", lines);
        }
    }
}

/* Each odd octet, and each half of a CRLF, at every place of a header with an end. */
Test(text, header_end_counts_what_is_odd)
{
    static struct header_run want, got;
    static const struct span rows[] = {SPAN("\0"),   SPAN("\r"),     SPAN("\n"),     SPAN("\n\r"),
                                       SPAN("\x80"), SPAN("\r\r\n"), SPAN("\r\n\n"), SPAN("\xff")};
    enum
    {
        N = 4 * SIMD_BLOCK,
        BODY = 10, /* what is behind the end does not count */
    };
    for (int level = -1; levels_next(&level);) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            for (size_t at = 0; at + rows[i].n <= N; at++) {
                uint8_t *in = guarded(0, N);
                memset(in, 'x', N);
                memcpy(in + 70, "\r\n", 2);
                memcpy(in + N - BODY - 4, "\r\n\r\n", 4);
                memcpy(in + at, rows[i].p, rows[i].n);
                want.taken = reference_header_end(&want.header, in, N, want.pieces, &want.count);
                for (size_t split = 0; split <= N; split += 1 + split % 13) {
                    header_feed(&got, in, N, N, split);
                    runs_compare(&got, &want, "odd, split at", split);
                }
            }
        }
    }
}

/* Base64 text of `octets` random octets with white space strewn in; returns its length. */
static size_t base64_text(uint64_t *state, size_t octets, uint8_t *text)
{
    uint8_t raw[LONGEST];
    char plain[BASE64_ENCODED_LENGTH(LONGEST)];
    static const char spaces[] = " \t\r\n";
    unsigned dense = soup_next(state) % 3 ? 64 : 3;
    for (size_t i = 0; i < octets; i++)
        raw[i] = (uint8_t)soup_next(state);
    base64_encode(span_of(raw, octets), plain);
    size_t n = 0;
    for (size_t i = 0; i < BASE64_ENCODED_LENGTH(octets); i++) {
        while (soup_next(state) % dense == 0)
            text[n++] = (uint8_t)spaces[soup_next(state) % 4];
        text[n++] = (uint8_t)plain[i];
    }
    return n;
}

static void base64_compare(const uint8_t *in, size_t n, size_t capacity)
{
    uint8_t want[LONGEST + 4];
    uint8_t *out = guarded(1, capacity);
    size_t got_n = MARK, want_n = MARK;
    bool good = reference_base64(in, n, want, capacity, &want_n);
    cr_assert(base64_decode(span_of(in, n), out, capacity, &got_n) == good,
              "%s: %zu characters, want %d: \"%.*s\"", LEVEL, n, good, (int)n, (const char *)in);
    cr_assert(got_n == want_n && (!good || memcmp(out, want, got_n) == 0), "%s: %.*s", LEVEL,
              (int)n, (const char *)in);
}

/* Good text, text with one octet replaced, and capacities from one too few to plenty. */
Test(text, base64)
{
    static uint8_t text[LONGEST * 8];
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        for (size_t round = 0; round < ROUNDS; round++) {
            size_t octets = round % 257;
            size_t n = base64_text(&state, octets, text);
            if (n > sizeof text / 2)
                continue;
            uint8_t *in = guarded(0, n);
            memcpy(in, text, n);
            base64_compare(in, n, octets);
            base64_compare(in, n, LONGEST);
            if (octets)
                base64_compare(in, n, octets - 1);
            if (n == 0)
                continue;
            size_t at = soup_next(&state) % n;
            static const uint8_t odd[] = "=AB/+-_\0\x7f\x80\xff@[`{:.,*";
            in[at] =
                round % 2 ? odd[soup_next(&state) % (sizeof odd - 1)] : (uint8_t)soup_next(&state);
            base64_compare(in, n, LONGEST);
        }
    }
}

/* Each octet in each place of a block, so every entry of every table is met. */
Test(text, base64_every_character)
{
    for (int level = -1; levels_next(&level);) {
        for (unsigned c = 0; c < 256; c++) {
            uint8_t *in = guarded(0, 72);
            for (size_t at = 0; at < 72; at++) {
                memset(in, 'Q', 72);
                in[at] = (uint8_t)c;
                base64_compare(in, 72, LONGEST);
            }
        }
    }
}

Test(text, base64_count)
{
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        for (size_t n = 0; n < LONGEST; n++) {
            uint8_t *in = guarded(0, n);
            soup_fill(&state, alphabet(&state), in, n);
            size_t want = 0;
            for (size_t i = 0; i < n; i++)
                want += !memchr(" \t\r\n", in[i], 4);
            cr_assert(simd_text()->base64_count(in, n) == want, "%s: %zu", LEVEL, n);
        }
    }
}

Test(text, levels_told)
{
    for (int level = -1; levels_next(&level);) {
        cr_expect(simd_text()->level == kernel_level(), "%s", LEVEL);
        printf("suite simd/text: level %s\n", LEVEL);
    }
}
