/*
 * What a connection has still to send, in order: answers in the memory in which they were made,
 * and short ones gathered in one block.
 *
 *   output_take    an answer: its memory is taken over and freed when its last byte has gone; a
 *                  short one is copied into the block, its memory stays the caller's
 *   &copied        writers of short frames append to the block as to any buffer
 *   output_pieces  where the next bytes lie, for one sendmsg; then output_sent: that many have gone
 *
 * The block is in step with the answers by counting: each of those knows how many bytes of it go
 * first. Sent bytes of the block are moved out of the way when they are half of it, so a reader
 * that is slow but never stops costs what is unsent, twice at most, and no more with time.
 *
 * Limits: OUTPUT_CEILING unsent bytes in all; beyond that, and without memory,
 * output->copied.failed is set and the connection has to end. How much a client may leave unread
 * before it is not read from is the connection's rule (output_bytes, front.h).
 */
#ifndef FRONT_OUTPUT_H
#define FRONT_OUTPUT_H

#include <sys/uio.h>

#include "base/buffer.h"

enum
{
    /*
     * A piece of its own costs the kernel more than the copy of so many bytes: 24 octets each, 64
     * answers in one call, 43 cycles copied and 96 as pieces; 512 octets 107 and 145; 1,024 221 and
     * 247; 2,048 393 and 377; 4,096 801 and 678 (Zen 4, Linux 6, socketpair, 2026-11-22).
     */
    OUTPUT_COPIED_MOST = 1024,
    OUTPUT_CEILING = 1 << 30,
};

struct output_piece
{
    uint8_t *p; /* owned */
    size_t n;
    uint64_t at; /* goes behind that many bytes of the block, counted since the start */
};

struct output
{
    struct buffer copied; /* the block */
    size_t copied_sent;   /* of what is in it */
    uint64_t dropped;     /* bytes that were in front of it and have gone */

    struct output_piece *pieces; /* owned: a queue, around the end */
    uint32_t capacity;           /* a power of two, or 0 */
    uint32_t first, count;
    size_t piece_sent;  /* of the first */
    size_t piece_bytes; /* unsent, of all */
};

void output_init(struct output *output);
void output_fini(struct output *output);

/* Empties `answer`: its memory is ours now, or (short) its bytes are copied. */
void output_take(struct output *output, struct buffer *answer);

static inline size_t output_unsent(const struct output *output)
{
    return output->copied.n - output->copied_sent + output->piece_bytes;
}

/* The next bytes in order, in at most `most` pieces; 0: nothing. Borrowed until the output is
 * changed. */
size_t output_pieces(const struct output *output, struct iovec *pieces, size_t most);
/* At most what output_pieces said. Frees the answers that have gone as a whole. */
void output_sent(struct output *output, size_t n);
/* Nothing is unsent, nor expected soon: gives back what is more than a few short answers take. */
void output_rest(struct output *output);

#endif
