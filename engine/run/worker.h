/*
 * A worker's inside, for the files of the pool: pool.c (start, submit, stop), worker.c (rounds),
 * task_run.c (one task in a round), ask.c (questions to the resolvers). round.c and near.c are what
 * it shares with batches.
 */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

#include <pthread.h>

#include "base/histogram.h"
#include "run/round.h"
#include "run/task.h"

enum
{
    ROUND_TASKS = ROUND_MESSAGES,
    ROUND_SLICE_BYTES = 64 * 1024, /* of one task in a round: 2 MB at most for all */
    ROUND_EVENTS = 256,
};

/* Written by its worker alone, read by pool_stats. */
struct worker_counts
{
    _Atomic uint64_t messages, cancelled, failed;
    _Atomic uint64_t rounds, verify_jobs, parked;
    _Atomic uint64_t spf_hits, spf_misses, dmarc_hits, dmarc_misses; /* as struct round_shared */
    _Atomic uint64_t results[5][8];
    _Atomic uint64_t limit_hits[LIMIT_COUNT];
};

struct ready_list
{
    struct task *first;
    struct task **last;
    uint32_t count;
};

struct worker
{
    /* Set at start. */
    struct pool *pool;
    struct inbox *inbox;
    pthread_t thread;

    /* Shared: producers and worker. */
    _Atomic uint32_t in_flight __attribute__((aligned(64)));
    _Atomic uint64_t queued_bytes;

    /* The worker's; read by others. */
    _Atomic uint64_t arena_bytes __attribute__((aligned(64)));
    _Atomic uint64_t cpu_ns; /* when it has ended; of the guest always */
    struct worker_counts counts;
    struct histogram own_time; /* ns */

    /* The worker's. */
    struct round round;
    struct event *events; /* taken from the inbox, not yet looked at */
    struct task *tasks;   /* all */
    struct ready_list ready;
    struct timers timers;
    bool round_is_open;
    bool stopping;
    bool cancel_all;
    struct event stop;

    struct task *running[ROUND_TASKS]; /* tasks of this round; NULL: done since */
    uint32_t running_count;
    struct task *hashing[ROUND_TASKS];
    uint32_t hashing_count;
    struct task *verifying[ROUND_TASKS];
    uint32_t verifying_count;
    int64_t judged_ended_ns[ROUND_TASKS]; /* when those judged in this round were ended */
    uint32_t judged_count;
    void (*round_done)(void *context); /* to be called at the round's end; NULL: nobody was told */
    void *round_context;
};

/* Sanitizers put red zones into frames. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum
{
    POOL_STACK_FACTOR = 4,
};
#else
enum
{
    POOL_STACK_FACTOR = 1,
};
#endif

/* A task of which it is not known yet who will judge it (guest.c). */
struct apart
{
    struct task *task; /* NULL: there is none */
    struct event *newest, *oldest;
    bool complete;
};

struct pool
{
    struct pool_config config; /* with the defaults filled in */
    struct worker *workers;    /* those with threads, behind them the guest */
    unsigned started;          /* threads */
    struct worker *guest;      /* NULL: none */
    struct apart apart;        /* the host's */
    bool guest_finished;       /* under `lock` */

    _Atomic uint32_t in_flight __attribute__((aligned(64)));
    _Atomic uint32_t turn; /* where pool_submit begins to look for the least busy */
    _Atomic uint64_t refused;
    _Atomic bool stopping;

    struct task_stock stock;

    pthread_mutex_t lock; /* protects the sleep of pool_drain and what is below; taken alone */
    pthread_cond_t idle;
    bool joined;
    struct histogram own_time; /* where pool_stats adds up the workers' */
};

#define COUNT_ADD(counter, amount)                                                                 \
    atomic_store_explicit(&(counter),                                                              \
                          atomic_load_explicit(&(counter), memory_order_relaxed) + (amount),       \
                          memory_order_relaxed)

/* worker.c */
void *worker_main(void *worker);
/* For worker_round, once, on a thread that is registered with the cache. */
void worker_open_round(struct worker *worker);
/* On that thread, or another after it. */
void worker_round(struct worker *worker);

/* pool.c */
/* One task less in flight. */
void pool_task_ended(struct worker *worker);
/* Of those with threads. */
struct worker *pool_least_busy(struct pool *pool);
static inline unsigned pool_all_workers(const struct pool *pool)
{
    return pool->started + (pool->guest != NULL);
}

/* task_run.c */
void task_ready(struct worker *worker, struct task *task);
/* Runs a task as far as it goes without verification. */
void task_run(struct worker *worker, struct task *task);
/* Calls what the round's tasks want called when it ends. */
void task_round_done(struct worker *worker);
/* After what it fed was hashed. */
void task_give_back(struct task *task);
/* After what it needed was hashed, or its jobs were verified. */
void task_go_on(struct worker *worker, struct task *task);
/* Sets it aside at the end of a round: no cached pointer is left. */
void task_park(struct worker *worker, struct task *task);
/* Nothing of it stays with this worker, which it leaves without open questions. */
void task_leave(struct worker *worker, struct task *task);
/* Until its answers come, or its deadline. */
void task_wait(struct worker *worker, struct task *task);
/* Calls `done` and releases what the message took; frees the task where the producer has let go. */
void task_finish(struct worker *worker, struct task *task, enum task_outcome outcome);
/* The producer has let go after `done`. */
void task_free(struct worker *worker, struct task *task);

/* ask.c */
/* Asks what is open, as many at once as a message may. True where something was answered at once:
 * let the judges go on. */
bool ask_open_questions(struct worker *worker, struct task *task) MUST_CHECK;
/* A refresh in the background: nobody waits for it. `context` is the worker (round.h). */
void ask_refresh(void *context, const struct dns_name *name, enum dns_type type);
/* An answer has come; the event is consumed. */
void ask_take_answer(struct worker *worker, struct ask *ask);
/* The deadline has passed: every open question fails with "timeout". */
void ask_expire(struct task *task);
/* Lets go of all of a task's questions and answers. */
void ask_drop_all(struct task *task);

#endif
