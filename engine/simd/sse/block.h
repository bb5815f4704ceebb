/* 64 octets in four registers; SSSE3's byte shuffle drops octets by eight with a table. */
#ifndef SIMD_SSE_BLOCK_H
#define SIMD_SSE_BLOCK_H

#include <nmmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/logic/compress8.h"

struct block
{
    __m128i v[4];
};

static inline __m128i sse_load(const void *p)
{
    return _mm_loadu_si128((const __m128i_u *)p);
}

static inline void sse_store(void *p, __m128i v)
{
    _mm_storeu_si128((__m128i_u *)p, v);
}

static inline struct block block_load(const uint8_t *p)
{
    return (struct block){{sse_load(p), sse_load(p + 16), sse_load(p + 32), sse_load(p + 48)}};
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
        sse_store(p + 16 * i, b.v[i]);
}

/* The highest bit of each octet. */
static inline uint64_t block_high(struct block b)
{
    return (uint64_t)_mm_movemask_epi8(b.v[0]) | (uint64_t)_mm_movemask_epi8(b.v[1]) << 16 |
           (uint64_t)_mm_movemask_epi8(b.v[2]) << 32 | (uint64_t)_mm_movemask_epi8(b.v[3]) << 48;
}

static inline uint64_t block_equal(struct block b, uint8_t c)
{
    __m128i all = _mm_set1_epi8((char)c);
    for (int i = 0; i < 4; i++)
        b.v[i] = _mm_cmpeq_epi8(b.v[i], all);
    return block_high(b);
}

/* A look-up by the low nibble gives SP or HTAB to what is one of them, and something else to all
 * others. */
static inline uint64_t block_blanks(struct block b)
{
    const __m128i blank =
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', -1, -1, -1, -1, -1, -1);
    for (int i = 0; i < 4; i++)
        b.v[i] = _mm_cmpeq_epi8(_mm_shuffle_epi8(blank, b.v[i]), b.v[i]);
    return block_high(b);
}

/* The same with CR and LF. */
static inline __m128i sse_fws(__m128i v)
{
    const __m128i fws =
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', '\n', -1, -1, '\r', -1, -1);
    return _mm_cmpeq_epi8(_mm_shuffle_epi8(fws, v), v);
}

static inline uint64_t block_fws(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = sse_fws(b.v[i]);
    return block_high(b);
}

static inline uint64_t block_odd(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = _mm_cmplt_epi8(b.v[i], _mm_set1_epi8(1));
    return block_high(b);
}

/* Signed: what is above 127 is below everything. */
static inline uint64_t block_outside(struct block b, uint8_t low, uint8_t high)
{
    __m128i lows = _mm_set1_epi8((char)low), highs = _mm_set1_epi8((char)high);
    for (int i = 0; i < 4; i++)
        b.v[i] = _mm_or_si128(_mm_cmplt_epi8(b.v[i], lows), _mm_cmpgt_epi8(b.v[i], highs));
    return block_high(b);
}

/* Where bit 6 of an octet of `word` is set that is a letter, and bit 5 of the other may be what it
 * likes. */
static inline unsigned sse_word(__m128i v, const uint8_t *word)
{
    __m128i want = sse_load(word);
    __m128i letters = _mm_and_si128(_mm_srli_epi16(want, 1), _mm_set1_epi8(0x20));
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_or_si128(v, letters), want));
}

static inline uint64_t block_unlike(struct block b, size_t n, const uint8_t *word)
{
    uint32_t same = sse_word(b.v[0], word) | sse_word(b.v[1], word + 16) << 16;
    return ~same & ((UINT32_C(1) << (n & 31)) - 1);
}

/* 255 where an octet may go or change: behind the SP anything up to SP. */
static inline __m128i sse_may_shrink(const uint8_t *p)
{
    __m128i v = sse_load(p), next = sse_load(p + 1), space = _mm_set1_epi8(' ');
    __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(next, space), next);
    return _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\t')),
                        _mm_and_si128(_mm_cmpeq_epi8(v, space), small));
}

static inline bool block_may_shrink(const uint8_t *p)
{
    __m128i low = _mm_or_si128(sse_may_shrink(p), sse_may_shrink(p + 16));
    __m128i high = _mm_or_si128(sse_may_shrink(p + 32), sse_may_shrink(p + 48));
    return _mm_movemask_epi8(_mm_or_si128(low, high)) != 0;
}

struct unusual
{
    __m128i pairs, least;
};

static inline struct unusual unusual_none(void)
{
    return (struct unusual){_mm_setzero_si128(), _mm_set1_epi8(1)};
}

static inline void unusual_add(struct unusual *sum, const uint8_t *p)
{
    for (int i = 0; i < 4; i++) {
        __m128i v = sse_load(p + 16 * i), next = sse_load(p + 16 * i + 1);
        __m128i cr = _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'));
        __m128i lf = _mm_cmpeq_epi8(next, _mm_set1_epi8('\n'));
        sum->pairs = _mm_or_si128(sum->pairs, _mm_xor_si128(cr, lf));
        sum->least = _mm_min_epu8(sum->least, v);
    }
}

static inline bool unusual_any(struct unusual sum)
{
    __m128i nul = _mm_cmpeq_epi8(sum.least, _mm_setzero_si128());
    return _mm_movemask_epi8(_mm_or_si128(sum.pairs, nul)) != 0;
}

static inline struct block block_spaces(struct block b)
{
    for (int i = 0; i < 4; i++) {
        __m128i tabs = _mm_cmpeq_epi8(b.v[i], _mm_set1_epi8('\t'));
        b.v[i] = _mm_blendv_epi8(b.v[i], _mm_set1_epi8(' '), tabs);
    }
    return b;
}

static inline struct block block_gaps_to_spaces(struct block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = _mm_blendv_epi8(b.v[i], _mm_set1_epi8(' '), sse_fws(b.v[i]));
    return b;
}

/* From the middle of 255s and zeros a mask of the first n is read. */
static inline struct block block_lower(struct block b, size_t n)
{
    static const uint8_t first[128] = {[0 ... 63] = 255};
    for (int i = 0; i < 4 && n; i++) {
        __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(b.v[i], _mm_set1_epi8('A' - 1)),
                                        _mm_cmplt_epi8(b.v[i], _mm_set1_epi8('Z' + 1)));
        __m128i which = _mm_and_si128(letters, sse_load(first + 64 + 16 * i - n));
        b.v[i] = _mm_or_si128(b.v[i], _mm_and_si128(which, _mm_set1_epi8(0x20)));
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
        __m128i eight = _mm_loadl_epi64((const __m128i_u *)(const void *)(octets + i));
        __m128i order = _mm_loadl_epi64((const __m128i_u *)(const void *)compress8[kept]);
        _mm_storel_epi64((__m128i_u *)(void *)out, _mm_shuffle_epi8(eight, order));
        out += __builtin_popcount(kept);
    }
    return (size_t)(out - begin);
}

/* 16 characters to 12 octets. */
static inline __m128i sse_base64(__m128i v, __m128i *bad)
{
    __m128i nibble = _mm_set1_epi8(0x0f);
    __m128i high = _mm_and_si128(_mm_srli_epi32(v, 4), nibble);
    __m128i low = _mm_and_si128(v, nibble);
    __m128i refused = _mm_and_si128(_mm_shuffle_epi8(sse_load(base64_low), low),
                                    _mm_shuffle_epi8(sse_load(base64_high), high));
    __m128i row = _mm_add_epi8(high, _mm_cmpeq_epi8(v, _mm_set1_epi8('/')));
    __m128i sextets = _mm_add_epi8(v, _mm_shuffle_epi8(sse_load(base64_add), row));
    __m128i pairs = _mm_maddubs_epi16(sextets, _mm_set1_epi32(0x01400140));
    __m128i groups = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
    *bad = _mm_cmpgt_epi8(refused, _mm_setzero_si128());
    return _mm_shuffle_epi8(groups, sse_load(base64_order));
}

static inline uint64_t block_base64(struct block b, uint8_t *out)
{
    struct block bad;
    for (int i = 0; i < 4; i++)
        sse_store(out + 12 * i, sse_base64(b.v[i], &bad.v[i]));
    return block_high(bad);
}

#endif
