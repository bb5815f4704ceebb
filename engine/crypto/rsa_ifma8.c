/*
 * Eight RSA signatures at once: 512-bit vectors, 52-bit multiplication (AVX-512 IFMA).
 *
 * Compiled with the flags of its instruction set (Makefile); rsa_select.c asks the processor before
 * it calls anything here.
 */
#include "crypto/rsa_lanes.h"

#if defined(__AVX512IFMA__) && defined(__AVX512VBMI__)
#include <immintrin.h>

typedef __m512i vec;

#define LANES 8
#define HALVES 2
#define BLOCK 4
#define INLINE_VEC static inline __attribute__((always_inline)) vec

INLINE_VEC mac_low(vec sum, vec a, vec b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}

INLINE_VEC mac_high(vec sum, vec a, vec b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

INLINE_VEC vec_add(vec a, vec b)
{
    return _mm512_add_epi64(a, b);
}

INLINE_VEC vec_and(vec a, vec b)
{
    return _mm512_and_si512(a, b);
}

INLINE_VEC vec_or(vec a, vec b)
{
    return _mm512_or_si512(a, b);
}

INLINE_VEC vec_xor(vec a, vec b)
{
    return _mm512_xor_si512(a, b);
}

INLINE_VEC vec_zero(void)
{
    return _mm512_setzero_si512();
}

INLINE_VEC vec_all(uint64_t number)
{
    return _mm512_set1_epi64((long long)number);
}

INLINE_VEC vec_shift_right(vec a, unsigned bits)
{
    return _mm512_srli_epi64(a, bits);
}

static inline uint32_t vec_zero_lanes(vec a)
{
    return _mm512_testn_epi64_mask(a, a);
}

/* The octets that each of eight digits of 52 bits lies in; it begins at bit 0 or 4 of the first. */
#define DIGIT(at) at, at + 1, at + 2, at + 3, at + 4, at + 5, at + 6, at + 7
_Alignas(64) static const uint8_t digit_octets[64] = {
    DIGIT(0), DIGIT(6), DIGIT(13), DIGIT(19), DIGIT(26), DIGIT(32), DIGIT(39), DIGIT(45),
};

enum
{
    EIGHT_DIGITS = 52, /* octets; with the next one they are all that is looked at */
};

INLINE_VEC read_digits(const uint8_t *bytes, uint64_t octets)
{
    vec window = _mm512_maskz_loadu_epi8(octets, bytes);
    vec digits = _mm512_permutexvar_epi8(_mm512_load_si512(digit_octets), window);
    digits = _mm512_srlv_epi64(digits, _mm512_setr_epi64(0, 4, 0, 4, 0, 4, 0, 4));
    return _mm512_and_si512(digits, _mm512_set1_epi64(((long long)1 << 52) - 1));
}

/* 8 x 8: row i of `rows` becomes column i. */
static inline __attribute__((always_inline)) void transpose(vec *rows)
{
    vec pairs[8], fours[8];
#pragma GCC unroll 4
    for (unsigned i = 0; i < 8; i += 2) {
        pairs[i] = _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
    }
    /* Columns 0 and 4, 2 and 6 of four rows, then 1 and 5, 3 and 7. */
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        unsigned at = i / 2 * 4 + i % 2;
        fours[i] = _mm512_shuffle_i64x2(pairs[at], pairs[at + 2], 0x88);
        fours[i + 4] = _mm512_shuffle_i64x2(pairs[at], pairs[at + 2], 0xdd);
    }
#pragma GCC unroll 2
    for (unsigned i = 0; i < 2; i++) {
        rows[i] = _mm512_shuffle_i64x2(fours[i], fours[i + 2], 0x88);
        rows[i + 4] = _mm512_shuffle_i64x2(fours[i], fours[i + 2], 0xdd);
        rows[i + 2] = _mm512_shuffle_i64x2(fours[i + 4], fours[i + 6], 0x88);
        rows[i + 6] = _mm512_shuffle_i64x2(fours[i + 4], fours[i + 6], 0xdd);
    }
}

/* Eight digits of all lanes at a time; four at the end where their number asks for it. */
static inline __attribute__((always_inline)) void load_lanes(vec *out, const uint64_t *const *limbs,
                                                             const unsigned D, const unsigned L)
{
    (void)D;
    for (unsigned i = 0; i < L; i += 8) {
        unsigned count = L - i < 8 ? L - i : 8;
        uint64_t octets = ((uint64_t)2 << EIGHT_DIGITS * count / 8) - 1;
        vec rows[8];
#pragma GCC unroll 8
        for (unsigned lane = 0; lane < LANES; lane++)
            rows[lane] = read_digits((const uint8_t *)limbs[lane] + i / 8 * EIGHT_DIGITS, octets);
        transpose(rows);
#pragma GCC unroll 8
        for (unsigned k = 0; k < 8; k++)
            if (k < count)
                out[i + k] = rows[k];
    }
}
#define LOAD_LANES_DEFINED

#include "crypto/rsa_template.h"

RSA_IFMA_SHAPES(MATCH)

static const struct rsa_kernel kernel = {
    .name = "ifma8",
    .lanes = LANES,
    .match = {match_1024, match_2048, match_3072, match_4096},
};
const struct rsa_kernel *const rsa_kernel_ifma8 = &kernel;
#else
const struct rsa_kernel *const rsa_kernel_ifma8 = NULL;
#endif
