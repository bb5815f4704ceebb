#include "base/result_cache.h"

#include <stdlib.h>

enum
{
    LINE = 64,
    WORD = 8,
};

struct entry
{
    int64_t until_ms;
    uint64_t facts[RESULT_FACTS];
    uint32_t value_n;
    uint16_t name_n;
    uint8_t bytes[]; /* the name; the value from the next word on */
};

struct result_cache *result_cache_new(uint32_t sets, uint32_t entry_bytes, uint64_t seed)
{
    size_t entries = (size_t)sets * RESULT_CACHE_WAYS;
    assert(sets && (sets & (sets - 1)) == 0);
    assert(entry_bytes >= LINE && entry_bytes % LINE == 0 && entry_bytes <= UINT16_MAX + 1);
    struct result_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->seed = seed;
    cache->sets = sets;
    cache->entry_room = entry_bytes;
    cache->tags = calloc(entries, sizeof cache->tags[0]);
    cache->entries = aligned_alloc(LINE, entries * entry_bytes);
    if (!cache->tags || !cache->entries)
        result_cache_free(&cache);
    return cache;
}

void result_cache_free(struct result_cache **cache)
{
    if (!*cache)
        return;
    free((*cache)->tags);
    free((*cache)->entries);
    free(*cache);
    *cache = NULL;
}

static void forget_all(struct result_cache *cache)
{
    memset(cache->tags, 0, (size_t)cache->sets * RESULT_CACHE_WAYS * sizeof cache->tags[0]);
}

void result_cache_begin(struct result_cache *cache, int64_t now_ms, uint64_t removals)
{
    if (cache->removals != removals)
        forget_all(cache);
    cache->removals = removals;
    cache->now_ms = now_ms;
}

static uint32_t first_of_set(const struct result_cache *cache, uint64_t hash)
{
    return ((uint32_t)hash & (cache->sets - 1)) * RESULT_CACHE_WAYS;
}

/* Of other bits than the set's; never 0. */
static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

static struct entry *entry_at(const struct result_cache *cache, uint32_t at)
{
    return (struct entry *)(void *)(cache->entries + (size_t)at * cache->entry_room);
}

static size_t value_at(size_t name_n)
{
    return (offsetof(struct entry, bytes) + name_n + WORD - 1) / WORD * WORD;
}

static bool has_key(const struct entry *entry, const struct result_key *key)
{
    uint64_t differs = entry->name_n ^ key->name.n;
    for (unsigned i = 0; i < RESULT_FACTS; i++)
        differs |= entry->facts[i] ^ key->facts[i];
    return !differs && span_equal(span_of(entry->bytes, entry->name_n), key->name);
}

/* The key's entry, whether it still stands or not; NULL where there is none. */
static struct entry *find_entry(const struct result_cache *cache, const struct result_key *key,
                                uint64_t hash)
{
    uint32_t first = first_of_set(cache, hash);
    for (uint32_t at = first; at < first + RESULT_CACHE_WAYS; at++)
        if (cache->tags[at] == tag_of(hash) && has_key(entry_at(cache, at), key))
            return entry_at(cache, at);
    return NULL;
}

struct span result_cache_find(struct result_cache *cache, const struct result_key *key,
                              uint64_t hash)
{
    const struct entry *entry = find_entry(cache, key, hash);
    if (!entry || cache->now_ms >= entry->until_ms) {
        cache->misses++;
        return (struct span){NULL, 0};
    }
    cache->hits++;
    return span_of((const uint8_t *)entry + value_at(key->name.n), entry->value_n);
}

/* An empty place of the set, or that of the result which ends first. */
static struct entry *take_place(struct result_cache *cache, uint64_t hash)
{
    uint32_t first = first_of_set(cache, hash);
    uint32_t taken = first;
    for (uint32_t at = first; at < first + RESULT_CACHE_WAYS && cache->tags[taken]; at++)
        if (!cache->tags[at] || entry_at(cache, at)->until_ms < entry_at(cache, taken)->until_ms)
            taken = at;
    cache->tags[taken] = tag_of(hash);
    return entry_at(cache, taken);
}

void *result_cache_keep(struct result_cache *cache, const struct result_key *key, uint64_t hash,
                        int64_t until_ms, size_t value_n)
{
    size_t at = value_at(key->name.n);
    if (until_ms <= cache->now_ms || at > cache->entry_room || value_n > cache->entry_room - at)
        return NULL;
    struct entry *entry = find_entry(cache, key, hash);
    if (!entry)
        entry = take_place(cache, hash);
    entry->until_ms =
        until_ms < cache->now_ms + RESULT_CACHE_MS ? until_ms : cache->now_ms + RESULT_CACHE_MS;
    memcpy(entry->facts, key->facts, sizeof entry->facts);
    entry->name_n = (uint16_t)key->name.n;
    entry->value_n = (uint32_t)value_n;
    if (key->name.n)
        memcpy(entry->bytes, key->name.p, key->name.n);
    return (uint8_t *)entry + at;
}
