/*
 * One measurement: a daemon with some settings, mail of some kind, connections of some depth, for
 * some time; and what it did.
 */
#ifndef BENCH_LOAD_MEASURE_H
#define BENCH_LOAD_MEASURE_H

#include "bench/load_daemon.h"
#include "bench/load_run.h"

struct load_case
{
    const struct load_mail *mail;
    const char *const *arguments; /* of the daemon; NULL-terminated; may be NULL */
    unsigned connections, depth;
    unsigned idle; /* more connections on which nothing happens */
    bool zipf;
    double rate;
    uint32_t wishes;
    enum load_transport transport;
    uint32_t ring_bytes;
    bool apart;     /* the generator on the first CPU it may use, the whole daemon on the second */
    bool saturated; /* load_daemon_saturate */
    double warm_up, seconds; /* warm_up 0: a cold start is measured */
    uint64_t messages;       /* end after so many; 0: after `seconds` */
};

/* What the daemon says of its own time for a message, since its start: warm-up too. */
struct load_own_time
{
    uint64_t count, p50_us, p99_us, p999_us, max_us;
};

struct load_figures
{
    double seconds;    /* of the measured part */
    uint64_t messages; /* answered in it */
    double messages_per_s;
    double engine_us, worker_us, front_us; /* CPU a message: whole daemon, workers, front thread */
    double capacity;                       /* messages a CPU second of the busiest worker */
    double balance; /* CPU of the busiest worker / mean of the workers: 1 is even */
    double mb_per_s;
    struct histogram latency; /* ns */
    struct load_own_time own;
    bool was_apart;
    uint64_t cache_hits, cache_lookups, dns_queries;
    uint64_t rss_idle, rss;    /* after the start, at the end */
    uint64_t idle_alive;       /* idle connections that are still there at the end */
    struct load_ledger ledger; /* of the whole case, warm-up too */
};

void load_measure(const struct load_case *what, struct load_figures *figures);

#endif
