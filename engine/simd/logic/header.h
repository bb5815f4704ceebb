/* The header's end, and where its lines begin. */
#ifndef SIMD_LOGIC_HEADER_H
#define SIMD_LOGIC_HEADER_H

#include "simd/logic/octets.h"

enum
{
    /* Of a block at most every other octet begins a line, and one place is written in vain. */
    HEADER_FULL = SIMD_PIECES - SIMD_BLOCK / 2 - 1,
};

/* Bits 1 and 0: the last two of `mask`, which is `n` long, and of the two bits in front of it. */
static inline uint8_t last_two(uint64_t mask, size_t n, uint8_t before)
{
    return n == 1 ? (uint8_t)(before >> 1 | (mask & 1) << 1) : (uint8_t)(mask >> (n - 2) & 3);
}

/* Most blocks have one such octet or none: one is written in any case, and counts if it is there.
 */
static inline size_t write_places(uint64_t mask, size_t at, struct simd_piece *pieces)
{
    size_t count = 0;
    do {
        pieces[count].end = (uint32_t)(at + mask_first(mask | UINT64_C(1) << 63));
        count += mask != 0;
        mask &= mask - 1;
    } while (mask);
    return count;
}

struct header_walk /* a call's state; after_cr and crlf as in struct simd_header */
{
    uint64_t after_cr, crlf;
    uint64_t odd; /* not 0: a bare CR or LF, a NUL or an octet above 127 */
    size_t at, count;
};

/* The whole blocks in front of the one with the header's end, as far as there is room. */
static inline struct header_walk header_blocks(const struct simd_header *header, const uint8_t *in,
                                               size_t n, struct simd_piece *pieces)
{
    struct header_walk walk = {header->octets.after_cr, header->crlf, 0, 0, 0};
    for (; n - walk.at >= SIMD_BLOCK && walk.count <= HEADER_FULL; walk.at += SIMD_BLOCK) {
        struct block b = block_load(in + walk.at);
        struct lines lines = lines_of(b);
        uint64_t behind_cr = lines.cr << 1 | walk.after_cr;
        uint64_t crlf = lines.lf & behind_cr;
        if (crlf & (crlf << 2 | walk.crlf))
            break;
        walk.odd |= (lines.lf ^ behind_cr) | block_odd(b);
        walk.count += write_places((crlf << 1 | walk.crlf >> 1) & ~lines.wsp,
                                   header->taken + walk.at, pieces + walk.count);
        walk.after_cr = lines.cr >> 63;
        walk.crlf = crlf >> 62;
    }
    return walk;
}

/* The block that is not whole, or has the header's end. */
static inline void header_last(struct simd_header *header, struct header_walk *walk,
                               const uint8_t *in, size_t n, struct simd_piece *pieces)
{
    struct block b = block_at(in, n, walk->at, 'x');
    struct lines lines = lines_of(b);
    size_t part = n - walk->at < SIMD_BLOCK ? n - walk->at : SIMD_BLOCK;
    uint64_t behind_cr = lines.cr << 1 | walk->after_cr;
    uint64_t crlf = lines.lf & behind_cr;
    uint64_t empty = crlf & (crlf << 2 | walk->crlf);
    if (empty) {
        header->ended = true;
        part = mask_first(empty) + 1;
    }
    uint64_t valid = mask_below(part);
    uint64_t begins = (crlf << 1 | walk->crlf >> 1) & ~lines.wsp & valid;
    walk->odd |= ((lines.lf ^ behind_cr) | block_odd(b)) & valid;
    walk->count += write_places(begins, header->taken + walk->at, pieces + walk->count);
    walk->crlf = last_two(crlf & valid, part, (uint8_t)walk->crlf);
    walk->at += part;
}

static size_t header_end(struct simd_header *header, const uint8_t *in, size_t n,
                         struct simd_piece pieces[SIMD_PIECES], size_t *count)
{
    *count = 0;
    if (header->ended || n == 0)
        return 0;
    struct header_walk walk = header_blocks(header, in, n, pieces);
    if (walk.at < n && walk.count <= HEADER_FULL)
        header_last(header, &walk, in, n, pieces);
    if (walk.odd)
        count_octets(&header->octets, in, walk.at);
    else
        simd_octets_pass(&header->octets, in, walk.at);
    header->taken += walk.at;
    header->crlf = (uint8_t)walk.crlf;
    *count = walk.count;
    return walk.at;
}

#endif
