/*
 * Base64: what is not white space is gathered in a stage, and leaves it by 64 characters for 48
 * octets. The last group stays: nobody knows that it is the last before the text ends, and only
 * there may "=" stand. The stage holds a signature: a load right behind the stores that made its
 * octets would wait for them.
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

static inline uint64_t base64_chars(struct block b)
{
    return ~(block_blanks(b) | block_equal(b, '\r') | block_equal(b, '\n'));
}

static size_t base64_count_chars(const uint8_t *in, size_t n)
{
    size_t count = 0;
    for (size_t at = 0; at < n; at += SIMD_BLOCK)
        count += mask_count(base64_chars(block_at(in, n, at, ' ')));
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

static bool base64_groups(const uint8_t *in, size_t n, uint8_t *out, size_t capacity,
                          size_t *written, uint8_t last[4], size_t *last_n)
{
    struct base64_run run;
    run.out = out;
    run.capacity = capacity;
    run.written = run.staged = 0;
    for (size_t at = 0; at < n; at += SIMD_BLOCK) {
        struct block b = block_at(in, n, at, ' ');
        run.staged += block_compress(b, base64_chars(b), run.stage + run.staged);
        if (run.staged > BASE64_STAGE - SIMD_BLOCK && !base64_drain(&run))
            return false;
    }
    if (run.staged > SIMD_BLOCK && !base64_drain(&run))
        return false;
    size_t groups = run.staged ? (run.staged - 1) / 4 : 0;
    if (groups && !base64_put(&run, block_load_part(run.stage, groups * 4, 'A'), groups * 3))
        return false;
    *last_n = run.staged - groups * 4;
    memcpy(last, run.stage + groups * 4, *last_n);
    *written = run.written;
    return true;
}

#endif
