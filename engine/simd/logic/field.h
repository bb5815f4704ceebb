/*
 * Relaxed header fields: a gap is a run of blanks and CRLFs, and of each gap the first octet stays,
 * as SP; of those at the ends and behind the colon none. What a gap's octets are does not matter
 * then, if each CRLF in it is a fold: where one is not, the caller is told to look closely.
 */
#ifndef SIMD_LOGIC_FIELD_H
#define SIMD_LOGIC_FIELD_H

#include "simd/logic/masks.h"

struct relaxing /* what the octets in front of a block leave for it */
{
    uint64_t in_gap;             /* bits of octets that go if they are gap */
    uint64_t after_cr, after_lf; /* 1 or 0 */
    uint64_t odd;                /* not 0: a bare CR or LF, a CRLF that is no fold */
};

/* Takes a block; `text` are its octets that are no gap. Returns those that stay. */
static inline uint64_t relax_keeps(struct relaxing *r, struct block b, uint64_t *text)
{
    uint64_t gap = block_fws(b), cr = block_equal(b, '\r'), lf = block_equal(b, '\n');
    r->odd |= lf ^ (cr << 1 | r->after_cr);
    r->odd |= (lf << 1 | r->after_lf) & (~gap | cr | lf);
    uint64_t keep = ~(gap & (gap << 1 | r->in_gap));
    r->after_cr = cr >> 63;
    r->after_lf = lf >> 63;
    r->in_gap = gap >> 63;
    *text = ~gap;
    return keep;
}

/* The octets that stay, as they go out. */
static inline size_t relax_write(struct block b, size_t head, uint64_t keep, uint8_t *out)
{
    return block_compress(block_lower(block_gaps_to_spaces(b), head), keep, out);
}

/* The last block, behind `written` octets of the same call. */
static inline size_t relax_last(struct relaxing *r, struct block b, size_t head, uint8_t *out,
                                size_t written)
{
    uint64_t text, keep = relax_keeps(r, b, &text);
    if (r->odd | r->after_cr)
        return SIZE_MAX;
    if (!text) /* what the blocks before it end in, ends the field */
        return written - (written && out[written - 1] == ' ');
    unsigned behind = mask_behind(text);
    keep |= ~(UINT64_MAX >> behind); /* many a block is kept whole then, which is cheap */
    return written + relax_write(b, head, keep, out + written) - behind;
}

/* Apart, so that it alone saves registers: most fields are short. */
static __attribute__((noinline)) size_t relax_long(const uint8_t *in, size_t n, size_t head,
                                                   uint8_t *out)
{
    struct relaxing r = {.in_gap = UINT64_C(1) << head};
    size_t at = 0, written = 0;
    for (; n - at > SIMD_BLOCK; at += SIMD_BLOCK, head = 0) {
        struct block b = block_load(in + at);
        uint64_t text, keep = relax_keeps(&r, b, &text);
        written += relax_write(b, head, keep, out + written);
    }
    return relax_last(&r, block_at(in, n, at, ' '), 0, out, written);
}

static size_t relax_field(const uint8_t *in, size_t n, size_t head, uint8_t *out)
{
    struct relaxing r = {.in_gap = UINT64_C(1) << head};
    if (n > SIMD_BLOCK)
        return relax_long(in, n, head, out);
    return relax_last(&r, block_at(in, n, 0, ' '), head, out, 0);
}

#endif
