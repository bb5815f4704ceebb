/*
 * Four RSA signatures at once: 256-bit vectors, 52-bit multiplication (AVX-512 IFMA with VL).
 *
 * Compiled with the flags of its instruction set (Makefile); rsa_select.c asks the processor before
 * it calls anything here.
 */
#include "crypto/rsa_lanes.h"

#ifdef __AVX512IFMA__
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
