/*
 * The worker pool: N threads that judge messages in rounds (design.md idea 3).
 *
 * A round: take what has come in (at most 32 messages or 4 MB of body, a large body in slices of 64
 * KB); run each task as far as it goes; verify all public-key jobs of the round together; finish;
 * announce a quiescent state. Nothing blocks inside a round. A task that lacks bytes or answers is
 * parked and holds no cache pointer.
 *
 *   task = pool_submit(...)          any thread; the task goes to one worker and stays there
 *   task_feed(task, chunk, span) ... one producer thread per task, in order
 *   task_end(task)                   the message is complete
 *   or task_cancel(task)             no verdict wanted any more
 *
 * Then, exactly once, on the worker's thread: request.done(...). After task_end or task_cancel the
 * producer must not touch the task.
 */
#ifndef RUN_POOL_H
#define RUN_POOL_H

#include "cache/cache.h"
#include "dns/resolvers.h"
#include "assay.h"
#include "message.h"
#include "run/chunk.h"

struct pool;
struct task;

enum task_outcome
{
    TASK_JUDGED = 0x51,    /* message->verdict may be read during the call */
    TASK_CANCELLED = 0x52, /* by task_cancel or pool_stop; `message` is NULL */
    TASK_FAILED = 0x53,    /* no memory for the task itself; `message` is NULL */
};

struct task_request
{
    struct message_envelope envelope; /* copied, the texts too */
    struct span authserv_id;          /* p == NULL: the pool's; copied */
    unsigned deadline_ms;             /* for DNS, from the message's end; 0: the pool's */
    /* Nobody will look at the verdict's list of questions and answers (verdict_write_json): results
     * that other messages have come to may stand in place of their questions. */
    bool without_evidence;
    bool early_spf; /* call `early` when SPF is known, before the message is */
    /*
     * Called on the worker's thread; must not block. The message lives until it returns.
     */
    void (*done)(void *context, enum task_outcome outcome, const struct message *message);
    void (*early)(void *context, const struct message *message); /* message->spf; may be NULL */
    void *context;
    /* Called on the worker's thread when the round ends in which `done` or `early` was called, once
     * for all tasks with the same two: what they noted is to be sent. May be NULL; the context must
     * outlive the pool's tasks. */
    void (*round_done)(void *round_context);
    void *round_context;
};

struct pool_config
{
    unsigned workers; /* 0: the cores this process may use (sched_getaffinity) */
    const struct message_options *options; /* borrowed for the pool's life */
    struct cache *cache;                   /* borrowed */
    struct resolvers *resolvers;           /* borrowed */
    uint32_t max_messages;                 /* in flight; 0: 16,384 */
    uint64_t max_bytes;                    /* of all arenas and queued pieces; 0: 2 GiB */
    unsigned timeout_ms;                   /* of one message's DNS; 0: 25,000 */
    /* Wakes the host: the pool has a guest (below). Any thread; both must outlive the resolvers.
     * NULL: it has none. */
    void (*rouse)(void *context);
    void *host;
};

struct pool *pool_start(const struct pool_config *config, char error[ASSAY_ERROR_MAX]) MUST_CHECK;

/*
 * A new task on the least busy worker. NULL: over max_messages or max_bytes, or the pool stops
 * ("busy", a temporary refusal; counted). Any thread.
 */
struct task *pool_submit(struct pool *pool, const struct task_request *request) MUST_CHECK;
/* Hands over a piece; takes its own reference of `chunk`. `bytes` lies in the chunk. */
void task_feed(struct task *task, struct chunk *chunk, struct span bytes);
void task_end(struct task *task);
void task_cancel(struct task *task);
/*
 * Between the two, what this thread submits, feeds and ends wakes no worker: pool_let_go does, and
 * the worker takes it all into one round. For a producer that has several pieces at hand; short,
 * without waiting, in pairs, within the pool's life.
 */
void pool_hold(void);
void pool_let_go(void);
/* Bytes handed over and not yet hashed: for back-pressure. Any time before task_end, by the
 * producer. */
uint64_t task_queued_bytes(const struct task *task);

/*
 * A judge on its own, without a message: SPF of an envelope, policy discovery of a domain. It runs
 * on a worker as a message's judges do: `judge` from its start each time, with what the cache and
 * the resolvers give, until it says JUDGE_DONE or the deadline has passed (open questions are then
 * TEMPFAIL "timeout", and it runs once more). Counts as one message in flight.
 */
struct query_request
{
    enum judge (*judge)(void *context, struct dns_answers *answers, struct arena *arena,
                        struct limit_hits *hits);
    /* Exactly once, on the worker's thread, while the arena still lives; must not block.
     * TASK_JUDGED: the judge is done. */
    void (*done)(void *context, enum task_outcome outcome);
    void *context;
    void (*round_done)(void *round_context); /* as task_request has it */
    void *round_context;
    unsigned deadline_ms; /* 0: the pool's */
};

/* False: busy, as pool_submit; `done` is then not called. Any thread. */
bool pool_query(struct pool *pool, const struct query_request *request) MUST_CHECK;

/*
 * The guest, where the pool has one: a worker beside the others whose rounds are run by one thread,
 * the host, between other things that it does. It judges the messages and queries that the host
 * submits on an idle pool, one at a time (guest.h).
 *
 *   pool_guest_begin                this thread is the host; not registered with the cache
 *   pool_guest_run                  after each batch of events
 *   ms = pool_guest_doze            before it sleeps
 *   pool_guest_end                  it is no longer
 *
 * `done` and the other calls of the guest's tasks happen within pool_guest_run. pool_drain and
 * pool_stop are then the host's too, or come behind pool_guest_end; they run what the guest has
 * left on the thread that calls them.
 */
void pool_guest_begin(struct pool *pool);
void pool_guest_run(struct pool *pool);
/* How many milliseconds the host may sleep, -1: for ever. `rouse` is called when it should not. */
int64_t pool_guest_doze(struct pool *pool) MUST_CHECK;
void pool_guest_end(struct pool *pool);
/* Whether this thread is the pool's host: it is then registered with the cache, and offline. */
bool pool_is_hosted_here(const struct pool *pool);
/* Before another thread feeds, ends or cancels it: the host has it no longer to itself. */
void task_share(struct task *task);

/* Waits until all tasks have ended (their answers too), stops the workers. pool_submit refuses
 * meanwhile. */
void pool_drain(struct pool *pool);
/* Cancels what is still there, stops, frees, nulls; answers still to come are dropped. No other
 * call of the pool or of its tasks may be running or follow. NULL inside is fine. */
void pool_stop(struct pool **pool);

/* The pool's own time for a message (own_time.h), since the start; at most 3.2 % above the truth.
 */
struct pool_own_time
{
    uint64_t count; /* messages: those that did not wait for a name after their end */
    uint64_t p50_ns, p99_ns, p999_ns, max_ns;
};

struct pool_stats
{
    uint64_t messages, cancelled, failed, refused; /* since the start */
    uint64_t rounds, verify_jobs, parked;          /* how often tasks were parked for answers */
    uint64_t spf_hits, spf_misses;     /* SPF checks taken from another message, and not found */
    uint64_t dmarc_hits, dmarc_misses; /* DMARC discoveries, likewise */
    uint64_t in_flight, arena_bytes, queued_bytes; /* now */
    /* By protocol (SPF, best DKIM, ARC, DMARC, disposition), by pool_result_slot, dispositions by
     * their own number. */
    uint64_t results[5][8];
    uint64_t limit_hits[LIMIT_COUNT];
    uint64_t by_guest; /* of the messages */
    uint64_t cpu_ns;   /* of all workers' threads, and the time of the guest's rounds */
    struct pool_own_time own_time;
    unsigned workers; /* threads */
};
/* 0 for pass, 1 to 7 for the others. */
static inline unsigned pool_result_slot(enum result result)
{
    return result == RESULT_PASS ? 0 : (unsigned)result & 7;
}
void pool_stats(struct pool *pool, struct pool_stats *stats);

#endif
