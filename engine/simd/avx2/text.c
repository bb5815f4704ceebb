/* The functions of text.h at level avx2; the Makefile has this folder's flags. */
#if defined(__x86_64__)

#include "simd/avx2/block.h"

#include "simd/logic/text.h"

SIMD_TEXT_TABLE(simd_text_avx2, KERNEL_AVX2);

#else
extern const int simd_text_avx2_is_for_another_machine;
#endif
