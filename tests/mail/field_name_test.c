/* Known field names: each in its place, found in any case, and nothing else. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "mail/field_name.h"

TestSuite(field_name);

static struct span in_capitals(struct span name, char text[64])
{
    for (size_t i = 0; i < name.n; i++)
        text[i] = (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i]);
    return span_of(text, name.n);
}

Test(field_name, each_is_found)
{
    for (unsigned number = 1; number < FIELD_NAME_COUNT; number++) {
        struct span name = field_names[number];
        char text[64];
        cr_expect(field_name_find(name) == number, "%s: %u at %u", (const char *)name.p, number,
                  field_name_place(name));
        cr_expect(field_name_find(in_capitals(name, text)) == number, "%s", (const char *)name.p);
    }
}

Test(field_name, the_table_has_nothing_else)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < sizeof field_name_table; i++)
        taken += field_name_table[i] != FIELD_UNKNOWN;
    cr_expect(taken == FIELD_NAME_COUNT - 1, "%u places for %d names", taken, FIELD_NAME_COUNT - 1);
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
