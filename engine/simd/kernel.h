/*
 * The one selector of fast paths: which instruction sets the engine uses, decided once at start
 * from the processor and from ASSAY_KERNEL. Everything that has a fast path asks here.
 *
 * ASSAY_KERNEL=scalar|sse|avx2|avx512|neon takes a level for the whole process, so that tests and
 * benches cover every level on one host. A level that this machine lacks, or another word, is
 * refused: the best level is used and kernel_problem() says why; the programs end with status 78.
 *
 *   level    needs                                              allows besides
 *   scalar   nothing: eight bytes in a register                 no instruction set: OpenSSL does
 *                                                               hashing and signatures
 *   neon     ARM64
 *   sse      SSE4.2, SSSE3, POPCNT                              SHA-NI
 *   avx2     AVX2, BMI1, BMI2, LZCNT                            SHA-NI, AVX2
 *   avx512   AVX-512 F, BW, DQ, VL, VBMI, VBMI2                 all
 *
 * simd/ stands on libc alone and knows bytes, not mail; base/ and all above it may use it.
 * Threads: any, at any time, but for kernel_force().
 */
#ifndef SIMD_KERNEL_H
#define SIMD_KERNEL_H

#include <stdbool.h>

enum kernel_level /* a higher one is preferred */
{
    KERNEL_SCALAR = 0,
    KERNEL_NEON,
    KERNEL_SSE,
    KERNEL_AVX2,
    KERNEL_AVX512,
    KERNEL_LEVELS,
};

enum kernel_feature
{
    KERNEL_HAS_SHA_NI = 0,
    KERNEL_HAS_AVX2,     /* with BMI1, BMI2, LZCNT */
    KERNEL_HAS_AVX512VL, /* AVX-512 F, BW, DQ, VL */
    KERNEL_HAS_IFMA,
    KERNEL_HAS_VBMI,
    KERNEL_HAS_VBMI2,
    KERNEL_FEATURES,
};

/* The level in use. */
enum kernel_level kernel_level(void);
/* The machine has it and the level in use allows it. */
bool kernel_has(enum kernel_feature feature);

/* "avx512". Static. */
const char *kernel_level_name(enum kernel_level level);
enum
{
    KERNEL_TEXT_MAX = 160,
};

/* The level in use and what it allows, for --version: "avx2 (sha-ni, avx2)". */
void kernel_describe(char text[KERNEL_TEXT_MAX]);
/*
 * False: ASSAY_KERNEL is not set, or was followed. True: it was not, and `text` says why in one
 * printable line.
 */
bool kernel_problem(char text[KERNEL_TEXT_MAX]);

/* This machine can run `level`. */
bool kernel_level_available(enum kernel_level level);
/*
 * Tests and benches: from now on `level`. False, and nothing changes, where the machine lacks it.
 * While other threads use the engine, some may finish what they do at the former level.
 */
bool kernel_force(enum kernel_level level);

#endif
