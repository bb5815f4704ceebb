/* The octets that are counted: NUL, CR, LF, CRLF, above 127. */
#ifndef SIMD_LOGIC_OCTETS_H
#define SIMD_LOGIC_OCTETS_H

#include "simd/logic/masks.h"

static inline void count_odd(struct simd_octets *octets, struct block b, uint64_t valid)
{
    octets->nul += mask_count(block_equal(b, 0) & valid);
    octets->high += mask_count(block_high(b) & valid);
}

/* `valid`: the octets that count; they are the first `n`. */
static inline void count_block(struct simd_octets *octets, struct block b, uint64_t valid,
                               unsigned n)
{
    uint64_t cr = block_equal(b, '\r') & valid, lf = block_equal(b, '\n') & valid;
    if (__builtin_expect((block_odd(b) & valid) != 0, 0))
        count_odd(octets, b, valid);
    octets->cr += mask_count(cr);
    octets->lf += mask_count(lf);
    octets->crlf += mask_count(lf & (cr << 1 | octets->after_cr));
    octets->after_cr = cr >> (n - 1) & 1;
}

static void count_octets(struct simd_octets *octets, const uint8_t *in, size_t n)
{
    struct simd_octets sum = *octets; /* in registers */
    size_t at = 0;
    for (; n - at >= SIMD_BLOCK; at += SIMD_BLOCK)
        count_block(&sum, block_load(in + at), UINT64_MAX, SIMD_BLOCK);
    if (at < n)
        count_block(&sum, block_load_part(in + at, n - at, 'x'), mask_below(n - at),
                    (unsigned)(n - at));
    *octets = sum;
}

#endif
