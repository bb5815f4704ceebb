#include "simd/text.h"

extern const struct simd_text simd_text_scalar, simd_text_sse, simd_text_avx2, simd_text_avx512,
    simd_text_neon;

static const struct simd_text *const tables[KERNEL_LEVELS] = {
    [KERNEL_SCALAR] = &simd_text_scalar,
#if defined(__x86_64__)
    [KERNEL_SSE] = &simd_text_sse,
    [KERNEL_AVX2] = &simd_text_avx2,
    [KERNEL_AVX512] = &simd_text_avx512,
#elif defined(__aarch64__)
    [KERNEL_NEON] = &simd_text_neon,
#endif
};

const struct simd_text *simd_text(void)
{
    return tables[kernel_level()];
}
