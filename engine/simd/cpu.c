/* cpuid leaves 1, 7 and 0x80000001 with XCR0; Intel's manual, volume 1, chapters 13 to 15. */
#include "simd/cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdint.h>

enum
{
    XCR0_YMM = 0x06, /* xmm and ymm are saved */
    XCR0_ZMM = 0xe6, /* these, mask registers and both halves of zmm */
};

struct leaf
{
    uint32_t a, b, c, d;
};

/* All zero where the processor has no such leaf. */
static struct leaf leaf_read(uint32_t number)
{
    struct leaf leaf = {0};
    if (!__get_cpuid_count(number, 0, &leaf.a, &leaf.b, &leaf.c, &leaf.d))
        return (struct leaf){0};
    return leaf;
}

static uint32_t xcr0_read(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool all(uint32_t word, uint32_t bits)
{
    return (word & bits) == bits;
}

struct cpu_features cpu_features_read(void)
{
    struct cpu_features cpu = {0};
    struct leaf basic = leaf_read(1), extended = leaf_read(7), amd = leaf_read(0x80000001);
    uint32_t saved = all(basic.c, bit_OSXSAVE) ? xcr0_read() : 0;
    cpu.sse42 = all(basic.c, bit_SSE4_2 | bit_SSSE3 | bit_POPCNT);
    cpu.sha_ni = all(basic.c, bit_SSE4_1 | bit_SSSE3) && all(extended.b, bit_SHA);
    cpu.avx2 = all(saved, XCR0_YMM) && all(basic.c, bit_AVX) &&
               all(extended.b, bit_AVX2 | bit_BMI | bit_BMI2) && all(amd.c, bit_LZCNT);
    cpu.avx512 =
        cpu.avx2 && all(saved, XCR0_ZMM) &&
        all(extended.b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | (uint32_t)bit_AVX512VL);
    cpu.vbmi = cpu.avx512 && all(extended.c, bit_AVX512VBMI);
    cpu.vbmi2 = cpu.avx512 && all(extended.c, bit_AVX512VBMI2);
    cpu.ifma = cpu.avx512 && all(extended.b, bit_AVX512IFMA);
    return cpu;
}

#else

struct cpu_features cpu_features_read(void)
{
    struct cpu_features cpu = {0};
#if defined(__aarch64__) /* Advanced SIMD is part of it */
    cpu.neon = true;
#endif
    return cpu;
}

#endif
