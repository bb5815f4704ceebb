/*
 * Where askers leave questions for one thread: a queue of many producers and one consumer
 * (liburcu's wfcqueue: Desnoyers and Lai, "wait-free enqueue, blocking dequeue"), and a descriptor
 * that wakes the consumer when it sleeps in its event loop.
 *
 * The consumer says so before it sleeps and then looks once more; a producer enqueues first and
 * looks for a sleeper then. With a full barrier between the two steps on each side, one of them
 * sees the other, so no question is left lying while its owner sleeps.
 */
#ifndef DNS_QUESTION_QUEUE_H
#define DNS_QUESTION_QUEUE_H

#include <stdatomic.h>
#include <urcu/wfcqueue.h>

#include "base/attributes.h"

struct question_queue
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
void question_queue_init(struct question_queue *queue);
/* False with errno set: no descriptor. */
bool question_queue_open(struct question_queue *queue) MUST_CHECK;
/* Must be empty. */
void question_queue_fini(struct question_queue *queue);

/*
 * Any thread. What was written to the node's surroundings before is visible to who takes it. True:
 * the consumer has been woken.
 */
bool question_queue_push(struct question_queue *queue, struct cds_wfcq_node *node);
/* Wakes the consumer, asleep or not. Any thread. */
void question_queue_wake(struct question_queue *queue);

/* The rest is the consumer's. The oldest node; NULL: none, or one is just being pushed. */
struct cds_wfcq_node *question_queue_take(struct question_queue *queue) MUST_CHECK;
/* True: nothing is there, and from now on a push makes wake_fd readable. */
bool question_queue_sleep(struct question_queue *queue) MUST_CHECK;
/* After the sleep. */
void question_queue_awake(struct question_queue *queue);
/* wake_fd is readable no more. */
void question_queue_clear(struct question_queue *queue);

#endif
