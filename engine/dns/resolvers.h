/*
 * Resolver threads: the cache's only writers. A name belongs to one of them, always the same (keyed
 * hash), so there is one query in flight per name and type whatever the number of waiters.
 *
 *   worker: no answer near -> resolvers_ask(question) -> goes on with other work
 *   owner:  one query; answer -> shared object -> cache -> every waiter's question is handed back
 *
 * Sources: libunbound (one context and one event base a thread) or a zone file. Limits (security.md
 * 2): in flight to one zone and in all, per-question deadline; over a limit the answer is TEMPFAIL
 * at once, counted, and not cached.
 *
 *
 * What a waiter gets
 *
 *   an answer that the cache has meanwhile   unless `refresh` is set; with `follow` last
 *   the answer of the query in flight        its own, or one that was in flight already
 *   an older answer, within the bound        the query failed, and the cache goes on using it
 *   TEMPFAIL "timeout"                       its own deadline has passed; the query goes on
 *   TEMPFAIL "busy_zone", "busy"             over max_per_zone, over max_in_flight (F12)
 *   TEMPFAIL "no_memory", "shutdown"
 *
 * A zone is the last two labels of a name; three where the last but one is as short as in co.uk, so
 * that not all of a country waits for one; in the reverse trees the network of /16 or /32.
 *
 * Only the exact question that was asked is stored, under its own name in lower case (F03, F16).
 */
#ifndef DNS_RESOLVERS_H
#define DNS_RESOLVERS_H

#include <urcu/wfcqueue.h>

#include "cache/cache.h"
#include "dns/shared.h"
#include "dns/source.h"

/*
 * One question of one waiter. The asker allocates it, the resolvers own it from resolvers_ask until
 * they call `answered`, exactly once, on a resolver thread (or, in resolvers_stop, on the thread
 * that stops). It cannot be taken back: an asker that has lost interest remembers so itself and
 * drops the answer.
 */
struct resolver_question
{
    struct cds_wfcq_node node;      /* the resolvers' */
    struct resolver_question *next; /* the resolvers': waiters of one query */
    uint64_t hash;                  /* the resolvers' */
    struct dns_name name;
    enum dns_type type;
    bool refresh;        /* ask the network even though the cache has an answer (L09) */
    bool follow;         /* somebody else asked for a refresh: its answer, or the cache's (L09) */
    int64_t deadline_ms; /* CLOCK_MONOTONIC: TEMPFAIL "timeout" by then */
    /* Must not block; may free the question and may call resolvers_ask for others. */
    void (*answered)(struct resolver_question *question);
    struct dns_shared
        *answer;  /* out: one reference, for the asker to drop; never NULL in answered */
    uint32_t age; /* out: seconds since the answer was received */
};

struct resolvers_config
{
    unsigned threads;      /* 1 to RESOLVERS_THREADS_MAX; 0: 1 */
    const char *zone_file; /* or */
    const char *resolver;  /* as dns_unbound_open */
    struct cache *cache;   /* borrowed */
    dns_prepare *prepare;
    uint32_t max_in_flight; /* of one process; 0: 4,096 */
    uint32_t max_per_zone;  /* 0: 64 */
    unsigned question_ms;   /* 0: 5,000 */
};

enum
{
    RESOLVERS_THREADS_MAX = 4,
};

struct resolvers;

/*
 * Opens all sources (main thread, before other threads: F13), then starts the threads. Descriptors:
 * libunbound opens a socket for each query; where RLIMIT_NOFILE is low it uses at most half of that
 * and lets queries wait.
 */
struct resolvers *resolvers_start(const struct resolvers_config *config,
                                  struct dns_error *error) MUST_CHECK;
/* Hands a question to its name's owner. Any thread; wait-free but for waking a sleeping owner. */
void resolvers_ask(struct resolvers *resolvers, struct resolver_question *question);
/*
 * Stops and joins the threads; questions still open are answered TEMPFAIL "shutdown" first. Nobody
 * may call resolvers_ask any more, but for `answered` itself. Blocks. The cache must outlive the
 * call; answers may outlive it.
 */
void resolvers_stop(struct resolvers **resolvers);

/*
 * cache_flush, and what was asked before is not kept either: answers to queries that are in flight
 * go to their waiters and not into the cache. (With cache_flush alone such an answer, as old as its
 * query, would be kept for its TTL.) Thread: registered with the cache and online; any.
 */
size_t resolvers_flush(struct resolvers *resolvers, bool (*matches)(struct span key, void *context),
                       void *context);

#define RESOLVERS_COUNTERS(X)                                                                      \
    X(questions) /* asked by workers */                                                            \
    X(cached)    /* answered from the cache after all */                                           \
    X(shared)    /* joined a query that was in flight */                                           \
    X(queries)   /* that went to the source; each ends as one of the next four */                  \
    X(answers)                                                                                     \
    X(empty)                                                                                       \
    X(nxdomain)                                                                                    \
    X(failures)                                                                                    \
    X(timeouts)      /* of the failures */                                                         \
    X(stale)         /* failures in place of which waiters got an older answer */                  \
    X(late)          /* waiters whose deadline passed before the query's end */                    \
    X(refused_zone)  /* over a limit */                                                            \
    X(refused_total) /* over a limit */                                                            \
    X(refreshes)     /* queries before expiry, by the owner */                                     \
    X(in_flight)     /* now */

struct resolvers_stats
{
#define RESOLVERS_COUNTER(name) uint64_t name;
    RESOLVERS_COUNTERS(RESOLVERS_COUNTER)
#undef RESOLVERS_COUNTER
};

/* Any thread. Counts of running threads may lag. */
void resolvers_stats(struct resolvers *resolvers, struct resolvers_stats *stats);

/* The cache key of a question: its struct dns_key. Returns the length. */
size_t resolvers_cache_key(const struct dns_name *name, enum dns_type type,
                           uint8_t key[CACHE_KEY_MAX]);
/* Back from a key; false where it is none. */
bool resolvers_cache_key_read(struct span key, struct dns_name *name,
                              enum dns_type *type) MUST_CHECK;

/* Our own want of something ("no_memory") says nothing about the name: not to be kept. */
bool resolvers_own_failure(const struct dns_answer *answer);
/* Puts an answer into the cache, which takes a reference of its own where it keeps it. Threads as
 * cache_put. */
enum cache_put_result resolvers_cache_put(struct cache *cache, struct span key,
                                          struct dns_shared *shared, int64_t now_ms) MUST_CHECK;

/* Snapshot format of shared answers for cache_snapshot_write and _read. `prepare` makes parsed
 * forms anew. */
struct cache_snapshot_format resolvers_snapshot_format(dns_prepare *prepare);

#endif
