/* Names of fields: in front of a piece's colon, and in the list of h=; and which known ones they
 * are.
 */
#ifndef SIMD_LOGIC_NAMES_H
#define SIMD_LOGIC_NAMES_H

#include "simd/logic/masks.h"

enum
{
    FTEXT_LOW = 33, /* field-name: %d33-57 / %d59-126 */
    FTEXT_HIGH = 126,
};

/*
 * The number of the word of `n` octets that `b` begins with, or 0; octet n / 2 and the last one are
 * told besides. Without a branch: which name comes next nobody foresees, and each guess that fails
 * costs as much as the look.
 */
static inline uint8_t word_number(const struct simd_words *words, struct block b, size_t n,
                                  uint8_t middle, uint8_t last)
{
    const struct simd_word *word = simd_word_at(words, n, middle, last);
    uint64_t other = block_unlike(b, n, word->text) | (word->length ^ n);
    return word->number & (uint8_t)(0 - (unsigned)(other < 1));
}

static inline void piece_name(const uint8_t *in, size_t n, size_t at,
                              const struct simd_words *words, struct simd_piece *piece)
{
    struct block b = block_at(in, n, at, 0);
    uint64_t colons = block_equal(b, ':');
    uint64_t name = (colons - 1) & ~colons; /* octets in front of the first, or all */
    unsigned length = mask_count(name);
    piece->name = piece->number = 0;
    if (length - 1 > 62 || (block_outside(b, FTEXT_LOW, FTEXT_HIGH) & name))
        return;
    const uint8_t *p = in + at;
    piece->name = (uint16_t)length;
    piece->number = word_number(words, b, length, p[length / 2], p[length - 1]);
}

static void header_names(const uint8_t *in, size_t n, size_t from, const struct simd_words *words,
                         struct simd_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; from = pieces[i++].end)
        piece_name(in, n, from, words, &pieces[i]);
}

struct list_walk /* what the octets so far say about the next */
{
    uint64_t apart; /* 1: the last was a colon or FWS, or there was none */
    uint64_t blank; /* 1: only FWS has come behind a name */
    uint64_t bad;   /* not 0: an octet that is not of ftext, or FWS inside a name */
    size_t edges;   /* told; 0 when bad */
    size_t count;   /* names */
};

/* Takes the block at offset `at`. The sum carries a bit from where FWS begins behind a name through
 * all of it: where it comes out there must be a colon. */
static inline void list_block(struct list_walk *walk, struct block b, uint32_t at, uint32_t *edges)
{
    uint64_t fws = block_fws(b), apart = block_equal(b, ':') | fws, sum;
    uint64_t behind = apart << 1 | walk->apart;
    walk->blank = __builtin_add_overflow(fws, (fws & ~behind) | walk->blank, &sum);
    uint64_t inside = sum & ~fws & ~apart; /* a name goes on behind FWS */
    walk->bad |= (block_outside(b, FTEXT_LOW, FTEXT_HIGH) & ~apart) | inside;
    walk->count += mask_count(behind & ~apart & ~inside);
    walk->edges += write_offsets(apart ^ behind, at, edges + walk->edges);
    walk->edges = walk->bad ? 0 : walk->edges;
    walk->apart = apart >> 63;
}

static inline uint8_t listed_number(const uint8_t *in, size_t n, const struct simd_words *words,
                                    const uint32_t edges[2])
{
    size_t begin = edges[0], end = edges[1], length = end - begin;
    struct block b = block_word(in + begin, length, n - begin);
    return word_number(words, b, length, in[begin + length / 2], in[end - 1]);
}

static void name_list(const uint8_t *in, size_t n, const struct simd_words *words,
                      struct simd_names *names)
{
    struct list_walk walk = {.apart = 1};
    for (size_t at = 0; at < n && walk.count <= SIMD_NAMES; at += SIMD_BLOCK)
        list_block(&walk, block_at(in, n, at, ':'), (uint32_t)at, names->edges);
    names->edges[walk.edges] = (uint32_t)n; /* of a name that ends with the last block */
    names->count = (uint32_t)walk.count;
    names->bad = walk.bad != 0;
    if (names->bad || walk.count > SIMD_NAMES)
        return;
    for (size_t i = 0; i < walk.count; i++)
        names->number[i] = listed_number(in, n, words, names->edges + 2 * i);
}

#endif
