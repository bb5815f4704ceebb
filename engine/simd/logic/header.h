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

static inline bool is_crlf(const uint8_t *p)
{
    return p[0] == '\r' && p[1] == '\n';
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

#ifdef BLOCK_BEGINS
/* The same behind the first block, up to one in which a line begins with a CR. A LF is taken for a
 * CRLF: false where that, or something else, is not as it should be, and all must be done again.
 * Half the compares, nothing carried from block to block (canon_bench, a header of 4 KB: 341 to 252
 * ns, 2026-11-22, Zen 4). */
static inline bool header_usual_blocks(const struct simd_header *header, const uint8_t *in,
                                       size_t n, struct simd_piece *pieces,
                                       struct header_walk *walk)
{
    struct seen seen = seen_none();
    size_t at = walk->at, count = walk->count;
    if (walk->after_cr && (walk->crlf & 1))
        return true; /* that line is the empty one, perhaps */
    for (bool cr; n - at >= SIMD_BLOCK && count <= HEADER_FULL; at += SIMD_BLOCK) {
        uint64_t begins = block_begins(in + at, &seen, &cr);
        if (cr)
            break;
        if (begins & begins << 1) /* a bare LF; and there is room for every other octet */
            return false;
        count += write_places(begins, header->taken + at, pieces + count);
    }
    walk->odd |= seen_high(seen) || in[at - 1] == 0;
    walk->after_cr = in[at - 1] == '\r';
    walk->crlf = (uint64_t)is_crlf(in + at - 2) << 1 | is_crlf(in + at - 3);
    walk->at = at;
    walk->count = count;
    return !unusual_any(seen.unusual);
}

static inline struct header_walk header_most(const struct simd_header *header, const uint8_t *in,
                                             size_t n, struct simd_piece *pieces)
{
    size_t first = n < SIMD_BLOCK ? n : SIMD_BLOCK;
    struct header_walk walk = header_blocks(header, in, first, pieces);
    if (walk.at == 0 || (!walk.odd && header_usual_blocks(header, in, n, pieces, &walk)))
        return walk;
    return header_blocks(header, in, n, pieces);
}
#else
#define header_most header_blocks
#endif

/* Any block: the one that is not whole, or has the header's end. */
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
    walk->after_cr = lines.cr >> (part - 1) & 1;
    walk->crlf = last_two(crlf & valid, part, (uint8_t)walk->crlf);
    walk->at += part;
}

static size_t header_end(struct simd_header *header, const uint8_t *in, size_t n,
                         struct simd_piece pieces[SIMD_PIECES], size_t *count)
{
    *count = 0;
    if (header->ended || n == 0)
        return 0;
    struct header_walk walk = header_most(header, in, n, pieces);
    while (walk.at < n && walk.count <= HEADER_FULL && !header->ended)
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
