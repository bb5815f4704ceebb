/*
 * Sixteen bytes at a time in the compiler's own vectors: what every x86-64 (SSE2) and every ARM64
 * has, no kernel to select. A comparison gives 0xff in each byte where it holds.
 */
#ifndef BASE_BYTES16_H
#define BASE_BYTES16_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum
{
    BYTES16 = 16,
};

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t bytes16_halves __attribute__((vector_size(16)));

/* Sixteen bytes from any address. */
static inline bytes16 bytes16_load(const uint8_t *p)
{
    bytes16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline bytes16 bytes16_equal(bytes16 v, uint8_t c)
{
    return (bytes16)(v == c);
}

static inline bool bytes16_any(bytes16 mask)
{
    bytes16_halves halves = (bytes16_halves)mask;
    return (halves[0] | halves[1]) != 0;
}

/* The top bits of the bytes, that of the first in bit 0; of a half. */
static inline unsigned bytes16_half_bits(uint64_t half)
{
    return (unsigned)(((le64toh(half) >> 7 & UINT64_C(0x0101010101010101)) *
                       UINT64_C(0x0102040810204080)) >>
                      56);
}

/* A bit for each byte of `mask`, that of the first in bit 0. */
static inline unsigned bytes16_bits(bytes16 mask)
{
#ifdef __SSE2__
    typedef char chars16 __attribute__((vector_size(16)));
    return (unsigned)__builtin_ia32_pmovmskb128((chars16)mask);
#else
    bytes16_halves halves = (bytes16_halves)mask;
    return bytes16_half_bits(halves[0]) | bytes16_half_bits(halves[1]) << 8;
#endif
}

/* Up to eight bytes in their order and zeros behind them, little-endian. */
static inline uint64_t bytes16_load_half(const uint8_t *p, size_t n)
{
    uint32_t low, high;
    if (n < 4) {
        if (n == 0)
            return 0;
        return p[0] | (uint64_t)p[n / 2] << n / 2 * 8 | (uint64_t)p[n - 1] << (n - 1) * 8;
    }
    memcpy(&low, p, sizeof low);
    memcpy(&high, p + n - 4, sizeof high);
    return le32toh(low) | (uint64_t)le32toh(high) << (n - 4) * 8;
}

/* Up to sixteen bytes and zeros behind them; nothing else is read. */
static inline bytes16 bytes16_load_some(const uint8_t *p, size_t n)
{
    uint64_t low, high;
    bytes16_halves halves = {0, 0};
    if (n <= 8) {
        halves[0] = htole64(bytes16_load_half(p, n));
        return (bytes16)halves;
    }
    memcpy(&low, p, sizeof low);
    memcpy(&high, p + n - 8, sizeof high);
    halves[0] = low;
    halves[1] = htole64(le64toh(high) >> (16 - n) * 8);
    return (bytes16)halves;
}

/* Index of the first byte of `mask` that is set; some byte is. */
static inline unsigned bytes16_first(bytes16 mask)
{
    bytes16_halves halves = (bytes16_halves)mask;
    if (halves[0])
        return (unsigned)__builtin_ctzll(le64toh(halves[0])) / 8;
    return 8 + (unsigned)__builtin_ctzll(le64toh(halves[1])) / 8;
}

#endif
