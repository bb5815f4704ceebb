#include "front/outbox.h"

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool outbox_open(struct outbox *outbox)
{
    atomic_init(&outbox->head, NULL);
    atomic_init(&outbox->woken, false);
    outbox->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return outbox->event_fd >= 0;
}

void outbox_close(struct outbox *outbox)
{
    if (outbox->event_fd >= 0)
        close(outbox->event_fd);
    outbox->event_fd = -1;
}

void outbox_wake(const struct outbox *outbox)
{
    int kept = errno;
    uint64_t one = 1;
    ssize_t n = write(outbox->event_fd, &one, sizeof one);
    (void)n; /* EAGAIN: the counter is full, so the front is awake already */
    errno = kept;
}

/* True where the list was empty. */
static bool put(struct outbox *outbox, struct outbox_node *node)
{
    struct outbox_node *head = atomic_load_explicit(&outbox->head, memory_order_relaxed);
    bool was_empty;
    do {
        node->next = head;
        was_empty = head == NULL; /* read before the push: node is not ours after it */
    } while (!atomic_compare_exchange_weak_explicit(&outbox->head, &head, node,
                                                    memory_order_release, memory_order_relaxed));
    return was_empty;
}

void outbox_put(struct outbox *outbox, struct outbox_node *node)
{
    (void)put(outbox, node);
}

/*
 * The exchange pairs with the one in outbox_take: who finds `woken` set came before that one, which
 * therefore sees what was put before; who finds it cleared wakes the front itself.
 */
void outbox_kick(struct outbox *outbox)
{
    if (outbox_has(outbox) && !atomic_exchange_explicit(&outbox->woken, true, memory_order_acq_rel))
        outbox_wake(outbox);
}

void outbox_push(struct outbox *outbox, struct outbox_node *node)
{
    if (put(outbox, node))
        outbox_kick(outbox);
}

static struct outbox_node *reverse(struct outbox_node *newest)
{
    struct outbox_node *oldest = NULL;
    while (newest) {
        struct outbox_node *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

struct outbox_node *outbox_take_early(struct outbox *outbox)
{
    return reverse(atomic_exchange_explicit(&outbox->head, NULL, memory_order_acquire));
}

/* The count can be written to 2^64 times: it need not be read to be told of the next one. */
bool outbox_watch(const struct outbox *outbox, int epoll, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = tag};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, outbox->event_fd, &event) == 0;
}

struct outbox_node *outbox_take(struct outbox *outbox)
{
    /*
     * In this order: the wake-up (the epoll has told it), the mark, the list. A wake-up that was
     * told has its mark taken off behind it, so the mark never stands without a wake-up that is
     * still to come; and who finds the mark standing has put before the list is taken.
     */
    (void)atomic_exchange_explicit(&outbox->woken, false, memory_order_acq_rel);
    return outbox_take_early(outbox);
}
