/*
 * The shared cache: what a hit costs beside a plain hash table without any lock on the same keys,
 * and what owners at work do to the readers' latency (bench/cache_measure.h says how).
 *
 *   cache_bench [NAMES]       default 1,000,000 (or ASSAY_CACHE_NAMES)
 *
 * The unlocked table (bench/plain_table.h) is as large as the cache's. It is measured with the
 * cache's keyed hash, which attackers make necessary (security.md L05), and with a cheap one
 * without a key.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/cache_measure.h"

enum
{
    NAMES_DEFAULT = 1000 * 1000,
};

static void print_costs(enum cache_measure_kind kind)
{
    for (unsigned threads = 1; threads <= CACHE_MEASURE_THREADS_MAX; threads++) {
        struct cache_measure_cost c;
        cache_measure_cost(threads, &c);
        printf("%-8s %7u %10.1f %10.2f %14.1f %10.1f %12.2f %8.2f %9.1f%%\n",
               cache_measure_word(kind), threads, c.ns, 1e3 * threads / c.ns, c.sip_ns,
               c.unkeyed_ns, c.ratio_to_sip, c.ratio_unkeyed, 100 * c.found);
        fflush(stdout);
    }
}

static void print_latencies(enum cache_measure_kind kind)
{
    struct cache_measure_latency l;
    cache_measure_latency(&l);
    printf("%-8s %-12s %10.0f %10.0f %10.0f %10.0f\n", cache_measure_word(kind), "none", l.p50,
           l.p99, l.p999, 0.0);
    printf("%-8s %-12s %10.0f %10.0f %10.0f %10.0f   p99.9 %.2fx\n", cache_measure_word(kind),
           "one", l.busy_p50, l.busy_p99, l.busy_p999, l.updates, l.p999_ratio);
    fflush(stdout);
}

static void print_cost_title(void)
{
    struct cache_stats s;
    cache_measure_stats(&s);
    printf("\ncache: %lu entries, %.0f MB charged (%d bytes for each object), %.0f MB fixed; "
           "%d lookups a thread and round, %d rounds\n",
           s.entries, (double)s.bytes / 1e6, CACHE_MEASURE_OBJECT, (double)s.fixed_bytes / 1e6,
           CACHE_MEASURE_LOOKUPS, CACHE_MEASURE_ROUNDS);
    printf("%-8s %7s %10s %10s %14s %10s %12s %8s %10s\n", "names", "threads", "ns/hit", "M/s CPU",
           "unlocked, sip", "unkeyed", "ratio to sip", "unkeyed", "found");
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : getenv("ASSAY_CACHE_NAMES");
    unsigned long names = wanted ? strtoul(wanted, NULL, 10) : NAMES_DEFAULT;
    if (names < CACHE_MEASURE_NAMES_MIN || names > CACHE_MEASURE_NAMES_MAX) {
        fprintf(stderr, "cache_bench: 100 to 9,000,000 names\n");
        return 64;
    }
    cache_measure_open((unsigned)names);
    print_cost_title();
    for (enum cache_measure_kind kind = 0; kind < CACHE_MEASURE_KINDS; kind++) {
        cache_measure_prepare(kind);
        print_costs(kind);
    }
    printf("\n%-8s %-12s %10s %10s %10s %10s   latency of %d single lookups a round\n", "names",
           "owners", "p50 ns", "p99", "p99.9", "updates/s", CACHE_MEASURE_SAMPLES);
    for (enum cache_measure_kind kind = 0; kind < CACHE_MEASURE_KINDS; kind++) {
        cache_measure_prepare(kind);
        print_latencies(kind);
    }
    cache_measure_close();
    return 0;
}
