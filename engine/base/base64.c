#include "base/base64.h"

#include "simd/text.h"

size_t base64_count(struct span text)
{
    return simd_text()->base64_count(text.p, text.n);
}

bool base64_decode(struct span text, uint8_t *out, size_t capacity, size_t *n)
{
    size_t written;
    if (!simd_text()->base64(text.p, text.n, out, capacity, &written))
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
