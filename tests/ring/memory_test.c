/*
 * Both ends of the shared-memory ring over memory of the test's own: what may be mapped, bytes
 * around the end at every offset, indices that cannot be, who is woken when.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/ring.h"
#include "front/ring.h"

enum
{
    SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL,
    SMALL = RING_LEAST_BYTES,
};

static int memory(uint64_t bytes, int seals, bool filled)
{
    int fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
    cr_assert(!filled || bytes == 0 || fallocate(fd, 0, 0, (off_t)bytes) == 0);
    cr_assert(fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

static uint64_t whole(uint64_t size)
{
    return RING_HEADER_BYTES + 2 * size;
}

/* Maps or not, with these words. */
static void expect(int fd, uint64_t allowed, const char *want)
{
    struct ring ring = {0};
    const char *why = "";
    bool mapped = ring_map(&ring, fd, allowed, &why);
    cr_expect(mapped == !*want && strcmp(why, want) == 0, "got \"%s\", want \"%s\"", why, want);
    cr_expect(mapped || ring.shared == NULL);
    ring_unmap(&ring);
    close(fd);
}

Test(ring, what_is_no_sealed_memfd_of_a_good_size_is_refused_by_name)
{
    static const char size[] = "the ring's size is none that is allowed";
    static const char sealed[] = "the ring is not sealed", what[] = "the ring is not a memfd";
    static const struct
    {
        uint64_t bytes;
        const char *want;
    } sizes[] = {
        {0, size},
        {RING_HEADER_BYTES, size},
        {RING_HEADER_BYTES + 2 * RING_LEAST_BYTES / 2, size},
        {RING_HEADER_BYTES + 2 * RING_LEAST_BYTES - 1, size},
        {RING_HEADER_BYTES + 2 * RING_LEAST_BYTES, ""},
        {RING_HEADER_BYTES + 2 * RING_LEAST_BYTES + 1, size},
        {RING_HEADER_BYTES + 3 * RING_LEAST_BYTES, size},
        {RING_HEADER_BYTES + 2 * (uint64_t)RING_MOST_BYTES - 1, size},
        {RING_HEADER_BYTES + 2 * (uint64_t)RING_MOST_BYTES, ""},
        {RING_HEADER_BYTES + 2 * (uint64_t)RING_MOST_BYTES + 1, size},
        {RING_HEADER_BYTES + 4 * (uint64_t)RING_MOST_BYTES, size},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        expect(memory(sizes[i].bytes, SEALS, true), UINT64_MAX, sizes[i].want);
    expect(memory(whole(SMALL), 0, true), UINT64_MAX, sealed);
    for (int missing = 1; missing < 8; missing <<= 1)
        expect(memory(whole(SMALL), SEALS & ~missing, true), UINT64_MAX, sealed);
    expect(memory(whole(SMALL), SEALS, false), UINT64_MAX, "the ring has holes");
    expect(memory(whole(SMALL), SEALS | F_SEAL_WRITE, true), UINT64_MAX,
           "the ring cannot be mapped for writing");
    expect(memory(whole(SMALL), SEALS, true), whole(SMALL) - 1, "too much memory in rings");
    expect(memory(whole(SMALL), SEALS, true), whole(SMALL), "");
    expect(open("/dev/zero", O_RDWR | O_CLOEXEC), UINT64_MAX, what);
    expect(open("Makefile", O_RDONLY | O_CLOEXEC), UINT64_MAX, what);
    int ends[2];
    cr_assert(pipe(ends) == 0);
    close(ends[1]);
    expect(ends[0], UINT64_MAX, what);
}

struct pair
{
    struct client_ring client;
    struct ring server;
};

/* Both over the same memory, with indices that begin at `start` (they wrap at 2^32). */
static void pair_open(struct pair *pair, uint32_t start)
{
    void *bytes = aligned_alloc(4096, whole(SMALL) + 4096 - whole(SMALL) % 4096);
    cr_assert(bytes != NULL);
    memset(bytes, 0, whole(SMALL));
    client_ring_attach(&pair->client, bytes, SMALL);
    ring_attach(&pair->server, bytes, SMALL);
    struct ring_shared *shared = bytes;
    shared->up_tail = shared->up_head = shared->down_tail = shared->down_head = start;
    pair->client.up_tail = pair->client.down_head = start;
    pair->server.up_head = pair->server.down_tail = start;
}

static void pair_close(struct pair *pair)
{
    free(pair->server.shared);
}

Test(ring, bytes_come_out_as_they_went_in_at_every_offset)
{
    enum
    {
        PIECE = 61,
    };
    struct pair pair;
    uint8_t in[PIECE], out[PIECE];
    size_t n;
    pair_open(&pair, UINT32_MAX - SMALL / 2); /* the indices wrap on the way */
    for (uint32_t i = 0; i < 2 * SMALL; i++) {
        size_t piece = 1 + i % PIECE;
        for (size_t k = 0; k < piece; k++)
            in[k] = (uint8_t)(i * 7 + k);
        cr_assert(client_ring_write(&pair.client, in, piece, &n) && n == piece);
        cr_assert(ring_read(&pair.server, out, sizeof out, &n) && n == piece);
        cr_assert(memcmp(in, out, piece) == 0, "up, round %u", i);
        cr_assert(ring_write(&pair.server, span_of(in, piece), &n) && n == piece);
        cr_assert(client_ring_read(&pair.client, out, sizeof out, &n) && n == piece);
        cr_assert(memcmp(in, out, piece) == 0, "down, round %u", i);
    }
    pair_close(&pair);
}

/* One byte moves the place, then the whole ring is filled to the last byte and read in one. */
Test(ring, a_full_ring_is_whole_wherever_it_begins)
{
    static uint8_t in[SMALL + 1], out[SMALL + 1];
    struct pair pair;
    size_t n;
    pair_open(&pair, 0);
    for (uint32_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 31 >> 3);
    for (uint32_t at = 0; at < SMALL; at += at < 70 || at > SMALL - 70 ? 1 : 997) {
        struct ring_shared *shared = pair.server.shared;
        shared->up_tail = shared->up_head = at;
        pair.client.up_tail = pair.server.up_head = at;
        cr_assert(client_ring_write(&pair.client, in, SMALL + 1, &n) && n == SMALL);
        cr_assert(client_ring_write(&pair.client, in, 1, &n) && n == 0, "full");
        cr_assert(ring_read(&pair.server, out, SMALL - 1, &n) && n == SMALL - 1);
        cr_assert(ring_read(&pair.server, out + n, 2, &n) && n == 1);
        cr_assert(ring_read(&pair.server, out, 1, &n) && n == 0, "empty");
        cr_assert(memcmp(in, out, SMALL) == 0, "from offset %u", at);
    }
    pair_close(&pair);
}

Test(ring, an_index_farther_than_the_ring_is_broken_for_both_ends)
{
    static const uint32_t bad[] = {SMALL + 1, SMALL * 2, 0x7fffffff, 0x80000000, UINT32_MAX};
    uint8_t bytes[8];
    size_t n;
    struct pair pair;
    pair_open(&pair, 0);
    struct ring_shared *shared = pair.server.shared;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        shared->up_tail = shared->down_tail = bad[i];
        cr_expect(!ring_read(&pair.server, bytes, sizeof bytes, &n) && n == 0, "%#x", bad[i]);
        cr_expect(!client_ring_read(&pair.client, bytes, sizeof bytes, &n) && n == 0);
        cr_expect(ring_sleep(&pair.server, RING_WANTS_BYTES) == RING_BROKEN);
        shared->up_tail = shared->down_tail = 0;
        shared->up_head = shared->down_head = -bad[i];
        cr_expect(!ring_write(&pair.server, span_of(bytes, 8), &n) && n == 0, "%#x", bad[i]);
        cr_expect(!client_ring_write(&pair.client, bytes, 8, &n) && n == 0);
        cr_expect(ring_sleep(&pair.server, 0) == RING_BROKEN);
        shared->up_head = shared->down_head = 0;
    }
    shared->up_tail = SMALL; /* full is not broken */
    cr_expect(ring_read(&pair.server, bytes, sizeof bytes, &n) && n == sizeof bytes);
    pair_close(&pair);
}

Test(ring, who_sleeps_is_woken_once_and_for_what_it_wants)
{
    static uint8_t bytes[SMALL];
    struct pair pair;
    size_t n;
    pair_open(&pair, 0);
    cr_assert(client_ring_write(&pair.client, bytes, 1, &n));
    cr_expect(!client_ring_must_wake(&pair.client), "the server does not sleep");
    cr_expect(ring_sleep(&pair.server, RING_WANTS_BYTES) == RING_AWAKE, "a byte is there");
    cr_assert(ring_read(&pair.server, bytes, 1, &n));
    cr_expect(!ring_must_wake(&pair.server), "the client does not sleep");
    cr_expect(ring_sleep(&pair.server, RING_WANTS_BYTES) == RING_ASLEEP);
    cr_assert(client_ring_write(&pair.client, bytes, 1, &n));
    cr_expect(client_ring_must_wake(&pair.client));
    cr_assert(client_ring_write(&pair.client, bytes, SMALL, &n) && n == SMALL - 1);
    cr_expect(!client_ring_must_wake(&pair.client), "it was woken");
    cr_expect(client_ring_sleep(&pair.client, CLIENT_WANTS_ROOM));
    cr_assert(ring_read(&pair.server, bytes, SMALL / 2 - 1, &n));
    cr_expect(!ring_must_wake(&pair.server), "one byte less than half is free");
    cr_assert(ring_read(&pair.server, bytes, 1, &n));
    cr_expect(ring_must_wake(&pair.server), "half is free");
    cr_expect(!ring_must_wake(&pair.server));
    pair_close(&pair);
}
