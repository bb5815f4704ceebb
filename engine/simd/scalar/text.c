/* The functions of text.h at level scalar; the Makefile has this folder's flags. */

#include "simd/scalar/block.h"

#include "simd/logic/text.h"

SIMD_TEXT_TABLE(simd_text_scalar, KERNEL_SCALAR);
