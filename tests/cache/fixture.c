#include "fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const uint8_t hash_key[SIPHASH_KEY_BYTES] = {1, 2, 3, 4};

_Atomic unsigned values_alive;

struct cache_config fixture_config(void)
{
    struct cache_config config = cache_config_default();
    config.budget_bytes = 1024 * 1024;
    config.buckets = 4096;
    config.hash_key = hash_key;
    return config;
}

void fixture_init(struct fixture *f, const struct cache_config *config)
{
    struct cache_config usual = fixture_config();
    struct cache_error error = {""};
    static bool registered;
    if (!registered)
        cache_thread_register();
    registered = true;
    f->cache = cache_new(config ? config : &usual, &error);
    cr_assert(f->cache, "%s", error.text);
    cache_reader_init(&f->reader, f->cache);
}

void fixture_fini(struct fixture *f)
{
    cache_reader_fini(&f->reader);
    cache_thread_quiescent();
    cache_free(&f->cache);
    cr_expect(f->cache == NULL);
}

struct value *value_new(int number)
{
    struct value *value = malloc(sizeof *value);
    cr_assert(value);
    *value = (struct value){VALUE_ALIVE, number};
    atomic_fetch_add(&values_alive, 1);
    return value;
}

void value_release(void *object)
{
    struct value *value = object;
    if (value->canary != VALUE_ALIVE)
        abort(); /* released twice */
    value->canary = VALUE_DEAD;
    atomic_fetch_sub(&values_alive, 1);
    free(value);
}

enum cache_put_result put(struct fixture *f, const char *key, enum cache_outcome outcome,
                          uint32_t ttl_s, int number, size_t extra, int64_t now_ms)
{
    struct value *value = value_new(number);
    struct cache_item item = {outcome, ttl_s, value, sizeof *value + extra, value_release};
    enum cache_put_result result = cache_put(f->cache, span_from_string(key), &item, now_ms);
    if (result != CACHE_STORED)
        value_release(value);
    return result;
}

enum cache_state get(struct fixture *f, const char *key, int64_t now_ms, struct cache_hit *hit)
{
    return cache_get(&f->reader, span_from_string(key), now_ms, hit);
}

int number_of(struct fixture *f, const char *key, int64_t now_ms)
{
    struct cache_hit hit;
    if (get(f, key, now_ms, &hit) == CACHE_MISS)
        return -1;
    const struct value *value = hit.object;
    cr_assert(value->canary == VALUE_ALIVE, "%s: a released value", key);
    return value->number;
}

struct cache_stats stats_of(struct fixture *f)
{
    struct cache_stats stats;
    cache_stats(f->cache, &stats);
    return stats;
}

void settle(void)
{
    cache_thread_quiescent();
    urcu_qsbr_barrier();
}
