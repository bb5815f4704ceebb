/*
 * Character classes of the mail and DNS grammars, from one table (chars.c) with named predicates.
 * RFC white space is two characters and isspace() is six; a class is defined once, here.
 */
#ifndef BASE_CHARS_H
#define BASE_CHARS_H

#include <stdbool.h>
#include <stdint.h>

enum char_class
{
    CHAR_WSP = 1 << 0,         /* SP HTAB                                  RFC 5234 */
    CHAR_DIGIT = 1 << 1,       /* 0-9 */
    CHAR_ALPHA = 1 << 2,       /* A-Z a-z */
    CHAR_HEX = 1 << 3,         /* 0-9 A-F a-f */
    CHAR_FTEXT = 1 << 4,       /* field name: %d33-57 / %d59-126           RFC 5322 3.6.8 */
    CHAR_ATEXT = 1 << 5,       /* atom                                     RFC 5322 3.2.3 */
    CHAR_TOKEN = 1 << 6,       /* MIME token                               RFC 2045 5.1 */
    CHAR_TVAL = 1 << 7,        /* DKIM VALCHAR: %x21-3A / %x3C-7E          RFC 6376 3.2 */
    CHAR_BASE64 = 1 << 8,      /* A-Z a-z 0-9 + / (not "=")                RFC 4648 4 */
    CHAR_LDH = 1 << 9,         /* letters digits hyphen underscore: a label we put into a query */
    CHAR_VCHAR = 1 << 10,      /* %x21-7E */
    CHAR_CTL = 1 << 11,        /* %x00-1F / %x7F */
    CHAR_UNRESERVED = 1 << 12, /* URI unreserved                      RFC 3986 2.3 */
};

extern const uint16_t char_table[256];

static inline bool char_is(uint8_t c, unsigned classes)
{
    return (char_table[c] & classes) != 0;
}

static inline bool char_is_wsp(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static inline bool char_is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

/* 0-15, or -1 where `c` is no hexadecimal digit. */
static inline int char_hex_value(uint8_t c)
{
    if (char_is_digit(c))
        return c - '0';
    uint8_t letter = (uint8_t)(c | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

#endif
