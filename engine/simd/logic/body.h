/*
 * Relaxed bodies.
 *
 * A blank is dropped if a blank or CRLF follows: only the two octets behind it matter, so blocks
 * need no state. Most have no octet that could be dropped or is a HTAB, which a few compares tell,
 * and are copied as they are; in the others dropping costs the same whatever stands there.
 *
 * A level where dropping costs about as much as asking (BLOCK_RELAXES) does not ask: no branch on
 * the text, so none that is guessed wrong. It takes a CR for a CRLF; where that turns out not to
 * hold it begins again, which costs unusual text twice the time.
 *
 * Whether all is as it should be (no NUL, CR and LF in pairs) needs no count and no carry: a CR's
 * mask is that of the LFs one octet on. What is found is gathered without a branch.
 *
 * Bodies come from memory, each page once, and the processor's own prefetch stops at the end of a
 * page and when other streams have their turn: the way ahead is fetched here, where the load units
 * have little to do (assay-bench --set 1m: 333 to 305 microseconds, 2026-11-22, Zen 4).
 */
#ifndef SIMD_LOGIC_BODY_H
#define SIMD_LOGIC_BODY_H

#include "simd/logic/masks.h"

#ifndef BLOCK_SHRINKS_BY_ITSELF
static inline size_t block_shrink(const uint8_t *in, uint8_t *out)
{
    struct block b = block_load(in), next = block_load(in + 1);
    uint64_t crlf_next = block_equal(next, '\r') & block_equal(block_load(in + 2), '\n');
    uint64_t drop = block_blanks(b) & (block_blanks(next) | crlf_next);
    return block_compress(block_spaces(b), ~drop, out);
}
#endif

/* So far ahead that nothing is fetched behind the text. */
static inline size_t fetch_distance(size_t ahead)
{
    return ahead < SIMD_FETCH ? ahead : SIMD_FETCH;
}

/* Into the second-level cache. */
static inline void fetch_ahead(const uint8_t *p)
{
    __builtin_prefetch(p, 0, 2);
}

#ifndef BLOCK_RELAXES
static size_t relax_body(const uint8_t *in, size_t n, size_t ahead, uint8_t *out, bool *unusual)
{
    uint8_t *begin = out;
    const uint8_t *end = in + n;
    size_t fetch = fetch_distance(ahead);
    struct unusual found = unusual_none();
    while (in < end) {
        for (; in < end && !block_may_shrink(in); in += SIMD_BLOCK, out += SIMD_BLOCK) {
            fetch_ahead(in + fetch);
            unusual_add(&found, in);
            block_store(out, block_load(in));
        }
        if (in == end)
            break;
        fetch_ahead(in + fetch);
        unusual_add(&found, in);
        out += block_shrink(in, out);
        in += SIMD_BLOCK;
    }
    *unusual = unusual_any(found);
    return (size_t)(out - begin);
}

#else
static size_t shrink_all(const uint8_t *in, size_t n, uint8_t *out)
{
    uint8_t *begin = out;
    for (const uint8_t *end = in + n; in < end; in += SIMD_BLOCK)
        out += block_shrink(in, out);
    return (size_t)(out - begin);
}

static size_t relax_body(const uint8_t *in, size_t n, size_t ahead, uint8_t *out, bool *unusual)
{
    uint8_t *to = out;
    const uint8_t *fetch = in + fetch_distance(ahead);
    struct unusual found = unusual_none();
    for (size_t at = 0; at < n; at += SIMD_BLOCK) {
        fetch_ahead(fetch + at);
        to += block_relax(in + at, to, &found);
    }
    *unusual = unusual_any(found);
    if (*unusual || (in[n] == '\r' && in[n + 1] != '\n'))
        return shrink_all(in, n, out);
    return (size_t)(to - out);
}

#endif

#endif
