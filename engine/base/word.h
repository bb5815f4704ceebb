/*
 * Eight bytes at a time in plain C: masks with 0x80 in every byte that has a property. Exact for
 * every byte value (the shorter "has zero" trick marks bytes above a hit too, and counts need
 * better). Byte 0 of the memory is the lowest byte of the word on every machine.
 */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum
{
    WORD_BYTES = 8,
};

#define WORD_ONES UINT64_C(0x0101010101010101)
#define WORD_LOW7 UINT64_C(0x7f7f7f7f7f7f7f7f)
#define WORD_HIGH UINT64_C(0x8080808080808080)

/* Eight bytes from any address. */
static inline uint64_t word_load(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* 0x80 where the byte is `c`. */
static inline uint64_t word_equal(uint64_t word, uint8_t c)
{
    uint64_t x = word ^ (WORD_ONES * c);
    return ~(((x & WORD_LOW7) + WORD_LOW7) | x | WORD_LOW7);
}

/* How many bytes a mask marks. A multiplication: popcnt is not in the x86-64 baseline. */
static inline unsigned word_count(uint64_t mask)
{
    return (unsigned)((mask >> 7) * WORD_ONES >> 56);
}

/* Index of the first marked byte; the mask is not zero. */
static inline unsigned word_first(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask) / 8;
}

#endif
