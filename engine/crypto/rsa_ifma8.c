/*
 * Eight RSA signatures at once: 512-bit vectors, 52-bit multiplication (AVX-512 IFMA).
 *
 * Compiled with the flags of its instruction set (Makefile); rsa_select.c asks the processor before
 * it calls anything here.
 */
#include "crypto/rsa_lanes.h"

#ifdef __AVX512IFMA__
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
