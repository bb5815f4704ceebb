/*
 * Where askers leave questions for one thread: a queue of many producers and one consumer
 * (liburcu's wfcqueue: Desnoyers and Lai, "wait-free enqueue, blocking dequeue"), and a descriptor
 * that wakes the consumer when it sleeps in its event loop.
 *
 * The consumer says so before it sleeps and then looks once more; a producer enqueues first and
 * looks for a sleeper then. With a full barrier between the two steps on each side, one of them
 * sees the other, so no question is left lying while its owner sleeps.
 */
#ifndef DNS_INBOX_H
#define DNS_INBOX_H

#include <stdatomic.h>
#include <urcu/wfcqueue.h>

#include "base/attributes.h"

struct inbox
{
    /* shared */
    struct cds_wfcq_tail tail __attribute__((aligned(64)));
    _Atomic bool asleep;
    /* consumer only */
    struct __cds_wfcq_head head __attribute__((aligned(64)));
    /* set at start */
    int wake_fd; /* readable: something came while the consumer slept */
};

/* Empty, and good for taking; for pushing it has to be open. */
void inbox_init(struct inbox *inbox);
/* False with errno set: no descriptor. */
bool inbox_open(struct inbox *inbox) MUST_CHECK;
/* Must be empty. */
void inbox_fini(struct inbox *inbox);

/*
 * Any thread. What was written to the node's surroundings before is visible to who takes it. True:
 * the consumer has been woken.
 */
bool inbox_push(struct inbox *inbox, struct cds_wfcq_node *node);
/* Wakes the consumer, asleep or not. Any thread. */
void inbox_wake(struct inbox *inbox);

/* The rest is the consumer's. The oldest node; NULL: none, or one is just being pushed. */
struct cds_wfcq_node *inbox_take(struct inbox *inbox) MUST_CHECK;
/* True: nothing is there, and from now on a push makes wake_fd readable. */
bool inbox_sleep(struct inbox *inbox) MUST_CHECK;
/* After the sleep. */
void inbox_awake(struct inbox *inbox);
/* wake_fd is readable no more. */
void inbox_clear(struct inbox *inbox);

#endif
