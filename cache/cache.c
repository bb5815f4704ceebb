/*
 * Creation, end and statistics of the cache; cache.h has the contract.
 */
#include "cache/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum
{
    BUCKETS_MAX = 1 << 26,
    ENTRIES_PER_BUDGET_MIN = 16, /* no entry takes more than a 16th of the budget */
};

static bool fail(struct cache_error *error, const char *text)
{
    snprintf(error->text, sizeof error->text, "cache: %s", text);
    return false;
}

struct cache_config cache_config_default(void)
{
    return (struct cache_config){
        .budget_bytes = 256 * 1024 * 1024,
        .entry_max_bytes = 16 * 1024,
        .retired_max_bytes = 64 * 1024 * 1024,
        .buckets = 1 << 18,
        .ttl = CACHE_TTL_RULES_DEFAULT,
    };
}

static bool config_check(const struct cache_config *config, struct cache_error *error)
{
    if (config->budget_bytes < CACHE_BUDGET_MIN)
        return fail(error, "the budget is below 64 KiB");
    if (config->entry_max_bytes <= CACHE_ENTRY_OVERHEAD || config->entry_max_bytes > UINT32_MAX)
        return fail(error, "the largest entry is below its overhead or above 4 GiB");
    if (config->buckets == 0 || config->buckets > BUCKETS_MAX)
        return fail(error, "buckets: 1 to 2^26 are possible");
    if (!cache_ttl_rules_valid(&config->ttl))
        return fail(error, "a TTL floor is 0 or above its ceiling, or a ceiling above a day");
    return true;
}

static bool draw_hash_key(struct cache *cache, const uint8_t *given, struct cache_error *error)
{
    uint8_t bytes[SIPHASH_KEY_BYTES];
    if (given)
        memcpy(bytes, given, sizeof bytes);
    else if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return fail(error, "no random bytes for the hash key");
    cache->hash_key = siphash_key_from(bytes);
    explicit_bzero(bytes, sizeof bytes);
    return true;
}

static bool make_parts(struct cache *cache, struct cache_error *error)
{
    size_t buckets = 1;
    while (buckets < cache->config.buckets)
        buckets *= 2;
    /* Fixed size: a resize that is under way can hang cds_lfht_destroy before liburcu 0.14. */
    cache->table = cds_lfht_new_flavor(buckets, buckets, buckets, 0, &urcu_qsbr_flavor, NULL);
    if (!cache->table || !s3fifo_init(&cache->queues, cache->config.budget_bytes, buckets) ||
        !wheel_init(&cache->wheel, cache->config.ttl.answer_max_s > cache->config.ttl.negative_max_s
                                       ? cache->config.ttl.answer_max_s
                                       : cache->config.ttl.negative_max_s))
        return fail(error, "no memory for the table");
    cache->fixed_bytes = sizeof *cache + buckets * sizeof(struct cds_lfht_node) +
                         ghost_bytes(&cache->queues.ghost) + wheel_bytes(&cache->wheel);
    return true;
}

static void free_parts(struct cache *cache)
{
    wheel_fini(&cache->wheel);
    s3fifo_fini(&cache->queues);
    if (cache->table && cds_lfht_destroy(cache->table, NULL) != 0)
        abort(); /* entries left in the table: our bug */
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

struct cache *cache_new(const struct cache_config *config, struct cache_error *error)
{
    struct cache *cache = NULL;
    if (!config_check(config, error))
        return NULL;
    if (posix_memalign((void **)&cache, 64, sizeof *cache) != 0) {
        fail(error, "no memory");
        return NULL;
    }
    memset(cache, 0, sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    cache->config = *config;
    cache->config.hash_key = NULL;
    if (cache->config.entry_max_bytes > config->budget_bytes / ENTRIES_PER_BUDGET_MIN)
        cache->config.entry_max_bytes = config->budget_bytes / ENTRIES_PER_BUDGET_MIN;
    if (!draw_hash_key(cache, config->hash_key, error) || !make_parts(cache, error)) {
        free_parts(cache);
        return NULL;
    }
    urcu_qsbr_get_default_call_rcu_data(); /* its thread starts here, not under load */
    return cache;
}

static void free_entries(struct cache *cache)
{
    struct cache_entry *e;
    bool to_ghost;
    while ((e = s3fifo_victim(&cache->queues, INT64_MIN, &to_ghost)) != NULL) {
        cds_lfht_del(cache->table, &e->node);
        if (e->release)
            e->release(e->object);
        free(e);
    }
}

void cache_free(struct cache **cache)
{
    if (!*cache)
        return;
    urcu_qsbr_barrier(); /* what was retired is released, and so no reader is left */
    TSAN_ACQUIRE(TSAN_GRACE);
    TSAN_ACQUIRE(*cache);
    free_entries(*cache);
    free_parts(*cache);
    *cache = NULL;
}

void cache_reader_init(struct cache_reader *reader, struct cache *cache)
{
    memset(reader, 0, sizeof *reader);
    reader->cache = cache;
    pthread_mutex_lock(&cache->lock);
    reader->next = cache->readers;
    cache->readers = reader;
    pthread_mutex_unlock(&cache->lock);
}

static void add_reader(struct cache_stats *sum, struct cache_reader *reader)
{
#define ADD(name) sum->name += atomic_load_explicit(&reader->name, memory_order_relaxed);
    CACHE_READER_COUNTERS(ADD)
#undef ADD
}

void cache_reader_fini(struct cache_reader *reader)
{
    struct cache *cache = reader->cache;
    pthread_mutex_lock(&cache->lock);
    struct cache_reader **link = &cache->readers;
    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
    add_reader(&cache->totals, reader);
    pthread_mutex_unlock(&cache->lock);
    reader->cache = NULL;
}

void cache_stats(struct cache *cache, struct cache_stats *stats)
{
    pthread_mutex_lock(&cache->lock);
    *stats = cache->totals;
    for (struct cache_reader *reader = cache->readers; reader; reader = reader->next)
        add_reader(stats, reader);
    stats->bytes = s3fifo_bytes(&cache->queues);
    pthread_mutex_unlock(&cache->lock);
    stats->budget_bytes = cache->config.budget_bytes;
    stats->fixed_bytes = cache->fixed_bytes;
    stats->retired_bytes = atomic_load_explicit(&cache->retired_bytes, memory_order_relaxed);
    stats->retired_entries = atomic_load_explicit(&cache->retired_entries, memory_order_relaxed);
}
