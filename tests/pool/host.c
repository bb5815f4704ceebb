#include "host.h"

#include <time.h>

#include "run/worker.h"

enum
{
    PATIENCE_MS = 20 * 1000,
};

static void rouse(void *context)
{
    struct host *host = context;
    sem_post(&host->rung);
}

void host_open(struct host *host, const struct fixture_config *config)
{
    struct fixture_config with_host = *config;
    with_host.rouse = rouse;
    with_host.host = host;
    cr_assert(sem_init(&host->rung, 0, 0) == 0);
    fixture_open(&host->fixture, &with_host);
    pool_guest_begin(host->fixture.pool);
}

void host_close(struct host *host)
{
    fixture_close(&host->fixture);
    sem_destroy(&host->rung);
}

void host_close_now(struct host *host)
{
    fixture_close_now(&host->fixture);
    sem_destroy(&host->rung);
}

static bool is_idle(void *context)
{
    const struct pool *pool = context;
    for (unsigned i = 0; i < pool->started; i++)
        if (!inbox_is_asleep(pool->workers[i].inbox))
            return false;
    return atomic_load(&pool->guest->in_flight) == 0;
}

void host_until_idle(struct host *host)
{
    wait_until(is_idle, host->fixture.pool, "an idle pool");
}

void host_run(struct host *host)
{
    pool_guest_run(host->fixture.pool);
}

static void sleep_ms(struct host *host, int64_t ms)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += ms % 1000 * 1000000;
    end.tv_sec += ms / 1000 + end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    sem_timedwait(&host->rung, &end);
}

/* What a thread judges rouses nobody: the host looks again soon. */
static int64_t soon(const struct host *host, int64_t wait_ms)
{
    bool guest_has_it = atomic_load(&host->fixture.pool->guest->in_flight) > 0;
    if (!guest_has_it)
        return 1;
    return wait_ms < 0 ? PATIENCE_MS : wait_ms;
}

void host_wait_for(struct host *host, struct judged *judged)
{
    int64_t end = engine_clock_ms() + PATIENCE_MS;
    for (;;) {
        host_run(host);
        if (atomic_load(&judged->calls))
            return;
        cr_assert(engine_clock_ms() < end, "no verdict within %d s", PATIENCE_MS / 1000);
        int64_t wait_ms = pool_guest_doze(host->fixture.pool);
        if (wait_ms)
            sleep_ms(host, soon(host, wait_ms));
    }
}

void host_judge(struct host *host, const struct sample *sample, struct judged *judged)
{
    host_until_idle(host);
    task_end(submit_and_feed(&host->fixture, sample, 0, judged));
    host_wait_for(host, judged);
}

struct pool_stats host_stats(struct host *host)
{
    struct pool_stats stats;
    pool_stats(host->fixture.pool, &stats);
    return stats;
}
