/*
 * The test's thread as the host of a pool's guest (pool.h): it sleeps and is roused as a front is.
 */
#ifndef POOL_HOST_H
#define POOL_HOST_H

#include <semaphore.h>

#include "fixture.h"

struct host
{
    struct fixture fixture;
    sem_t rung;
};

/* `config` without its host. The thread is the host from now on. */
void host_open(struct host *host, const struct fixture_config *config);
/* Drains; the guest's rest runs on this thread. */
void host_close(struct host *host);
void host_close_now(struct host *host);
/* Until all threads sleep and the guest has nothing: a lone message is then the guest's. */
void host_until_idle(struct host *host);
/* One batch of events is over. */
void host_run(struct host *host);
/* Runs and sleeps until `judged` has been called; fails after 20 seconds. */
void host_wait_for(struct host *host, struct judged *judged);
/* Submits the whole message on an idle pool and waits for its verdict. */
void host_judge(struct host *host, const struct sample *sample, struct judged *judged);
struct pool_stats host_stats(struct host *host);

#endif
