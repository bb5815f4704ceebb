/*
 * Base64: what is not white space is gathered in a stage, and leaves it by 64 characters for 48
 * octets. Up to 64 characters stay to the end: "=" may stand among the last ones only. The stage
 * holds a signature: a load right behind the stores that made its octets would wait for them.
 */
#ifndef SIMD_LOGIC_BASE64_H
#define SIMD_LOGIC_BASE64_H

#include "simd/logic/masks.h"

enum
{
    BASE64_OCTETS = SIMD_BLOCK / 4 * 3,
    BASE64_STAGE = 12 * SIMD_BLOCK,
};

struct base64_run
{
    uint8_t *out; /* borrowed */
    size_t capacity, written;
    size_t staged;
    uint8_t stage[BASE64_STAGE + SIMD_BLOCK]; /* and the slack of the last block */
};

static size_t base64_count_chars(const uint8_t *in, size_t n)
{
    size_t count = 0;
    for (size_t at = 0; at < n; at += SIMD_BLOCK)
        count += mask_count(~block_fws(block_at(in, n, at, ' ')));
    return count;
}

/* The first `octets` that the block decodes to. */
static inline bool base64_put(struct base64_run *run, struct block b, size_t octets)
{
    uint8_t decoded[SIMD_BLOCK];
    if (run->capacity - run->written >= SIMD_BLOCK) {
        run->written += octets;
        return block_base64(b, run->out + run->written - octets) == 0;
    }
    if (octets > run->capacity - run->written || block_base64(b, decoded) != 0)
        return false;
    memcpy(run->out + run->written, decoded, octets);
    run->written += octets;
    return true;
}

/* Blocks leave the stage while a character is behind them, so they have no "=". */
static inline bool base64_drain(struct base64_run *run)
{
    size_t at = 0;
    for (; run->staged - at > SIMD_BLOCK; at += SIMD_BLOCK)
        if (!base64_put(run, block_load(run->stage + at), BASE64_OCTETS))
            return false;
    block_store(run->stage, block_load(run->stage + at));
    run->staged -= at;
    return true;
}

static inline bool base64_gather(struct base64_run *run, const uint8_t *in, size_t n)
{
    size_t staged = 0; /* in a register: each block waits for the one before */
    for (size_t at = 0; at < n; at += SIMD_BLOCK) {
        struct block b = block_at(in, n, at, ' ');
        staged += block_compress(b, ~block_fws(b), run->stage + staged);
        if (staged <= BASE64_STAGE - SIMD_BLOCK)
            continue;
        run->staged = staged;
        if (!base64_drain(run))
            return false;
        staged = run->staged;
    }
    run->staged = staged;
    return staged <= SIMD_BLOCK || base64_drain(run);
}

/* What is left: `n` characters, SIMD_BLOCK at most. "A" stands for six zeros, as "=" does; of the
 * octets that are no data, the first holds the bits left over (RFC 4648 3.5). */
static inline bool base64_last(struct base64_run *run, const uint8_t *chars, size_t n)
{
    uint8_t decoded[SIMD_BLOCK];
    if (n % 4)
        return false;
    if (n == 0)
        return true;
    unsigned padding = chars[n - 1] != '=' ? 0 : chars[n - 2] != '=' ? 1 : 2;
    size_t octets = n / 4 * 3 - padding, room = run->capacity - run->written;
    uint8_t *out = run->out + run->written;
    uint8_t *to = room >= SIMD_BLOCK ? out : decoded;
    if (octets > room || block_base64(block_at(chars, n - padding, 0, 'A'), to) != 0 ||
        (padding && to[octets]))
        return false;
    if (to != out)
        memcpy(out, to, octets);
    run->written += octets;
    return true;
}

/* All of a text of one block without white space. */
static inline bool base64_is_short(const uint8_t *in, size_t n)
{
    return n <= SIMD_BLOCK && n > 0 && block_fws(block_at(in, n, 0, 'x')) == 0;
}

static bool base64_text(const uint8_t *in, size_t n, uint8_t *out, size_t capacity, size_t *written)
{
    struct base64_run run;
    run.out = out;
    run.capacity = capacity;
    run.written = run.staged = 0;
    bool good = base64_is_short(in, n)
                    ? base64_last(&run, in, n)
                    : base64_gather(&run, in, n) && base64_last(&run, run.stage, run.staged);
    *written = run.written;
    return good;
}

#endif
