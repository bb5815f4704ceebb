#include "levels.h"

#include <criterion/criterion.h>

#include "support/guard.h"

enum
{
    GUARDED_MAX = 64 * 1024,
    SLOTS = 4,
};

bool levels_next(int *level)
{
    while (++*level < KERNEL_LEVELS)
        if (kernel_force((enum kernel_level) * level))
            return true;
    return false;
}

uint32_t soup_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}

void soup_fill(uint64_t *state, struct span alphabet, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = alphabet.p[soup_next(state) % alphabet.n];
}

uint8_t *guarded(unsigned slot, size_t n)
{
    static uint8_t zeros[GUARDED_MAX];
    static uint8_t *ends[SLOTS];
    cr_assert(slot < SLOTS && n <= GUARDED_MAX);
    if (!ends[slot])
        ends[slot] = (uint8_t *)(uintptr_t)span_end(guard_copy(span_of(zeros, sizeof zeros)));
    return ends[slot] - n;
}
