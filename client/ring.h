/*
 * A shared-memory ring pair, the client's end (engine/front/PROTOCOL.md "Ring"). The client makes
 * the memory; the server is trusted with answers, but not with our memory: indices are checked.
 *
 * Sleeping and waking as told in engine/front/ring.h: who sleeps stores its flag and then loads the
 * indices, who wakes stores an index and then loads the flag; all seq_cst.
 */
#ifndef CLIENT_RING_H
#define CLIENT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum
{
    CLIENT_RING_HEADER = 4096,
    CLIENT_RING_LEAST = 64 * 1024,
    CLIENT_RING_MOST = 16 * 1024 * 1024,
    CLIENT_WANTS_BYTES = 1,
    CLIENT_WANTS_ROOM = 2,
};

struct client_ring_shared
{
    _Alignas(64) _Atomic uint32_t up_tail; /* ours */
    _Alignas(64) _Atomic uint32_t up_head;
    _Alignas(64) _Atomic uint32_t down_tail;
    _Alignas(64) _Atomic uint32_t down_head; /* ours */
    _Alignas(64) _Atomic uint32_t server_sleeps;
    _Alignas(64) _Atomic uint32_t client_sleeps; /* ours to set */
};

struct client_ring
{
    struct client_ring_shared *shared; /* owned mapping; NULL: none */
    uint8_t *up, *down;
    uint32_t size;
    uint32_t up_tail, down_head;
    uint32_t wakes; /* CLIENT_WANTS_ that the server may be waiting for */
};

/* Memory for two rings of that size, or the next power of two; returns its descriptor, which is
 * the caller's, or -1 without memory. */
int client_ring_make(struct client_ring *ring, uint32_t size);
/* Over memory that is there. */
void client_ring_attach(struct client_ring *ring, void *memory, uint32_t size);
void client_ring_drop(struct client_ring *ring);

/* False: an index is broken. */
bool client_ring_read(struct client_ring *ring, uint8_t *to, size_t most, size_t *n);
bool client_ring_write(struct client_ring *ring, const uint8_t *from, size_t most, size_t *n);
/* The server sleeps for what was read or written since the last call: send it a byte. */
bool client_ring_must_wake(struct client_ring *ring);
/* Says what we sleep for. False: some of it is there already. The flag stays in both cases: one
 * byte too many does no harm. */
bool client_ring_sleep(struct client_ring *ring, uint32_t wants);

#endif
