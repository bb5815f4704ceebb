/*
 * Linear: an attempt that fails ends at a "?" and the search goes on from there.
 *
 * BUGS: the octets are looked at, not the charset: UTF-7 and the like can still hide an "@".
 */
#include "mail/encoded_word.h"

#include "base/chars.h"

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (char_is_digit(c))
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static bool base64_hides_at(struct span text)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = base64_value(text.p[i]);
        if (value < 0)
            continue;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if ((bits >> count & 0xff) == '@')
            return true;
    }
    return false;
}

static bool quoted_hides_at(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '@')
            return true;
        if (text.p[i] == '=' && i + 2 < text.n && text.p[i + 1] == '4' && text.p[i + 2] == '0')
            return true;
    }
    return false;
}

/* Up to the next "?", which is taken too. False where there is none. */
static bool take_part(struct span *rest, struct span *part)
{
    size_t end = span_find(*rest, '?');
    if (end == rest->n)
        return false;
    *part = span_slice(*rest, 0, end);
    *rest = span_skip(*rest, end + 1);
    return true;
}

static bool word_hides_at(struct span encoding, struct span text)
{
    if (span_equal_fold(encoding, SPAN("b")))
        return base64_hides_at(text);
    return span_equal_fold(encoding, SPAN("q")) && quoted_hides_at(text);
}

/*
 *   encoded-word = "=?" charset "?" encoding "?" encoded-text "?="      RFC 2047 section 2
 */
bool encoded_words_hide_address(struct span text)
{
    struct span part, encoding, encoded;
    while (take_part(&text, &part)) {
        if (part.n == 0 || part.p[part.n - 1] != '=')
            continue; /* "?" without "=" */
        struct span rest = text;
        if (!take_part(&rest, &part) || !take_part(&rest, &encoding) || encoding.n != 1 ||
            !take_part(&rest, &encoded))
            continue;
        if (word_hides_at(encoding, encoded))
            return true;
    }
    return false;
}
