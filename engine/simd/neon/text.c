/* The functions of text.h at level neon; the Makefile has this folder's flags. */
#if defined(__aarch64__)

#include "simd/neon/block.h"

#include "simd/logic/text.h"

SIMD_TEXT_TABLE(simd_text_neon, KERNEL_NEON);

#else
extern const int simd_text_neon_is_for_another_machine;
#endif
