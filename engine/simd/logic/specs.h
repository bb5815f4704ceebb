/*
 * Tag lists: where the specs end. What stands between two ends is the caller's to read; that no
 * octet is odd tells it that all up to SP are white space.
 */
#ifndef SIMD_LOGIC_SPECS_H
#define SIMD_LOGIC_SPECS_H

#include "simd/logic/masks.h"

static size_t tag_ends(const uint8_t *in, size_t n, size_t from, uint32_t *ends, size_t room,
                       bool *odd)
{
    uint64_t controls = 0;
    size_t at = from, count = 0;
    for (; at < n && room - count > SIMD_BLOCK; at += SIMD_BLOCK) {
        struct block b = block_at(in, n, at, 'x');
        controls |= block_outside(b, ' ', 126) & ~block_high(b) & ~block_fws(b);
        count += write_offsets(block_equal(b, ';'), (uint32_t)at, ends + count);
    }
    *odd = controls != 0;
    if (at >= n && from < n && in[n - 1] != ';')
        ends[count++] = (uint32_t)n;
    return count;
}

#endif
