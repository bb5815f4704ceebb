/*
 * Measurements of the shared cache, for cache_bench and for assay-load: a hit beside a lookup in an
 * unlocked table (bench/plain_table.h) with the same keys, and readers' latency with an owner at
 * work. One at a time; the caller's thread must not be registered with the cache.
 */
#ifndef BENCH_CACHE_MEASURE_H
#define BENCH_CACHE_MEASURE_H

#include <stdint.h>

#include "cache/cache.h"

enum
{
    CACHE_MEASURE_NAMES_MIN = 100,
    CACHE_MEASURE_NAMES_MAX = 9000000,
    CACHE_MEASURE_THREADS_MAX = 2,
    CACHE_MEASURE_ROUNDS = 5,
    CACHE_MEASURE_LOOKUPS = 200 * 1000, /* a thread and round */
    CACHE_MEASURE_SAMPLES = 300 * 1000, /* latencies a round */
    CACHE_MEASURE_OBJECT = 600,         /* bytes charged; a parsed 2048-bit key */
};

enum cache_measure_kind
{
    CACHE_MEASURE_UNIFORM, /* all names */
    CACHE_MEASURE_ZIPF,    /* all names, rank r with a chance of 1/r */
    CACHE_MEASURE_HOT,     /* 500 of them: what a farm asks for all day */
    CACHE_MEASURE_KINDS,
};

/* "uniform", "zipf", "hot". Static. */
const char *cache_measure_word(enum cache_measure_kind kind);

/* Fills the cache to its budget and both tables with `names` names. */
void cache_measure_open(unsigned names);
void cache_measure_close(void);
void cache_measure_stats(struct cache_stats *stats);
/* Draws the sequence of keys that the calls below look up. */
void cache_measure_prepare(enum cache_measure_kind kind);

struct cache_measure_cost /* medians of the rounds */
{
    double ns, sip_ns, unkeyed_ns; /* CPU of a hit; unlocked tables, keyed as the cache and not */
    double ratio_to_sip, ratio_unkeyed; /* of the same round */
    double found;                       /* share of lookups that hit: 1 */
};
void cache_measure_cost(unsigned threads, struct cache_measure_cost *cost);

struct cache_measure_latency /* of single lookups, medians of the rounds */
{
    double p50, p99, p999; /* ns, no owner at work */
    double busy_p50, busy_p99, busy_p999;
    double updates;    /* a second, by the owner */
    double p999_ratio; /* with to without */
};
void cache_measure_latency(struct cache_measure_latency *latency);

#endif
