/*
 * Names of fields and of lists at every level, and which words they are, against plain loops: soup
 * at every length, each octet at each place of each word, lists around the limit, in front of an
 * inaccessible page.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/attributes.h"
#include "levels.h"
#include "reference.h"

enum
{
    LONGEST = 330,
    ROUNDS = 3000,
    MANY = 3 * SIMD_NAMES, /* octets of a list with more names than are told */
};

#define SEED UINT64_C(0x9e3779b97f4a7c15)
#define LEVEL kernel_level_name(kernel_level())

/* Shortest and longest; all kinds of octets; two of each length and last octet. */
static const char *const texts[] = {
    "a",
    "7",
    "to",
    "cc",
    "x-9",
    "bcc",
    "from",
    "form",
    "a-b-c",
    "subject",
    "reply-to",
    "abcdefghijklmno",
    "abcdefghijklmnop",
    "abcdefghijklmnopq",
    "0123456789-abcdefghijklmno",
    "abcdefghijklmnopqrstuvwxyz",
};

/* Tries factors until each word has a place of its own. */
static const struct simd_words *words(void)
{
    static struct simd_words made;
    uint64_t state = SEED;
    for (size_t placed = made.factor ? COUNT_OF(texts) : 0; placed < COUNT_OF(texts);) {
        made = (struct simd_words){.factor = soup_next(&state) | 1};
        for (placed = 0; placed < COUNT_OF(texts); placed++) {
            const char *text = texts[placed];
            size_t n = strlen(text);
            struct simd_word *word = (struct simd_word *)(uintptr_t)simd_word_at(
                &made, n, (uint8_t)text[n / 2], (uint8_t)text[n - 1]);
            if (word->length)
                break;
            memcpy(word->text, text, n);
            word->length = (uint8_t)n;
            word->number = (uint8_t)(placed + 1);
        }
    }
    return &made;
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static uint8_t number_of(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text = texts[i];
        size_t at = 0;
        while (at < n && at < strlen(text) &&
               (is_upper(p[at]) ? p[at] + 32 : p[at]) == (uint8_t)text[at])
            at++;
        if (at == n && at == strlen(text))
            return (uint8_t)(i + 1);
    }
    return 0;
}

static bool is_fws(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void reference_list(const uint8_t *in, size_t n, struct simd_names *names)
{
    names->count = 0;
    names->bad = false;
    for (size_t at = 0, end; at < n; at = end + 1) {
        for (end = at; end < n && in[end] != ':';)
            end++;
        size_t from = at, to = end;
        while (from < to && is_fws(in[from]))
            from++;
        while (from < to && is_fws(in[to - 1]))
            to--;
        for (size_t i = from; i < to; i++)
            names->bad |= in[i] < 33 || in[i] > 126;
        if (from == to || names->count++ >= SIMD_NAMES)
            continue;
        names->edges[2 * (names->count - 1)] = (uint32_t)from;
        names->edges[2 * (names->count - 1) + 1] = (uint32_t)to;
        names->number[names->count - 1] = number_of(in + from, to - from);
    }
}

/* Returns how many names are words. */
static size_t list_compare(const uint8_t *in, size_t n, const char *what, size_t round)
{
    static struct simd_names got, want;
    size_t known = 0;
    reference_list(in, n, &want);
    simd_text()->name_list(in, n, words(), &got);
    if (want.count > SIMD_NAMES) {
        cr_assert(got.count > SIMD_NAMES, "%s, %s %zu: %u names", LEVEL, what, round, got.count);
        return 0;
    }
    cr_assert(got.count == want.count && got.bad == want.bad,
              "%s, %s %zu: %u names, %d; want %u, %d", LEVEL, what, round, got.count, got.bad,
              want.count, want.bad);
    for (size_t i = 0; i < want.count && !want.bad; i++) {
        cr_assert(memcmp(got.edges + 2 * i, want.edges + 2 * i, 2 * sizeof *got.edges) == 0 &&
                      got.number[i] == want.number[i],
                  "%s, %s %zu: name %zu, %u to %u, is %u; want %u to %u, %u", LEVEL, what, round, i,
                  got.edges[2 * i], got.edges[2 * i + 1], got.number[i], want.edges[2 * i],
                  want.edges[2 * i + 1], want.number[i]);
        known += want.number[i] != 0;
    }
    return known;
}

/* Names with blanks and folds around them, of n octets at most. */
static size_t list_make(uint64_t *state, uint8_t *in, size_t n)
{
    static const char *const between[] = {":",        ":",      ":",  " :",    ": ",
                                          ":\r\n\t ", "\r\n :", "::", " : : ", " "};
    size_t used = 0;
    while (used < n) {
        const char *text = texts[soup_next(state) % COUNT_OF(texts)];
        const char *gap = between[soup_next(state) % (COUNT_OF(between) - (used % 16 != 0))];
        for (size_t i = 0; text[i] && used < n; i++)
            in[used++] = (uint8_t)(soup_next(state) % 4 || text[i] < 'a' ? text[i] : text[i] - 32);
        for (size_t i = 0; gap[i] && used < n; i++)
            in[used++] = (uint8_t)gap[i];
    }
    return used;
}

static const struct span soups[] = {
    SPAN(":: \t\r\nab"),  SPAN("abcdefghijklmno:"),        SPAN("Tt-@`oO[{:"),
    SPAN("a:b \t:c\r\n"), SPAN("abc:\xff\x80\x7f\x1f\0 "), SPAN("           :a"),
};

Test(names, of_a_list)
{
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        size_t known = 0;
        for (size_t round = 0; round < ROUNDS; round++) {
            size_t n = round % LONGEST;
            uint8_t *in = guarded(0, n);
            if (round % 2)
                list_make(&state, in, n);
            else
                soup_fill(&state, soups[round / 2 % COUNT_OF(soups)], in, n);
            known += list_compare(in, n, "round", round);
        }
        cr_expect(known > 10 * ROUNDS / 2, "%s: %zu words", LEVEL, known);
    }
}

/* A name, and blanks, across each edge of a block; a list that ends with a block, and around it. */
Test(names, at_the_edges_of_blocks)
{
    static const struct span rows[] = {SPAN("subject"), SPAN("a : b"),    SPAN("a b"),
                                       SPAN(":"),       SPAN(" \r\n\t "), SPAN("to:\r\n cc"),
                                       SPAN("a\x7f")};
    for (int level = -1; levels_next(&level);)
        for (size_t row = 0; row < COUNT_OF(rows); row++)
            for (size_t n = 1; n <= 3 * SIMD_BLOCK; n++)
                for (size_t at = 0; at + rows[row].n <= n; at++) {
                    uint8_t *in = guarded(0, n);
                    for (unsigned filler = 0; filler < 3; filler++) {
                        memset(in, " :x"[filler], n);
                        memcpy(in + at, rows[row].p, rows[row].n);
                        list_compare(in, n, "at", at);
                    }
                }
}

/* base/limit.h, H_ITEMS: as many as are told, one less, one more, far more; long empty ones. */
Test(names, as_many_as_are_told)
{
    for (int level = -1; levels_next(&level);) {
        for (size_t count = SIMD_NAMES - 1; count <= SIMD_NAMES + 1; count++) {
            for (size_t gap = 1; gap < 140; gap += 1 + gap / 8) {
                size_t n = count * (1 + gap);
                uint8_t *in = guarded(0, n);
                memset(in, gap % 2 ? ':' : ' ', n);
                for (size_t i = 0; i < count; i++) {
                    in[i * (1 + gap)] = 'a';
                    in[i * (1 + gap) + 1] = ':';
                }
                list_compare(in, n, "gap", gap);
                in[n - 1] = 'b'; /* a blank inside the last one, or one more */
                list_compare(in, n, "gap", gap);
            }
            uint8_t *in = guarded(0, 4 * count); /* twice as many runs of ftext as names */
            for (size_t i = 0; i < 4 * count; i++)
                in[i] = (uint8_t) "a b:"[i % 4];
            list_compare(in, 4 * count, "bad ones", count);
        }
        for (size_t n = 1; n < 8 * MANY; n += 1 + n / 7) {
            uint8_t *in = guarded(0, n);
            for (size_t i = 0; i < n; i++)
                in[i] = (uint8_t) "a:"[i % 2];
            list_compare(in, n, "octets", n);
        }
    }
}

/* Only the case of a letter does not matter: each octet at each place of each word, in the middle
 * of the octets and at their end; a word that lacks an octet, and one with one more. */
static void one_octet_away(const char *text, size_t at, uint8_t c)
{
    size_t length = strlen(text);
    for (size_t behind = 0; behind <= SIMD_BLOCK; behind += SIMD_BLOCK) {
        uint8_t *in = guarded(0, length + 1 + behind);
        struct simd_piece piece = {.end = (uint32_t)(length + 1 + behind)};
        memset(in, 'x', length + 1 + behind);
        memcpy(in, text, length);
        in[length] = ':';
        in[at] = c;
        simd_text()->names(in, length + 1 + behind, 0, words(), &piece, 1);
        uint32_t name = reference_name(in, length + 1 + behind);
        uint8_t number = number_of(in, name);
        cr_assert(piece.name == name && piece.number == number,
                  "%s: %s with %02x at %zu: %u octets, %u; want %u, %u", LEVEL, text, c, at,
                  piece.name, piece.number, name, number);
        list_compare(in, length + 1 + behind, text, at);
        uint8_t *last = guarded(0, length);
        memmove(last, in, length);
        list_compare(last, length, text, at);
    }
}

Test(names, one_octet_away)
{
    for (int level = -1; levels_next(&level);)
        for (size_t i = 0; i < COUNT_OF(texts); i++)
            for (size_t at = 0; at <= strlen(texts[i]); at++)
                for (unsigned c = 0; c < 256; c++)
                    one_octet_away(texts[i], at, (uint8_t)c);
}

/* Names of all lengths around a block, at every distance from the end. */
Test(names, of_pieces)
{
    static const struct span alphabets[] = {SPAN("abcdefgh::\r\n \t\xff"),
                                            SPAN("abcdefghijklmno:")};
    struct simd_piece pieces[8];
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        size_t good = 0, known = 0;
        for (size_t round = 0; round < ROUNDS; round++) {
            size_t n = 8 + round % (LONGEST - 8), count = 0;
            uint8_t *in = guarded(0, n);
            if (round % 4)
                soup_fill(&state, alphabets[round % 2], in, n);
            else
                list_make(&state, in, n);
            if (round % 3 == 0 && n > 80)
                memset(in + 1, 'n', 58 + soup_next(&state) % 8);
            uint32_t from = soup_next(&state) % 3, begin = from;
            for (uint32_t end = from; count < 7; count++) {
                end += 1 + soup_next(&state) % 40;
                while (end < n && round % 4 == 0 && in[end - 1] != ':')
                    end++;
                if (end >= n)
                    break;
                pieces[count].end = end;
            }
            pieces[count++].end = (uint32_t)n;
            simd_text()->names(in, n, from, words(), pieces, count);
            for (size_t i = 0; i < count; begin = pieces[i++].end) {
                uint32_t want = reference_name(in + begin, n - begin);
                uint8_t number = number_of(in + begin, want);
                cr_assert(pieces[i].name == want && pieces[i].number == number,
                          "%s, round %zu: %u octets at %u, %u; want %u, %u", LEVEL, round,
                          pieces[i].name, begin, pieces[i].number, want, number);
                good += want != 0;
                known += number != 0;
            }
        }
        cr_expect(good > ROUNDS / 4 && known > ROUNDS / 3, "%s: %zu names, %zu words", LEVEL, good,
                  known);
    }
}
