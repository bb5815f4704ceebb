/*
 * 64 octets in one register; compares give masks, VBMI2 compresses in a register (to memory it is
 * microcode on Zen 4), VBMI looks up 128 octets at once.
 */
#ifndef SIMD_AVX512_BLOCK_H
#define SIMD_AVX512_BLOCK_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block
{
    __m512i v;
};

static inline struct block block_load(const uint8_t *p)
{
    return (struct block){_mm512_loadu_si512(p)};
}

static inline struct block block_load_part(const uint8_t *p, size_t n, uint8_t filler)
{
    __mmask64 there = _cvtu64_mask64((UINT64_C(1) << n) - 1);
    return (struct block){_mm512_mask_loadu_epi8(_mm512_set1_epi8((char)filler), there, p)};
}

/* The first n octets, n of 0 to 31; else some of them. */
static inline __mmask32 avx512_first(size_t n)
{
    return _cvtu32_mask32(_bzhi_u32(UINT32_MAX, (unsigned)n));
}

#define BLOCK_LOADS_WORDS
static inline struct block block_word(const uint8_t *p, size_t n, size_t left)
{
    (void)left;
    return (struct block){_mm512_castsi256_si512(_mm256_maskz_loadu_epi8(avx512_first(n), p))};
}

static inline void block_store(uint8_t *p, struct block b)
{
    _mm512_storeu_si512(p, b.v);
}

static inline uint64_t block_equal(struct block b, uint8_t c)
{
    return _cvtmask64_u64(_mm512_cmpeq_epi8_mask(b.v, _mm512_set1_epi8((char)c)));
}

/* A look-up by the low nibble gives SP or HTAB to what is one of them, and something else to all
 * others. */
static inline __mmask64 avx512_blanks(__m512i v)
{
    const __m512i blank = _mm512_broadcast_i32x4(
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', -1, -1, -1, -1, -1, -1));
    return _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(blank, v), v);
}

static inline uint64_t block_blanks(struct block b)
{
    return _cvtmask64_u64(avx512_blanks(b.v));
}

/* The same with CR and LF. */
static inline __mmask64 avx512_fws(__m512i v)
{
    const __m512i fws = _mm512_broadcast_i32x4(
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', '\n', -1, -1, '\r', -1, -1));
    return _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(fws, v), v);
}

static inline uint64_t block_fws(struct block b)
{
    return _cvtmask64_u64(avx512_fws(b.v));
}

static inline uint64_t block_high(struct block b)
{
    return _cvtmask64_u64(_mm512_movepi8_mask(b.v));
}

static inline uint64_t block_odd(struct block b)
{
    return _cvtmask64_u64(_mm512_cmplt_epi8_mask(b.v, _mm512_set1_epi8(1)));
}

static inline uint64_t block_outside(struct block b, uint8_t low, uint8_t high)
{
    __m512i from_low = _mm512_sub_epi8(b.v, _mm512_set1_epi8((char)low));
    __m512i width = _mm512_set1_epi8((char)(high - low));
    return _cvtmask64_u64(_mm512_cmpgt_epu8_mask(from_low, width));
}

/* Where bit 6 of an octet of `word` is set that is a letter, and bit 5 of the other may be what it
 * likes. */
static inline uint64_t block_unlike(struct block b, size_t n, const uint8_t *word)
{
    __m256i want = _mm256_loadu_si256((const __m256i_u *)(const void *)word);
    __m256i letters = _mm256_and_si256(_mm256_srli_epi16(want, 1), _mm256_set1_epi8(0x20));
    __m256i got = _mm256_or_si256(_mm512_castsi512_si256(b.v), letters);
    return _cvtmask32_u32(_mm256_mask_cmpneq_epi8_mask(avx512_first(n), got, want));
}

struct unusual
{
    __m512i unpaired, least;
};

static inline struct unusual unusual_none(void)
{
    return (struct unusual){_mm512_setzero_si512(), _mm512_set1_epi8(1)};
}

/* `next` are the octets one behind those of `v`. Without masks: compares into them are one a cycle,
 * these operations two. */
static inline void unusual_add(struct unusual *sum, __m512i v, __m512i next)
{
    enum
    {
        GATHER = 0xf6, /* a | (b ^ c) */
    };
    __m512i one = _mm512_set1_epi8(1);
    __m512i cr = _mm512_min_epu8(_mm512_xor_si512(v, _mm512_set1_epi8('\r')), one);
    __m512i lf = _mm512_min_epu8(_mm512_xor_si512(next, _mm512_set1_epi8('\n')), one);
    sum->unpaired = _mm512_ternarylogic_epi64(sum->unpaired, cr, lf, GATHER);
    sum->least = _mm512_min_epu8(sum->least, v);
}

static inline bool unusual_any(struct unusual sum)
{
    __mmask64 unpaired = _mm512_test_epi8_mask(sum.unpaired, sum.unpaired);
    __mmask64 nul = _mm512_testn_epi8_mask(sum.least, sum.least);
    return !_kortestz_mask64_u8(unpaired, nul);
}

/* Loaded once: gcc 12 reads memory again for every use, and each read here crosses a line. */
static inline __m512i avx512_load_once(const uint8_t *p)
{
    __m512i v = _mm512_loadu_si512(p);
    __asm__("" : "+v"(v));
    return v;
}

/* As avx512_blanks(), CR among them. */
static inline __mmask64 avx512_blanks_and_cr(__mmask64 of, __m512i v)
{
    const __m512i ends = _mm512_broadcast_i32x4(
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', -1, -1, -1, '\r', -1, -1));
    return _mm512_mask_cmpeq_epi8_mask(of, _mm512_shuffle_epi8(ends, v), v);
}

#define BLOCK_RELAXES
static inline size_t block_relax(const uint8_t *in, uint8_t *out, struct unusual *found)
{
    __m512i v = avx512_load_once(in), next = avx512_load_once(in + 1);
    __mmask64 blanks = avx512_blanks(v), drop = avx512_blanks_and_cr(blanks, next);
    __m512i spaces = _mm512_mask_mov_epi8(v, blanks, _mm512_set1_epi8(' '));
    unusual_add(found, v, next);
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(_knot_mask64(drop), spaces));
    return 64 - (size_t)__builtin_popcountll(_cvtmask64_u64(drop));
}

struct seen /* a sum of blocks */
{
    struct unusual unusual;
    __m512i high;
};

static inline struct seen seen_none(void)
{
    return (struct seen){unusual_none(), _mm512_setzero_si512()};
}

#define BLOCK_BEGINS
/*
 * Of p[0..64) the octets that have a LF in front and are no blank. With p[-1], so that nothing is
 * carried from block to block. *cr: one of them is a CR; otherwise the block is added to the sum.
 */
static inline uint64_t block_begins(const uint8_t *p, struct seen *seen, bool *cr)
{
    const __m512i blank = _mm512_broadcast_i32x4(
        _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', -1, -1, -1, -1, -1, -1));
    __m512i before = avx512_load_once(p - 1), v = avx512_load_once(p);
    __mmask64 begins = _mm512_cmpeq_epi8_mask(before, _mm512_set1_epi8('\n'));
    begins = _mm512_mask_cmpneq_epi8_mask(begins, _mm512_shuffle_epi8(blank, v), v);
    __mmask64 crs = _mm512_mask_cmpeq_epi8_mask(begins, v, _mm512_set1_epi8('\r'));
    *cr = !_kortestz_mask64_u8(crs, crs);
    if (*cr)
        return 0;
    unusual_add(&seen->unusual, before, v);
    seen->high = _mm512_or_si512(seen->high, v);
    return _cvtmask64_u64(begins);
}

static inline bool seen_high(struct seen seen)
{
    return _mm512_movepi8_mask(seen.high) != 0;
}

static inline struct block block_spaces(struct block b)
{
    __mmask64 tabs = _mm512_cmpeq_epi8_mask(b.v, _mm512_set1_epi8('\t'));
    return (struct block){_mm512_mask_mov_epi8(b.v, tabs, _mm512_set1_epi8(' '))};
}

/* As block_fws(): a compiler computes the mask once for both. */
static inline struct block block_gaps_to_spaces(struct block b)
{
    return (struct block){_mm512_mask_mov_epi8(b.v, avx512_fws(b.v), _mm512_set1_epi8(' '))};
}

static inline struct block block_lower(struct block b, size_t n)
{
    __m512i from_a = _mm512_sub_epi8(b.v, _mm512_set1_epi8('A'));
    __mmask64 letters = _mm512_mask_cmplt_epu8_mask(_cvtu64_mask64((UINT64_C(1) << n) - 1), from_a,
                                                    _mm512_set1_epi8('Z' - 'A' + 1));
    return (struct block){_mm512_mask_add_epi8(b.v, letters, b.v, _mm512_set1_epi8('a' - 'A'))};
}

static inline size_t block_compress(struct block b, uint64_t keep, uint8_t *out)
{
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(_cvtu64_mask64(keep), b.v));
    return (size_t)__builtin_popcountll(keep);
}

/* Sixteen numbers, `at` being added to each octet. */
static inline void avx512_store_offsets(uint32_t *out, __m128i octets, __m512i at)
{
    _mm512_storeu_si512(out, _mm512_add_epi32(at, _mm512_cvtepu8_epi32(octets)));
}

/* No branch on how many there are, up to 32. */
#define BLOCK_PLACES
static inline size_t block_offsets(uint64_t mask, uint32_t at, uint32_t *out)
{
    const __m512i all = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18,
        17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i base = _mm512_set1_epi32((int)at);
    __m512i octets = _mm512_maskz_compress_epi8(_cvtu64_mask64(mask), all);
    size_t count = (size_t)__builtin_popcountll(mask);
    avx512_store_offsets(out, _mm512_castsi512_si128(octets), base);
    avx512_store_offsets(out + 16, _mm512_extracti32x4_epi32(octets, 1), base);
    if (__builtin_expect(count > 32, 0)) {
        avx512_store_offsets(out + 32, _mm512_extracti32x4_epi32(octets, 2), base);
        avx512_store_offsets(out + 48, _mm512_extracti32x4_epi32(octets, 3), base);
    }
    return count;
}

#define NO 0x80
/* clang-format off */
static const uint8_t base64_values[128] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
};
/* Octets 2, 1, 0 of each 32-bit word: the 24 bits of a group, highest first. */
static const uint8_t base64_order[64] = {
     2,  1,  0,  6,  5,  4, 10,  9,  8, 14, 13, 12, 18, 17, 16, 22,
    21, 20, 26, 25, 24, 30, 29, 28, 34, 33, 32, 38, 37, 36, 42, 41,
    40, 46, 45, 44, 50, 49, 48, 54, 53, 52, 58, 57, 56, 62, 61, 60,
};
/* clang-format on */
#undef NO

static inline uint64_t block_base64(struct block b, uint8_t *out)
{
    __m512i low = _mm512_loadu_si512(base64_values);
    __m512i high = _mm512_loadu_si512(base64_values + 64);
    __m512i sextets = _mm512_permutex2var_epi8(low, b.v, high);
    __mmask64 bad = _mm512_movepi8_mask(_mm512_or_si512(sextets, b.v));
    __m512i pairs = _mm512_maddubs_epi16(sextets, _mm512_set1_epi32(0x01400140));
    __m512i groups = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));
    _mm512_storeu_si512(out, _mm512_permutexvar_epi8(_mm512_loadu_si512(base64_order), groups));
    return _cvtmask64_u64(bad);
}

#endif
