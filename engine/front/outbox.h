/*
 * From many worker threads to the one front thread: a lock-free list and an eventfd.
 *
 *   outbox_push  any thread, wait-free but for retries against other pushers; wakes the front only
 *                if the list was empty
 *   outbox_put   the same without waking: who puts calls outbox_kick when it has put a round's
 *   outbox_kick  wakes the front where something is left and nobody has woken it yet: all replies
 *                of a round cost one system call, or none where the front was awake
 *   outbox_take  the front thread alone: everything pushed so far, oldest first
 *
 * The push releases what was written before it, the take acquires it. A node that was pushed
 * belongs to the front: the pusher must not look at it again. Nodes pushed by one thread come out
 * in its order. (Exchange of the whole list is free of the ABA trouble of popping one.)
 */
#ifndef FRONT_OUTBOX_H
#define FRONT_OUTBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct outbox_node
{
    struct outbox_node *next;
};

struct outbox
{
    _Atomic(struct outbox_node *) head; /* newest first */
    _Atomic bool woken;                 /* somebody writes to event_fd, or has: one is enough */
    int event_fd;                       /* counts wake-ups; not read */
};

/* False with errno. */
bool outbox_open(struct outbox *outbox) MUST_CHECK;
void outbox_close(struct outbox *outbox);
void outbox_push(struct outbox *outbox, struct outbox_node *node);
/* Who puts must call outbox_kick before it waits for anything. */
void outbox_put(struct outbox *outbox, struct outbox_node *node);
void outbox_kick(struct outbox *outbox);
/* Wakes the front without a node. Async-signal-safe. */
void outbox_wake(const struct outbox *outbox);
/* Whether there is something to take: for a front that is awake. */
static inline bool outbox_has(const struct outbox *outbox)
{
    return atomic_load_explicit(&outbox->head, memory_order_relaxed) != NULL;
}
/* The same while the front is awake for other reasons; costs no system call. */
struct outbox_node *outbox_take_early(struct outbox *outbox);
/*
 * Adds event_fd to an epoll, whose events then have `tag`: one for each wake-up (EPOLLET), so that
 * nobody has to read it. False with errno.
 */
bool outbox_watch(const struct outbox *outbox, int epoll, void *tag) MUST_CHECK;
/* Call when the epoll says so. */
struct outbox_node *outbox_take(struct outbox *outbox);

#endif
