/*
 * The pool: workers' start and end, room for tasks, figures.
 *
 * Limits: max_messages and max_bytes are checked before anything is allocated; over them
 * pool_submit says busy and counts it. A refused submitter is counted in flight for a moment, so
 * at the limit two that come together may both be refused.
 */
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "engine.h"
#include "run/guest.h"
#include "run/own_time.h"

enum
{
    DEFAULT_MESSAGES = 16384,
    DEFAULT_TIMEOUT_MS = 25 * 1000,
    STACK_BYTES = 256 * 1024, /* and a guard page (L13) */
    WORKERS_MAX = 256,
};

static const uint64_t default_bytes = 2ull * 1024 * 1024 * 1024;

/* --- start --- */

static unsigned cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

static struct pool_config with_defaults(const struct pool_config *config)
{
    struct pool_config filled = *config;
    if (!filled.workers)
        filled.workers = cores();
    if (filled.workers > WORKERS_MAX)
        filled.workers = WORKERS_MAX;
    if (!filled.max_messages)
        filled.max_messages = DEFAULT_MESSAGES;
    if (!filled.max_bytes)
        filled.max_bytes = default_bytes;
    if (!filled.timeout_ms)
        filled.timeout_ms = DEFAULT_TIMEOUT_MS;
    return filled;
}

static bool start_thread(struct worker *worker)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    bool started = pthread_attr_setstacksize(&attributes, STACK_BYTES * POOL_STACK_FACTOR) == 0 &&
                   pthread_create(&worker->thread, &attributes, worker_main, worker) == 0;
    pthread_attr_destroy(&attributes);
    if (started)
        pthread_setname_np(worker->thread, "assay-worker");
    return started;
}

static void worker_fini(struct worker *worker)
{
    timers_fini(&worker->timers);
    if (worker->inbox)
        inbox_unref(&worker->inbox);
}

static bool worker_init(struct worker *worker, struct pool *pool)
{
    worker->pool = pool;
    worker->ready.last = &worker->ready.first;
    worker->inbox = inbox_new();
    return worker->inbox && timers_init(&worker->timers, pool->config.max_messages);
}

static bool start_worker(struct pool *pool)
{
    struct worker *worker = &pool->workers[pool->started];
    if (worker_init(worker, pool) && start_thread(worker)) {
        pool->started++;
        return true;
    }
    worker_fini(worker);
    return false;
}

/* True where none is wanted. */
static bool make_guest(struct pool *pool)
{
    struct worker *guest = &pool->workers[pool->config.workers];
    if (!pool->config.rouse)
        return true;
    if (!worker_init(guest, pool)) {
        worker_fini(guest);
        return false;
    }
    guest->inbox->rouse = pool->config.rouse;
    guest->inbox->context = pool->config.host;
    pool->guest = guest;
    return true;
}

static void pool_free(struct pool *pool)
{
    for (unsigned i = 0; i < pool_all_workers(pool); i++)
        worker_fini(&pool->workers[i]);
    task_stock_fini(&pool->stock);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->idle);
    free(pool->workers);
    free(pool);
}

static struct pool *pool_new(const struct pool_config *config)
{
    struct pool *pool = aligned_alloc(_Alignof(struct pool), sizeof *pool);
    if (!pool)
        return NULL;
    memset(pool, 0, sizeof *pool);
    pool->config = with_defaults(config);
    size_t bytes = (pool->config.workers + (config->rouse != NULL)) * sizeof *pool->workers;
    pool->workers = aligned_alloc(_Alignof(struct worker), bytes);
    if (!pool->workers) {
        free(pool);
        return NULL;
    }
    memset(pool->workers, 0, bytes);
    task_stock_init(&pool->stock);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->idle, NULL);
    return pool;
}

struct pool *pool_start(const struct pool_config *config, char error[ASSAY_ERROR_MAX])
{
    struct pool *pool = pool_new(config);
    if (!pool) {
        engine_say(error, "no memory for the workers");
        return NULL;
    }
    while (pool->started < pool->config.workers && start_worker(pool))
        ;
    if (pool->started == pool->config.workers && make_guest(pool))
        return pool;
    engine_say(error, "cannot start %u worker threads", pool->config.workers);
    pool_stop(&pool);
    return NULL;
}

/* --- tasks --- */

/* What all tasks hold and have queued, now. */
static void sum_bytes(const struct pool *pool, uint64_t *arenas, uint64_t *queued)
{
    *arenas = *queued = 0;
    for (unsigned i = 0; i < pool_all_workers(pool); i++) {
        *arenas += atomic_load_explicit(&pool->workers[i].arena_bytes, memory_order_relaxed);
        *queued += atomic_load_explicit(&pool->workers[i].queued_bytes, memory_order_relaxed);
    }
}

static bool has_room(const struct pool *pool, uint32_t others)
{
    uint64_t arenas, queued, least = sizeof(struct message);
    if (others >= pool->config.max_messages)
        return false;
    sum_bytes(pool, &arenas, &queued);
    if (arenas < others * least)
        arenas = others * least; /* some have not begun */
    return arenas + queued + least <= pool->config.max_bytes;
}

static void wake_drain(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->idle);
    pthread_mutex_unlock(&pool->lock);
}

/*
 * The last task out and pool_drain: this side takes itself from in_flight, then looks at stopping;
 * the other sets stopping, then looks at in_flight. Both are sequentially consistent, so at least
 * one of them sees the other.
 */
static void leave(struct pool *pool)
{
    if (atomic_fetch_sub(&pool->in_flight, 1) == 1 && atomic_load(&pool->stopping))
        wake_drain(pool);
}

void pool_task_ended(struct worker *worker)
{
    atomic_fetch_sub(&worker->in_flight, 1);
    leave(worker->pool);
}

static bool enter(struct pool *pool)
{
    uint32_t others = atomic_fetch_add(&pool->in_flight, 1);
    if (!atomic_load(&pool->stopping) && has_room(pool, others))
        return true;
    atomic_fetch_add_explicit(&pool->refused, 1, memory_order_relaxed);
    leave(pool);
    return false;
}

struct worker *pool_least_busy(struct pool *pool)
{
    unsigned n = pool->started;
    unsigned turn = atomic_fetch_add_explicit(&pool->turn, 1, memory_order_relaxed);
    struct worker *best = &pool->workers[turn % n];
    uint32_t least = atomic_load_explicit(&best->in_flight, memory_order_relaxed);
    for (unsigned i = 1; i < n && least; i++) {
        struct worker *other = &pool->workers[(turn + i) % n];
        uint32_t in_flight = atomic_load_explicit(&other->in_flight, memory_order_relaxed);
        if (in_flight >= least)
            continue;
        least = in_flight;
        best = other;
    }
    return best;
}

static void hand_over(struct pool *pool, struct task *task)
{
    if (guest_considers(pool, task))
        return;
    task->worker = pool_least_busy(pool);
    atomic_fetch_add(&task->worker->in_flight, 1);
    inbox_push(task->worker->inbox, &task->submitted);
}

/* False without memory: counted, and the place is free again. */
static bool was_made(struct pool *pool, const struct task *task)
{
    if (task)
        return true;
    atomic_fetch_add_explicit(&pool->refused, 1, memory_order_relaxed);
    leave(pool);
    return false;
}

struct task *pool_submit(struct pool *pool, const struct task_request *request)
{
    if (!enter(pool))
        return NULL;
    struct task *task = task_new(&pool->stock, request);
    if (was_made(pool, task))
        hand_over(pool, task);
    return task;
}

bool pool_query(struct pool *pool, const struct query_request *request)
{
    if (!enter(pool))
        return false;
    struct task *task = task_new_query(&pool->stock, request);
    if (!was_made(pool, task))
        return false;
    hand_over(pool, task);
    return true;
}

/* --- end --- */

static void stop_workers(struct pool *pool, enum event_kind how)
{
    pthread_mutex_lock(&pool->lock);
    bool joined = pool->joined;
    pool->joined = true;
    pthread_mutex_unlock(&pool->lock);
    if (joined)
        return;
    for (unsigned i = 0; i < pool->started; i++) {
        pool->workers[i].stop.kind = how;
        inbox_push(pool->workers[i].inbox, &pool->workers[i].stop);
    }
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
}

void pool_drain(struct pool *pool)
{
    atomic_store(&pool->stopping, true);
    guest_finish(pool, EVENT_STOP);
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->in_flight))
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    stop_workers(pool, EVENT_STOP);
}

void pool_stop(struct pool **pool)
{
    if (!*pool)
        return;
    atomic_store(&(*pool)->stopping, true);
    guest_finish(*pool, EVENT_ABORT);
    stop_workers(*pool, EVENT_ABORT);
    pool_free(*pool);
    *pool = NULL;
}

/* --- figures --- */

/* The clock of a thread that is still there, or what its end left. */
static uint64_t cpu_ns(const struct pool *pool, const struct worker *worker)
{
    clockid_t clock;
    struct timespec used;
    if (pool->joined || worker == pool->guest ||
        pthread_getcpuclockid(worker->thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return atomic_load(&worker->cpu_ns);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void add(uint64_t *sum, _Atomic uint64_t *counter)
{
    *sum += atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_worker(struct pool_stats *stats, struct worker_counts *counts)
{
    add(&stats->messages, &counts->messages);
    add(&stats->cancelled, &counts->cancelled);
    add(&stats->failed, &counts->failed);
    add(&stats->rounds, &counts->rounds);
    add(&stats->verify_jobs, &counts->verify_jobs);
    add(&stats->parked, &counts->parked);
    add(&stats->spf_hits, &counts->spf_hits);
    add(&stats->spf_misses, &counts->spf_misses);
    add(&stats->dmarc_hits, &counts->dmarc_hits);
    add(&stats->dmarc_misses, &counts->dmarc_misses);
    for (unsigned p = 0; p < COUNT_OF(stats->results); p++)
        for (unsigned r = 0; r < COUNT_OF(stats->results[p]); r++)
            add(&stats->results[p][r], &counts->results[p][r]);
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        add(&stats->limit_hits[i], &counts->limit_hits[i]);
}

void pool_stats(struct pool *pool, struct pool_stats *stats)
{
    *stats = (struct pool_stats){
        .refused = atomic_load_explicit(&pool->refused, memory_order_relaxed),
        .in_flight = atomic_load_explicit(&pool->in_flight, memory_order_relaxed),
        .workers = pool->started,
    };
    sum_bytes(pool, &stats->arena_bytes, &stats->queued_bytes);
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool_all_workers(pool); i++) {
        add_worker(stats, &pool->workers[i].counts);
        stats->cpu_ns += cpu_ns(pool, &pool->workers[i]);
    }
    if (pool->guest)
        add(&stats->by_guest, &pool->guest->counts.messages);
    own_time_read(pool, &stats->own_time);
    pthread_mutex_unlock(&pool->lock);
}
