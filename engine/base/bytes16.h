/*
 * Sixteen bytes at a time in the compiler's own vectors: what every x86-64 (SSE2) and every ARM64
 * has, no kernel to select. A comparison gives 0xff in each byte where it holds.
 */
#ifndef BASE_BYTES16_H
#define BASE_BYTES16_H

#include <endian.h>
#include <stdbool.h>
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

/* Index of the first byte of `mask` that is set; some byte is. */
static inline unsigned bytes16_first(bytes16 mask)
{
    bytes16_halves halves = (bytes16_halves)mask;
    if (halves[0])
        return (unsigned)__builtin_ctzll(le64toh(halves[0])) / 8;
    return 8 + (unsigned)__builtin_ctzll(le64toh(halves[1])) / 8;
}

#endif
