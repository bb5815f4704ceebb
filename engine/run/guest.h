/*
 * The guest: a worker of the pool without a thread of its own. The thread that takes messages in,
 * its host, runs its rounds (pool.h, pool_guest_...), so that a lone message on an idle engine is
 * judged where it was read: no thread is woken for it, and none for its answer.
 *
 * Which messages: those that the host submits while all threads sleep and the guest has nothing.
 * Such a one is kept apart, bound to no inbox, until the host's batch of events is over
 * (pool_guest_run). Then it is the guest's if it is complete, and otherwise a thread's; a second
 * one in the same batch, or more than GUEST_BYTES, sends it to a thread at once. The guest never
 * has more than one task.
 *
 * What the host may be held up by: one round of one message of at most GUEST_BYTES. Public-key
 * checks that come to more than GUEST_CHECKS are left to a thread (guest_gives_away).
 *
 * A task of the guest that waits for names waits as in any worker; the answers come into its inbox,
 * which rouses the host.
 */
#ifndef RUN_GUEST_H
#define RUN_GUEST_H

#include "run/worker.h"

enum
{
    GUEST_BYTES = ROUND_SLICE_BYTES, /* a round takes them all */
    GUEST_CHECKS = 8 * 4,            /* RSA with 1,024 bits is 1, with 2,048 bits 4 */
};

/* True where the task is kept apart. Called by whoever submits it. */
bool guest_considers(struct pool *pool, struct task *task) MUST_CHECK;
/* In place of a push to its inbox, for a task that is kept apart. */
void guest_keep(struct task *task, struct event *event);
/* A task of the guest whose checks are due: true where they are too many. It then goes to a
 * thread, when the questions that it has asked are answered. */
bool guest_gives_away(struct worker *worker, struct task *task) MUST_CHECK;
/* Runs what the guest has to its end, or cancels it (`how`), on this thread. Once. */
void guest_finish(struct pool *pool, enum event_kind how);

#endif
