#include "cache/ghost.h"

#include <stdlib.h>

static uint32_t ghost_now(const struct ghost *ghost)
{
    return (uint32_t)(ghost->evicted_bytes >> GHOST_UNIT_SHIFT);
}

static struct ghost_slot *ghost_bucket(const struct ghost *ghost, uint64_t hash)
{
    return &ghost->slots[(hash & ghost->bucket_mask) * GHOST_WAYS];
}

static uint32_t fingerprint_of(uint64_t hash)
{
    uint32_t high = (uint32_t)(hash >> 32); /* the bucket comes from the low bits */
    return high ? high : 1;
}

static uint32_t slot_age(const struct ghost *ghost, const struct ghost_slot *slot)
{
    return slot->fingerprint ? ghost_now(ghost) - slot->evicted_at : UINT32_MAX;
}

bool ghost_init(struct ghost *ghost, size_t slots, size_t span_bytes)
{
    size_t buckets = 1, units = span_bytes >> GHOST_UNIT_SHIFT;
    while (buckets * GHOST_WAYS < slots)
        buckets *= 2;
    ghost->slots = calloc(buckets * GHOST_WAYS, sizeof *ghost->slots);
    ghost->bucket_mask = buckets - 1;
    ghost->evicted_bytes = 0;
    ghost->span_units = units < UINT32_MAX / 2 ? (uint32_t)units : UINT32_MAX / 2;
    return ghost->slots != NULL;
}

void ghost_fini(struct ghost *ghost)
{
    free(ghost->slots);
    ghost->slots = NULL;
}

size_t ghost_bytes(const struct ghost *ghost)
{
    return (ghost->bucket_mask + 1) * GHOST_WAYS * sizeof *ghost->slots;
}

void ghost_add(struct ghost *ghost, uint64_t hash, size_t bytes)
{
    struct ghost_slot *bucket = ghost_bucket(ghost, hash), *oldest = bucket;
    uint32_t fingerprint = fingerprint_of(hash);
    ghost->evicted_bytes += bytes;
    for (unsigned i = 0; i < GHOST_WAYS; i++) {
        if (bucket[i].fingerprint == fingerprint) {
            oldest = &bucket[i];
            break;
        }
        if (slot_age(ghost, &bucket[i]) > slot_age(ghost, oldest))
            oldest = &bucket[i];
    }
    *oldest = (struct ghost_slot){fingerprint, ghost_now(ghost)};
}

bool ghost_take(struct ghost *ghost, uint64_t hash)
{
    struct ghost_slot *bucket = ghost_bucket(ghost, hash);
    uint32_t fingerprint = fingerprint_of(hash);
    for (unsigned i = 0; i < GHOST_WAYS; i++) {
        if (bucket[i].fingerprint != fingerprint)
            continue;
        bool lately = slot_age(ghost, &bucket[i]) <= ghost->span_units;
        bucket[i].fingerprint = 0;
        return lately;
    }
    return false;
}
