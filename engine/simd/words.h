/*
 * A fixed set of words, each told by one look: a word's length and two of its octets say which of
 * the set alone it can be, and it is then compared as a whole. Nobody who sends text can make that
 * slow. Who owns the set (mail/field_name.h) hands it to the kernels (text.h).
 *
 * Limits: words of 1 to 26 octets, of a to z, 0 to 9 and "-". Upper and lower case are one.
 */
#ifndef SIMD_WORDS_H
#define SIMD_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum
{
    SIMD_WORD = 32, /* octets of a place, compared together */
    SIMD_WORD_MAX = 26,
    SIMD_PLACES = 64,
};

struct simd_word
{
    uint8_t text[SIMD_WORD - 2]; /* in lower case, then NUL */
    uint8_t length;              /* 0: no word stands here */
    uint8_t number;              /* what the word is told by; not 0 */
};

struct simd_words
{
    _Alignas(SIMD_WORD) struct simd_word at[SIMD_PLACES];
    uint32_t factor; /* such that each word has a place of its own; odd */
};

/* Where a word of `n` octets would stand, of which octet n / 2 and the last one are told. */
static inline const struct simd_word *simd_word_at(const struct simd_words *words, size_t n,
                                                   uint8_t middle, uint8_t last)
{
    uint32_t key = (uint32_t)n | (uint32_t)middle << 8 | (uint32_t)last << 16 | 0x202000;
    return &words->at[key * words->factor >> 26];
}

#endif
