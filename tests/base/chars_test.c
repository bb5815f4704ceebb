/* Every bit of the table is computed again from the grammar's own words. */
#include "base/chars.h"
#include "base/span.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/attributes.h"

static bool is_letter(int c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_among(int c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static unsigned expected(int c)
{
    bool alnum = is_letter(c) || is_digit(c);
    bool vchar = c >= 0x21 && c <= 0x7e;
    unsigned bits = 0;
    bits |= c == ' ' || c == '\t' ? CHAR_WSP : 0;
    bits |= is_digit(c) ? CHAR_DIGIT : 0;
    bits |= is_letter(c) ? CHAR_ALPHA : 0;
    bits |= is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f') ? CHAR_HEX : 0;
    bits |= vchar && c != ':' ? CHAR_FTEXT : 0;
    bits |= alnum || is_among(c, "!#$%&'*+-/=?^_`{|}~") ? CHAR_ATEXT : 0;
    bits |= vchar && !is_among(c, "()<>@,;:\\\"/[]?=") ? CHAR_TOKEN : 0;
    bits |= vchar && c != ';' ? CHAR_TVAL : 0;
    bits |= alnum || c == '+' || c == '/' ? CHAR_BASE64 : 0;
    bits |= alnum || c == '-' || c == '_' ? CHAR_LDH : 0;
    bits |= vchar ? CHAR_VCHAR : 0;
    bits |= c < 0x20 || c == 0x7f ? CHAR_CTL : 0;
    bits |= alnum || is_among(c, "-._~") ? CHAR_UNRESERVED : 0;
    return bits;
}

Test(chars, table_is_the_grammar)
{
    for (int c = 0; c < 256; c++)
        cr_expect(char_table[c] == expected(c), "0x%02x: got 0x%04x, want 0x%04x", c, char_table[c],
                  expected(c));
}

Test(chars, hex_value)
{
    for (int c = 0; c < 256; c++) {
        const char *digits = "0123456789abcdef";
        const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
        int want = at ? (int)(at - digits) : -1;
        cr_expect(char_hex_value((uint8_t)c) == want, "0x%02x: got %d, want %d", c,
                  char_hex_value((uint8_t)c), want);
    }
}

/* Each octet in each of eight places, between neighbours that could carry into it. */
Test(chars, lower_by_eight_is_lower_by_one)
{
    static const uint8_t around[] = {0, 'A', 'Z', '@', '[', 0x7f, 0x80, 0xff};
    for (unsigned c = 0; c < 256; c++) {
        for (size_t i = 0; i < 8 * sizeof around; i++) {
            uint8_t octets[8];
            uint64_t word;
            memset(octets, around[i / 8], sizeof octets);
            octets[i % 8] = (uint8_t)c;
            memcpy(&word, octets, sizeof word);
            word = ascii_lower8(word);
            for (size_t k = 0; k < sizeof octets; k++)
                octets[k] = ascii_lower(octets[k]);
            cr_assert(memcmp(&word, octets, sizeof octets) == 0, "%02x beside %02x", c,
                      around[i / 8]);
        }
    }
}

/* At every length, with a difference in every place. */
Test(chars, spans_equal_but_for_case)
{
    uint8_t a[40], b[40];
    for (size_t n = 0; n <= sizeof a; n++) {
        for (size_t i = 0; i < n; i++) {
            a[i] = (uint8_t)('A' + i % 26);
            b[i] = (uint8_t)('a' + i % 26);
        }
        cr_assert(span_equal_fold(span_of(a, n), span_of(b, n)), "%zu", n);
        for (size_t i = 0; i < n; i++) {
            b[i] ^= 1;
            cr_assert(!span_equal_fold(span_of(a, n), span_of(b, n)), "%zu of %zu", i, n);
            b[i] ^= 1;
        }
    }
}
