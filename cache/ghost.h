/*
 * The ghost queue of S3-FIFO: which keys were evicted lately, without keeping them.
 *
 * As in section 4.2 of the paper (cache/s3fifo.h) a table of fixed size holds a 32-bit fingerprint
 * and the time of eviction for each; an entry of the queue ends by its age and is not unlinked.
 * Time here is counted in bytes evicted, since the budget is in bytes: the queue remembers as many
 * bytes' worth of evictions as it was created for, or what 8 slots of a key's bucket hold of them.
 * A wrong "yes" (two keys of one bucket with one fingerprint: 8 in 2^32) puts a key into the wrong
 * queue, no more.
 */
#ifndef CACHE_GHOST_H
#define CACHE_GHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum
{
    GHOST_WAYS = 8,       /* slots in a bucket: one cache line */
    GHOST_UNIT_SHIFT = 8, /* the clock counts units of 256 bytes */
};

struct ghost_slot
{
    uint32_t fingerprint; /* 0: free */
    uint32_t evicted_at;  /* in units, modulo 2^32: 1 TiB */
};

struct ghost
{
    struct ghost_slot *slots; /* owned: GHOST_WAYS * (bucket_mask + 1) */
    uint64_t bucket_mask;
    uint64_t evicted_bytes; /* the clock */
    uint32_t span_units;    /* as old as this at most */
};

/* Room for at least `slots` keys, for `span_bytes` worth of evictions. False: no memory. */
bool ghost_init(struct ghost *ghost, size_t slots, size_t span_bytes) MUST_CHECK;
void ghost_fini(struct ghost *ghost);
size_t ghost_bytes(const struct ghost *ghost);

/* Notes that an entry of `bytes` was evicted. */
void ghost_add(struct ghost *ghost, uint64_t hash, size_t bytes);
/* True where the key was evicted lately; forgets it. */
bool ghost_take(struct ghost *ghost, uint64_t hash);

#endif
