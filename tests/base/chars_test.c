/* Every bit of the table is computed again from the grammar's own words. */
#include "base/chars.h"

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
