/*
 * The queue's inline functions store with `volatile`, which ThreadSanitizer takes for a race. In
 * its build the calls go into the library (no _LGPL_SOURCE), where it sees nothing, and the order
 * that holds is stated here: a push releases the node, a take acquires it.
 */
#if defined(__SANITIZE_THREAD__)
#define QUEUE_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define QUEUE_UNDER_TSAN 1
#endif
#endif
#ifdef QUEUE_UNDER_TSAN
#undef _LGPL_SOURCE
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#else
#define __tsan_acquire(address) ((void)(address))
#define __tsan_release(address) ((void)(address))
#endif

#include "dns/question_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>
#include <urcu/arch.h>

void question_queue_init(struct question_queue *queue)
{
    __cds_wfcq_init(&queue->head, &queue->tail);
    atomic_init(&queue->asleep, false);
    queue->wake_fd = -1;
}

bool question_queue_open(struct question_queue *queue)
{
    queue->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return queue->wake_fd >= 0;
}

void question_queue_fini(struct question_queue *queue)
{
    assert(cds_wfcq_empty(&queue->head, &queue->tail));
    if (queue->wake_fd >= 0)
        close(queue->wake_fd);
    queue->wake_fd = -1;
}

/* The descriptor's counter is never near its ceiling; and if it were, it would be readable. */
void question_queue_wake(struct question_queue *queue)
{
    const uint64_t one = 1;
    (void)!write(queue->wake_fd, &one, sizeof one);
}

bool question_queue_push(struct question_queue *queue, struct cds_wfcq_node *node)
{
    cds_wfcq_node_init(node);
    __tsan_release(node);
    cds_wfcq_enqueue(&queue->head, &queue->tail, node);
    cmm_smp_mb(); /* the node before the look at `asleep`; partner in question_queue_sleep */
    if (!atomic_load_explicit(&queue->asleep, memory_order_relaxed) ||
        !atomic_exchange_explicit(&queue->asleep, false, memory_order_relaxed))
        return false;
    question_queue_wake(queue);
    return true;
}

struct cds_wfcq_node *question_queue_take(struct question_queue *queue)
{
    struct cds_wfcq_node *node = __cds_wfcq_dequeue_nonblocking(&queue->head, &queue->tail);
    if (!node || node == CDS_WFCQ_WOULDBLOCK)
        return NULL;
    __tsan_acquire(node);
    return node;
}

bool question_queue_sleep(struct question_queue *queue)
{
    atomic_store_explicit(&queue->asleep, true, memory_order_relaxed);
    cmm_smp_mb(); /* `asleep` before the look at the queue; partner in question_queue_push */
    if (cds_wfcq_empty(&queue->head, &queue->tail))
        return true;
    question_queue_awake(queue);
    return false;
}

void question_queue_awake(struct question_queue *queue)
{
    atomic_store_explicit(&queue->asleep, false, memory_order_relaxed);
}

void question_queue_clear(struct question_queue *queue)
{
    uint64_t count;
    (void)!read(queue->wake_fd, &count, sizeof count);
}
