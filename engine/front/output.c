#include "front/output.h"

#include <stdlib.h>

enum
{
    PIECES_LEAST = 16,
    DROP_LEAST_BYTES = 4096,       /* less is not worth moving what is behind it */
    COPIED_KEPT_BYTES = 64 * 1024, /* a larger block is given back when it is empty */
    PIECES_KEPT = 1024,            /* so is a longer queue */
    COPIED_RESTING_BYTES = 512,    /* of a connection that rests: a few short answers */
};

void output_init(struct output *output)
{
    *output = (struct output){0};
    buffer_init(&output->copied, OUTPUT_CEILING);
}

static void free_pieces(struct output *output)
{
    free(output->pieces);
    output->pieces = NULL;
    output->capacity = 0;
}

static struct output_piece *piece_at(const struct output *output, uint32_t i)
{
    return &output->pieces[(output->first + i) & (output->capacity - 1)];
}

void output_fini(struct output *output)
{
    for (uint32_t i = 0; i < output->count; i++)
        free(piece_at(output, i)->p);
    free_pieces(output);
    buffer_fini(&output->copied);
    output_init(output);
}

/* Taking -----------------------------------------------------------------------------------------
 */

static bool grow(struct output *output)
{
    uint32_t capacity = output->capacity ? 2 * output->capacity : PIECES_LEAST;
    struct output_piece *pieces = capacity ? reallocarray(NULL, capacity, sizeof *pieces) : NULL;
    if (!pieces)
        return false;
    for (uint32_t i = 0; i < output->count; i++)
        pieces[i] = *piece_at(output, i);
    free(output->pieces);
    output->pieces = pieces;
    output->capacity = capacity;
    output->first = 0;
    return true;
}

void output_take(struct output *output, struct buffer *answer)
{
    if (answer->n <= OUTPUT_COPIED_MOST) {
        buffer_append(&output->copied, buffer_span(answer));
        return;
    }
    if (answer->n > OUTPUT_CEILING - output_unsent(output) ||
        (output->count == output->capacity && !grow(output)))
        output->copied.failed = true;
    if (output->copied.failed)
        return;
    *piece_at(output, output->count++) = (struct output_piece){
        .p = answer->p,
        .n = answer->n,
        .at = output->dropped + output->copied.n,
    };
    output->piece_bytes += answer->n;
    buffer_init(answer, answer->ceiling);
}

/* Sending ----------------------------------------------------------------------------------------
 */

/* Where the bytes of the block end that go before the i-th answer, or all. */
static size_t copied_before(const struct output *output, uint32_t i)
{
    return i < output->count ? (size_t)(piece_at(output, i)->at - output->dropped)
                             : output->copied.n;
}

static size_t add(struct iovec *pieces, size_t count, uint8_t *p, size_t from, size_t to)
{
    if (from == to)
        return count;
    pieces[count] = (struct iovec){p + from, to - from};
    return count + 1;
}

size_t output_pieces(const struct output *output, struct iovec *pieces, size_t most)
{
    size_t count = 0, from = output->copied_sent, sent = output->piece_sent;
    for (uint32_t i = 0; i <= output->count && count < most; i++) {
        size_t to = copied_before(output, i);
        count = add(pieces, count, output->copied.p, from, to);
        from = to;
        if (i == output->count || count == most)
            break;
        const struct output_piece *piece = piece_at(output, i);
        count = add(pieces, count, piece->p, sent, piece->n);
        sent = 0;
    }
    return count;
}

/* That many bytes of the first answer, at most; it goes when it is complete. */
static size_t sent_of_piece(struct output *output, size_t n)
{
    struct output_piece *piece = piece_at(output, 0);
    size_t left = piece->n - output->piece_sent;
    size_t taken = n < left ? n : left;
    output->piece_sent += taken;
    output->piece_bytes -= taken;
    if (taken < left)
        return taken;
    free(piece->p);
    output->first = (output->first + 1) & (output->capacity - 1);
    output->count--;
    output->piece_sent = 0;
    return taken;
}

static size_t sent_of_copied(struct output *output, size_t n)
{
    size_t left = copied_before(output, 0) - output->copied_sent;
    size_t taken = n < left ? n : left;
    output->copied_sent += taken;
    return taken;
}

/* Bytes of the block that have gone make room: all at once where nothing is behind them. */
static void drop_sent(struct output *output)
{
    struct buffer *copied = &output->copied;
    size_t sent = output->copied_sent, left = copied->n - sent;
    if (left && (sent < DROP_LEAST_BYTES || sent < left))
        return;
    if (left)
        memmove(copied->p, copied->p + sent, left);
    copied->n = left;
    output->dropped += sent;
    output->copied_sent = 0;
}

void output_sent(struct output *output, size_t n)
{
    assert(n <= output_unsent(output));
    n -= sent_of_copied(output, n);
    while (n) {
        n -= sent_of_piece(output, n);
        n -= sent_of_copied(output, n);
    }
    drop_sent(output);
    if (output->copied.n == 0 && output->copied.capacity > COPIED_KEPT_BYTES)
        buffer_fini(&output->copied);
    if (output->count == 0 && output->capacity > PIECES_KEPT)
        free_pieces(output);
}

void output_rest(struct output *output)
{
    assert(output_unsent(output) == 0);
    if (output->copied.capacity > COPIED_RESTING_BYTES)
        buffer_fini(&output->copied);
    if (output->capacity)
        free_pieces(output);
}
