/*
 * The pool's own time for a message: from task_end (all its bytes are here) to the end of the round
 * in which its verdict was told, when whoever waits for it is about to be woken.
 *
 * A message that waited for a name after its end is left out: that time is the resolvers'. So are
 * cancelled and failed ones, and queries. Costs one look at the clock a message, by its producer,
 * and one a round.
 */
#ifndef RUN_OWN_TIME_H
#define RUN_OWN_TIME_H

#include <stdint.h>

struct pool;
struct pool_own_time;
struct task;
struct worker;

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t own_time_clock_ns(void);
/* The task was judged in this round. The worker, as below. */
void own_time_judged(struct worker *worker, const struct task *task);
/* All verdicts of this round have been told. */
void own_time_round_done(struct worker *worker);
/* Of all workers since their start. The caller holds the pool's lock. */
void own_time_read(struct pool *pool, struct pool_own_time *figures);

#endif
