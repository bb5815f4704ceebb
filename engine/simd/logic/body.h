/*
 * Relaxed bodies, and the octets that are counted.
 *
 * A blank is dropped if a blank or CRLF follows: only the two octets behind it matter, so a block
 * needs the masks of the next one and no state. Most blocks have nothing to drop and no HTAB and
 * are copied as they are; dropping costs the same whatever stands there.
 */
#ifndef SIMD_LOGIC_BODY_H
#define SIMD_LOGIC_BODY_H

#include "simd/logic/masks.h"

/* Behind the last block two octets can be read. */
static inline struct lines lines_of_two(const uint8_t *p)
{
    return (struct lines){
        .wsp = p[0] == ' ' || p[0] == '\t',
        .cr = p[0] == '\r',
        .lf = (p[0] == '\n') | (uint64_t)(p[1] == '\n') << 1,
    };
}

static inline size_t relax_block(struct block b, const struct lines *now, const struct lines *next,
                                 uint8_t *out)
{
    uint64_t wsp_next = now->wsp >> 1 | next->wsp << 63;
    uint64_t crlf_next = (now->cr >> 1 | next->cr << 63) & (now->lf >> 2 | next->lf << 62);
    uint64_t drop = now->wsp & (wsp_next | crlf_next);
    if (__builtin_expect((drop | now->tab) == 0, 1)) {
        block_store(out, b);
        return SIMD_BLOCK;
    }
    return block_compress(block_spaces(b), ~drop, out);
}

static size_t relax_body(const uint8_t *in, size_t n, uint8_t *out)
{
    uint8_t *begin = out;
    if (n == 0)
        return 0;
    struct block b = block_load(in);
    struct lines now = lines_of(b);
    for (size_t at = SIMD_BLOCK; at < n; at += SIMD_BLOCK) {
        struct block following = block_load(in + at);
        struct lines next = lines_of(following);
        out += relax_block(b, &now, &next, out);
        b = following;
        now = next;
    }
    struct lines next = lines_of_two(in + n);
    out += relax_block(b, &now, &next, out);
    return (size_t)(out - begin);
}

/* `valid`: the octets that count; they are the first `n`. */
static inline void count_block(struct simd_octets *octets, struct block b, uint64_t valid,
                               unsigned n)
{
    uint64_t cr = block_equal(b, '\r') & valid, lf = block_equal(b, '\n') & valid;
    octets->nul += mask_count(block_equal(b, 0) & valid);
    octets->high += mask_count(block_high(b) & valid);
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
