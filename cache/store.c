/*
 * The write side: put, remove, flush, due. All changes happen under the cache's lock; a retired
 * entry waits for its grace period on liburcu's call_rcu thread.
 */
#include "cache/entry.h"

#include <stdlib.h>

/* --- the end of an entry --- */

/* Runs on call_rcu's thread: every reader has passed a quiescent state since the retirement. */
static void entry_reclaim(struct rcu_head *head)
{
    TSAN_ACQUIRE(TSAN_GRACE);
    TSAN_ACQUIRE(head);
    struct cache_entry *e = entry_of_rcu(head);
    struct cache *cache = e->cache;
    uint32_t bytes = e->bytes;
    if (e->release)
        e->release(e->object);
    free(e);
    atomic_fetch_sub_explicit(&cache->retired_bytes, bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(&cache->retired_entries, 1, memory_order_relaxed);
    TSAN_RELEASE(cache);
}

/* The entry is out of table, queues and wheel; readers may still hold it. */
static void entry_retire(struct cache *cache, struct cache_entry *e)
{
    atomic_fetch_add_explicit(&cache->retired_bytes, e->bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&cache->retired_entries, 1, memory_order_relaxed);
#ifdef CACHE_NO_GRACE_PERIOD
    /* Negative control: the stress test and ThreadSanitizer must find this. Never in a product. */
    entry_reclaim(&e->rcu);
#else
    TSAN_RELEASE(&e->rcu);
    urcu_qsbr_call_rcu(&e->rcu, entry_reclaim);
#endif
}

/* For an entry that is already out of its queue. */
static void entry_unlink(struct cache *cache, struct cache_entry *e)
{
    int removed = cds_lfht_del(cache->table, &e->node);
    assert(removed == 0);
    (void)removed;
    wheel_remove(&e->wheel);
    cache->totals.entries--;
    entry_retire(cache, e);
}

static void entry_remove(struct cache *cache, struct cache_entry *e)
{
    s3fifo_remove(&cache->queues, e);
    entry_unlink(cache, e);
    cache->totals.removed++;
}

/* --- the start of an entry --- */

static struct cache_entry *entry_new(struct cache *cache, struct span key,
                                     const struct cache_item *item)
{
    struct cache_entry *e = NULL;
    if (posix_memalign((void **)&e, 64, sizeof *e + key.n) != 0)
        return NULL;
    memset(e, 0, sizeof *e);
    e->cache = cache;
    e->release = item->release;
    e->object = item->object;
    e->outcome = (uint8_t)item->outcome;
    e->bytes = (uint32_t)cache_charge(key.n, item->bytes);
    e->key_n = (uint16_t)key.n;
    memcpy(e->key, key.p, key.n);
    atomic_init(&e->rotation_ms, INT64_MIN);
    atomic_init(&e->stale_until_ms, INT64_MIN);
    return e;
}

/* What a new entry takes over from the one that it replaces. */
static void entry_inherit(struct cache_entry *e, const struct cache_entry *old)
{
    if (e->outcome == CACHE_FAILURE)
        e->failures = old ? old->failures : 0;
    if (!old)
        return;
    entry_set_frequency(e, entry_frequency(old));
    atomic_store_explicit(&e->rotation_ms,
                          atomic_load_explicit(&old->rotation_ms, memory_order_relaxed),
                          memory_order_relaxed);
}

/* One failure more; the time until the next try. */
static int64_t entry_fail(struct cache_entry *e, const struct cache_ttl_rules *rules)
{
    if (e->failures < UINT8_MAX)
        e->failures++;
    return (int64_t)cache_ttl_failure_seconds(rules, e->failures) * 1000;
}

static void entry_set_times(struct cache_entry *e, const struct cache_ttl_rules *rules,
                            uint32_t ttl_s, int64_t received_ms, uint64_t hash)
{
    e->received_ms = received_ms;
    if (e->outcome == CACHE_FAILURE) {
        e->expires_ms = received_ms + entry_fail(e, rules);
        atomic_init(&e->ask_ms, e->expires_ms);
        return;
    }
    uint32_t kept_s = cache_ttl_seconds(rules, e->outcome, ttl_s);
    e->expires_ms = received_ms + (int64_t)kept_s * 1000;
    atomic_init(&e->ask_ms,
                e->expires_ms - cache_ttl_refresh_lead_ms(kept_s, (uint8_t)(hash >> 24)));
}

/* --- put --- */

static void make_room(struct cache *cache, size_t bytes, int64_t now_ms)
{
    bool to_ghost = false;
    while (s3fifo_bytes(&cache->queues) + bytes > cache->config.budget_bytes) {
        struct cache_entry *e = s3fifo_victim(&cache->queues, now_ms, &to_ghost);
        assert(e); /* entry_max_bytes is below the budget */
        if (to_ghost)
            ghost_add(&cache->queues.ghost, siphash13(&cache->hash_key, entry_key(e)), e->bytes);
        entry_unlink(cache, e);
        cache->totals.evicted++;
    }
}

/* Puts `e` into the queue where it belongs: its predecessor's, or a new key's. */
static void queue_in(struct cache *cache, struct cache_entry *e, unsigned old_queue, uint64_t hash,
                     int64_t now_ms)
{
    make_room(cache, e->bytes, now_ms);
    if (old_queue != S3_NONE) {
        s3fifo_insert_into(&cache->queues, e, old_queue);
        return;
    }
    bool ghost = ghost_take(&cache->queues.ghost, hash);
    cache->totals.ghost_hits += ghost;
    s3fifo_insert(&cache->queues, e, ghost);
}

/* Replaces `old` (may be NULL) by `e`: for readers in one step (G3). */
static void publish(struct cache *cache, struct cache_entry *e, struct cache_entry *old,
                    uint64_t hash, int64_t now_ms)
{
    struct span key = entry_key(e);
    unsigned old_queue = old ? old->queue : S3_NONE;
    if (old)
        s3fifo_remove(&cache->queues, old); /* so that make_room cannot choose it */
    queue_in(cache, e, old_queue, hash, now_ms);
    if (e->outcome != CACHE_FAILURE)
        wheel_add(&cache->wheel, &e->wheel, atomic_load_explicit(&e->ask_ms, memory_order_relaxed),
                  now_ms);
    TSAN_RELEASE(&e->node);
    struct cds_lfht_node *replaced =
        cds_lfht_add_replace(cache->table, hash, cache_key_match, &key, &e->node);
    assert(replaced == (old ? &old->node : NULL));
    (void)replaced;
    cache->totals.stored++;
    if (!old) {
        cache->totals.entries++;
        return;
    }
    cache->totals.replaced++;
    wheel_remove(&old->wheel);
    entry_retire(cache, old);
}

/*
 * G6: what may still be used outlives the failure. An answer may be used stale from now on; an
 * empty answer or NXDOMAIN only until it expires (negative answers have a hard ceiling, L07).
 */
static bool outlives_failure(struct cache *cache, struct cache_entry *old, int64_t now_ms)
{
    const struct cache_ttl_rules *rules = &cache->config.ttl;
    if (!old || old->outcome == CACHE_FAILURE)
        return false;
    int64_t end_ms = old->expires_ms;
    if (old->outcome == CACHE_ANSWER)
        end_ms += (int64_t)rules->stale_s * 1000;
    if (now_ms >= end_ms)
        return false;
    int64_t retry_ms = now_ms + entry_fail(old, rules);
    atomic_store_explicit(&old->stale_until_ms, end_ms, memory_order_relaxed);
    atomic_store_explicit(&old->ask_ms, retry_ms, memory_order_relaxed);
    wheel_remove(&old->wheel);
    wheel_add(&cache->wheel, &old->wheel, retry_ms, now_ms);
    cache->totals.kept++;
    return true;
}

/* G7: an older answer does not stay where the newer one could not be kept. */
static enum cache_put_result refuse(struct cache *cache, struct cache_entry *old,
                                    enum cache_put_result why)
{
    if (old)
        entry_remove(cache, old);
    cache->totals.refused++;
    cache->totals.backlog += why == CACHE_BACKLOG;
    return why;
}

static bool too_large(const struct cache *cache, struct span key, const struct cache_item *item)
{
    size_t most = cache->config.entry_max_bytes, least = cache_charge(key.n, 0);
    return least > most || item->bytes > most - least;
}

static enum cache_put_result put_locked(struct cache *cache, struct span key,
                                        const struct cache_item *item, unsigned frequency,
                                        int64_t received_ms, int64_t now_ms)
{
    uint64_t hash = siphash13(&cache->hash_key, key);
    struct cache_entry *old = cache_find(cache, key, hash);
    if (item->outcome == CACHE_FAILURE && outlives_failure(cache, old, now_ms))
        return CACHE_KEPT;
    if (too_large(cache, key, item))
        return refuse(cache, old, CACHE_TOO_LARGE);
    if (atomic_load_explicit(&cache->retired_bytes, memory_order_relaxed) >
        cache->config.retired_max_bytes)
        return refuse(cache, old, CACHE_BACKLOG);
    struct cache_entry *e = entry_new(cache, key, item);
    if (!e)
        return refuse(cache, old, CACHE_NO_MEMORY);
    entry_set_frequency(e, frequency);
    entry_inherit(e, old);
    entry_set_times(e, &cache->config.ttl, item->ttl_s, received_ms, hash);
    publish(cache, e, old, hash, now_ms);
    return CACHE_STORED;
}

enum cache_put_result cache_put_aged(struct cache *cache, struct span key,
                                     const struct cache_item *item, unsigned frequency,
                                     int64_t received_ms, int64_t now_ms)
{
    assert(key.n >= 1 && key.n <= CACHE_KEY_MAX);
    assert(item->outcome >= CACHE_ANSWER && item->outcome <= CACHE_FAILURE);
    pthread_mutex_lock(&cache->lock);
    enum cache_put_result result = put_locked(cache, key, item, frequency, received_ms, now_ms);
    pthread_mutex_unlock(&cache->lock);
    return result;
}

enum cache_put_result cache_put(struct cache *cache, struct span key, const struct cache_item *item,
                                int64_t now_ms)
{
    return cache_put_aged(cache, key, item, 0, now_ms, now_ms);
}

/* --- remove and flush --- */

/* A release: who reads the new number does not find what was removed (cache_removals). */
static void count_removal(struct cache *cache)
{
    atomic_fetch_add_explicit(&cache->removals, 1, memory_order_release);
}

bool cache_remove(struct cache *cache, struct span key)
{
    uint64_t hash = siphash13(&cache->hash_key, key);
    pthread_mutex_lock(&cache->lock);
    struct cache_entry *e = cache_find(cache, key, hash);
    if (e)
        entry_remove(cache, e);
    pthread_mutex_unlock(&cache->lock);
    count_removal(cache);
    return e != NULL;
}

/* The walk runs without the lock, so another writer may have been faster: then `queue` says so. */
static bool flush_one(struct cache *cache, struct cache_entry *e)
{
    pthread_mutex_lock(&cache->lock);
    bool linked = e->queue != S3_NONE;
    if (linked)
        entry_remove(cache, e);
    pthread_mutex_unlock(&cache->lock);
    return linked;
}

size_t cache_flush(struct cache *cache, bool (*matches)(struct span key, void *context),
                   void *context)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    size_t removed = 0;
    cds_lfht_for_each(cache->table, &iter, node)
    {
        TSAN_ACQUIRE(node);
        struct cache_entry *e = entry_of_node(node);
        if (!matches || matches(entry_key(e), context))
            removed += flush_one(cache, e);
    }
    count_removal(cache);
    return removed;
}

/* --- due --- */

/* An entry whose second has come: true where it is to be asked again. Puts it back where not yet.
 */
static bool due_visit(struct cache *cache, struct cache_entry *e, int64_t now_ms)
{
    if (entry_dead(e, now_ms))
        return false;
    bool early = now_ms < atomic_load_explicit(&e->ask_ms, memory_order_relaxed);
    if (!early && !entry_in_demand(e))
        return false; /* from here on a reader's own hit brings it up again */
    bool claimed = !early && cache_entry_claim(e, now_ms);
    wheel_add(&cache->wheel, &e->wheel, atomic_load_explicit(&e->ask_ms, memory_order_relaxed),
              now_ms);
    return claimed;
}

size_t cache_due(struct cache *cache, int64_t now_ms, struct cache_due_key *out, size_t capacity)
{
    size_t found = 0;
    pthread_mutex_lock(&cache->lock);
    for (unsigned visits = 0; visits < CACHE_DUE_VISITS && found < capacity; visits++) {
        struct wheel_node *node = wheel_next(&cache->wheel, now_ms);
        if (!node)
            break;
        struct cache_entry *e = entry_of_wheel(node);
        if (!due_visit(cache, e, now_ms))
            continue;
        memcpy(out[found].key, e->key, e->key_n);
        out[found++].key_n = e->key_n;
    }
    cache->totals.due += found;
    pthread_mutex_unlock(&cache->lock);
    return found;
}
