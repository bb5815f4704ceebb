#include "run/guest.h"

#include "cache/tsan.h"
#include "engine.h"
#include "run/own_time.h"

/* The pool whose host this thread is; a thread can be that of one. */
static _Thread_local const struct pool *hosted;

bool pool_is_hosted_here(const struct pool *pool)
{
    return pool && hosted == pool;
}

/* Which tasks -------------------------------------------------------------------------------------
 */

/* Nobody works, and the guest has nothing that could come back to it. */
static bool is_idle(const struct pool *pool)
{
    if (atomic_load_explicit(&pool->guest->in_flight, memory_order_relaxed))
        return false;
    for (unsigned i = 0; i < pool->started; i++)
        if (!inbox_is_asleep(pool->workers[i].inbox))
            return false;
    return true;
}

void guest_keep(struct task *task, struct event *event)
{
    struct apart *apart = &task->worker->pool->apart;
    event->next = apart->newest;
    apart->newest = event;
    if (!apart->oldest)
        apart->oldest = event;
    apart->complete |= event->kind != EVENT_SUBMITTED && event->kind != EVENT_PIECE;
}

/* It goes into an inbox: the guest's, or another worker's. */
static void bind(struct pool *pool, struct worker *worker)
{
    struct apart apart = pool->apart;
    struct task *task = apart.task;
    pool->apart = (struct apart){.task = NULL};
    task->is_apart = false;
    if (worker != pool->guest) {
        uint64_t queued = task_queued_bytes(task);
        task->worker = worker;
        atomic_fetch_add(&worker->in_flight, 1);
        atomic_fetch_sub(&pool->guest->in_flight, 1);
        atomic_fetch_add_explicit(&worker->queued_bytes, queued, memory_order_relaxed);
        atomic_fetch_sub_explicit(&pool->guest->queued_bytes, queued, memory_order_relaxed);
    }
    inbox_push_all(worker->inbox, apart.newest, apart.oldest);
}

bool guest_considers(struct pool *pool, struct task *task)
{
    if (!pool_is_hosted_here(pool))
        return false;
    if (pool->apart.task)
        bind(pool, pool_least_busy(pool));
    if (!is_idle(pool))
        return false;
    task->worker = pool->guest;
    task->is_apart = true;
    atomic_fetch_add(&pool->guest->in_flight, 1);
    pool->apart = (struct apart){.task = task, .complete = task->is_query};
    guest_keep(task, &task->submitted);
    return true;
}

void task_share(struct task *task)
{
    if (task->is_apart)
        bind(task->worker->pool, pool_least_busy(task->worker->pool));
}

static void decide(struct pool *pool)
{
    if (!pool->apart.task)
        return;
    bind(pool, pool->apart.complete ? pool->guest : pool_least_busy(pool));
}

/* Too many checks ---------------------------------------------------------------------------------
 */

/* About, in verifications with a key of 1,024 bits. */
static uint32_t check_cost(const struct public_key *key)
{
    enum
    {
        USUAL_EXPONENT = 65537,
        ED25519_COST = 8,
        LONG_EXPONENT_COST = 4, /* 32 bits for 17 */
    };
    uint32_t kilobits = (public_key_bits(key) + 1023) / 1024;
    if (public_key_type(key) == KEY_ED25519)
        return ED25519_COST;
    return kilobits * kilobits *
           (public_key_exponent(key) > USUAL_EXPONENT ? LONG_EXPONENT_COST : 1);
}

static bool has_too_many_checks(const struct verify_list *list)
{
    uint32_t cost = 0;
    for (uint32_t i = 0; i < list->count && cost <= GUEST_CHECKS; i++)
        cost += check_cost(list->jobs[i].key);
    return cost > GUEST_CHECKS;
}

static void move(struct pool *pool, struct task *task)
{
    struct worker *worker = pool_least_busy(pool);
    task_leave(pool->guest, task);
    task->worker = worker;
    task->submitted.kind = EVENT_MOVED;
    atomic_fetch_add(&worker->in_flight, 1);
    atomic_fetch_sub(&pool->guest->in_flight, 1);
    inbox_push(worker->inbox, &task->submitted);
}

bool guest_gives_away(struct worker *worker, struct task *task)
{
    if (!task->unverified && !has_too_many_checks(&task->message->jobs))
        return false;
    task->unverified = true;
    if (task->expired)
        ask_expire(task);
    if (task->open_asks)
        task_wait(worker, task); /* answers come to this worker's inbox */
    else
        move(worker->pool, task);
    return true;
}

/* The host ----------------------------------------------------------------------------------------
 */

void pool_guest_begin(struct pool *pool)
{
    assert(pool->guest && !hosted);
    cache_thread_register();
    if (!pool->guest->round_is_open)
        worker_open_round(pool->guest);
    cache_thread_offline();
    hosted = pool;
}

static bool has_work(const struct worker *guest)
{
    return guest->events || guest->ready.count || !inbox_is_empty(guest->inbox) ||
           (guest->timers.count && timers_wait_ms(&guest->timers, engine_clock_ms()) == 0);
}

static void run_rounds(struct worker *guest)
{
    int64_t begin_ns = own_time_clock_ns();
    cache_thread_online();
    do
        worker_round(guest);
    while (has_work(guest));
    cache_thread_offline();
    COUNT_ADD(guest->cpu_ns, (uint64_t)(own_time_clock_ns() - begin_ns));
}

void pool_guest_run(struct pool *pool)
{
    assert(pool_is_hosted_here(pool));
    inbox_rise(pool->guest->inbox);
    decide(pool);
    if (has_work(pool->guest))
        run_rounds(pool->guest);
}

int64_t pool_guest_doze(struct pool *pool)
{
    struct worker *guest = pool->guest;
    if (pool->apart.task || has_work(guest) || !inbox_doze(guest->inbox))
        return 0;
    return guest->timers.count ? timers_wait_ms(&guest->timers, engine_clock_ms()) : -1;
}

void pool_guest_end(struct pool *pool)
{
    assert(pool_is_hosted_here(pool));
    inbox_rise(pool->guest->inbox);
    if (pool->apart.task)
        task_share(pool->apart.task);
    cache_thread_unregister();
    hosted = NULL;
}

void guest_finish(struct pool *pool, enum event_kind how)
{
    if (!pool->guest)
        return;
    if (pool_is_hosted_here(pool))
        pool_guest_end(pool);
    pthread_mutex_lock(&pool->lock);
    bool finished = pool->guest_finished;
    pool->guest_finished = true;
    pthread_mutex_unlock(&pool->lock);
    if (finished)
        return;
    pool->guest->stop.kind = how;
    inbox_push(pool->guest->inbox, &pool->guest->stop);
    worker_main(pool->guest);
}
