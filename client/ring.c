#include "client/ring.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(sizeof(struct client_ring_shared) <= CLIENT_RING_HEADER, "the header has its page");

static uint32_t power_of_two(uint32_t size)
{
    uint32_t power = CLIENT_RING_LEAST;
    while (power < size && power < CLIENT_RING_MOST)
        power *= 2;
    return power;
}

static size_t mapped_bytes(uint32_t size)
{
    return CLIENT_RING_HEADER + 2 * (size_t)size;
}

/* Filled in at once, since a hole found later is memory that may not be there. */
static int make_memory(size_t bytes)
{
    int fd = memfd_create("assay-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0 && fallocate(fd, 0, 0, (off_t)bytes) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

void client_ring_attach(struct client_ring *ring, void *memory, uint32_t size)
{
    *ring = (struct client_ring){
        .shared = memory,
        .up = (uint8_t *)memory + CLIENT_RING_HEADER,
        .down = (uint8_t *)memory + CLIENT_RING_HEADER + size,
        .size = size,
    };
}

int client_ring_make(struct client_ring *ring, uint32_t size)
{
    size = power_of_two(size);
    int fd = make_memory(mapped_bytes(size));
    if (fd < 0)
        return -1;
    void *memory = mmap(NULL, mapped_bytes(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        close(fd);
        return -1;
    }
    client_ring_attach(ring, memory, size);
    return fd;
}

void client_ring_drop(struct client_ring *ring)
{
    if (ring->shared)
        munmap(ring->shared, mapped_bytes(ring->size));
    *ring = (struct client_ring){0};
}

bool client_ring_read(struct client_ring *ring, uint8_t *to, size_t most, size_t *n)
{
    uint32_t have = atomic_load(&ring->shared->down_tail) - ring->down_head;
    *n = 0;
    if (have > ring->size)
        return false;
    uint32_t taken = have < most ? have : (uint32_t)most;
    uint32_t offset = ring->down_head & (ring->size - 1);
    uint32_t first = ring->size - offset < taken ? ring->size - offset : taken;
    if (taken == 0)
        return true;
    memcpy(to, ring->down + offset, first);
    memcpy(to + first, ring->down, taken - first);
    ring->down_head += taken;
    atomic_store(&ring->shared->down_head, ring->down_head);
    if (have - taken <= ring->size / 2)
        ring->wakes |= CLIENT_WANTS_ROOM;
    *n = taken;
    return true;
}

bool client_ring_write(struct client_ring *ring, const uint8_t *from, size_t most, size_t *n)
{
    uint32_t used = ring->up_tail - atomic_load(&ring->shared->up_head);
    *n = 0;
    if (used > ring->size)
        return false;
    uint32_t room = ring->size - used;
    uint32_t given = most < room ? (uint32_t)most : room;
    uint32_t offset = ring->up_tail & (ring->size - 1);
    uint32_t first = ring->size - offset < given ? ring->size - offset : given;
    if (given == 0)
        return true;
    memcpy(ring->up + offset, from, first);
    memcpy(ring->up, from + first, given - first);
    ring->up_tail += given;
    atomic_store(&ring->shared->up_tail, ring->up_tail);
    ring->wakes |= CLIENT_WANTS_BYTES;
    *n = given;
    return true;
}

bool client_ring_must_wake(struct client_ring *ring)
{
    uint32_t wakes = ring->wakes;
    ring->wakes = 0;
    if (!wakes || !(atomic_load(&ring->shared->server_sleeps) & wakes))
        return false;
    return atomic_exchange(&ring->shared->server_sleeps, 0) != 0;
}

bool client_ring_sleep(struct client_ring *ring, uint32_t wants)
{
    atomic_store(&ring->shared->client_sleeps, wants);
    uint32_t have = atomic_load(&ring->shared->down_tail) - ring->down_head;
    uint32_t used = ring->up_tail - atomic_load(&ring->shared->up_head);
    bool bytes = (wants & CLIENT_WANTS_BYTES) && have;
    bool room = (wants & CLIENT_WANTS_ROOM) && used <= ring->size / 2;
    return !bytes && !room;
}
