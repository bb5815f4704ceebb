/* What the resolver threads are made of: for the files of the resolvers alone. */
#ifndef DNS_RESOLVER_THREAD_H
#define DNS_RESOLVER_THREAD_H

#include <pthread.h>
#include <time.h>

#include "cache/tsan.h"
#include "dns/flights.h"
#include "dns/question_queue.h"
#include "dns/query_limits.h"

struct event;
struct event_base;

enum
{
    REFRESH_BATCH = 16, /* due keys taken at once */
};

/* Answers that are made at start, so that the want of memory cannot stop them. */
#define RESOLVER_FAILURES(X)                                                                       \
    X(TIMEOUT, "timeout")                                                                          \
    X(BUSY_ZONE, "busy_zone")                                                                      \
    X(BUSY, "busy")                                                                                \
    X(NO_MEMORY, "no_memory")                                                                      \
    X(SHUTDOWN, "shutdown")

enum resolver_failure
{
#define RESOLVER_FAILURE(name, word) FAILURE_##name,
    RESOLVER_FAILURES(RESOLVER_FAILURE)
#undef RESOLVER_FAILURE
        FAILURE_COUNT
};

/* Written by the owner alone, read by resolvers_stats. */
struct resolver_counters
{
#define RESOLVERS_COUNTER(name) _Atomic uint64_t name;
    RESOLVERS_COUNTERS(RESOLVERS_COUNTER)
#undef RESOLVERS_COUNTER
};

#define COUNT_ADD(thread, name, n)                                                                 \
    atomic_store_explicit(&(thread)->counters.name,                                                \
                          atomic_load_explicit(&(thread)->counters.name, memory_order_relaxed) +   \
                              (uint64_t)(n),                                                       \
                          memory_order_relaxed)
#define COUNT(thread, name) COUNT_ADD(thread, name, 1)

struct resolver_thread
{
    /* set at start */
    struct resolvers *resolvers; /* borrowed */
    unsigned number;
    struct event_base *base; /* owned, with the rest of this group */
    struct event *wake;      /* the inbox's descriptor */
    struct event *timer;     /* ends a sleep at the next deadline */
    struct unbound *unbound; /* NULL: the zone file answers */

    /* the thread only */
    struct flights flights;
    bool offline;            /* in the event loop, and no callback of ours has been called yet */
    int64_t next_refresh_ms; /* thread 0 */
    struct dns_record records[MAX_DNS_RECORDS]; /* of an answer from the zone file */
    struct cache_due_key due[REFRESH_BATCH];
    struct resolver_counters counters __attribute__((aligned(64)));

    /* shared */
    struct question_queue inbox;

    /* who starts and stops */
    pthread_t id __attribute__((aligned(64)));
    bool started;
};

struct resolvers
{
    /* set at start */
    struct cache *cache;     /* borrowed */
    dns_prepare *prepare;    /* static */
    struct dns_source *zone; /* owned; NULL: libunbound */
    unsigned question_ms;
    unsigned count; /* threads */
    struct siphash_key name_key;
    struct siphash_key table_key;
    struct dns_shared *failures[FAILURE_COUNT]; /* one reference of each */
    struct resolver_thread *threads;            /* owned */

    /* shared */
    struct query_limits limits;
    _Atomic uint32_t epoch; /* flushes so far */
    _Atomic bool stopping;
};

static inline int64_t resolver_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* resolver_thread.c: the event loop. */
void *resolver_thread_main(void *thread);
/* Before anything that touches the cache, in a callback out of the event loop. */
void resolver_thread_online(struct resolver_thread *thread);

/* resolver_owner.c: questions and answers. Thread: the owner, online. */
void owner_take(struct resolver_thread *thread, struct resolver_question *question);
/* Waiters and queries whose time is over. */
void owner_expire(struct resolver_thread *thread, int64_t now_ms);
/* Ends all queries and answers what is open. Thread: the owner, or the last one, after it. */
void owner_shut_down(struct resolver_thread *thread);

/* resolver_refresh.c: asks again before entries in demand expire. Does nothing before its time. */
void refresh_run(struct resolver_thread *thread, int64_t now_ms);
bool refresh_is(const struct resolver_question *question);

#endif
