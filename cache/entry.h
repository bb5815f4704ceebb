/*
 * What an entry and a cache are made of: for the files of cache/ alone.
 */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include <pthread.h>

#include "cache/cache.h"
#include "cache/tsan.h"

#include <urcu/rculfhash.h>

#include "cache/s3fifo.h"
#include "cache/wheel.h"

/*
 * Two cache lines and the key. The first line is the writers', the second what a lookup reads.
 * "Lock": only under the cache's lock. "Constant": not changed once published.
 */
struct cache_entry
{
    /* writers only */
    struct cache_entry *queue_next; /* lock: towards the older end */
    struct cache_entry *queue_prev;
    union {
        struct wheel_node wheel; /* lock: while in the table */
        struct rcu_head rcu;     /* from its retirement on */
    };
    struct cache *cache;           /* constant */
    void (*release)(void *object); /* constant; may be NULL */
    _Atomic int64_t rotation_ms;   /* last forced refresh granted, INT64_MIN: none */
    uint8_t queue;                 /* lock: enum s3_queue */
    uint8_t failures;              /* lock: in a row since the last answer */

    /* every lookup */
    struct cds_lfht_node node __attribute__((aligned(64)));
    int64_t expires_ms;             /* constant: fresh before */
    _Atomic int64_t stale_until_ms; /* usable before, once a refresh has failed; else INT64_MIN */
    _Atomic int64_t ask_ms;         /* a refresh may be asked for from here on; a claim moves it */
    int64_t received_ms;            /* constant */
    void *object;                   /* constant; owned, may be NULL */
    uint32_t bytes;                 /* constant: charged to the budget */
    uint16_t key_n;                 /* constant */
    uint8_t outcome;                /* constant: enum cache_outcome */
    /*
     *   7 6 5 4 | 3 2                       | 1 0
     *   zero    | uses of this answer, to 3 | frequency for the queues, to 3
     */
    _Atomic uint8_t use;
    uint8_t key[];
};

STATIC_ASSERT(sizeof(struct cache_entry) == 128);
STATIC_ASSERT(CACHE_ENTRY_OVERHEAD == sizeof(struct cache_entry) + 32); /* malloc's share */

struct cache
{
    /* set at start */
    struct cds_lfht *table; /* owned */
    struct siphash_key hash_key;
    struct cache_config config; /* hash_key NULL by now */
    size_t fixed_bytes;

    /* Hardly ever changed: cache_removals. */
    _Atomic uint64_t removals;

    /* Protects all that follows, and all changes of the table. No other lock is taken inside. */
    pthread_mutex_t lock __attribute__((aligned(64)));
    struct s3fifo queues;
    struct wheel wheel;
    struct cache_reader *readers; /* borrowed */
    struct cache_stats totals;    /* of writers, and of readers that are gone */

    /* shared: call_rcu's thread counts down */
    _Atomic size_t retired_bytes __attribute__((aligned(64)));
    _Atomic size_t retired_entries;
};

enum
{
    USE_FREQUENCY = 3, /* mask, and the most */
    USE_ANSWER_SHIFT = 2,
    USE_ANSWER_MAX = 3,
    USE_IN_DEMAND = 2, /* uses of one answer that make it worth asking again unasked */
};

static inline unsigned entry_frequency(const struct cache_entry *e)
{
    return atomic_load_explicit(&e->use, memory_order_relaxed) & USE_FREQUENCY;
}

static inline bool entry_in_demand(const struct cache_entry *e)
{
    uint8_t use = atomic_load_explicit(&e->use, memory_order_relaxed);
    return use >> USE_ANSWER_SHIFT >= USE_IN_DEMAND;
}

/*
 * One more use. Plain load and store on purpose: of two threads at once one count is lost, which
 * only makes the estimate a little lower, and an entry in full use is not written at all.
 */
static inline void entry_touch(struct cache_entry *e)
{
    unsigned use = atomic_load_explicit(&e->use, memory_order_relaxed);
    unsigned frequency = use & USE_FREQUENCY, uses = use >> USE_ANSWER_SHIFT;
    unsigned more = (frequency + (frequency < USE_FREQUENCY)) | (uses + (uses < USE_ANSWER_MAX))
                                                                    << USE_ANSWER_SHIFT;
    if (more != use)
        atomic_store_explicit(&e->use, (uint8_t)more, memory_order_relaxed);
}

static inline void entry_set_frequency(struct cache_entry *e, unsigned frequency)
{
    unsigned use = atomic_load_explicit(&e->use, memory_order_relaxed);
    atomic_store_explicit(&e->use, (uint8_t)((use & ~(unsigned)USE_FREQUENCY) | frequency),
                          memory_order_relaxed);
}

/* Of no use to anybody any more. */
static inline bool entry_dead(const struct cache_entry *e, int64_t now_ms)
{
    return now_ms >= e->expires_ms &&
           now_ms >= atomic_load_explicit(&e->stale_until_ms, memory_order_relaxed);
}

static inline struct span entry_key(const struct cache_entry *e)
{
    return span_of(e->key, e->key_n);
}

static inline struct cache_entry *entry_of_node(struct cds_lfht_node *node)
{
    return (struct cache_entry *)(void *)((char *)node - offsetof(struct cache_entry, node));
}

static inline struct cache_entry *entry_of_wheel(struct wheel_node *node)
{
    return (struct cache_entry *)(void *)((char *)node - offsetof(struct cache_entry, wheel));
}

static inline struct cache_entry *entry_of_rcu(struct rcu_head *head)
{
    return (struct cache_entry *)(void *)((char *)head - offsetof(struct cache_entry, rcu));
}

/* The key's entry or NULL; `hash` is siphash13 of it. Thread: registered and online. */
struct cache_entry *cache_find(struct cache *cache, struct span key, uint64_t hash);
/* For cds_lfht: 1 where the node's key equals the struct span at `key`. */
int cache_key_match(struct cds_lfht_node *node, const void *key);
/* True where this thread's claim moved ask_ms from the past to CACHE_CLAIM_MS ahead. */
bool cache_entry_claim(struct cache_entry *e, int64_t now_ms);
/* cache_put for an answer that was received earlier, with a new key's frequency; for snapshots. */
enum cache_put_result cache_put_aged(struct cache *cache, struct span key,
                                     const struct cache_item *item, unsigned frequency,
                                     int64_t received_ms, int64_t now_ms) MUST_CHECK;

#endif
