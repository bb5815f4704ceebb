/* What the suite shares: levels forced one after the other, and seeded soup of hard octets. */
#ifndef TESTS_SIMD_LEVELS_H
#define TESTS_SIMD_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "simd/text.h"

/* Takes the next level this machine has, from KERNEL_SCALAR up; *level begins with -1. False after
 * the last. */
bool levels_next(int *level);

/* The next number of a fixed sequence. */
uint32_t soup_next(uint64_t *state);
/* Fills bytes[0..n) with octets of `alphabet`. */
void soup_fill(uint64_t *state, struct span alphabet, uint8_t *bytes, size_t n);

/*
 * Room for `n` octets whose end is the end of mapped memory (support/guard.h), the same one each
 * time: of one use at a time for each `slot`, 0 to 3.
 */
uint8_t *guarded(unsigned slot, size_t n);

#endif
