/*
 * What a connection has to send: order, what is copied and what is not, however it is sent; and
 * that what has gone is given back.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#include "front/output.h"

static struct output output;
static struct buffer want; /* all that was put in */
static size_t gone;        /* of it */

static void init(void)
{
    output_init(&output);
    buffer_init(&want, (size_t)1 << 30);
    gone = 0;
}

static void fini(void)
{
    output_fini(&output);
    buffer_fini(&want);
}

TestSuite(output, .init = init, .fini = fini);

/* The nth byte of all says where it stands. */
static void fill(struct buffer *buffer, size_t n)
{
    uint8_t *to = buffer_reserve(buffer, n);
    cr_assert(to != NULL);
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)((uint32_t)(want.n + i) * 2654435761u >> 24);
    buffer_commit(buffer, n);
    buffer_append(&want, span_of(to, n));
}

/* A frame that a writer appends. */
static void put_short(size_t n)
{
    fill(&output.copied, n);
}

/* Where it was made. */
static const uint8_t *put_answer(size_t n)
{
    struct buffer answer;
    buffer_init(&answer, (size_t)1 << 30);
    fill(&answer, n);
    const uint8_t *made = answer.p;
    output_take(&output, &answer);
    cr_assert(!output.copied.failed);
    cr_expect((answer.p == NULL) == (n > OUTPUT_COPIED_MOST), "%zu octets", n);
    buffer_fini(&answer);
    return made;
}

/* Sends `n` bytes of what at most `most` pieces give, and compares. Returns how many those had. */
static size_t send_some(size_t most, size_t n)
{
    static struct iovec pieces[IOV_MAX];
    size_t count = output_pieces(&output, pieces, most), have = 0;
    cr_assert(count <= most);
    for (size_t i = 0; i < count; i++) {
        struct span piece = span_of(pieces[i].iov_base, pieces[i].iov_len);
        cr_assert(piece.n > 0, "an empty piece");
        cr_assert(
            span_equal(piece, span_slice(buffer_span(&want), gone + have, gone + have + piece.n)),
            "piece %zu at %zu", i, gone + have);
        have += piece.n;
    }
    size_t sent = n < have ? n : have;
    output_sent(&output, sent);
    gone += sent;
    cr_assert(output_unsent(&output) == want.n - gone, "%zu unsent, want %zu",
              output_unsent(&output), want.n - gone);
    return have;
}

static void send_all(size_t most, size_t step)
{
    while (gone < want.n)
        cr_assert(send_some(most, step) > 0, "nothing to send at %zu of %zu", gone, want.n);
    cr_expect(send_some(most, step) == 0);
}

/* Numbers: short frames; with a minus: answers. 0 ends. */
static const struct mix
{
    const char *name;
    int parts[10];
} mixes[] = {
    {"a short one", {24}},
    {"an answer", {-2000}},
    {"short, answer", {24, -2000}},
    {"answer, short", {-2000, 24}},
    {"answers", {-2000, -1025, -3000}},
    {"answers that are short", {-24, -1024, -1}},
    {"partial and result, twice", {24, -1500, 24, -1500}},
    {"many short between two", {-1500, 24, 24, 80, 24, -1500, 24}},
    {"all kinds", {24, -24, -1025, -1024, 60, -4096, -1026, 24, 24}},
};

static void put_mix(const struct mix *mix)
{
    for (size_t i = 0; i < COUNT_OF(mix->parts) && mix->parts[i]; i++) {
        if (mix->parts[i] > 0)
            put_short((size_t)mix->parts[i]);
        else
            put_answer((size_t)-mix->parts[i]);
    }
}

Test(output, whole_is_every_split_is_byte_by_byte)
{
    for (size_t m = 0; m < COUNT_OF(mixes); m++) {
        for (size_t most = 1; most <= 4; most++) {
            fini();
            init();
            put_mix(&mixes[m]);
            send_all(most, SIZE_MAX);
            put_mix(&mixes[m]); /* and again, behind what has gone */
            send_all(most, 1);
        }
        for (size_t split = 0; split <= want.n / 2; split++) {
            fini();
            init();
            put_mix(&mixes[m]);
            send_some(IOV_MAX, split);
            put_mix(&mixes[m]); /* the rest and what comes behind it */
            send_all(IOV_MAX, SIZE_MAX);
        }
    }
}

Test(output, an_answer_is_not_copied_but_a_short_one)
{
    static const size_t sizes[] = {OUTPUT_COPIED_MOST - 1, OUTPUT_COPIED_MOST,
                                   OUTPUT_COPIED_MOST + 1};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct iovec piece;
        const uint8_t *made = put_answer(sizes[i]);
        cr_assert(output_pieces(&output, &piece, 1) == 1 && piece.iov_len == sizes[i]);
        cr_expect((piece.iov_base == made) == (sizes[i] > OUTPUT_COPIED_MOST), "%zu octets",
                  sizes[i]);
        send_all(1, SIZE_MAX);
    }
}

/* More than one call may take, of each kind. */
Test(output, thousands_of_answers)
{
    enum
    {
        ANSWERS = 3 * IOV_MAX,
    };
    for (int i = 0; i < ANSWERS; i++) {
        put_answer(1025 + (size_t)i % 100);
        if (i % 3 == 0)
            put_short(24);
    }
    unsigned calls = 0;
    for (; gone < want.n; calls++)
        send_some(IOV_MAX, SIZE_MAX);
    cr_expect(calls == 4, "%u calls for %d answers and %d short ones", calls, ANSWERS, ANSWERS / 3);
    cr_expect(output.capacity == 0 && output.copied.n == 0, "what has gone is given back");
}

/* A reader that is slow and never stops: there is always something unsent. */
Test(output, L03_memory_is_bounded_by_what_is_unsent)
{
    enum
    {
        UNSENT = 100000,
        ROUNDS = 2000,
    };
    size_t most = 0;
    put_short(UNSENT / 2);
    for (int i = 0; i < ROUNDS; i++) {
        put_short(500);
        put_answer(1500);
        send_some(IOV_MAX, 2000);
        want.n -= gone; /* the whole is not kept here either */
        memmove(want.p, want.p + gone, want.n);
        gone = 0;
        most = output.copied.capacity > most ? output.copied.capacity : most;
        cr_assert(output_unsent(&output) == UNSENT / 2);
    }
    cr_expect(most <= 4 * UNSENT, "%zu octets for %d", most, UNSENT);
    cr_expect(output.capacity <= 64, "%u", output.capacity);
}

/* The lengths alone count: nothing so long is made. */
Test(output, the_ceiling_at_its_edge)
{
    for (int over = -1; over <= 1; over++) {
        struct buffer answer;
        fini();
        init();
        put_short(100);
        buffer_init(&answer, SIZE_MAX);
        cr_assert(buffer_reserve(&answer, 1) != NULL);
        answer.n = (size_t)(OUTPUT_CEILING - 100 + over);
        output_take(&output, &answer);
        cr_expect(output.copied.failed == (over > 0), "%+d", over);
        cr_expect((answer.p != NULL) == (over > 0), "%+d: whose memory it is", over);
        buffer_fini(&answer);
    }
}

static void die_with_unsent(void)
{
    for (size_t m = 0; m < COUNT_OF(mixes); m++) {
        init();
        put_mix(&mixes[m]);
        put_mix(&mixes[m]);
        send_some(IOV_MAX, 30 + 100 * m); /* in the middle of one */
        fini();
    }
}

/* Connections that die. What malloc keeps for the thread counts as used: only once it has enough of
 * each size is nothing added. (Under AddressSanitizer mallinfo2 knows nothing.) */
Test(output, what_is_unsent_goes_with_it)
{
    fini();
    for (unsigned i = 0; i < 20; i++)
        die_with_unsent();
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 20; i++)
        die_with_unsent();
    cr_expect(mallinfo2().uordblks == before, "%zu octets are left", mallinfo2().uordblks - before);
}

Test(output, a_connection_that_rests_keeps_next_to_nothing)
{
    put_mix(&mixes[COUNT_OF(mixes) - 1]);
    send_all(IOV_MAX, SIZE_MAX);
    output_rest(&output);
    cr_expect(output.copied.capacity == 0 && output.capacity == 0);
    put_short(24);
    send_all(IOV_MAX, SIZE_MAX);
    output_rest(&output);
    cr_expect(output.copied.capacity == 256, "room for a few short answers stays: %zu",
              output.copied.capacity);
}
