/*
 * Lists: an octet ends each part, and of each part the first marked octet is told. One pass; what
 * stands around the mark is the caller's to read.
 */
#ifndef SIMD_LOGIC_PARTS_H
#define SIMD_LOGIC_PARTS_H

#include "simd/logic/header.h"

struct parts
{
    struct simd_part *list; /* borrowed */
    size_t count;
    uint32_t mark; /* of the part that has not ended yet; UINT32_MAX: none so far */
};

/* Takes the block at offset `at`. No octet is both an end and a mark. */
static inline void parts_block(struct parts *parts, uint64_t ends, uint64_t marks, size_t at)
{
    for (; ends; ends &= ends - 1) {
        uint32_t first = (uint32_t)(at + mask_first(ends | marks)); /* its mark, or its end */
        parts->list[parts->count++] = (struct simd_part){
            .mark = first < parts->mark ? first : parts->mark,
            .end = (uint32_t)(at + mask_first(ends)),
        };
        parts->mark = UINT32_MAX;
        marks &= ~(ends ^ (ends - 1)); /* those behind the end */
    }
    if (marks && parts->mark == UINT32_MAX)
        parts->mark = (uint32_t)(at + mask_first(marks));
}

/* What the list has when the blocks up to `at` are read: the text's end ends the last part. */
static inline size_t parts_told(struct parts *parts, size_t from, size_t at, size_t n)
{
    size_t begin = parts->count ? parts->list[parts->count - 1].end + (size_t)1 : from;
    if (at >= n && begin < n)
        parts->list[parts->count++] = (struct simd_part){
            .mark = parts->mark < n ? parts->mark : (uint32_t)n,
            .end = (uint32_t)n,
        };
    return parts->count;
}

static size_t name_list(const uint8_t *in, size_t n, size_t from, struct simd_part *list,
                        size_t room)
{
    struct parts parts = {list, 0, UINT32_MAX};
    size_t at = from;
    for (; at < n && room - parts.count > SIMD_BLOCK; at += SIMD_BLOCK) {
        struct block b = block_at(in, n, at, 'x');
        parts_block(&parts, block_equal(b, ':'), block_outside(b, FTEXT_LOW, FTEXT_HIGH), at);
    }
    return parts_told(&parts, from, at, n);
}

#endif
