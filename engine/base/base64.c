#include "base/base64.h"

#include "base/chars.h"

static bool is_fws(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (char_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t base64_count(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += !is_fws(text.p[i]);
    return count;
}

bool base64_decode(struct span text, uint8_t *out, size_t capacity, size_t *n)
{
    uint32_t bits = 0; /* sextets of the group that is being filled */
    unsigned filled = 0;
    unsigned padding = 0;
    size_t written = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (is_fws(c))
            continue;
        if (c == '=') {
            padding++;
            continue;
        }
        int value = sextet(c);
        if (value < 0 || padding)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (++filled < 4)
            continue;
        if (capacity - written < 3)
            return false;
        out[written++] = (uint8_t)(bits >> 16);
        out[written++] = (uint8_t)(bits >> 8);
        out[written++] = (uint8_t)bits;
        bits = 0;
        filled = 0;
    }
    if (filled == 1 || (filled == 0 && padding) || (filled && filled + padding != 4))
        return false;
    unsigned rest = filled ? filled - 1 : 0;
    bits <<= 6 * (4 - filled) % 24;
    if (rest > capacity - written || (rest == 1 && (bits & 0xffff)) || (rest == 2 && (bits & 0xff)))
        return false;
    for (unsigned i = 0; i < rest; i++)
        out[written++] = (uint8_t)(bits >> (16 - 8 * i));
    *n = written;
    return true;
}

void base64_encode(struct span in, char *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i;
        uint32_t bits = (uint32_t)in.p[i] << 16;
        if (left > 1)
            bits |= (uint32_t)in.p[i + 1] << 8;
        if (left > 2)
            bits |= in.p[i + 2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[bits & 63] : '=';
    }
}
