/*
 * Many messages on the caller's thread, in rounds, without a pool: for embedders with threads of
 * their own, and for measuring what judging costs and nothing else.
 *
 *   cache_thread_register();
 *   struct batch *batch = batch_open(&config);
 *   batch_judge(batch, items, n, done);      again and again
 *   batch_close(&batch);
 *   cache_thread_unregister();
 *
 * It does what a worker of the pool does, by the same code (run/round.h): rounds of ROUND_MESSAGES
 * messages whose answers come from the cache and whose public-key checks are verified together.
 * What the cache lacks is asked of `source`, which blocks, after the round's other messages are
 * done, and is kept in the cache, parsed, for the next ones.
 *
 * Threads: a batch belongs to one thread, registered with the cache (cache/tsan.h), which is online
 * outside of these calls. Batches of several threads may share a cache, each with a source of its
 * own; two that miss the same name at the same time both ask for it. A cache that resolver threads
 * write (dns/resolvers.h) may be read, but then two writers may put one name: which answer stays is
 * chance, both are right.
 *
 * BUGS: an entry in demand is asked for again before it expires, but at the end of a round, which
 * then waits for it.
 */
#ifndef RUN_BATCH_H
#define RUN_BATCH_H

#include "cache/cache.h"
#include "dns/source.h"
#include "message.h"

struct batch;

struct batch_config
{
    const struct message_options *options; /* borrowed */
    struct cache *cache;                   /* borrowed */
    struct dns_source *source;             /* borrowed */
    unsigned timeout_ms;                   /* for the questions of one message; 0: 25,000 */
};

/* One message. Everything is borrowed until its `done` has returned. */
struct batch_item
{
    struct message_envelope envelope;
    struct span text;      /* the whole message, CRLF line ends */
    bool without_evidence; /* as round_begin_message */
    void *context;         /* for `done` */
};

/*
 * The verdict of one item, once for each, not in their order. `message` is good until it returns;
 * NULL: no memory for the message itself. Must not call the batch.
 */
typedef void batch_done(void *context, const struct message *message);

/* NULL without memory. */
struct batch *batch_open(const struct batch_config *config) MUST_CHECK;
/* Judges all of them; returns when the last `done` has. Blocks only for what the cache lacks. */
void batch_judge(struct batch *batch, const struct batch_item *items, size_t n, batch_done *done);
/* Nulls; NULL inside is fine. */
void batch_close(struct batch **batch);

/* What it has done so far. */
struct batch_counts
{
    uint64_t messages, rounds, verify_jobs;
    uint64_t waited; /* how often `source` was asked by a message */
};
struct batch_counts batch_counts(const struct batch *batch);

#endif
