/*
 * 64 octets in eight words; every machine. A comparison turns each octet into its highest bit and
 * a product gathers the eight bits.
 */
#ifndef SIMD_SCALAR_BLOCK_H
#define SIMD_SCALAR_BLOCK_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum
{
    WORDS = 8,
};

struct block
{
    uint64_t w[WORDS]; /* octet 0 in the lowest bits */
};

#define EACH(octet) (UINT64_C(0x0101010101010101) * (octet))
#define LOW_BITS EACH(0x7f)
#define HIGH_BITS EACH(0x80)

static inline struct block block_load(const uint8_t *p)
{
    struct block b;
    memcpy(b.w, p, sizeof b.w);
    for (int i = 0; i < WORDS; i++)
        b.w[i] = le64toh(b.w[i]);
    return b;
}

static inline struct block block_load_part(const uint8_t *p, size_t n, uint8_t filler)
{
    uint8_t padded[64];
    memset(padded, filler, sizeof padded);
    memcpy(padded, p, n);
    return block_load(padded);
}

static inline void block_store(uint8_t *p, struct block b)
{
    for (int i = 0; i < WORDS; i++)
        b.w[i] = htole64(b.w[i]);
    memcpy(p, b.w, sizeof b.w);
}

/* Of each word the octets' highest bits, all others being zero. */
static inline uint64_t scalar_gather(uint64_t high_bits)
{
    return (high_bits >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t block_high(struct block b)
{
    uint64_t mask = 0;
    for (int i = 0; i < WORDS; i++)
        mask |= scalar_gather(b.w[i] & HIGH_BITS) << 8 * i;
    return mask;
}

/* No carry crosses an octet: the sum of two seven-bit numbers has eight. */
static inline uint64_t scalar_zero(uint64_t w)
{
    return ~(((w & LOW_BITS) + LOW_BITS) | w) & HIGH_BITS;
}

static inline uint64_t block_equal(struct block b, uint8_t c)
{
    uint64_t mask = 0;
    for (int i = 0; i < WORDS; i++)
        mask |= scalar_gather(scalar_zero(b.w[i] ^ EACH(c))) << 8 * i;
    return mask;
}

static inline uint64_t block_blanks(struct block b)
{
    uint64_t mask = 0;
    for (int i = 0; i < WORDS; i++)
        mask |= scalar_gather(scalar_zero(b.w[i] ^ EACH(' ')) | scalar_zero(b.w[i] ^ EACH('\t')))
                << 8 * i;
    return mask;
}

/* Highest bits, as of scalar_zero(). */
static inline uint64_t scalar_fws(uint64_t w)
{
    return scalar_zero(w ^ EACH(' ')) | scalar_zero(w ^ EACH('\t')) | scalar_zero(w ^ EACH('\r')) |
           scalar_zero(w ^ EACH('\n'));
}

static inline uint64_t block_fws(struct block b)
{
    uint64_t mask = 0;
    for (int i = 0; i < WORDS; i++)
        mask |= scalar_gather(scalar_fws(b.w[i])) << 8 * i;
    return mask;
}

static inline uint64_t block_odd(struct block b)
{
    uint64_t mask = 0;
    for (int i = 0; i < WORDS; i++)
        mask |= scalar_gather(scalar_zero(b.w[i]) | (b.w[i] & HIGH_BITS)) << 8 * i;
    return mask;
}

static inline uint64_t block_outside(struct block b, uint8_t low, uint8_t high)
{
    uint64_t mask = 0;
    for (int i = 0; i < WORDS; i++) {
        uint64_t w = b.w[i] & LOW_BITS;
        uint64_t from_low = w + EACH(0x80 - low), above_high = w + EACH(0x7f - high);
        mask |= scalar_gather((~from_low | above_high | b.w[i]) & HIGH_BITS) << 8 * i;
    }
    return mask;
}

/* Where bit 6 of an octet of `word` is set that is a letter, and bit 5 of the other may be what it
 * likes. */
static inline uint64_t block_unlike(struct block b, size_t n, const uint8_t *word)
{
    uint64_t same = 0;
    for (int i = 0; i < WORDS / 2; i++) {
        uint64_t want;
        memcpy(&want, word + 8 * i, sizeof want);
        want = le64toh(want);
        same |= scalar_gather(scalar_zero((b.w[i] | (want >> 1 & EACH(0x20))) ^ want)) << 8 * i;
    }
    return ~same & ((UINT64_C(1) << (n & 31)) - 1);
}

/* Highest bits where an octet may go or change: behind the SP anything up to SP. */
static inline uint64_t scalar_may_shrink(const uint8_t *p)
{
    uint64_t w, next;
    memcpy(&w, p, sizeof w);
    memcpy(&next, p + 1, sizeof next);
    uint64_t large = ((next & LOW_BITS) + EACH(0x7f - ' ')) | next;
    return scalar_zero(w ^ EACH('\t')) | (scalar_zero(w ^ EACH(' ')) & ~large);
}

static inline bool block_may_shrink(const uint8_t *p)
{
    uint64_t may = 0;
    for (int i = 0; i < WORDS; i++)
        may |= scalar_may_shrink(p + 8 * i);
    return may != 0;
}

/* Words in which nothing may shrink are copied, the others go octet by octet. */
#define BLOCK_SHRINKS_BY_ITSELF
static inline bool scalar_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static inline size_t block_shrink(const uint8_t *in, uint8_t *out)
{
    uint8_t *begin = out;
    for (const uint8_t *end = in + 8 * WORDS; in < end; in += 8) {
        if (!scalar_may_shrink(in)) {
            memcpy(out, in, 8);
            out += 8;
            continue;
        }
        for (unsigned i = 0; i < 8; i++) {
            const uint8_t *c = in + i;
            bool blank = scalar_blank(c[0]);
            *out = blank ? ' ' : c[0];
            out += !blank || !(scalar_blank(c[1]) || (c[1] == '\r' && c[2] == '\n'));
        }
    }
    return (size_t)(out - begin);
}

struct unusual
{
    uint64_t bits; /* the highest of each octet counts */
};

static inline struct unusual unusual_none(void)
{
    return (struct unusual){0};
}

static inline void unusual_add(struct unusual *sum, const uint8_t *p)
{
    for (int i = 0; i < WORDS; i++) {
        uint64_t w, next;
        memcpy(&w, p + 8 * i, sizeof w);
        memcpy(&next, p + 8 * i + 1, sizeof next);
        sum->bits |=
            (scalar_zero(w ^ EACH('\r')) ^ scalar_zero(next ^ EACH('\n'))) | scalar_zero(w);
    }
}

static inline bool unusual_any(struct unusual sum)
{
    return sum.bits != 0;
}

static inline struct block block_spaces(struct block b)
{
    for (int i = 0; i < WORDS; i++)
        b.w[i] ^= (scalar_zero(b.w[i] ^ EACH('\t')) >> 7) * ('\t' ^ ' ');
    return b;
}

static inline struct block block_gaps_to_spaces(struct block b)
{
    for (int i = 0; i < WORDS; i++) {
        if (((b.w[i] - EACH(' ')) & ~b.w[i] & HIGH_BITS) == 0) /* nothing below SP */
            continue;
        uint64_t gaps = scalar_fws(b.w[i]) >> 7;
        b.w[i] = (b.w[i] & ~(gaps * 0xff)) | gaps * ' ';
    }
    return b;
}

/* Highest bits: a letter from A to Z. */
static inline uint64_t scalar_large(uint64_t w)
{
    uint64_t low = w & LOW_BITS, from_a = low + EACH(0x80 - 'A'), above_z = low + EACH(0x7f - 'Z');
    return from_a & ~above_z & ~w & HIGH_BITS;
}

static inline struct block block_lower(struct block b, size_t n)
{
    for (size_t i = 0; 8 * i < n; i++) {
        size_t left = n - 8 * i;
        uint64_t which = left < 8 ? (UINT64_C(1) << 8 * left) - 1 : UINT64_MAX;
        b.w[i] |= (scalar_large(b.w[i]) & which) >> 2;
    }
    return b;
}

static inline size_t block_compress(struct block b, uint64_t keep, uint8_t *out)
{
    if (keep == UINT64_MAX) {
        block_store(out, b);
        return 64;
    }
    uint8_t octets[64];
    uint8_t *begin = out;
    block_store(octets, b);
    for (unsigned i = 0; i < 64; i += 8) {
        unsigned kept = (unsigned)(keep >> i) & 0xff;
        if (kept == 0xff) {
            memcpy(out, octets + i, 8);
            out += 8;
            continue;
        }
        for (unsigned k = 0; k < 8; k++) {
            *out = octets[i + k];
            out += kept >> k & 1;
        }
    }
    return (size_t)(out - begin);
}

#define NO 0x80
/* clang-format off */
static const uint8_t base64_values[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    [128 ... 255] = NO,
};
/* clang-format on */
#undef NO

static inline uint64_t block_base64(struct block b, uint8_t *out)
{
    uint8_t chars[64], refused = 0;
    block_store(chars, b);
    for (unsigned i = 0; i < 16; i++) {
        const uint8_t *c = chars + 4 * i;
        uint8_t s0 = base64_values[c[0]], s1 = base64_values[c[1]];
        uint8_t s2 = base64_values[c[2]], s3 = base64_values[c[3]];
        refused |= s0 | s1 | s2 | s3;
        out[3 * i] = (uint8_t)(s0 << 2 | s1 >> 4);
        out[3 * i + 1] = (uint8_t)(s1 << 4 | s2 >> 2);
        out[3 * i + 2] = (uint8_t)(s2 << 6 | s3);
    }
    return refused >> 7; /* somewhere: its callers ask no more */
}

#endif
