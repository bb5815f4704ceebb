/*
 * 64 octets in four registers of ARM64. A mask is made by keeping one bit of each octet and adding
 * neighbours three times; octets are dropped by eight with a table (compress8.h).
 */
#ifndef SIMD_NEON_BLOCK_H
#define SIMD_NEON_BLOCK_H

#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/logic/compress8.h"

struct block
{
    uint8x16_t v[4];
};

static inline struct block block_load(const uint8_t *p)
{
    return (struct block){{vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)}};
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
    for (int i = 0; i < 4; i++)
        vst1q_u8(p + 16 * i, b.v[i]);
}

/* Octets of `b` are 0 or 255. */
static inline uint64_t neon_mask(struct block b)
{
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bit = vld1q_u8(bits);
    uint8x16_t low = vpaddq_u8(vandq_u8(b.v[0], bit), vandq_u8(b.v[1], bit));
    uint8x16_t high = vpaddq_u8(vandq_u8(b.v[2], bit), vandq_u8(b.v[3], bit));
    uint8x16_t sum = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

static inline uint64_t block_equal(struct block b, uint8_t c)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = vceqq_u8(b.v[i], vdupq_n_u8(c));
    return neon_mask(b);
}

static inline uint64_t block_blanks(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = vorrq_u8(vceqq_u8(b.v[i], vdupq_n_u8(' ')), vceqq_u8(b.v[i], vdupq_n_u8('\t')));
    return neon_mask(b);
}

/* A look-up by the low nibble gives the one octet of FWS that has it, or NUL. */
static inline uint8x16_t neon_fws(uint8x16_t v)
{
    static const uint8_t fws[16] = {[0] = ' ', ['\t'] = '\t', ['\n'] = '\n', ['\r'] = '\r'};
    return vceqq_u8(vqtbl1q_u8(vld1q_u8(fws), vandq_u8(v, vdupq_n_u8(0x0f))), v);
}

static inline uint64_t block_fws(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = neon_fws(b.v[i]);
    return neon_mask(b);
}

static inline uint64_t block_high(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = vcgtq_u8(b.v[i], vdupq_n_u8(127));
    return neon_mask(b);
}

static inline uint64_t block_odd(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = vcltq_s8(vreinterpretq_s8_u8(b.v[i]), vdupq_n_s8(1));
    return neon_mask(b);
}

static inline uint64_t block_outside(struct block b, uint8_t low, uint8_t high)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = vcgtq_u8(vsubq_u8(b.v[i], vdupq_n_u8(low)), vdupq_n_u8((uint8_t)(high - low)));
    return neon_mask(b);
}

/* Where bit 6 of an octet of `word` is set that is a letter, and bit 5 of the other may be what it
 * likes. */
static inline uint64_t block_unlike(struct block b, size_t n, const uint8_t *word)
{
    struct block same = {{vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0)}};
    for (int i = 0; i < 2; i++) {
        uint8x16_t want = vld1q_u8(word + 16 * i);
        uint8x16_t letters = vandq_u8(vshrq_n_u8(want, 1), vdupq_n_u8(0x20));
        same.v[i] = vceqq_u8(vorrq_u8(b.v[i], letters), want);
    }
    return ~neon_mask(same) & ((UINT64_C(1) << (n & 31)) - 1);
}

/* 255 where an octet may go or change: behind the SP anything up to SP. */
static inline uint8x16_t neon_may_shrink(const uint8_t *p)
{
    uint8x16_t v = vld1q_u8(p), next = vld1q_u8(p + 1), space = vdupq_n_u8(' ');
    return vorrq_u8(vceqq_u8(v, vdupq_n_u8('\t')),
                    vandq_u8(vceqq_u8(v, space), vcleq_u8(next, space)));
}

static inline bool block_may_shrink(const uint8_t *p)
{
    uint8x16_t low = vorrq_u8(neon_may_shrink(p), neon_may_shrink(p + 16));
    uint8x16_t high = vorrq_u8(neon_may_shrink(p + 32), neon_may_shrink(p + 48));
    return vmaxvq_u8(vorrq_u8(low, high)) != 0;
}

struct unusual
{
    uint8x16_t pairs, least;
};

static inline struct unusual unusual_none(void)
{
    return (struct unusual){vdupq_n_u8(0), vdupq_n_u8(1)};
}

static inline void unusual_add(struct unusual *sum, const uint8_t *p)
{
    for (int i = 0; i < 4; i++) {
        uint8x16_t v = vld1q_u8(p + 16 * i), next = vld1q_u8(p + 16 * i + 1);
        uint8x16_t cr = vceqq_u8(v, vdupq_n_u8('\r')), lf = vceqq_u8(next, vdupq_n_u8('\n'));
        sum->pairs = vorrq_u8(sum->pairs, veorq_u8(cr, lf));
        sum->least = vminq_u8(sum->least, v);
    }
}

static inline bool unusual_any(struct unusual sum)
{
    return vmaxvq_u8(sum.pairs) != 0 || vminvq_u8(sum.least) == 0;
}

static inline struct block block_spaces(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = vbslq_u8(vceqq_u8(b.v[i], vdupq_n_u8('\t')), vdupq_n_u8(' '), b.v[i]);
    return b;
}

static inline struct block block_gaps_to_spaces(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = vbslq_u8(neon_fws(b.v[i]), vdupq_n_u8(' '), b.v[i]);
    return b;
}

/* From the middle of 255s and zeros a mask of the first n is read. */
static inline struct block block_lower(struct block b, size_t n)
{
    static const uint8_t first[128] = {[0 ... 63] = 255};
    for (int i = 0; i < 4 && n; i++) {
        uint8x16_t letters = vcltq_u8(vsubq_u8(b.v[i], vdupq_n_u8('A')), vdupq_n_u8('Z' - 'A' + 1));
        uint8x16_t which = vandq_u8(letters, vld1q_u8(first + 64 + 16 * i - n));
        b.v[i] = vorrq_u8(b.v[i], vandq_u8(which, vdupq_n_u8(0x20)));
    }
    return b;
}

static inline size_t block_compress(struct block b, uint64_t keep, uint8_t *out)
{
    if (keep == UINT64_MAX) {
        block_store(out, b);
        return 64;
    }
    uint8_t *begin = out;
    uint8_t octets[64];
    block_store(octets, b);
    for (unsigned i = 0; i < 64; i += 8) {
        unsigned kept = (unsigned)(keep >> i) & 0xff;
        vst1_u8(out, vtbl1_u8(vld1_u8(octets + i), vld1_u8(compress8[kept])));
        out += __builtin_popcount(kept);
    }
    return (size_t)(out - begin);
}

/* 16 characters to sextets. */
static inline uint8x16_t neon_sextets(uint8x16_t v, uint8x16_t *bad)
{
    uint8x16_t high = vshrq_n_u8(v, 4), low = vandq_u8(v, vdupq_n_u8(0x0f));
    uint8x16_t refused =
        vandq_u8(vqtbl1q_u8(vld1q_u8(base64_low), low), vqtbl1q_u8(vld1q_u8(base64_high), high));
    uint8x16_t row = vaddq_u8(high, vceqq_u8(v, vdupq_n_u8('/')));
    *bad = vcgtq_u8(refused, vdupq_n_u8(0));
    return vaddq_u8(v, vqtbl1q_u8(vld1q_u8(base64_add), row));
}

/* The characters of a group go to four registers, its octets come from three. */
static inline uint64_t block_base64(struct block b, uint8_t *out)
{
    uint8_t sextets[64];
    struct block bad;
    for (int i = 0; i < 4; i++)
        vst1q_u8(sextets + 16 * i, neon_sextets(b.v[i], &bad.v[i]));
    uint8x16x4_t group = vld4q_u8(sextets);
    uint8x16x3_t octets;
    octets.val[0] = vorrq_u8(vshlq_n_u8(group.val[0], 2), vshrq_n_u8(group.val[1], 4));
    octets.val[1] = vorrq_u8(vshlq_n_u8(group.val[1], 4), vshrq_n_u8(group.val[2], 2));
    octets.val[2] = vorrq_u8(vshlq_n_u8(group.val[2], 6), group.val[3]);
    vst3q_u8(out, octets);
    return neon_mask(bad);
}

#endif
