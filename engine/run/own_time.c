#include "run/own_time.h"

#include <time.h>

#include "run/worker.h"

int64_t own_time_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void own_time_judged(struct worker *worker, const struct task *task)
{
    if (task->is_query || task->waited)
        return;
    assert(worker->judged_count < ROUND_TASKS);
    worker->judged_ended_ns[worker->judged_count++] = task->ended_ns;
}

void own_time_round_done(struct worker *worker)
{
    if (!worker->judged_count)
        return;
    int64_t now_ns = own_time_clock_ns();
    for (uint32_t i = 0; i < worker->judged_count; i++)
        histogram_add(&worker->own_time, (uint64_t)(now_ns - worker->judged_ended_ns[i]));
    worker->judged_count = 0;
}

void own_time_read(struct pool *pool, struct pool_own_time *figures)
{
    struct histogram *all = &pool->own_time;
    memset(all, 0, sizeof *all);
    for (unsigned i = 0; i < pool_all_workers(pool); i++)
        histogram_merge(all, &pool->workers[i].own_time);
    *figures = (struct pool_own_time){
        .count = all->count,
        .p50_ns = histogram_quantile(all, 0.5),
        .p99_ns = histogram_quantile(all, 0.99),
        .p999_ns = histogram_quantile(all, 0.999),
        .max_ns = all->max,
    };
}
