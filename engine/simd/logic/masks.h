/* Masks of 64 octets with the grammar's names. Bit i is octet i. */
#ifndef SIMD_LOGIC_MASKS_H
#define SIMD_LOGIC_MASKS_H

#include <string.h>

#include "simd/text.h"

/* The first n octets, n of 0 to 64. */
static inline uint64_t mask_below(size_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

static inline unsigned mask_count(uint64_t mask)
{
    return (unsigned)__builtin_popcountll(mask);
}

/* Index of the first octet of `mask`, which is not empty. */
static inline unsigned mask_first(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask);
}

/* Octets behind the last octet of `mask`, which is not empty. */
static inline unsigned mask_behind(uint64_t mask)
{
    return (unsigned)__builtin_clzll(mask);
}

/* The places of the octets in `mask`, counted from `at`, to out, where 64 may be overwritten; their
 * count. */
#ifdef BLOCK_PLACES
#define write_offsets block_offsets
#else
static inline size_t write_offsets(uint64_t mask, uint32_t at, uint32_t *out)
{
    for (uint64_t left = mask; left; left &= left - 1)
        *out++ = at + mask_first(left);
    return mask_count(mask);
}
#endif

struct lines /* what ends lines and what may fold or shrink */
{
    uint64_t wsp, cr, lf;
};

static inline struct lines lines_of(struct block b)
{
    return (struct lines){
        .wsp = block_blanks(b),
        .cr = block_equal(b, '\r'),
        .lf = block_equal(b, '\n'),
    };
}

/* The block at in[at], or the part of it that in[0..n) has. */
static inline struct block block_at(const uint8_t *in, size_t n, size_t at, uint8_t filler)
{
    if (n - at >= SIMD_BLOCK)
        return block_load(in + at);
    return block_load_part(in + at, n - at, filler);
}

#ifndef BLOCK_LOADS_WORDS
static inline struct block block_word(const uint8_t *p, size_t n, size_t left)
{
    (void)n;
    return block_at(p, left, 0, 0);
}
#endif

#endif
