/*
 * The shared cache: what a hit costs beside a plain hash table without any lock on the same keys,
 * and what owners at work do to the readers' latency.
 *
 *   cache_bench [NAMES]       default 1,000,000 (or ASSAY_CACHE_NAMES)
 *
 * Times are CPU time of the reading threads, so that other work on the machine counts little; the
 * tables compared take turns, and each figure is the median of ROUNDS rounds. A lookup's key
 * comes from a prepared sequence that is read in order: its own memory costs both tables the same,
 * and little. A latency is one lookup between two readings of the time stamp counter, their own
 * cost taken off.
 *
 * The unlocked table (bench/plain_table.h) is as large as the cache's. It is measured with the
 * cache's keyed hash, which attackers make necessary (security.md L05), and with a cheap one
 * without a key.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "bench/bench.h"
#include "bench/plain_table.h"
#include "cache/cache.h"
#include "cache/tsan.h"

enum
{
    NAMES_DEFAULT = 1000 * 1000,
    KEY_MAX = 64,
    SEQUENCE = 1 << 17, /* lookups prepared a thread */
    THREADS_MAX = 2,
    ROUNDS = 5,
    LOOKUPS = 200 * 1000, /* a thread and round */
    SAMPLES = 300 * 1000, /* latencies a round */
    READ_SECTION = 32,    /* lookups between quiescent states */
    OBJECT_BYTES = 600,   /* charged; a parsed 2048-bit key */
    UPDATES_PER_MS = 10,  /* 10,000 a second */
    HOT_NAMES = 500,      /* what a farm asks for all day */
    NOW_MS = 1000,
};

struct key
{
    uint8_t n;
    uint8_t bytes[KEY_MAX - 1];
};

static unsigned names;
static struct key *sequences[THREADS_MAX];
static struct cache *cache;
static uint64_t random_state = 88172645463325252;

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

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
    struct cache_item item = {CACHE_ANSWER, 3600, plain_need(malloc(64)), OBJECT_BYTES, free};
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
    config.budget_bytes = names * cache_charge(key.n, OBJECT_BYTES);
    if (config.budget_bytes < CACHE_BUDGET_MIN)
        config.budget_bytes = CACHE_BUDGET_MIN;
    config.buckets = names;
    config.retired_max_bytes = config.budget_bytes;
    cache = plain_need(cache_new(&config, &error));
    for (unsigned i = 0; i < names; i++)
        store(i);
}

/* --- rounds --- */

enum kind
{
    UNIFORM, /* all names */
    ZIPF,    /* all names, rank r with a chance of 1/r */
    HOT,     /* HOT_NAMES of them */
    KINDS,
};

static const char *const kind_words[KINDS] = {"uniform", "zipf", "hot"};

static void prepare(enum kind kind)
{
    unsigned of = kind == HOT && names > HOT_NAMES ? HOT_NAMES : names;
    double *sums = plain_need(malloc(names * sizeof *sums)), sum = 0;
    for (unsigned i = 0; i < of; i++)
        sums[i] = sum += kind == ZIPF ? 1.0 / (i + 1) : 1;
    for (unsigned t = 0; t < THREADS_MAX; t++)
        for (unsigned i = 0; i < SEQUENCE; i++) {
            double wanted = (double)(draw() >> 11) / (double)(1ull << 53) * sum;
            unsigned low = 0, high = of - 1;
            while (low < high) {
                unsigned middle = low + (high - low) / 2;
                if (sums[middle] < wanted)
                    low = middle + 1;
                else
                    high = middle;
            }
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
    struct job jobs[THREADS_MAX];
    pthread_barrier_t start;
    double ns = 0;
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned t = 0; t < threads; t++) {
        jobs[t] = (struct job){
            .plain = plain, .sequence = sequences[t], .lookups = LOOKUPS, .start = &start};
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

static void compare(const char *name, unsigned threads, const struct plain *sip,
                    const struct plain *unkeyed)
{
    double ns[3][ROUNDS], ratio[2][ROUNDS];
    uint64_t found = 0, of = (uint64_t)3 * ROUNDS * threads * LOOKUPS;
    for (unsigned r = 0; r < ROUNDS; r++) {
        ns[0][r] = round_ns(NULL, threads, &found);
        ns[1][r] = round_ns(sip, threads, &found);
        ns[2][r] = round_ns(unkeyed, threads, &found);
        ratio[0][r] = ns[0][r] / ns[1][r];
        ratio[1][r] = ns[0][r] / ns[2][r];
    }
    double cost = median(ns[0], ROUNDS);
    printf("%-8s %7u %10.1f %10.2f %14.1f %10.1f %12.2f %8.2f %9.1f%%\n", name, threads, cost,
           1e3 * threads / cost, median(ns[1], ROUNDS), median(ns[2], ROUNDS),
           median(ratio[0], ROUNDS), median(ratio[1], ROUNDS), 100.0 * (double)found / (double)of);
    fflush(stdout);
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

static struct latency latencies(struct cache_reader *reader, uint32_t *samples, double per_ns)
{
    struct cache_hit hit;
    uint64_t own = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        uint64_t begin = ticks(), cost = ticks() - begin;
        own = cost < own ? cost : own;
    }
    for (unsigned i = 0; i < SAMPLES; i++) {
        struct span key = key_span(&sequences[0][i % SEQUENCE]);
        uint64_t begin = ticks();
        enum cache_state state = cache_get(reader, key, NOW_MS, &hit);
        uint64_t cost = ticks() - begin;
        bench_keep(hit.object);
        samples[i] = (uint32_t)(cost > own + UINT32_MAX ? UINT32_MAX : cost > own ? cost - own : 0);
        if (state == CACHE_MISS || i % READ_SECTION == READ_SECTION - 1)
            cache_thread_quiescent();
    }
    qsort(samples, SAMPLES, sizeof *samples, by_ticks);
    return (struct latency){samples[SAMPLES / 2] / per_ns, samples[SAMPLES / 100 * 99] / per_ns,
                            samples[SAMPLES / 1000 * 999] / per_ns};
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

static struct latency with_owner(struct cache_reader *reader, uint32_t *samples, double per_ns,
                                 double *rate)
{
    pthread_t owner;
    uint64_t begin = bench_now_ns();
    stop = false;
    updates = 0;
    if (pthread_create(&owner, NULL, owner_main, &all_processors) != 0)
        abort();
    struct latency l = latencies(reader, samples, per_ns);
    cache_thread_offline();
    *rate = rate_of(updates, begin);
    stop = true;
    pthread_join(owner, NULL);
    cache_thread_online();
    return l;
}

static void print_latency(const char *name, const char *owners, struct latency *l, double rate)
{
    double p50[ROUNDS], p99[ROUNDS], p999[ROUNDS];
    for (unsigned r = 0; r < ROUNDS; r++)
        p50[r] = l[r].p50, p99[r] = l[r].p99, p999[r] = l[r].p999;
    printf("%-8s %-12s %10.0f %10.0f %10.0f %10.0f", name, owners, median(p50, ROUNDS),
           median(p99, ROUNDS), median(p999, ROUNDS), rate);
}

static void compare_latency(const char *name, double per_ns)
{
    static uint32_t samples[SAMPLES];
    struct latency quiet[ROUNDS], busy[ROUNDS];
    struct cache_reader reader;
    double rate[ROUNDS], ratio[ROUNDS];
    cache_thread_register();
    cache_reader_init(&reader, cache);
    for (unsigned r = 0; r < ROUNDS; r++) {
        quiet[r] = latencies(&reader, samples, per_ns);
        busy[r] = with_owner(&reader, samples, per_ns, &rate[r]);
        ratio[r] = busy[r].p999 / quiet[r].p999;
    }
    cache_reader_fini(&reader);
    cache_thread_unregister();
    print_latency(name, "none", quiet, 0);
    printf("\n");
    print_latency(name, "one", busy, median(rate, ROUNDS));
    printf("   p99.9 %.2fx\n", median(ratio, ROUNDS));
    fflush(stdout);
}

static void print_table_title(void)
{
    struct cache_stats s;
    cache_stats(cache, &s);
    printf("\ncache: %lu entries, %.0f MB charged (%d bytes for each object), %.0f MB fixed; "
           "%d lookups a thread and round, %d rounds\n",
           s.entries, (double)s.bytes / 1e6, OBJECT_BYTES, (double)s.fixed_bytes / 1e6, LOOKUPS,
           ROUNDS);
    printf("%-8s %7s %10s %10s %14s %10s %12s %8s %10s\n", "names", "threads", "ns/hit", "M/s CPU",
           "unlocked, sip", "unkeyed", "ratio to sip", "unkeyed", "found");
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : getenv("ASSAY_CACHE_NAMES");
    struct plain sip, unkeyed;
    names = wanted ? (unsigned)strtoul(wanted, NULL, 10) : NAMES_DEFAULT;
    if (names < 100 || names > 9000000) {
        fprintf(stderr, "cache_bench: 100 to 9,000,000 names\n");
        return 64;
    }
    for (unsigned t = 0; t < THREADS_MAX; t++)
        sequences[t] = plain_need(malloc(SEQUENCE * sizeof(struct key)));
    cache_thread_register();
    cache_fill();
    cache_thread_unregister();
    plain_fill(&sip, hash_sip);
    plain_fill(&unkeyed, hash_multiply);
    double per_ns = ticks_per_ns();

    print_table_title();
    for (enum kind kind = 0; kind < KINDS; kind++) {
        prepare(kind);
        for (unsigned threads = 1; threads <= THREADS_MAX; threads++)
            compare(kind_words[kind], threads, &sip, &unkeyed);
    }
    printf("\n%-8s %-12s %10s %10s %10s %10s   latency of %d single lookups a round\n", "names",
           "owners", "p50 ns", "p99", "p99.9", "updates/s", SAMPLES);
    sched_getaffinity(0, sizeof all_processors, &all_processors);
    for (enum kind kind = 0; kind < KINDS; kind++) {
        prepare(kind);
        compare_latency(kind_words[kind], per_ns);
    }
    plain_fini(&sip);
    plain_fini(&unkeyed);
    cache_free(&cache);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        free(sequences[t]);
    return 0;
}
