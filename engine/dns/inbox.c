#include "cache/tsan.h"

/*
 * The queue's inline functions store with `volatile`, which the sanitizer takes for a race. In its
 * build the calls go into the library, where it sees nothing; the order is stated below.
 */
#ifdef CACHE_UNDER_TSAN
#undef _LGPL_SOURCE
#endif

#include "dns/inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

void inbox_init(struct inbox *inbox)
{
    __cds_wfcq_init(&inbox->head, &inbox->tail);
    atomic_init(&inbox->asleep, false);
    inbox->wake_fd = -1;
}

bool inbox_open(struct inbox *inbox)
{
    inbox->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return inbox->wake_fd >= 0;
}

void inbox_fini(struct inbox *inbox)
{
    assert(cds_wfcq_empty(&inbox->head, &inbox->tail));
    if (inbox->wake_fd >= 0)
        close(inbox->wake_fd);
    inbox->wake_fd = -1;
}

/* The descriptor's counter is never near its ceiling; and if it were, it would be readable. */
void inbox_wake(struct inbox *inbox)
{
    const uint64_t one = 1;
    (void)!write(inbox->wake_fd, &one, sizeof one);
}

bool inbox_push(struct inbox *inbox, struct cds_wfcq_node *node)
{
    cds_wfcq_node_init(node);
    TSAN_RELEASE(node);
    cds_wfcq_enqueue(&inbox->head, &inbox->tail, node);
    cmm_smp_mb(); /* the node before the look at `asleep`; partner in inbox_sleep */
    if (!atomic_load_explicit(&inbox->asleep, memory_order_relaxed) ||
        !atomic_exchange_explicit(&inbox->asleep, false, memory_order_relaxed))
        return false;
    inbox_wake(inbox);
    return true;
}

struct cds_wfcq_node *inbox_take(struct inbox *inbox)
{
    struct cds_wfcq_node *node = __cds_wfcq_dequeue_nonblocking(&inbox->head, &inbox->tail);
    if (!node || node == CDS_WFCQ_WOULDBLOCK)
        return NULL;
    TSAN_ACQUIRE(node);
    return node;
}

bool inbox_sleep(struct inbox *inbox)
{
    atomic_store_explicit(&inbox->asleep, true, memory_order_relaxed);
    cmm_smp_mb(); /* `asleep` before the look at the queue; partner in inbox_push */
    if (cds_wfcq_empty(&inbox->head, &inbox->tail))
        return true;
    inbox_awake(inbox);
    return false;
}

void inbox_awake(struct inbox *inbox)
{
    atomic_store_explicit(&inbox->asleep, false, memory_order_relaxed);
}

void inbox_clear(struct inbox *inbox)
{
    uint64_t count;
    (void)!read(inbox->wake_fd, &count, sizeof count);
}
