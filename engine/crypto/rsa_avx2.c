/*
 * Four RSA signatures at once: 256-bit vectors, 32-bit multiplication (AVX2).
 *
 * Compiled with the flags of its instruction set (Makefile); rsa_select.c asks the processor before
 * it calls anything here.
 */
#include "crypto/rsa_lanes.h"

#ifdef __AVX2__
#include <immintrin.h>

typedef __m256i vec;

#define LANES 4
#define HALVES 1
#define BLOCK 5
#define INLINE_VEC static inline __attribute__((always_inline)) vec

/* As an instruction: clang 14 reads the intrinsic as a product of 64-bit numbers whose upper halves
 * are cleared, hoists the clearing, and then multiplies the halves as well (13 µs instead of 7). */
INLINE_VEC multiply_digits(vec a, vec b)
{
    vec product;
    __asm__("vpmuludq %2, %1, %0" : "=x"(product) : "x"(a), "x"(b));
    return product;
}

INLINE_VEC mac_low(vec sum, vec a, vec b)
{
    return _mm256_add_epi64(sum, multiply_digits(a, b));
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
    __m256i equal = _mm256_cmpeq_epi64(a, _mm256_setzero_si256());
    return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(equal));
}

#include "crypto/rsa_template.h"

RSA_AVX2_SHAPES(MATCH)

static const struct rsa_kernel kernel = {
    .name = "avx2",
    .lanes = LANES,
    .match = {match_1024, match_2048, match_3072, match_4096},
};
const struct rsa_kernel *const rsa_kernel_avx2 = &kernel;
#else
const struct rsa_kernel *const rsa_kernel_avx2 = NULL;
#endif
