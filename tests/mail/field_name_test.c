/* Known field names: each in its place, found in any case, and nothing else. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "mail/field_name.h"
#include "simd/text.h"

TestSuite(field_name);

static struct span in_capitals(struct span name, char text[64])
{
    for (size_t i = 0; i < name.n; i++)
        text[i] = (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i]);
    return span_of(text, name.n);
}

static unsigned place_of(struct span name)
{
    return (unsigned)(simd_word_at(&field_words, name.n, name.p[name.n / 2], name.p[name.n - 1]) -
                      field_words.at);
}

Test(field_name, each_is_found)
{
    for (unsigned number = 1; number < FIELD_NAME_COUNT; number++) {
        struct span name = field_names[number];
        char text[64];
        cr_expect(name.n <= SIMD_WORD_MAX);
        cr_expect(field_words.at[place_of(name)].number == number, "%s belongs at %u",
                  (const char *)name.p, place_of(name));
        cr_expect(field_name_find(name) == number, "%s", (const char *)name.p);
        cr_expect(field_name_find(in_capitals(name, text)) == number, "%s", (const char *)name.p);
    }
}

Test(field_name, the_table_has_nothing_else)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < SIMD_PLACES; i++) {
        const struct simd_word *word = &field_words.at[i];
        taken += word->length != 0;
        bool none = word->number == FIELD_UNKNOWN;
        cr_expect(none == (word->length == 0), "place %u", i);
    }
    cr_expect(taken == FIELD_NAME_COUNT - 1, "%u places for %d names", taken, FIELD_NAME_COUNT - 1);
}

/* What the kernels say of a name that a colon ends: as a piece, and as a list. */
static void ask_kernels(const uint8_t *text, size_t n, enum field_name *piece,
                        enum field_name *item)
{
    struct simd_piece whole = {.end = (uint32_t)n + 1};
    struct simd_names names;
    simd_text()->names(text, n + 1, 0, &field_words, &whole, 1);
    simd_text()->name_list(text, n + 1, &field_words, &names);
    *piece = whole.name == n ? (enum field_name)whole.number : FIELD_UNKNOWN;
    bool one = names.count == 1 && names.edges[0] == 0 && names.edges[1] == n;
    *item = one ? (enum field_name)names.number[0] : FIELD_UNKNOWN;
}

/* Every octet in every place of every name: only the case of a letter does not matter. */
Test(field_name, one_octet_away)
{
    for (unsigned number = 1; number < FIELD_NAME_COUNT; number++) {
        struct span name = field_names[number];
        for (size_t at = 0; at < name.n; at++) {
            for (unsigned c = 0; c < 256; c++) {
                uint8_t text[64];
                memcpy(text, name.p, name.n);
                text[at] = (uint8_t)c;
                bool letter = name.p[at] != '-';
                bool same = c == name.p[at] || (letter && c == name.p[at] - 32U);
                enum field_name got = field_name_find(span_of(text, name.n));
                cr_assert(same == (got == number), "%s with %02x at %zu: %u", (const char *)name.p,
                          c, at, (unsigned)got);
                enum field_name piece, item;
                text[name.n] = ':';
                ask_kernels(text, name.n, &piece, &item);
                cr_assert(piece == got && item == got, "%s with %02x at %zu: %u, %u, want %u",
                          (const char *)name.p, c, at, (unsigned)piece, (unsigned)item,
                          (unsigned)got);
            }
        }
    }
}

Test(field_name, shorter_and_longer)
{
    cr_expect(field_name_find(span_of("", 0)) == FIELD_UNKNOWN);
    for (unsigned number = 1; number < FIELD_NAME_COUNT; number++) {
        struct span name = field_names[number];
        char text[64];
        memcpy(text, name.p, name.n);
        text[name.n] = 'x';
        cr_expect(field_name_find(span_of(text, name.n + 1)) == FIELD_UNKNOWN);
        enum field_name shorter = field_name_find(span_of(text, name.n - 1));
        cr_expect(shorter != number);
    }
}
