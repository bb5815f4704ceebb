/*
 * Resolver threads: the cache's only writers. A name belongs to one of them, always the same (keyed
 * hash), so there is one query in flight per name whatever the number of waiters.
 *
 *   worker: no answer near -> resolvers_ask(question) -> goes on with other work
 *   owner:  one query; answer -> shared object -> cache -> every waiter's question is handed back
 *
 * Sources: libunbound (one context and one event base a thread) or a zone file. Limits (security.md
 * 2): in flight to one zone and in all, per-question deadline; over a limit the answer is TEMPFAIL
 * at once, counted, and not cached.
 */
#ifndef DNS_RESOLVERS_H
#define DNS_RESOLVERS_H

#include <urcu/wfcqueue.h>

#include "cache/cache.h"
#include "dns/shared.h"
#include "dns/source.h"

/*
 * One question of one waiter. The asker allocates it, the resolvers own it from resolvers_ask until
 * they call `answered`, exactly once, on a resolver thread (or on the asker's own inside
 * resolvers_ask). It cannot be taken back: an asker that has lost interest remembers so itself and
 * drops the answer.
 */
struct resolver_question
{
    struct cds_wfcq_node node;      /* the resolvers' */
    struct resolver_question *next; /* the resolvers': waiters of one query */
    struct dns_name name;
    enum dns_type type;
    bool refresh;        /* ask the network even though the cache has an answer (L09) */
    int64_t deadline_ms; /* CLOCK_MONOTONIC: TEMPFAIL "timeout" by then */
    void (*answered)(struct resolver_question *question); /* must not block */
    struct dns_shared
        *answer; /* out: one reference, for the asker to drop; never NULL in answered */
};

struct resolvers_config
{
    unsigned threads;      /* 1 to 4; 0: 1 */
    const char *zone_file; /* or */
    const char *resolver;  /* as dns_unbound_open */
    struct cache *cache;   /* borrowed */
    dns_prepare *prepare;
    uint32_t max_in_flight; /* of one process; 0: 4,096 */
    uint32_t max_per_zone;  /* 0: 64; a zone is the last two labels of the name */
    unsigned question_ms;   /* 0: 5,000 */
};

struct resolvers;

/* Opens all sources (main thread, before other threads: F13), then starts the threads. */
struct resolvers *resolvers_start(const struct resolvers_config *config,
                                  struct dns_error *error) MUST_CHECK;
/* Hands a question to its name's owner. Any thread; wait-free but for waking a sleeping owner. */
void resolvers_ask(struct resolvers *resolvers, struct resolver_question *question);
/*
 * Stops and joins the threads; questions still open are answered TEMPFAIL "shutdown" first. Nobody
 * may call resolvers_ask any more.
 */
void resolvers_stop(struct resolvers **resolvers);

struct resolvers_stats
{
    uint64_t questions; /* asked by workers */
    uint64_t shared;    /* joined a query that was in flight */
    uint64_t queries;   /* that went to the source */
    uint64_t answers, empty, nxdomain, failures, timeouts;
    uint64_t refused_zone, refused_total; /* over a limit */
    uint64_t refreshes;                   /* before expiry, by the owner */
    uint64_t in_flight;                   /* now */
};
void resolvers_stats(struct resolvers *resolvers, struct resolvers_stats *stats);

/* The cache key of a question: lower-case wire name and type. Returns the length. */
size_t resolvers_cache_key(const struct dns_name *name, enum dns_type type,
                           uint8_t key[CACHE_KEY_MAX]);

/* Snapshot format of shared answers for cache_snapshot_write and _read. `prepare` makes parsed
 * forms anew. */
struct cache_snapshot_format resolvers_snapshot_format(dns_prepare *prepare);

#endif
