/*
 * A hash for tables in memory: not for what is stored or sent, since it differs by byte order.
 * Where strangers choose many of the keys the seed is random.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/span.h"

/* Folds a word into a hash by a long multiplication (as in wyhash, Wang Yi, 2019). The constant is
 * digits of pi. */
static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0x243f6a8885a308d3);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes a step. */
uint64_t hash_bytes(struct span bytes, uint64_t seed);

#endif
