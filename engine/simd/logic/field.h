/*
 * Relaxed header fields: a gap is a run of blanks and CRLFs, and of each gap the last octet stays,
 * as SP. It is a blank, since a blank follows every CRLF inside a field; where one does not, the
 * caller is told to look closely.
 */
#ifndef SIMD_LOGIC_FIELD_H
#define SIMD_LOGIC_FIELD_H

#include "simd/logic/masks.h"

static size_t relax_field(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t written = 0;
    uint64_t after_cr = 0;
    struct block b = block_at(in, n, 0, 'x');
    struct lines now = lines_of(b);
    for (size_t at = 0; at < n; at += SIMD_BLOCK) {
        struct block following = b;
        struct lines next = {0};
        if (n - at > SIMD_BLOCK) {
            following = block_at(in, n, at + SIMD_BLOCK, 'x');
            next = lines_of(following);
        }
        uint64_t fold_cr = now.cr & mask_down(now.lf, next.lf, 1);
        uint64_t fold_lf = now.lf & (now.cr << 1 | after_cr);
        uint64_t gap = now.wsp | fold_cr | fold_lf;
        after_cr = now.cr >> 63;
        uint64_t first_next = next.wsp | (next.cr & next.lf >> 1) | (next.lf & after_cr);
        uint64_t drop = gap & mask_down(gap, first_next, 1);
        if (gap & ~drop & ~now.wsp)
            return SIZE_MAX;
        written += block_compress(block_spaces(b), ~drop, out + written);
        b = following;
        now = next;
    }
    return written - (0 - n) % SIMD_BLOCK; /* filler, all of which is kept */
}

#endif
