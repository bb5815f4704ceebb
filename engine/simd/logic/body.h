/*
 * Relaxed bodies.
 *
 * A blank is dropped if a blank or CRLF follows: only the two octets behind it matter, so blocks
 * need no state. Most have no octet that could be dropped or is a HTAB, which a few compares tell,
 * and are copied as they are; in the others dropping costs the same whatever stands there. Where
 * dropping costs little, some blocks behind one that may shrink are not asked: they come together
 * (indented text).
 *
 * Whether all is as it should be (no NUL, CR and LF in pairs) needs no count and no carry: a CR's
 * mask is that of the LFs one octet on. What is found is gathered without a branch.
 */
#ifndef SIMD_LOGIC_BODY_H
#define SIMD_LOGIC_BODY_H

#include "simd/logic/masks.h"

#ifndef BLOCK_SHRINKS_BY_ITSELF
enum
{
    SHRINK_BLOCKS = 1,
};

static inline size_t block_shrink(const uint8_t *in, uint8_t *out)
{
    struct block b = block_load(in), next = block_load(in + 1);
    uint64_t crlf_next = block_equal(next, '\r') & block_equal(block_load(in + 2), '\n');
    uint64_t drop = block_blanks(b) & (block_blanks(next) | crlf_next);
    return block_compress(block_spaces(b), ~drop, out);
}

#endif

static size_t relax_body(const uint8_t *in, size_t n, uint8_t *out, bool *unusual)
{
    uint8_t *begin = out;
    const uint8_t *end = in + n;
    struct unusual found = unusual_none();
    while (in < end) {
        if (!block_may_shrink(in)) {
            unusual_add(&found, in);
            block_store(out, block_load(in));
            out += SIMD_BLOCK;
            in += SIMD_BLOCK;
            continue;
        }
        for (int i = 0; i < SHRINK_BLOCKS && in < end; i++, in += SIMD_BLOCK) {
            unusual_add(&found, in);
            out += block_shrink(in, out);
        }
    }
    *unusual = unusual_any(found);
    return (size_t)(out - begin);
}

#endif
