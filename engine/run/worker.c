/*
 * The rounds of a worker (design: a worker lives in rounds).
 *
 * A round is bounded: ROUND_EVENTS events, ROUND_TASKS tasks of ROUND_SLICE_BYTES each. It is one
 * read section of the cache: between its beginning and cache_thread_quiescent nothing blocks, and
 * every task that goes on living is parked before the end, so no cached pointer outlives it (G2).
 */
#include "run/worker.h"

#include <time.h>

#include "cache/tsan.h"
#include "engine.h"
#include "run/own_time.h"

static void piece_came(struct worker *worker, struct piece *piece)
{
    struct task *task = piece->task;
    if (task->done) {
        piece_free(piece);
        return;
    }
    piece->next = NULL;
    *task->last_piece = piece;
    task->last_piece = &piece->next;
    task_ready(worker, task);
}

static void take_in(struct worker *worker, struct task *task)
{
    task->in_next = worker->tasks;
    task->in_link = &worker->tasks;
    if (task->in_next)
        task->in_next->in_link = &task->in_next;
    worker->tasks = task;
    task_ready(worker, task);
}

static void task_came(struct worker *worker, struct task *task)
{
    task->last_piece = &task->pieces;
    task->closed = task->is_query;
    take_in(worker, task);
}

/* The guest has left the rest of it to us. */
static void task_moved(struct worker *worker, struct task *task)
{
    message_move(task->message, &worker->round.near);
    take_in(worker, task);
}

static void task_closed(struct worker *worker, struct task *task, bool cancelled)
{
    task->closed = true;
    task->cancelled = cancelled;
    if (task->done)
        task_free(worker, task);
    else
        task_ready(worker, task);
}

static void abort_all(struct worker *worker)
{
    worker->cancel_all = true;
    for (struct task *task = worker->tasks; task; task = task->in_next)
        task_ready(worker, task);
}

static void handle(struct worker *worker, struct event *event)
{
    switch (event->kind) {
    case EVENT_SUBMITTED:
        task_came(worker, task_of_submitted(event));
        return;
    case EVENT_PIECE:
        piece_came(worker, piece_of_event(event));
        return;
    case EVENT_ENDED:
        task_closed(worker, task_of_closing(event), false);
        return;
    case EVENT_CANCELLED:
        task_closed(worker, task_of_closing(event), true);
        return;
    case EVENT_MOVED:
        task_moved(worker, task_of_submitted(event));
        return;
    case EVENT_ANSWER:
        ask_take_answer(worker, ask_of_event(event));
        return;
    case EVENT_STOP:
        worker->stopping = true;
        return;
    case EVENT_ABORT:
        worker->stopping = true;
        abort_all(worker);
        return;
    }
}

static void take_events(struct worker *worker)
{
    for (unsigned i = 0; i < ROUND_EVENTS; i++) {
        if (!worker->events)
            worker->events = inbox_take(worker->inbox);
        if (!worker->events)
            return;
        struct event *event = worker->events;
        worker->events = event->next;
        handle(worker, event);
    }
}

static void take_timers(struct worker *worker)
{
    for (struct timer *timer; (timer = timers_due(&worker->timers, worker->round.now_ms));) {
        struct task *task = task_of_deadline(timer);
        task->expired = true;
        task_ready(worker, task);
    }
}

static struct task *next_ready(struct worker *worker)
{
    struct task *task = worker->ready.first;
    worker->ready.first = task->next;
    if (!task->next)
        worker->ready.last = &worker->ready.first;
    worker->ready.count--;
    task->ready = false;
    return task;
}

/* Each task at most once a round: who has more goes to the end of the line. */
static void run_tasks(struct worker *worker)
{
    uint32_t n = worker->ready.count < ROUND_TASKS ? worker->ready.count : ROUND_TASKS;
    for (uint32_t i = 0; i < n; i++) {
        struct task *task = next_ready(worker);
        worker->running[i] = task;
        worker->running_count = i + 1;
        task->round_at = i;
        task_run(worker, task);
    }
}

/* The public-key checks of all tasks that are ready for them, together. Until none is left: a task
 * whose key was renewed may have new jobs. */
static void verify_tasks(struct worker *worker)
{
    while (worker->verifying_count) {
        struct task *tasks[ROUND_TASKS];
        struct message *messages[ROUND_TASKS];
        uint32_t n = worker->verifying_count;
        for (uint32_t i = 0; i < n; i++) {
            tasks[i] = worker->verifying[i];
            messages[i] = tasks[i]->message;
        }
        worker->verifying_count = 0;
        COUNT_ADD(worker->counts.verify_jobs, round_verify(&worker->round, messages, n));
        for (uint32_t i = 0; i < n; i++)
            task_go_on(worker, tasks[i]);
    }
}

/* What the tasks of this round have fed, and what is to be hashed for their judgement. */
static void hash_tasks(struct worker *worker)
{
    struct task *tasks[ROUND_TASKS];
    uint32_t n = worker->hashing_count;
    memcpy(tasks, worker->hashing, n * sizeof tasks[0]);
    worker->hashing_count = 0;
    round_hash(&worker->round);
    for (uint32_t i = 0; i < worker->running_count; i++)
        if (worker->running[i])
            task_give_back(worker->running[i]);
    for (uint32_t i = 0; i < n; i++)
        task_go_on(worker, tasks[i]);
}

static void park_tasks(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->running_count; i++)
        if (worker->running[i])
            task_park(worker, worker->running[i]);
    worker->running_count = 0;
}

/* The round's own table is for its thread alone. */
static void note_shared(struct worker *worker)
{
    struct round_shared shared = round_shared(&worker->round);
    struct worker_counts *counts = &worker->counts;
    atomic_store_explicit(&counts->spf_hits, shared.spf_hits, memory_order_relaxed);
    atomic_store_explicit(&counts->spf_misses, shared.spf_misses, memory_order_relaxed);
    atomic_store_explicit(&counts->dmarc_hits, shared.dmarc_hits, memory_order_relaxed);
    atomic_store_explicit(&counts->dmarc_misses, shared.dmarc_misses, memory_order_relaxed);
}

#ifdef POOL_QUIESCENT_IN_ROUND
/* The negative control of tests/stress/pool_stress.c: keys are in use. Now and then with time for
 * what was flushed to go: liburcu's thread looks every 10 ms. */
static void quiescent_in_round(const struct worker *worker)
{
    cache_thread_offline();
    if (worker->hashing_count && atomic_load(&worker->counts.rounds) % 4 == 0)
        nanosleep(&(struct timespec){.tv_nsec = 15 * 1000 * 1000}, NULL);
    cache_thread_online();
}
#endif

void worker_round(struct worker *worker)
{
    round_begin(&worker->round, engine_clock_ms());
    take_events(worker);
    take_timers(worker);
    run_tasks(worker);
#ifdef POOL_QUIESCENT_IN_ROUND
    quiescent_in_round(worker);
#endif
    hash_tasks(worker);
    verify_tasks(worker);
    assert(worker->hashing_count == 0);
    park_tasks(worker);
    own_time_round_done(worker);
    task_round_done(worker);
    note_shared(worker);
    COUNT_ADD(worker->counts.rounds, 1);
    cache_thread_quiescent();
}

static void rest(struct worker *worker)
{
    cache_thread_offline();
    inbox_sleep(worker->inbox, timers_wait_ms(&worker->timers, engine_clock_ms()));
    cache_thread_online();
}

/* Failed tasks whose producers have not let go, and will not any more; late answers. */
static void sweep(struct worker *worker)
{
    struct event *event = inbox_close(worker->inbox);
    while (event) {
        struct event *next = event->next;
        handle(worker, event);
        event = next;
    }
    while (worker->tasks)
        task_free(worker, worker->tasks);
}

/* The guest's is counted by its host. */
static void note_cpu_time(struct worker *worker)
{
    struct timespec used;
    if (worker == worker->pool->guest)
        return;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    atomic_store(&worker->cpu_ns, (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec);
}

void worker_open_round(struct worker *worker)
{
    round_init(&worker->round, worker->pool->config.cache, ask_refresh, worker);
    worker->round_is_open = true;
}

void *worker_main(void *argument)
{
    struct worker *worker = argument;
    cache_thread_register();
    if (!worker->round_is_open)
        worker_open_round(worker);
    for (;;) {
        worker_round(worker);
        if (worker->ready.count || worker->events)
            continue;
        if (worker->stopping && atomic_load(&worker->in_flight) == 0)
            break;
        rest(worker);
    }
    sweep(worker);
    round_fini(&worker->round);
    cache_thread_unregister();
    note_cpu_time(worker);
    return NULL;
}
