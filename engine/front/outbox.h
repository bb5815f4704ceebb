/*
 * From many worker threads to the one front thread: a lock-free list and an eventfd.
 *
 *   outbox_push  any thread, wait-free but for retries against other pushers; wakes the front only
 *                if the list was empty, so a batch of replies costs one wake-up
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

#include "base/attributes.h"

struct outbox_node
{
    struct outbox_node *next;
};

struct outbox
{
    _Atomic(struct outbox_node *) head; /* newest first */
    int event_fd;
};

/* False with errno. */
bool outbox_open(struct outbox *outbox) MUST_CHECK;
void outbox_close(struct outbox *outbox);
void outbox_push(struct outbox *outbox, struct outbox_node *node);
/* Wakes the front without a node. Async-signal-safe. */
void outbox_wake(const struct outbox *outbox);
/* Call when event_fd is readable. */
struct outbox_node *outbox_take(struct outbox *outbox);

#endif
