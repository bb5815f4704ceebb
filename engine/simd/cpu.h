/*
 * What this processor has and the system lets us use. Registers that the kernel does not save on a
 * context switch (XCR0) count as absent.
 */
#ifndef SIMD_CPU_H
#define SIMD_CPU_H

#include <stdbool.h>

struct cpu_features
{
    bool sse42;  /* with SSSE3 and POPCNT */
    bool sha_ni; /* with SSE4.1 and SSSE3, which its users need */
    bool avx2;   /* with BMI1, BMI2 and LZCNT */
    bool avx512; /* F, BW, DQ and VL; the three below need it */
    bool vbmi;
    bool vbmi2;
    bool ifma;
    bool neon; /* ARM64 */
};

struct cpu_features cpu_features_read(void);

#endif
