/* The functions of text.h at level avx512; the Makefile has this folder's flags. */
#if defined(__x86_64__)

#include "simd/avx512/block.h"

#include "simd/logic/text.h"

SIMD_TEXT_TABLE(simd_text_avx512, KERNEL_AVX512);

#else
extern const int simd_text_avx512_is_for_another_machine;
#endif
