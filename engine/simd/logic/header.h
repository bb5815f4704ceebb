/* The header's end, the pieces it is cut into, the length of their names. */
#ifndef SIMD_LOGIC_HEADER_H
#define SIMD_LOGIC_HEADER_H

#include "simd/logic/octets.h"

enum
{
    FTEXT_LOW = 33, /* field-name: %d33-57 / %d59-126 */
    FTEXT_HIGH = 126,
};

/* Bits 1 and 0: the last two of `mask`, which is `n` long, and of the two bits in front of it. */
static inline uint8_t last_two(uint64_t mask, size_t n, uint8_t before)
{
    return n == 1 ? (uint8_t)(before >> 1 | (mask & 1) << 1) : (uint8_t)(mask >> (n - 2) & 3);
}

/* Takes the block's first n octets; returns how many of them belong to the header. */
static inline size_t header_block(struct simd_header *header, struct block b, size_t n)
{
    struct simd_octets *octets = &header->octets;
    struct lines lines = lines_of(b);
    uint64_t valid = mask_below(n);
    uint64_t crlf = lines.lf & (lines.cr << 1 | octets->after_cr) & valid;
    uint64_t empty = crlf & (crlf << 2 | header->crlf);
    if (empty) {
        header->ended = true;
        n = mask_first(empty) + 1;
        valid = mask_below(n);
    }
    uint64_t begin = crlf << 1 | header->crlf >> 1;
    header->pieces += mask_count(begin & ~lines.wsp & valid);
    if (__builtin_expect((block_odd(b) & valid) != 0, 0))
        count_odd(octets, b, valid);
    octets->cr += mask_count(lines.cr & valid);
    octets->lf += mask_count(lines.lf & valid);
    octets->crlf += mask_count(crlf & valid);
    octets->after_cr = lines.cr >> (n - 1) & 1;
    header->crlf = last_two(crlf & valid, n, header->crlf);
    return n;
}

/* The whole blocks in front of the one with the header's end; returns octets passed over. */
static inline size_t header_blocks(struct simd_header *header, const uint8_t *in, size_t n)
{
    struct simd_octets octets = header->octets;
    uint64_t pieces = header->pieces, after_cr = octets.after_cr, before = header->crlf;
    size_t at = 0;
    for (; n - at >= SIMD_BLOCK; at += SIMD_BLOCK) {
        struct block b = block_load(in + at);
        struct lines lines = lines_of(b);
        uint64_t crlf = lines.lf & (lines.cr << 1 | after_cr);
        if (crlf & (crlf << 2 | before))
            break;
        if (__builtin_expect(block_odd(b) != 0, 0))
            count_odd(&octets, b, UINT64_MAX);
        pieces += mask_count((crlf << 1 | before >> 1) & ~lines.wsp);
        octets.cr += mask_count(lines.cr);
        octets.lf += mask_count(lines.lf);
        octets.crlf += mask_count(crlf);
        after_cr = lines.cr >> 63;
        before = crlf >> 62;
    }
    octets.after_cr = after_cr;
    *header = (struct simd_header){octets, pieces, (uint8_t)before, false};
    return at;
}

static size_t header_end(struct simd_header *header, const uint8_t *in, size_t n)
{
    if (header->ended)
        return 0;
    size_t at = header_blocks(header, in, n);
    while (at < n && !header->ended) {
        size_t part = n - at < SIMD_BLOCK ? n - at : SIMD_BLOCK;
        at += header_block(header, block_at(in, n, at, 'x'), part);
    }
    return at;
}

static inline uint32_t name_length(const uint8_t *in, size_t n, size_t at)
{
    struct block b = block_at(in, n, at, 0);
    uint64_t colons = block_equal(b, ':');
    uint64_t name = (colons - 1) & ~colons; /* octets in front of the first, or all */
    bool good = colons && (block_outside(b, FTEXT_LOW, FTEXT_HIGH) & name) == 0;
    return good ? mask_count(name) : 0;
}

/* Most blocks have one end or none: one is written in any case, and counts if it is there. */
static inline size_t write_ends(uint64_t ends, size_t at, struct simd_piece *pieces)
{
    size_t count = 0;
    do {
        pieces[count].end = (uint32_t)(at + mask_first(ends | UINT64_C(1) << 63));
        count += ends != 0;
        ends &= ends - 1;
    } while (ends);
    return count;
}

static size_t header_pieces(const uint8_t *in, size_t n, size_t from, struct simd_piece *pieces,
                            size_t room)
{
    size_t count = 0, at = from, begin = from;
    uint64_t after_cr = 0, after_crlf = 0;
    for (; at < n && room - count > SIMD_BLOCK; at += SIMD_BLOCK) {
        struct lines lines = lines_of(block_at(in, n, at, ' '));
        uint64_t crlf = lines.lf & (lines.cr << 1 | after_cr);
        uint64_t ends = (crlf << 1 | after_crlf) & ~lines.wsp;
        after_cr = lines.cr >> 63;
        after_crlf = crlf >> 63;
        count += write_ends(ends, at, pieces + count);
    }
    if (at >= n && (count ? pieces[count - 1].end : from) < n)
        pieces[count++].end = (uint32_t)n;
    for (size_t i = 0; i < count; begin = pieces[i++].end)
        pieces[i].name = name_length(in, n, begin);
    return count;
}

#endif
