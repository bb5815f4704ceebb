/* The functions of text.h at level sse; the Makefile has this folder's flags. */
#if defined(__x86_64__)

#include "simd/sse/block.h"

#include "simd/logic/text.h"

SIMD_TEXT_TABLE(simd_text_sse, KERNEL_SSE);

#else
extern const int simd_text_sse_is_for_another_machine;
#endif
