/*
 * The choice is a pure function of processor and environment, so threads that meet here first all
 * compute the same state and store it whole; no lock is wanted.
 */
#include "simd/kernel.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simd/cpu.h"

#define FEATURE(name) (1u << KERNEL_HAS_##name)

struct level_row
{
    const char *name;
    uint32_t allows; /* by enum kernel_feature */
};

static const struct level_row levels[KERNEL_LEVELS] = {
    [KERNEL_SCALAR] = {"scalar", 0},
    [KERNEL_NEON] = {"neon", 0},
    [KERNEL_SSE] = {"sse", FEATURE(SHA_NI)},
    [KERNEL_AVX2] = {"avx2", FEATURE(SHA_NI) | FEATURE(AVX2)},
    [KERNEL_AVX512] = {"avx512", (1u << KERNEL_FEATURES) - 1},
};

static const char *const feature_names[KERNEL_FEATURES] = {
    [KERNEL_HAS_SHA_NI] = "sha-ni", [KERNEL_HAS_AVX2] = "avx2", [KERNEL_HAS_AVX512VL] = "avx512vl",
    [KERNEL_HAS_IFMA] = "ifma",     [KERNEL_HAS_VBMI] = "vbmi", [KERNEL_HAS_VBMI2] = "vbmi2",
};

/*
 * One word, so that it is stored whole:
 *
 *   31    24 23     16 15      8 7         0
 *   | known | problem | level   | machine's features |      0: not yet known
 */
enum
{
    LEVEL_SHIFT = 8,
    PROBLEM_SHIFT = 16,
    KNOWN = 1 << 24,
};
static _Atomic uint32_t state;

enum
{
    WORD_SHOWN_MAX = 40,
};

enum problem
{
    NO_PROBLEM = 0,
    NO_SUCH_LEVEL,
    NOT_THIS_MACHINE,
};

static uint32_t machine_features(const struct cpu_features *cpu)
{
    return (cpu->sha_ni ? FEATURE(SHA_NI) : 0) | (cpu->avx2 ? FEATURE(AVX2) : 0) |
           (cpu->avx512 ? FEATURE(AVX512VL) : 0) | (cpu->ifma ? FEATURE(IFMA) : 0) |
           (cpu->vbmi ? FEATURE(VBMI) : 0) | (cpu->vbmi2 ? FEATURE(VBMI2) : 0);
}

static bool machine_has_level(const struct cpu_features *cpu, enum kernel_level level)
{
    switch (level) {
    case KERNEL_SCALAR:
        return true;
    case KERNEL_NEON:
        return cpu->neon;
    case KERNEL_SSE:
        return cpu->sse42;
    case KERNEL_AVX2:
        return cpu->sse42 && cpu->avx2;
    case KERNEL_AVX512:
        return cpu->sse42 && cpu->avx512 && cpu->vbmi && cpu->vbmi2;
    case KERNEL_LEVELS:
        break;
    }
    return false;
}

static enum kernel_level best_level(const struct cpu_features *cpu)
{
    enum kernel_level level = KERNEL_LEVELS;
    while (!machine_has_level(cpu, --level))
        continue;
    return level;
}

/* KERNEL_LEVELS where no level has this name. */
static enum kernel_level level_of(const char *word)
{
    enum kernel_level level = 0;
    while (level < KERNEL_LEVELS && strcmp(levels[level].name, word) != 0)
        level++;
    return level;
}

static uint32_t state_of(uint32_t features, enum kernel_level level, enum problem problem)
{
    return features | (uint32_t)level << LEVEL_SHIFT | (uint32_t)problem << PROBLEM_SHIFT | KNOWN;
}

static const char *wish(void)
{
    const char *word = secure_getenv("ASSAY_KERNEL");
    return word && *word ? word : NULL;
}

static uint32_t state_choose(void)
{
    struct cpu_features cpu = cpu_features_read();
    uint32_t features = machine_features(&cpu);
    enum kernel_level best = best_level(&cpu);
    const char *word = wish();
    if (!word)
        return state_of(features, best, NO_PROBLEM);
    enum kernel_level wanted = level_of(word);
    if (wanted == KERNEL_LEVELS)
        return state_of(features, best, NO_SUCH_LEVEL);
    if (!machine_has_level(&cpu, wanted))
        return state_of(features, best, NOT_THIS_MACHINE);
    return state_of(features, wanted, NO_PROBLEM);
}

static uint32_t state_now(void)
{
    uint32_t now = atomic_load_explicit(&state, memory_order_relaxed);
    if (now)
        return now;
    now = state_choose();
    atomic_store_explicit(&state, now, memory_order_relaxed);
    return now;
}

static enum kernel_level state_level(uint32_t now)
{
    return (enum kernel_level)(now >> LEVEL_SHIFT & 0xff);
}

enum kernel_level kernel_level(void)
{
    return state_level(state_now());
}

static bool state_has(uint32_t now, enum kernel_feature feature)
{
    return (now & levels[state_level(now)].allows & 1u << feature) != 0;
}

bool kernel_has(enum kernel_feature feature)
{
    return state_has(state_now(), feature);
}

const char *kernel_level_name(enum kernel_level level)
{
    return levels[level].name;
}

void kernel_describe(char text[KERNEL_TEXT_MAX])
{
    uint32_t now = state_now();
    int n = snprintf(text, KERNEL_TEXT_MAX, "%s", levels[state_level(now)].name);
    const char *before = " (";
    for (enum kernel_feature feature = 0; feature < KERNEL_FEATURES; feature++) {
        if (!state_has(now, feature))
            continue;
        n += snprintf(text + n, (size_t)(KERNEL_TEXT_MAX - n), "%s%s", before,
                      feature_names[feature]);
        before = ", ";
    }
    if (before[0] == ',')
        snprintf(text + n, (size_t)(KERNEL_TEXT_MAX - n), ")");
}

/* The environment is anybody's: what is not printable is shown as "?". */
static void show_word(char shown[WORD_SHOWN_MAX + 1])
{
    const char *word = wish();
    size_t n = 0;
    for (; word && word[n] && n < WORD_SHOWN_MAX; n++)
        shown[n] = word[n] > ' ' && word[n] < 0x7f ? word[n] : '?';
    shown[n] = 0;
}

bool kernel_problem(char text[KERNEL_TEXT_MAX])
{
    enum problem problem = (enum problem)(state_now() >> PROBLEM_SHIFT & 0xff);
    char word[WORD_SHOWN_MAX + 1];
    if (problem == NO_PROBLEM)
        return false;
    show_word(word);
    if (problem == NO_SUCH_LEVEL)
        snprintf(text, KERNEL_TEXT_MAX,
                 "ASSAY_KERNEL=%s: the levels are scalar, sse, avx2, avx512 and neon", word);
    else
        snprintf(text, KERNEL_TEXT_MAX, "ASSAY_KERNEL=%s: this machine lacks it, its best is %s",
                 word, levels[kernel_level()].name);
    return true;
}

bool kernel_level_available(enum kernel_level level)
{
    struct cpu_features cpu = cpu_features_read();
    return machine_has_level(&cpu, level);
}

bool kernel_force(enum kernel_level level)
{
    if (!kernel_level_available(level))
        return false;
    atomic_store_explicit(&state, state_of(state_now() & 0xff, level, NO_PROBLEM),
                          memory_order_relaxed);
    return true;
}
