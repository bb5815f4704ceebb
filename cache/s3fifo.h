/*
 * Which entry goes when the budget is full: S3-FIFO (Yang, Zhang, Qiu, Yue, Vinayak: "FIFO Queues
 * are All You Need for Cache Eviction", SOSP 2023), with budgets in bytes.
 *
 * Why this one. A mail farm's names are a few hundred in use all day and an endless stream of names
 * seen once (one-off selectors, spam domains, an attacker's own zone): "one-hit wonders", the case
 * the paper is about. New entries pass through a small queue and leave it quickly unless they are
 * used again, so a scan of any length costs the entries in use at most the small queue. LRU would
 * let the scan push them out, and moves an entry at every hit: a lock in the read path. Here a hit
 * sets two bits. TinyLFU and ARC resist scans too, at the price of sketches to age or four lists to
 * balance; S3-FIFO has three queues, no tuning and equal or lower miss ratios in the paper's
 * traces.
 *
 *   new key ------> small (10 %) --used more than once--> main (90 %) --unused--> out
 *                     |   otherwise                        ^  used: again to the head, one less
 *                     v                                    |
 *                   ghost (keys only) --asked again--------+
 *
 * What differs from the paper: sizes are bytes, not objects; the ghost's time too; a dead entry
 * (expired and not even to be used stale) leaves at once; a replaced entry keeps its queue and
 * frequency; and the search for a victim stops after S3_STEPS_MAX entries that want to stay, so
 * that no owner waits for a walk through a million popular entries. The one after those goes.
 *
 * No locks and no RCU here: the caller has the cache's lock.
 */
#ifndef CACHE_S3FIFO_H
#define CACHE_S3FIFO_H

#include "cache/ghost.h"

struct cache_entry;

enum s3_queue
{
    S3_NONE = 0,
    S3_SMALL,
    S3_MAIN,
};

enum
{
    S3_STEPS_MAX = 256,
    S3_SMALL_PERCENT = 10,
};

struct s3_list
{
    struct cache_entry *newest; /* cached: owned by the table */
    struct cache_entry *oldest;
    size_t bytes;
};

struct s3fifo
{
    struct s3_list small;
    struct s3_list main;
    struct ghost ghost;
    size_t budget_bytes;
    size_t small_bytes; /* above this the small queue gives up entries first */
};

/* `names`: about how many evicted keys to remember. False: no memory. */
bool s3fifo_init(struct s3fifo *queues, size_t budget_bytes, size_t names) MUST_CHECK;
/* The queues must be empty. */
void s3fifo_fini(struct s3fifo *queues);

/* Bytes of all entries in both queues. */
static inline size_t s3fifo_bytes(const struct s3fifo *queues)
{
    return queues->small.bytes + queues->main.bytes;
}

/*
 * Takes in a new entry; `ghost` says that its key was evicted lately (ghost_take). Requires room:
 * s3fifo_bytes + e->bytes <= budget_bytes.
 */
void s3fifo_insert(struct s3fifo *queues, struct cache_entry *e, bool ghost);
/* Takes in an entry in place of one that was in `queue`. Requires room as above. */
void s3fifo_insert_into(struct s3fifo *queues, struct cache_entry *e, enum s3_queue queue);
void s3fifo_remove(struct s3fifo *queues, struct cache_entry *e);

/*
 * The entry to go, already out of its queue; NULL where both queues are empty. *to_ghost: the
 * caller notes its key with ghost_add.
 */
struct cache_entry *s3fifo_victim(struct s3fifo *queues, int64_t now_ms, bool *to_ghost);

#endif
