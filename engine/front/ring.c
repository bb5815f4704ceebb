/*
 * Limits: 64 KiB to 16 MiB for each ring, and what the caller allows.
 *
 * BUGS: pages that the client punches out of the memory behind our back come back as zeros, on the
 * account of who touches them first; they are bounded by the sizes.
 */
#include "front/ring.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

_Static_assert(sizeof(struct ring_shared) <= RING_HEADER_BYTES, "the header has its page");

enum
{
    STAT_BLOCK_BYTES = 512,
};

static bool refuse(const char **why, const char *text)
{
    *why = text;
    return false;
}

static bool is_good_size(uint64_t bytes)
{
    uint64_t size = bytes > RING_HEADER_BYTES ? (bytes - RING_HEADER_BYTES) / 2 : 0;
    return size >= RING_LEAST_BYTES && size <= RING_MOST_BYTES && (size & (size - 1)) == 0 &&
           bytes == RING_HEADER_BYTES + 2 * size;
}

/*
 * The seals keep the memory from shrinking under us (SIGBUS) and the seals from changing. Huge
 * pages are refused since a hole in them that cannot be filled is SIGBUS, too.
 */
static bool check(int fd, uint64_t allowed, uint64_t *bytes, const char **why)
{
    struct stat facts;
    struct statfs system;
    int seals = fcntl(fd, F_GET_SEALS);
    int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (seals < 0 || fstat(fd, &facts) != 0 || fstatfs(fd, &system) != 0 ||
        system.f_type != TMPFS_MAGIC)
        return refuse(why, "the ring is not a memfd");
    if ((seals & wanted) != wanted)
        return refuse(why, "the ring is not sealed");
    *bytes = (uint64_t)facts.st_size;
    if (!is_good_size(*bytes))
        return refuse(why, "the ring's size is none that is allowed");
    if ((uint64_t)facts.st_blocks * STAT_BLOCK_BYTES < *bytes)
        return refuse(why, "the ring has holes");
    if (*bytes > allowed)
        return refuse(why, "too much memory in rings");
    return true;
}

void ring_attach(struct ring *ring, void *memory, uint32_t size)
{
    *ring = (struct ring){
        .shared = memory,
        .up = (uint8_t *)memory + RING_HEADER_BYTES,
        .down = (uint8_t *)memory + RING_HEADER_BYTES + size,
        .size = size,
    };
}

bool ring_map(struct ring *ring, int fd, uint64_t allowed, const char **why)
{
    uint64_t bytes = 0;
    if (!check(fd, allowed, &bytes, why))
        return false;
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return refuse(why, "the ring cannot be mapped for writing");
    ring_attach(ring, memory, (uint32_t)((bytes - RING_HEADER_BYTES) / 2));
    return true;
}

uint64_t ring_mapped_bytes(const struct ring *ring)
{
    return ring->shared ? RING_HEADER_BYTES + 2 * (uint64_t)ring->size : 0;
}

void ring_unmap(struct ring *ring)
{
    if (ring->shared)
        munmap(ring->shared, (size_t)ring_mapped_bytes(ring));
    *ring = (struct ring){0};
}

/* Copying around the end of the ring: at most two pieces. `at` and `n` are checked. */
static void copy_out(const struct ring *ring, const uint8_t *from, uint32_t at, uint8_t *to,
                     uint32_t n)
{
    uint32_t offset = at & (ring->size - 1);
    uint32_t first = ring->size - offset < n ? ring->size - offset : n;
    memcpy(to, from + offset, first);
    if (n > first)
        memcpy(to + first, from, n - first);
}

static void copy_in(const struct ring *ring, uint8_t *to, uint32_t at, const uint8_t *from,
                    uint32_t n)
{
    uint32_t offset = at & (ring->size - 1);
    uint32_t first = ring->size - offset < n ? ring->size - offset : n;
    memcpy(to + offset, from, first);
    if (n > first)
        memcpy(to, from + first, n - first);
}

bool ring_read(struct ring *ring, uint8_t *to, size_t most, size_t *n)
{
    uint32_t have = atomic_load(&ring->shared->up_tail) - ring->up_head;
    *n = 0;
    if (have > ring->size)
        return false;
    uint32_t taken = have < most ? have : (uint32_t)most;
    if (taken == 0)
        return true;
    copy_out(ring, ring->up, ring->up_head, to, taken);
    ring->up_head += taken;
    atomic_store(&ring->shared->up_head, ring->up_head); /* W1 */
    if (have - taken <= ring->size / 2)
        ring->wakes |= RING_WANTS_ROOM;
    *n = taken;
    return true;
}

bool ring_write(struct ring *ring, struct span bytes, size_t *n)
{
    uint32_t used = ring->down_tail - atomic_load(&ring->shared->down_head);
    *n = 0;
    if (used > ring->size)
        return false;
    uint32_t room = ring->size - used;
    uint32_t given = bytes.n < room ? (uint32_t)bytes.n : room;
    if (given == 0)
        return true;
    copy_in(ring, ring->down, ring->down_tail, bytes.p, given);
    ring->down_tail += given;
    atomic_store(&ring->shared->down_tail, ring->down_tail); /* W1 */
    ring->wakes |= RING_WANTS_BYTES;
    *n = given;
    return true;
}

bool ring_must_wake(struct ring *ring)
{
    uint32_t wakes = ring->wakes;
    ring->wakes = 0;
    if (!wakes || !(atomic_load(&ring->shared->client_sleeps) & wakes)) /* W2 */
        return false;
    return atomic_exchange(&ring->shared->client_sleeps, 0) != 0;
}

enum ring_rest ring_sleep(struct ring *ring, uint32_t wants)
{
    struct ring_shared *shared = ring->shared;
    atomic_store(&shared->server_sleeps, wants);                       /* S1 */
    uint32_t have = atomic_load(&shared->up_tail) - ring->up_head;     /* S2 */
    uint32_t used = ring->down_tail - atomic_load(&shared->down_head); /* S2 */
    bool awake = ((wants & RING_WANTS_BYTES) && have) ||
                 ((wants & RING_WANTS_ROOM) && used <= ring->size / 2);
    bool broken = have > ring->size || used > ring->size;
    if (!awake && !broken)
        return RING_ASLEEP;
    atomic_store(&shared->server_sleeps, 0);
    return broken ? RING_BROKEN : RING_AWAKE;
}
