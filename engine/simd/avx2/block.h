/* 64 octets in two registers. Dropping octets is done by eight with a table (compress8.h). */
#ifndef SIMD_AVX2_BLOCK_H
#define SIMD_AVX2_BLOCK_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/logic/compress8.h"

struct block
{
    __m256i v[2];
};

static inline __m256i avx2_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i_u *)p);
}

static inline void avx2_store(void *p, __m256i v)
{
    _mm256_storeu_si256((__m256i_u *)p, v);
}

static inline struct block block_load(const uint8_t *p)
{
    return (struct block){{avx2_load(p), avx2_load(p + 32)}};
}

static inline struct block block_load_part(const uint8_t *p, size_t n, uint8_t filler)
{
    uint8_t padded[64];
    avx2_store(padded, _mm256_set1_epi8((char)filler));
    avx2_store(padded + 32, _mm256_set1_epi8((char)filler));
    memcpy(padded, p, n);
    return block_load(padded);
}

static inline void block_store(uint8_t *p, struct block b)
{
    avx2_store(p, b.v[0]);
    avx2_store(p + 32, b.v[1]);
}

static inline uint64_t avx2_mask(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

static inline uint64_t block_equal(struct block b, uint8_t c)
{
    __m256i all = _mm256_set1_epi8((char)c);
    return avx2_mask(_mm256_cmpeq_epi8(b.v[0], all), _mm256_cmpeq_epi8(b.v[1], all));
}

/* A look-up by the low nibble gives SP or HTAB to what is one of them, and something else to all
 * others. */
static inline __m256i avx2_blanks(__m256i v)
{
    const __m256i blank = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', -1, -1, -1, -1, -1, -1));
    return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(blank, v), v);
}

static inline uint64_t block_blanks(struct block b)
{
    return avx2_mask(avx2_blanks(b.v[0]), avx2_blanks(b.v[1]));
}

/* The same with CR and LF. */
static inline __m256i avx2_fws(__m256i v)
{
    const __m256i fws = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', '\n', -1, -1, '\r', -1, -1));
    return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(fws, v), v);
}

static inline uint64_t block_fws(struct block b)
{
    return avx2_mask(avx2_fws(b.v[0]), avx2_fws(b.v[1]));
}

static inline uint64_t block_high(struct block b)
{
    return avx2_mask(b.v[0], b.v[1]);
}

static inline uint64_t block_odd(struct block b)
{
    __m256i one = _mm256_set1_epi8(1);
    return avx2_mask(_mm256_cmpgt_epi8(one, b.v[0]), _mm256_cmpgt_epi8(one, b.v[1]));
}

/* Signed: what is above 127 is below everything. */
static inline __m256i avx2_outside(__m256i v, uint8_t low, uint8_t high)
{
    return _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8((char)low), v),
                           _mm256_cmpgt_epi8(v, _mm256_set1_epi8((char)high)));
}

static inline uint64_t block_outside(struct block b, uint8_t low, uint8_t high)
{
    return avx2_mask(avx2_outside(b.v[0], low, high), avx2_outside(b.v[1], low, high));
}

/* Where bit 6 of an octet of `word` is set that is a letter, and bit 5 of the other may be what it
 * likes. */
static inline uint64_t block_unlike(struct block b, size_t n, const uint8_t *word)
{
    __m256i want = avx2_load(word);
    __m256i letters = _mm256_and_si256(_mm256_srli_epi16(want, 1), _mm256_set1_epi8(0x20));
    __m256i got = _mm256_or_si256(b.v[0], letters);
    uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(got, want));
    return ~same & ((UINT32_C(1) << (n & 31)) - 1);
}

/* 255 where an octet may go or change: behind the SP anything up to SP. */
static inline __m256i avx2_may_shrink(const uint8_t *p)
{
    __m256i v = avx2_load(p), next = avx2_load(p + 1), space = _mm256_set1_epi8(' ');
    __m256i small = _mm256_cmpeq_epi8(_mm256_min_epu8(next, space), next);
    return _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t')),
                           _mm256_and_si256(_mm256_cmpeq_epi8(v, space), small));
}

static inline bool block_may_shrink(const uint8_t *p)
{
    __m256i either = _mm256_or_si256(avx2_may_shrink(p), avx2_may_shrink(p + 32));
    return _mm256_movemask_epi8(either) != 0;
}

struct unusual
{
    __m256i pairs, least;
};

static inline struct unusual unusual_none(void)
{
    return (struct unusual){_mm256_setzero_si256(), _mm256_set1_epi8(1)};
}

static inline void avx2_unusual(struct unusual *sum, const uint8_t *p)
{
    __m256i v = avx2_load(p), next = avx2_load(p + 1);
    __m256i cr = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r'));
    __m256i lf = _mm256_cmpeq_epi8(next, _mm256_set1_epi8('\n'));
    sum->pairs = _mm256_or_si256(sum->pairs, _mm256_xor_si256(cr, lf));
    sum->least = _mm256_min_epu8(sum->least, v);
}

static inline void unusual_add(struct unusual *sum, const uint8_t *p)
{
    avx2_unusual(sum, p);
    avx2_unusual(sum, p + 32);
}

static inline bool unusual_any(struct unusual sum)
{
    __m256i nul = _mm256_cmpeq_epi8(sum.least, _mm256_setzero_si256());
    return _mm256_movemask_epi8(_mm256_or_si256(sum.pairs, nul)) != 0;
}

static inline __m256i avx2_spaces(__m256i v)
{
    __m256i tabs = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t'));
    return _mm256_blendv_epi8(v, _mm256_set1_epi8(' '), tabs);
}

static inline struct block block_spaces(struct block b)
{
    return (struct block){{avx2_spaces(b.v[0]), avx2_spaces(b.v[1])}};
}

static inline struct block block_gaps_to_spaces(struct block b)
{
    for (int i = 0; i < 2; i++)
        b.v[i] = _mm256_blendv_epi8(b.v[i], _mm256_set1_epi8(' '), avx2_fws(b.v[i]));
    return b;
}

static inline __m256i avx2_lower(__m256i v, __m256i which)
{
    __m256i letters = _mm256_and_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8('A' - 1)),
                                       _mm256_cmpgt_epi8(_mm256_set1_epi8('Z' + 1), v));
    __m256i bits = _mm256_and_si256(_mm256_and_si256(letters, which), _mm256_set1_epi8(0x20));
    return _mm256_or_si256(v, bits);
}

/* From the middle of 255s and zeros a mask of the first n is read. */
static inline struct block block_lower(struct block b, size_t n)
{
    static const uint8_t first[128] = {[0 ... 63] = 255};
    if (n == 0)
        return b;
    b.v[0] = avx2_lower(b.v[0], avx2_load(first + 64 - n));
    b.v[1] = avx2_lower(b.v[1], avx2_load(first + 96 - n));
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

static inline __m256i avx2_twice(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i_u *)(const void *)table));
}

/* 32 characters to 24 octets in the low parts of both halves. */
static inline __m256i avx2_base64(__m256i v, __m256i *bad)
{
    __m256i nibble = _mm256_set1_epi8(0x0f);
    __m256i high = _mm256_and_si256(_mm256_srli_epi32(v, 4), nibble);
    __m256i low = _mm256_and_si256(v, nibble);
    __m256i refused = _mm256_and_si256(_mm256_shuffle_epi8(avx2_twice(base64_low), low),
                                       _mm256_shuffle_epi8(avx2_twice(base64_high), high));
    __m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));
    __m256i row = _mm256_add_epi8(high, slash);
    __m256i sextets = _mm256_add_epi8(v, _mm256_shuffle_epi8(avx2_twice(base64_add), row));
    __m256i pairs = _mm256_maddubs_epi16(sextets, _mm256_set1_epi32(0x01400140));
    __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    *bad = _mm256_cmpgt_epi8(refused, _mm256_setzero_si256());
    return _mm256_shuffle_epi8(groups, avx2_twice(base64_order));
}

static inline void avx2_store12(uint8_t *out, __m128i v)
{
    _mm_storeu_si128((__m128i_u *)(void *)out, v);
}

static inline uint64_t block_base64(struct block b, uint8_t *out)
{
    __m256i bad[2];
    for (int i = 0; i < 2; i++) {
        __m256i octets = avx2_base64(b.v[i], &bad[i]);
        avx2_store12(out + 24 * i, _mm256_castsi256_si128(octets));
        avx2_store12(out + 24 * i + 12, _mm256_extracti128_si256(octets, 1));
    }
    return avx2_mask(bad[0], bad[1]);
}

#endif
