/*
 * Four RSA signatures at once: 256-bit vectors, 52-bit multiplication (AVX-512 IFMA with VL).
 *
 * Compiled with the flags of its instruction set (Makefile); rsa_select.c asks the processor before
 * it calls anything here.
 */
#include "crypto/rsa_lanes.h"

#if defined(__AVX512IFMA__) && defined(__AVX512VBMI__)
#include <immintrin.h>

typedef __m256i vec;

#define LANES 4
#define HALVES 2
#define BLOCK 4
#define INLINE_VEC static inline __attribute__((always_inline)) vec

INLINE_VEC mac_low(vec sum, vec a, vec b)
{
    return _mm256_madd52lo_epu64(sum, a, b);
}

INLINE_VEC mac_high(vec sum, vec a, vec b)
{
    return _mm256_madd52hi_epu64(sum, a, b);
}

INLINE_VEC vec_add(vec a, vec b)
{
    return _mm256_add_epi64(a, b);
}

INLINE_VEC vec_and(vec a, vec b)
{
    return _mm256_and_si256(a, b);
}

INLINE_VEC vec_or(vec a, vec b)
{
    return _mm256_or_si256(a, b);
}

INLINE_VEC vec_xor(vec a, vec b)
{
    return _mm256_xor_si256(a, b);
}

INLINE_VEC vec_zero(void)
{
    return _mm256_setzero_si256();
}

INLINE_VEC vec_all(uint64_t number)
{
    return _mm256_set1_epi64x((long long)number);
}

INLINE_VEC vec_shift_right(vec a, unsigned bits)
{
    return _mm256_srli_epi64(a, (int)bits);
}

static inline uint32_t vec_zero_lanes(vec a)
{
    return _mm256_testn_epi64_mask(a, a);
}

/* The octets that each of four digits of 52 bits lies in; it begins at bit 0 or 4 of the first. */
#define DIGIT(at) at, at + 1, at + 2, at + 3, at + 4, at + 5, at + 6, at + 7
_Alignas(32) static const uint8_t digit_octets[32] = {DIGIT(0), DIGIT(6), DIGIT(13), DIGIT(19)};

enum
{
    FOUR_DIGITS = 26, /* octets; with the next one they are all that is looked at */
};

INLINE_VEC read_digits(const uint8_t *bytes)
{
    vec window = _mm256_maskz_loadu_epi8(((uint32_t)2 << FOUR_DIGITS) - 1, bytes);
    vec digits = _mm256_permutexvar_epi8(*(const vec *)digit_octets, window);
    digits = _mm256_srlv_epi64(digits, _mm256_setr_epi64x(0, 4, 0, 4));
    return _mm256_and_si256(digits, _mm256_set1_epi64x(((long long)1 << 52) - 1));
}

/* Four digits of all lanes at a time: 4 x 4, turned over. */
static inline __attribute__((always_inline)) void load_lanes(vec *out, const uint64_t *const *limbs,
                                                             const unsigned D, const unsigned L)
{
    (void)D;
    for (unsigned i = 0; i < L; i += 4) {
        unsigned at = i / 4 * FOUR_DIGITS;
        vec a = read_digits((const uint8_t *)limbs[0] + at);
        vec b = read_digits((const uint8_t *)limbs[1] + at);
        vec c = read_digits((const uint8_t *)limbs[2] + at);
        vec d = read_digits((const uint8_t *)limbs[3] + at);
        vec ab02 = _mm256_unpacklo_epi64(a, b), ab13 = _mm256_unpackhi_epi64(a, b);
        vec cd02 = _mm256_unpacklo_epi64(c, d), cd13 = _mm256_unpackhi_epi64(c, d);
        out[i] = _mm256_permute2x128_si256(ab02, cd02, 0x20);
        out[i + 1] = _mm256_permute2x128_si256(ab13, cd13, 0x20);
        out[i + 2] = _mm256_permute2x128_si256(ab02, cd02, 0x31);
        out[i + 3] = _mm256_permute2x128_si256(ab13, cd13, 0x31);
    }
}
#define LOAD_LANES_DEFINED

#include "crypto/rsa_template.h"

RSA_IFMA_SHAPES(MATCH)

static const struct rsa_kernel kernel = {
    .name = "ifma4",
    .lanes = LANES,
    .match = {match_1024, match_2048, match_3072, match_4096},
};
const struct rsa_kernel *const rsa_kernel_ifma4 = &kernel;
#else
const struct rsa_kernel *const rsa_kernel_ifma4 = NULL;
#endif
