/* What the cache's tests share: a cache with a known hash key, one reader, values that count. */
#ifndef TESTS_CACHE_FIXTURE_H
#define TESTS_CACHE_FIXTURE_H

#include "cache/cache.h"
#include "cache/tsan.h"

struct fixture
{
    struct cache *cache;
    struct cache_reader reader;
};

/* A value: malloc'd, poisoned and counted when it is released. */
struct value
{
    uint32_t canary;
    int number;
};

enum
{
    VALUE_ALIVE = 0x600df00d,
    VALUE_DEAD = 0x0badf00d,
};

extern _Atomic unsigned values_alive;

/* The process registers its thread on the first call. */
void fixture_init(struct fixture *f, const struct cache_config *config);
/* 1 MiB, 4,096 buckets, default rules, fixed hash key. */
struct cache_config fixture_config(void);
void fixture_fini(struct fixture *f);

struct value *value_new(int number);
void value_release(void *object);

/* Puts value `number` with sizeof(struct value) + `extra` bytes charged; frees it where refused. */
enum cache_put_result put(struct fixture *f, const char *key, enum cache_outcome outcome,
                          uint32_t ttl_s, int number, size_t extra, int64_t now_ms);
enum cache_state get(struct fixture *f, const char *key, int64_t now_ms, struct cache_hit *hit);
/* The number stored under a fresh or stale key, -1 on a miss; crashes the test on a dead value. */
int number_of(struct fixture *f, const char *key, int64_t now_ms);
struct cache_stats stats_of(struct fixture *f);
/* Ends the read section and waits until everything retired was released. */
void settle(void);

#endif
