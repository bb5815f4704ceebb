/*
 * The read side: lookups and claims. Nothing here takes a lock, waits or allocates (G1).
 */
#include "cache/entry.h"

/* The thread's own counter: nobody else writes it, so no atomic addition is needed. */
#define COUNT(reader, name)                                                                        \
    atomic_store_explicit(&(reader)->name,                                                         \
                          atomic_load_explicit(&(reader)->name, memory_order_relaxed) + 1,         \
                          memory_order_relaxed)

int cache_key_match(struct cds_lfht_node *node, const void *key)
{
    const struct span *wanted = key;
    TSAN_ACQUIRE(node);
    const struct cache_entry *e = entry_of_node(node);
    return e->key_n == wanted->n && memcmp(e->key, wanted->p, wanted->n) == 0;
}

struct cache_entry *cache_find(struct cache *cache, struct span key, uint64_t hash)
{
    struct cds_lfht_iter iter;
    cds_lfht_lookup(cache->table, hash, cache_key_match, &key, &iter);
    struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
    return node ? entry_of_node(node) : NULL;
}

static enum cache_state entry_state(const struct cache_entry *e, int64_t now_ms)
{
    if (now_ms < e->expires_ms)
        return CACHE_FRESH;
    return entry_dead(e, now_ms) ? CACHE_MISS : CACHE_STALE;
}

static void count_hit(struct cache_reader *reader, enum cache_state state, unsigned outcome)
{
    if (state == CACHE_STALE)
        COUNT(reader, stale);
    else if (outcome == CACHE_ANSWER)
        COUNT(reader, hits);
    else if (outcome == CACHE_FAILURE)
        COUNT(reader, hits_failure);
    else
        COUNT(reader, hits_negative);
}

static void fill_hit(struct cache_hit *hit, struct cache_entry *e, int64_t now_ms)
{
    hit->outcome = e->outcome;
    hit->object = e->object;
    hit->age_ms = now_ms > e->received_ms ? now_ms - e->received_ms : 0;
    hit->stands_until_ms = 0;
    hit->refresh = false;
    hit->entry = e;
}

/* No entry is asked again before this, whatever its spread; from then on a newer answer may come at
 * any moment (G11). */
static int64_t refreshes_begin_ms(const struct cache_entry *e)
{
    uint32_t life_s = (uint32_t)((e->expires_ms - e->received_ms) / 1000);
    return e->expires_ms - cache_ttl_refresh_lead_ms(life_s, UINT8_MAX);
}

const struct siphash_key *cache_hash_key(const struct cache *cache)
{
    return &cache->hash_key;
}

enum cache_state cache_get_hashed(struct cache_reader *reader, struct span key, uint64_t hash,
                                  int64_t now_ms, struct cache_hit *hit)
{
    struct cache_entry *e = cache_find(reader->cache, key, hash);
    enum cache_state state = e ? entry_state(e, now_ms) : CACHE_MISS;
    if (e)
        entry_touch(e); /* an expired one too: its successor inherits the frequency */
    if (state == CACHE_MISS) {
        COUNT(reader, misses);
        *hit = (struct cache_hit){0};
        return CACHE_MISS;
    }
    count_hit(reader, state, e->outcome);
    fill_hit(hit, e, now_ms);
    bool in_demand = entry_in_demand(e);
    hit->refresh = (state == CACHE_STALE || in_demand) &&
                   now_ms >= atomic_load_explicit(&e->ask_ms, memory_order_relaxed);
    if (in_demand && e->outcome != CACHE_FAILURE)
        hit->stands_until_ms = refreshes_begin_ms(e);
    return state;
}

enum cache_state cache_get(struct cache_reader *reader, struct span key, int64_t now_ms,
                           struct cache_hit *hit)
{
    return cache_get_hashed(reader, key, siphash13(&reader->cache->hash_key, key), now_ms, hit);
}

enum cache_state cache_peek(struct cache *cache, struct span key, int64_t now_ms,
                            struct cache_hit *hit)
{
    struct cache_entry *e = cache_find(cache, key, siphash13(&cache->hash_key, key));
    enum cache_state state = e ? entry_state(e, now_ms) : CACHE_MISS;
    *hit = (struct cache_hit){0};
    if (state != CACHE_MISS)
        fill_hit(hit, e, now_ms);
    return state;
}

uint64_t cache_removals(const struct cache *cache)
{
    return atomic_load_explicit(&cache->removals, memory_order_acquire);
}

/* The word alone is the claim; nothing else is ordered by it. */
static bool claim(_Atomic int64_t *word, int64_t seen, int64_t next)
{
    return atomic_compare_exchange_strong_explicit(word, &seen, next, memory_order_relaxed,
                                                   memory_order_relaxed);
}

bool cache_entry_claim(struct cache_entry *e, int64_t now_ms)
{
    int64_t ask_ms = atomic_load_explicit(&e->ask_ms, memory_order_relaxed);
    return now_ms >= ask_ms && claim(&e->ask_ms, ask_ms, now_ms + CACHE_CLAIM_MS);
}

bool cache_refresh_claim(struct cache_reader *reader, const struct cache_hit *hit, int64_t now_ms)
{
    if (!hit->refresh || !cache_entry_claim(hit->entry, now_ms))
        return false;
    COUNT(reader, refresh_claimed);
    return true;
}

bool cache_rotation_claim(struct cache_reader *reader, const struct cache_hit *hit, int64_t now_ms)
{
    struct cache_entry *e = hit->entry;
    int64_t pause_ms = (int64_t)reader->cache->config.ttl.rotation_s * 1000;
    int64_t last_ms = atomic_load_explicit(&e->rotation_ms, memory_order_relaxed);
    bool due = now_ms - e->received_ms >= pause_ms &&
               (last_ms == INT64_MIN || now_ms - last_ms >= pause_ms);
    if (!due || !claim(&e->rotation_ms, last_ms, now_ms)) {
        COUNT(reader, rotation_refused);
        return false;
    }
    COUNT(reader, rotation_claimed);
    return true;
}

enum cache_rotation cache_rotation_state(const struct cache_hit *hit, int64_t now_ms,
                                         int64_t *asked_ms)
{
    const struct cache_entry *e = hit->entry;
    int64_t granted_ms = atomic_load_explicit(&e->rotation_ms, memory_order_relaxed);
    *asked_ms = 0;
    if (now_ms - e->received_ms <= CACHE_FRESH_MS)
        return CACHE_ROTATION_FRESH;
    if (granted_ms < e->received_ms || now_ms - granted_ms > CACHE_CLAIM_MS)
        return CACHE_ROTATION_NONE;
    *asked_ms = now_ms - granted_ms;
    return CACHE_ROTATION_ASKED;
}
