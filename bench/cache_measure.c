/*
 * The measurements of the shared cache. Times are CPU time of the reading threads, so that other
 * work on the machine counts little; the tables compared take turns, and each figure is the median
 * of the rounds. A lookup's key comes from a prepared sequence that is read in order: its own
 * memory costs all tables the same, and little. A latency is one lookup between two readings of the
 * time stamp counter, their own cost taken off.
 */
#include "bench/cache_measure.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "bench/bench.h"
#include "bench/draw.h"
#include "bench/plain_table.h"
#include "cache/tsan.h"

enum
{
    KEY_MAX = 64,
    SEQUENCE = 1 << 17,  /* lookups prepared a thread */
    READ_SECTION = 32,   /* lookups between quiescent states */
    UPDATES_PER_MS = 10, /* 10,000 a second */
    HOT_NAMES = 500,     /* what a farm asks for all day */
    NOW_MS = 1000,
};

struct key
{
    uint8_t n;
    uint8_t bytes[KEY_MAX - 1];
};

static unsigned names;
static struct key *sequences[CACHE_MEASURE_THREADS_MAX];
static struct cache *cache;
static struct plain sip, unkeyed;
static double per_ns;
static uint64_t random_state = 88172645463325252;

/* s<number>._domainkey.d<number>.example, wire form, and type TXT. */
static struct key key_of(uint64_t number)
{
    struct key key;
    char text[KEY_MAX];
    int n = snprintf(text, sizeof text,
                     "%cs%06lu\x0a_domainkey%cd%07lu\x07"
                     "example%c%c%c",
                     7, number % 1000000, 8, number % 10000000, 0, 0, 16);
    key.n = (uint8_t)n;
    memcpy(key.bytes, text, (size_t)n);
    return key;
}

static struct span key_span(const struct key *key)
{
    return span_of(key->bytes, key->n);
}

/* --- the cache --- */

static void store(uint64_t number)
{
    struct key key = key_of(number);
    struct cache_item item = {CACHE_ANSWER, 3600, plain_need(malloc(64)), CACHE_MEASURE_OBJECT,
                              free};
    if (cache_put(cache, key_span(&key), &item, NOW_MS) != CACHE_STORED)
        abort();
}

static void plain_fill(struct plain *plain, hash_function *hash)
{
    plain_init(plain, names, hash);
    for (unsigned i = 0; i < names; i++) {
        struct key key = key_of(i);
        plain_put(plain, key_span(&key), plain_need(malloc(64)));
    }
}

/* Filled to its budget, so that each new name evicts one. */
static void cache_fill(void)
{
    struct cache_config config = cache_config_default();
    struct cache_error error;
    struct key key = key_of(0);
    config.budget_bytes = names * cache_charge(key.n, CACHE_MEASURE_OBJECT);
    if (config.budget_bytes < CACHE_BUDGET_MIN)
        config.budget_bytes = CACHE_BUDGET_MIN;
    config.buckets = names;
    config.retired_max_bytes = config.budget_bytes;
    cache = plain_need(cache_new(&config, &error));
    for (unsigned i = 0; i < names; i++)
        store(i);
}

/* --- rounds --- */

void cache_measure_prepare(enum cache_measure_kind kind)
{
    unsigned of = kind == CACHE_MEASURE_HOT && names > HOT_NAMES ? HOT_NAMES : names;
    double *sums = plain_need(malloc(names * sizeof *sums)), sum = 0;
    for (unsigned i = 0; i < of; i++)
        sums[i] = sum += kind == CACHE_MEASURE_ZIPF ? 1.0 / (i + 1) : 1;
    for (unsigned t = 0; t < CACHE_MEASURE_THREADS_MAX; t++)
        for (unsigned i = 0; i < SEQUENCE; i++) {
            double wanted = draw_share(draw_next(&random_state)) * sum;
            unsigned low = draw_weighted(sums, of, wanted);
            sequences[t][i] = key_of((uint64_t)low * 2654435761 % names);
        }
    free(sums);
}

struct job
{
    pthread_t thread;
    const struct plain *plain; /* NULL: the cache */
    const struct key *sequence;
    unsigned lookups;
    uint64_t found;
    double ns; /* of one lookup */
    pthread_barrier_t *start;
};

static double thread_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run_plain(struct job *job)
{
    for (unsigned i = 0; i < job->lookups; i++) {
        void *object = plain_get(job->plain, key_span(&job->sequence[i % SEQUENCE]));
        bench_keep(object);
        job->found += object != NULL;
    }
}

static void run_cache(struct job *job, struct cache_reader *reader)
{
    struct cache_hit hit;
    for (unsigned i = 0; i < job->lookups; i++) {
        job->found +=
            cache_get(reader, key_span(&job->sequence[i % SEQUENCE]), NOW_MS, &hit) == CACHE_FRESH;
        bench_keep(hit.object);
        if (i % READ_SECTION == READ_SECTION - 1)
            cache_thread_quiescent();
    }
}

static void *job_main(void *argument)
{
    struct job *job = argument;
    struct cache_reader reader;
    pthread_barrier_wait(job->start);
    cache_thread_register();
    cache_reader_init(&reader, cache);
    double begin = thread_ns();
    if (job->plain)
        run_plain(job);
    else
        run_cache(job, &reader);
    job->ns = (thread_ns() - begin) / job->lookups;
    cache_reader_fini(&reader);
    cache_thread_unregister();
    return NULL;
}

/* Nanoseconds of CPU a lookup, mean of the threads. */
static double round_ns(const struct plain *plain, unsigned threads, uint64_t *found)
{
    struct job jobs[CACHE_MEASURE_THREADS_MAX];
    pthread_barrier_t start;
    double ns = 0;
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned t = 0; t < threads; t++) {
        jobs[t] = (struct job){.plain = plain,
                               .sequence = sequences[t],
                               .lookups = CACHE_MEASURE_LOOKUPS,
                               .start = &start};
        if (pthread_create(&jobs[t].thread, NULL, job_main, &jobs[t]) != 0)
            abort();
    }
    for (unsigned t = 0; t < threads; t++) {
        pthread_join(jobs[t].thread, NULL);
        ns += jobs[t].ns / threads;
        *found += jobs[t].found;
    }
    pthread_barrier_destroy(&start);
    return ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

void cache_measure_cost(unsigned threads, struct cache_measure_cost *cost)
{
    double ns[3][CACHE_MEASURE_ROUNDS], ratio[2][CACHE_MEASURE_ROUNDS];
    uint64_t found = 0, of = (uint64_t)3 * CACHE_MEASURE_ROUNDS * threads * CACHE_MEASURE_LOOKUPS;
    for (unsigned r = 0; r < CACHE_MEASURE_ROUNDS; r++) {
        ns[0][r] = round_ns(NULL, threads, &found);
        ns[1][r] = round_ns(&sip, threads, &found);
        ns[2][r] = round_ns(&unkeyed, threads, &found);
        ratio[0][r] = ns[0][r] / ns[1][r];
        ratio[1][r] = ns[0][r] / ns[2][r];
    }
    *cost = (struct cache_measure_cost){
        .ns = median(ns[0], CACHE_MEASURE_ROUNDS),
        .sip_ns = median(ns[1], CACHE_MEASURE_ROUNDS),
        .unkeyed_ns = median(ns[2], CACHE_MEASURE_ROUNDS),
        .ratio_to_sip = median(ratio[0], CACHE_MEASURE_ROUNDS),
        .ratio_unkeyed = median(ratio[1], CACHE_MEASURE_ROUNDS),
        .found = (double)found / (double)of,
    };
}

/* --- latency --- */

static uint64_t ticks(void)
{
#if defined(__x86_64__)
    unsigned processor;
    uint64_t now = __rdtscp(&processor);
    _mm_lfence();
    return now;
#else
    return bench_now_ns();
#endif
}

static double ticks_per_ns(void)
{
    uint64_t ns = bench_now_ns(), t = ticks();
    while (bench_now_ns() - ns < 20 * 1000 * 1000)
        ;
    return (double)(ticks() - t) / (double)(bench_now_ns() - ns);
}

static int by_ticks(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct latency
{
    double p50, p99, p999; /* ns */
};

static struct latency latencies(struct cache_reader *reader, uint32_t *samples)
{
    struct cache_hit hit;
    uint64_t own = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        uint64_t begin = ticks(), cost = ticks() - begin;
        own = cost < own ? cost : own;
    }
    for (unsigned i = 0; i < CACHE_MEASURE_SAMPLES; i++) {
        struct span key = key_span(&sequences[0][i % SEQUENCE]);
        uint64_t begin = ticks();
        enum cache_state state = cache_get(reader, key, NOW_MS, &hit);
        uint64_t cost = ticks() - begin;
        bench_keep(hit.object);
        samples[i] = (uint32_t)(cost > own + UINT32_MAX ? UINT32_MAX : cost > own ? cost - own : 0);
        if (state == CACHE_MISS || i % READ_SECTION == READ_SECTION - 1)
            cache_thread_quiescent();
    }
    qsort(samples, CACHE_MEASURE_SAMPLES, sizeof *samples, by_ticks);
    return (struct latency){samples[CACHE_MEASURE_SAMPLES / 2] / per_ns,
                            samples[CACHE_MEASURE_SAMPLES / 100 * 99] / per_ns,
                            samples[CACHE_MEASURE_SAMPLES / 1000 * 999] / per_ns};
}

/*
 * Reader and owner on processors of their own where there are two: whom the scheduler makes wait
 * on one processor says nothing about the cache.
 */
static void pin(unsigned processor)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
        return;
    CPU_ZERO(&one);
    for (unsigned i = 0, nth = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed) && nth++ == processor)
            CPU_SET(i, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static _Atomic bool stop;
static _Atomic uint64_t updates;
static cpu_set_t all_processors;

/* Every millisecond UPDATES_PER_MS puts: half of them new names, which evict, half replacements. */
static void *owner_main(void *argument)
{
    struct timespec next;
    uint64_t number = names, random = 42;
    sched_setaffinity(0, sizeof(cpu_set_t), argument); /* not the reader's */
    pin(1);
    cache_thread_register();
    clock_gettime(CLOCK_MONOTONIC, &next);
    while (!stop) {
        for (unsigned i = 0; i < UPDATES_PER_MS; i++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            store(i % 2 ? number++ : (random >> 20) % names);
        }
        updates += UPDATES_PER_MS;
        next.tv_nsec += 1000000;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        cache_thread_offline();
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        cache_thread_online();
    }
    cache_thread_unregister();
    return NULL;
}

static double rate_of(uint64_t count, uint64_t begin_ns)
{
    return (double)count * 1e9 / (double)(bench_now_ns() - begin_ns);
}

static struct latency with_owner(struct cache_reader *reader, uint32_t *samples, double *rate)
{
    pthread_t owner;
    uint64_t begin = bench_now_ns();
    stop = false;
    updates = 0;
    if (pthread_create(&owner, NULL, owner_main, &all_processors) != 0)
        abort();
    struct latency l = latencies(reader, samples);
    cache_thread_offline();
    *rate = rate_of(updates, begin);
    stop = true;
    pthread_join(owner, NULL);
    cache_thread_online();
    return l;
}

struct latency_rounds
{
    double p50[CACHE_MEASURE_ROUNDS], p99[CACHE_MEASURE_ROUNDS], p999[CACHE_MEASURE_ROUNDS];
};

static void keep_round(struct latency_rounds *rounds, unsigned r, struct latency l)
{
    rounds->p50[r] = l.p50;
    rounds->p99[r] = l.p99;
    rounds->p999[r] = l.p999;
}

void cache_measure_latency(struct cache_measure_latency *latency)
{
    static uint32_t samples[CACHE_MEASURE_SAMPLES];
    struct latency_rounds quiet, busy;
    struct cache_reader reader;
    double rate[CACHE_MEASURE_ROUNDS], ratio[CACHE_MEASURE_ROUNDS];
    sched_getaffinity(0, sizeof all_processors, &all_processors);
    cache_thread_register();
    cache_reader_init(&reader, cache);
    for (unsigned r = 0; r < CACHE_MEASURE_ROUNDS; r++) {
        keep_round(&quiet, r, latencies(&reader, samples));
        keep_round(&busy, r, with_owner(&reader, samples, &rate[r]));
        ratio[r] = busy.p999[r] / quiet.p999[r];
    }
    cache_reader_fini(&reader);
    cache_thread_unregister();
    *latency = (struct cache_measure_latency){
        .p50 = median(quiet.p50, CACHE_MEASURE_ROUNDS),
        .p99 = median(quiet.p99, CACHE_MEASURE_ROUNDS),
        .p999 = median(quiet.p999, CACHE_MEASURE_ROUNDS),
        .busy_p50 = median(busy.p50, CACHE_MEASURE_ROUNDS),
        .busy_p99 = median(busy.p99, CACHE_MEASURE_ROUNDS),
        .busy_p999 = median(busy.p999, CACHE_MEASURE_ROUNDS),
        .updates = median(rate, CACHE_MEASURE_ROUNDS),
        .p999_ratio = median(ratio, CACHE_MEASURE_ROUNDS),
    };
}

const char *cache_measure_word(enum cache_measure_kind kind)
{
    static const char *const words[] = {"uniform", "zipf", "hot"};
    return words[kind];
}

void cache_measure_open(unsigned wanted)
{
    names = wanted;
    for (unsigned t = 0; t < CACHE_MEASURE_THREADS_MAX; t++)
        sequences[t] = plain_need(malloc(SEQUENCE * sizeof(struct key)));
    cache_thread_register();
    cache_fill();
    cache_thread_unregister();
    plain_fill(&sip, hash_sip);
    plain_fill(&unkeyed, hash_multiply);
    per_ns = ticks_per_ns();
}

void cache_measure_close(void)
{
    plain_fini(&sip);
    plain_fini(&unkeyed);
    cache_free(&cache);
    for (unsigned t = 0; t < CACHE_MEASURE_THREADS_MAX; t++)
        free(sequences[t]);
}

void cache_measure_stats(struct cache_stats *stats)
{
    cache_stats(cache, stats);
}
