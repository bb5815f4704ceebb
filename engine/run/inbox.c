#include "run/inbox.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum
{
    HELD_MOST = 16, /* inboxes; more are woken at once */
};

/* Sleepers that this thread is to wake when it lets go. One may stand there twice, where it woke by
 * its timeout and slept again: a wake-up too many. */
struct hold
{
    bool held;
    unsigned count;
    struct inbox *sleepers[HELD_MOST];
};

static _Thread_local struct hold hold;
static struct event asleep;
static struct event dozing;
static struct event closed;

struct inbox *inbox_new(void)
{
    struct inbox *inbox = aligned_alloc(_Alignof(struct inbox), sizeof *inbox);
    if (!inbox)
        return NULL;
    atomic_init(&inbox->head, NULL);
    atomic_init(&inbox->wake, 0);
    atomic_init(&inbox->references, 1);
    inbox->rouse = NULL;
    inbox->context = NULL;
    return inbox;
}

struct inbox *inbox_ref(struct inbox *inbox)
{
    atomic_fetch_add_explicit(&inbox->references, 1, memory_order_relaxed);
    return inbox;
}

void inbox_unref(struct inbox **inbox)
{
    struct inbox *dropped = *inbox;
    *inbox = NULL;
    if (atomic_fetch_sub_explicit(&dropped->references, 1, memory_order_acq_rel) == 1)
        free(dropped);
}

static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static void wake_up(struct inbox *inbox)
{
    atomic_store_explicit(&inbox->wake, 1, memory_order_release);
    futex(&inbox->wake, FUTEX_WAKE, INT_MAX, NULL);
}

void inbox_hold(void)
{
    assert(!hold.held);
    hold.held = true;
}

void inbox_let_go(void)
{
    assert(hold.held);
    hold.held = false;
    while (hold.count)
        wake_up(hold.sleepers[--hold.count]);
}

static void wake_or_note(struct inbox *inbox)
{
    if (hold.held && hold.count < HELD_MOST)
        hold.sleepers[hold.count++] = inbox;
    else
        wake_up(inbox);
}

/* Also where the worker sleeps. */
static bool has_none(const struct event *head)
{
    return head == &asleep || head == &dozing || !head;
}

bool inbox_push_all(struct inbox *inbox, struct event *newest, struct event *oldest)
{
    struct event *head = atomic_load_explicit(&inbox->head, memory_order_relaxed);
    do {
        if (head == &closed)
            return false;
        oldest->next = has_none(head) ? NULL : head;
    } while (!atomic_compare_exchange_weak_explicit(&inbox->head, &head, newest,
                                                    memory_order_release, memory_order_relaxed));
    if (head == &asleep)
        wake_or_note(inbox);
    if (head == &dozing)
        inbox->rouse(inbox->context);
    return true;
}

bool inbox_push(struct inbox *inbox, struct event *event)
{
    return inbox_push_all(inbox, event, event);
}

bool inbox_is_asleep(const struct inbox *inbox)
{
    return atomic_load_explicit(&inbox->head, memory_order_relaxed) == &asleep;
}

bool inbox_is_empty(const struct inbox *inbox)
{
    return has_none(atomic_load_explicit(&inbox->head, memory_order_relaxed));
}

static struct event *oldest_first(struct event *newest)
{
    struct event *list = NULL;
    while (newest) {
        struct event *older = newest->next;
        newest->next = list;
        list = newest;
        newest = older;
    }
    return list;
}

struct event *inbox_take(struct inbox *inbox)
{
    if (!atomic_load_explicit(&inbox->head, memory_order_relaxed))
        return NULL;
    return oldest_first(atomic_exchange_explicit(&inbox->head, NULL, memory_order_acquire));
}

/* True when the time is over. */
static bool wait_once(struct inbox *inbox, int64_t timeout_ms)
{
    struct timespec timeout = {
        .tv_sec = timeout_ms / 1000,
        .tv_nsec = timeout_ms % 1000 * 1000000,
    };
    futex(&inbox->wake, FUTEX_WAIT, 0, timeout_ms < 0 ? NULL : &timeout);
    return timeout_ms >= 0;
}

/* From nothing to the mark, or back; false where there is something else. */
static bool exchange(struct inbox *inbox, struct event *from, struct event *to)
{
    return atomic_compare_exchange_strong_explicit(&inbox->head, &from, to, memory_order_relaxed,
                                                   memory_order_relaxed);
}

void inbox_sleep(struct inbox *inbox, int64_t timeout_ms)
{
    if (!exchange(inbox, NULL, &asleep))
        return;
    /* A late wake-up from a sleep that ended by its timeout is taken here: one turn too many. */
    while (!atomic_exchange_explicit(&inbox->wake, 0, memory_order_acquire))
        if (wait_once(inbox, timeout_ms))
            break;
    exchange(inbox, &asleep, NULL);
}

bool inbox_doze(struct inbox *inbox)
{
    return exchange(inbox, NULL, &dozing);
}

void inbox_rise(struct inbox *inbox)
{
    exchange(inbox, &dozing, NULL);
}

struct event *inbox_close(struct inbox *inbox)
{
    return oldest_first(atomic_exchange_explicit(&inbox->head, &closed, memory_order_acquire));
}
