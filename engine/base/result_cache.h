/*
 * Results that one thread works out for one message and uses for others: whole keys, values of a
 * bounded size, a time up to which each stands. Pure: knows neither what it keeps nor a clock.
 *
 * A key is some numbers and a name. They stay where they are: put together in one place they would
 * be read there before they are written, as the processor sees it.
 *
 * A table of fixed size. A key belongs to one set of RESULT_CACHE_WAYS entries; a new one takes the
 * place of the one that ends first. Keys are compared in full, so equal hashes cost a place and
 * never another result; the hash is seeded because strangers choose the keys (L05).
 *
 * Everything is forgotten when the number of removals that result_cache_begin is told differs from
 * the one before: then somebody has thrown away what results may have come from.
 *
 * Threads: one thread's.
 */
#ifndef BASE_RESULT_CACHE_H
#define BASE_RESULT_CACHE_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/hash.h"
#include "base/span.h"

enum
{
    RESULT_CACHE_WAYS = 4,
    RESULT_CACHE_MS = 10 * 1000, /* no result stands longer, whatever it came from */
    RESULT_FACTS = 3,
};

struct result_key
{
    uint64_t facts[RESULT_FACTS];
    struct span name; /* borrowed for a call; at most UINT16_MAX octets */
};

static inline uint64_t result_key_hash(const struct result_key *key, uint64_t seed)
{
    for (unsigned i = 0; i < RESULT_FACTS; i++)
        seed = hash_word(seed, key->facts[i]);
    return hash_bytes(key->name, seed);
}

struct result_cache
{
    /* Set at start. */
    uint64_t seed;       /* for result_key_hash */
    uint32_t sets;       /* a power of two */
    uint32_t entry_room; /* octets of an entry, its key and its value */
    /* The round's. */
    int64_t now_ms; /* CLOCK_MONOTONIC */
    uint64_t removals;
    uint64_t hits, misses; /* since the start */

    uint32_t *tags;   /* owned: a part of the hash for each entry; 0: nothing there */
    uint8_t *entries; /* owned: cache lines, entry_room for each */
};

/* `entry_bytes`: of one entry, in whole cache lines, at most 64 KiB. NULL without memory. */
struct result_cache *result_cache_new(uint32_t sets, uint32_t entry_bytes,
                                      uint64_t seed) MUST_CHECK;
/* Nulls; NULL inside is fine. */
void result_cache_free(struct result_cache **cache);

/*
 * Before each round: the time, and how often something was removed from where results come from
 * (cache_removals), read before the round looks anything up there.
 */
void result_cache_begin(struct result_cache *cache, int64_t now_ms, uint64_t removals);

/* The value kept under `key`, good until the next keep or begin; p == NULL: none that still stands.
 * `hash` is of the key, with the seed. */
struct span result_cache_find(struct result_cache *cache, const struct result_key *key,
                              uint64_t hash) MUST_CHECK;

/*
 * Keeps a value of `value_n` octets under `key` until `until_ms` at the latest, in place of an
 * older one. Returns where the caller has to write it, aligned for any word; NULL: it is too large,
 * or does not stand any more, and is not kept.
 */
void *result_cache_keep(struct result_cache *cache, const struct result_key *key, uint64_t hash,
                        int64_t until_ms, size_t value_n) MUST_CHECK;

#endif
