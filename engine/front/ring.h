/*
 * A shared-memory ring pair, the server's end (PROTOCOL.md "Ring"): two byte rings in one memfd
 * that the client made. Frames travel through it as they do through the socket.
 *
 * The client can write anything there at any time. Therefore: the size is fixed from fstat when it
 * is mapped; each index is read once, into a local, and checked against that size; bytes are copied
 * out before anybody looks at them; our own indices are kept here and only published there. No call
 * waits or spins.
 *
 * Who sleeps and who wakes. Each side has one flag word in the memory, which it sets when it is
 * about to sleep and the other side clears when it wakes it (a byte on the socket):
 *
 *   sleeper                          waker
 *   S1 store own flag (seq_cst)      W1 store tail or head (seq_cst)
 *   S2 load tail or head (seq_cst)   W2 load the other's flag (seq_cst)
 *
 * All four are in one total order, so either S2 sees W1 (do not sleep) or W2 sees S1 (wake it):
 * no wake-up is lost. The release and acquire of the bytes themselves is in the same W1 and S2.
 */
#ifndef FRONT_RING_H
#define FRONT_RING_H

#include <stdatomic.h>

#include "base/attributes.h"
#include "base/span.h"

enum
{
    RING_HEADER_BYTES = 4096,
    RING_LEAST_BYTES = 64 * 1024, /* of each of the two rings; a power of two */
    RING_MOST_BYTES = 16 * 1024 * 1024,
    RING_WANTS_BYTES = 1, /* of a flag word: wake me when there are bytes */
    RING_WANTS_ROOM = 2,  /* when at least half of my ring is free */
};

/* The memory: this, up to RING_HEADER_BYTES, then the ring up, then the ring down. Indices count
 * bytes since the start, modulo 2^32. */
struct ring_shared
{
    _Alignas(64) _Atomic uint32_t up_tail; /* written by the client ... */
    _Alignas(64) _Atomic uint32_t up_head; /* ... and read by the server */
    _Alignas(64) _Atomic uint32_t down_tail;
    _Alignas(64) _Atomic uint32_t down_head;
    _Alignas(64) _Atomic uint32_t server_sleeps; /* RING_WANTS_ */
    _Alignas(64) _Atomic uint32_t client_sleeps;
};

struct ring
{
    struct ring_shared *shared;  /* owned mapping; NULL: none */
    uint8_t *up, *down;          /* in it */
    uint32_t size;               /* of each ring; a power of two */
    uint32_t up_head, down_tail; /* ours */
    uint32_t wakes;              /* RING_WANTS_ that the client may be waiting for */
};

enum ring_rest
{
    RING_ASLEEP, /* a byte on the socket will come */
    RING_AWAKE,  /* what we want is there already: read or write */
    RING_BROKEN, /* an index */
};

/*
 * Checks the descriptor and maps it; keeps nothing of it. False: nothing is mapped, *why is static.
 * At most `allowed` bytes.
 */
bool ring_map(struct ring *ring, int fd, uint64_t allowed, const char **why) MUST_CHECK;
/* The same over memory that is there already: for tests and ring_map. */
void ring_attach(struct ring *ring, void *memory, uint32_t size);
/* Nulls; nothing mapped is fine. */
void ring_unmap(struct ring *ring);
/* Bytes of the whole mapping. */
uint64_t ring_mapped_bytes(const struct ring *ring);

/* Copies at most `most` bytes out. False: the client has broken an index. */
bool ring_read(struct ring *ring, uint8_t *to, size_t most, size_t *n) MUST_CHECK;
/* Copies in what there is room for. False as above. */
bool ring_write(struct ring *ring, struct span bytes, size_t *n) MUST_CHECK;
/* Since the last call something was read or written that the client sleeps for: send it a byte. */
bool ring_must_wake(struct ring *ring) MUST_CHECK;
/* Says what we sleep for (RING_WANTS_; 0: nothing). */
enum ring_rest ring_sleep(struct ring *ring, uint32_t wants) MUST_CHECK;

#endif
