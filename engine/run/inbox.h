/*
 * A worker's inbox: events from any thread, taken by one.
 *
 * A list that grows at its head by compare-and-swap and is taken as a whole (Treiber, "Systems
 * Programming: Coping with Parallelism", 1986); since it is only ever taken as a whole, no node can
 * come back under a pusher's eyes (no ABA). The taker turns it round: events come out in the order
 * in which they went in.
 *
 * The head also says whether the worker sleeps, so there is one word to agree on and no fence to
 * pair:
 *
 *      NULL      empty, the worker is awake
 *      ASLEEP    empty, the worker sleeps or is about to
 *      DOZING    empty; somebody else sleeps for the worker, and is to be roused (guest.h)
 *      CLOSED    nobody takes any more
 *      other     the newest event
 *
 * Of all pushers only the one that takes ASLEEP or DOZING away wakes the worker: one system call
 * for a sleep.
 * A thread that pushes many events in a row may put that off to their end (inbox_hold): the worker
 * then finds them all, instead of a first one that is a round of its own.
 *
 *   N1  Each event pushed before inbox_close is taken exactly once.
 *   N2  Events of one thread come out in their order.
 *   N3  No wake-up is lost: inbox_sleep sleeps only if nothing was pushed since the last take, or
 *       the pusher who is to wake it holds, and will at the end of that.
 *
 * A push releases, a take acquires: what was written before the push is visible to the taker.
 */
#ifndef RUN_INBOX_H
#define RUN_INBOX_H

#include <stdatomic.h>

#include "base/attributes.h"
#include "base/span.h"

enum event_kind
{
    EVENT_SUBMITTED = 0x71, /* struct task */
    EVENT_PIECE,            /* struct piece */
    EVENT_ENDED,            /* struct task */
    EVENT_CANCELLED,        /* struct task */
    EVENT_MOVED,            /* struct task, by its `submitted`: from the guest to a thread */
    EVENT_ANSWER,           /* struct ask */
    EVENT_STOP,             /* no more tasks will come */
    EVENT_ABORT,            /* likewise; cancel those that are there */
};

/* Embedded in what happens. */
struct event
{
    struct event *next;
    enum event_kind kind;
};

struct inbox
{
    _Atomic(struct event *) head;
    _Atomic uint32_t wake;       /* futex: 1 when the sleeper may go on */
    _Atomic uint32_t references; /* the worker's, and one for each question that will be answered */
    void (*rouse)(void *context); /* set before the first push; NULL: nobody dozes */
    void *context;
} __attribute__((aligned(64)));

/* One reference for the caller; NULL without memory. */
struct inbox *inbox_new(void) MUST_CHECK;
struct inbox *inbox_ref(struct inbox *inbox);
void inbox_unref(struct inbox **inbox);

/*
 * Any thread; never waits. False: closed, the event stays the caller's. The inbox must be held
 * until the call returns, also when the event has been taken long before.
 */
bool inbox_push(struct inbox *inbox, struct event *event);
/* A list at once, linked from the newest to the oldest. */
bool inbox_push_all(struct inbox *inbox, struct event *newest, struct event *oldest);
/* The worker sleeps now. Any thread; true by the time it is read, perhaps no longer. */
bool inbox_is_asleep(const struct inbox *inbox);
/* There is nothing to take. Any thread; likewise. */
bool inbox_is_empty(const struct inbox *inbox);

/*
 * Between the two, this thread's pushes wake nobody; inbox_let_go does. Short, without waiting, and
 * in pairs: a worker may sleep meanwhile with events of others before it. The inboxes pushed to
 * must be held until then.
 */
void inbox_hold(void);
void inbox_let_go(void);

/* All events, oldest first; NULL: none. The worker only, as those below. */
struct event *inbox_take(struct inbox *inbox);
/* Sleeps until something is pushed, at most `timeout_ms` (negative: for ever). May return early. */
void inbox_sleep(struct inbox *inbox, int64_t timeout_ms);
/* Who pushes next calls `rouse`, on his thread; until inbox_rise. False: there are events. */
bool inbox_doze(struct inbox *inbox);
void inbox_rise(struct inbox *inbox);
/* No more events; returns the last ones. */
struct event *inbox_close(struct inbox *inbox);

#endif
