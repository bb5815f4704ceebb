#include "base/base64.h"

#include "base/chars.h"
#include "simd/text.h"

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
    return simd_text()->base64_count(text.p, text.n);
}

/* The group that ends the text: 4 characters, or 2 or 3 with padding whose unused bits are zero. */
static bool decode_last(const uint8_t *last, size_t n, uint8_t *out, size_t capacity,
                        size_t *written)
{
    uint32_t bits = 0;
    unsigned filled = 0;
    if (n == 0)
        return true;
    if (n != 4)
        return false;
    for (; filled < 4 && last[filled] != '='; filled++) {
        int value = sextet(last[filled]);
        if (value < 0)
            return false;
        bits |= (uint32_t)value << (18 - 6 * filled);
    }
    if (filled < 2 || (filled == 2 && last[3] != '='))
        return false;
    size_t octets = filled - 1;
    if (octets > capacity - *written || (bits & (0xffffff >> 8 * octets)))
        return false;
    for (size_t i = 0; i < octets; i++)
        out[(*written)++] = (uint8_t)(bits >> (16 - 8 * i));
    return true;
}

bool base64_decode(struct span text, uint8_t *out, size_t capacity, size_t *n)
{
    uint8_t last[4];
    size_t last_n, written;
    if (!simd_text()->base64(text.p, text.n, out, capacity, &written, last, &last_n) ||
        !decode_last(last, last_n, out, capacity, &written))
        return false;
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
