/* Timers and the inbox on their own. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "engine.h"
#include <unistd.h>

#include "run/inbox.h"
#include "run/timers.h"

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

Test(timers, come_in_their_order)
{
    enum
    {
        COUNT = 2000
    };
    static struct timer timer[COUNT];
    struct timers timers;
    uint32_t random = 7, removed = 0, due = 0;
    cr_assert(timers_init(&timers, COUNT));
    cr_expect(timers_wait_ms(&timers, 5) == -1, "none is set");
    for (unsigned i = 0; i < COUNT; i++)
        timers_add(&timers, &timer[i], draw(&random) % 500);
    for (unsigned i = 0; i < COUNT; i += 3) {
        timers_remove(&timers, &timer[i]);
        timers_remove(&timers, &timer[i]); /* not set any more */
        removed++;
    }
    int64_t last = 0;
    for (int64_t now = 0; now < 500; now += 10) {
        for (struct timer *t; (t = timers_due(&timers, now)); due++) {
            cr_assert(t->at_ms >= last && t->at_ms <= now && t->place == 0, "%ld after %ld at %ld",
                      t->at_ms, last, now);
            cr_assert((t - timer) % 3 != 0, "a removed timer");
            last = t->at_ms;
        }
        int64_t wait = timers_wait_ms(&timers, now);
        cr_assert(timers.count == 0 ? wait == -1 : wait > 0);
    }
    while (timers_due(&timers, 500))
        due++;
    cr_expect(due == COUNT - removed, "%u due, want %u", due, COUNT - removed);
    timers_fini(&timers);
}

enum
{
    PUSHERS = 3,
    EACH = 50000,
};

struct numbered
{
    struct event event;
    unsigned pusher, number;
};

struct pusher
{
    struct inbox *inbox;
    unsigned number;
    struct numbered *events;
    pthread_t thread;
};

static void *push_all(void *argument)
{
    struct pusher *pusher = argument;
    for (unsigned i = 0; i < EACH; i++) {
        pusher->events[i] = (struct numbered){.pusher = pusher->number, .number = i};
        if (!inbox_push(pusher->inbox, &pusher->events[i].event))
            abort();
        if (i % 1000 == 0) /* let the taker fall asleep */
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    return NULL;
}

/* N1, N2, N3: every event once, those of one thread in order, and nobody sleeps on. */
Test(inbox, every_event_once_and_in_order)
{
    struct pusher pushers[PUSHERS];
    unsigned next[PUSHERS] = {0}, total = 0;
    struct inbox *inbox = inbox_new();
    cr_assert(inbox);
    for (unsigned i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){inbox, i, calloc(EACH, sizeof(struct numbered)), 0};
        cr_assert(pushers[i].events &&
                  pthread_create(&pushers[i].thread, NULL, push_all, &pushers[i]) == 0);
    }
    while (total < PUSHERS * EACH) {
        struct event *event = inbox_take(inbox);
        if (!event)
            inbox_sleep(inbox, -1);
        for (; event; total++) {
            struct numbered *numbered = (struct numbered *)(void *)event;
            event = event->next;
            cr_assert(numbered->number == next[numbered->pusher]++, "pusher %u: number %u",
                      numbered->pusher, numbered->number);
        }
    }
    for (unsigned i = 0; i < PUSHERS; i++) {
        pthread_join(pushers[i].thread, NULL);
        free(pushers[i].events);
    }
    cr_expect(inbox_take(inbox) == NULL);
    inbox_unref(&inbox);
}

Test(inbox, sleeps_and_closes)
{
    struct event events[2] = {{0}};
    struct inbox *inbox = inbox_new();
    cr_assert(inbox);
    int64_t begin = engine_clock_ms();
    inbox_sleep(inbox, 30);
    cr_expect(engine_clock_ms() - begin >= 29, "a sleep ends by its time");
    cr_assert(inbox_push(inbox, &events[0]));
    begin = engine_clock_ms();
    inbox_sleep(inbox, 5000);
    cr_expect(engine_clock_ms() - begin < 4900, "no sleep with something there");
    cr_expect(inbox_close(inbox) == &events[0]);
    cr_expect(!inbox_push(inbox, &events[1]), "closed");
    inbox_unref(&inbox);
}

struct sleeper
{
    struct inbox *inbox;
    _Atomic uint32_t taken;
    _Atomic bool sleeps;
};

static void *take_two(void *argument)
{
    struct sleeper *sleeper = argument;
    while (atomic_load(&sleeper->taken) < 2) {
        for (struct event *event = inbox_take(sleeper->inbox); event; event = event->next)
            atomic_fetch_add(&sleeper->taken, 1);
        atomic_store(&sleeper->sleeps, true);
        if (atomic_load(&sleeper->taken) < 2)
            inbox_sleep(sleeper->inbox, -1);
    }
    return NULL;
}

/* N3: who holds wakes at the end of it; another thread's push in between needs no wake-up of its
 * own. The sleeper has no timeout: without that wake-up the test would not end. */
Test(inbox, who_holds_wakes_when_it_lets_go)
{
    struct event events[2] = {{.kind = EVENT_STOP}, {.kind = EVENT_STOP}};
    struct sleeper sleeper = {.inbox = inbox_new()};
    pthread_t thread;
    cr_assert(sleeper.inbox && pthread_create(&thread, NULL, take_two, &sleeper) == 0);
    while (!atomic_load(&sleeper.sleeps))
        usleep(1000);
    inbox_hold();
    cr_expect(inbox_push(sleeper.inbox, &events[0]));
    cr_expect(inbox_push(sleeper.inbox, &events[1]));
    inbox_let_go();
    pthread_join(thread, NULL);
    cr_expect(sleeper.taken == 2);
    inbox_unref(&sleeper.inbox);
}

static void count_call(void *context)
{
    ++*(unsigned *)context;
}

/* Who dozes is roused once, by the first push; who is awake, or asleep, never. */
Test(inbox, rouses_who_dozes)
{
    struct event events[5] = {{0}};
    unsigned calls = 0;
    struct inbox *inbox = inbox_new();
    cr_assert(inbox);
    inbox->rouse = count_call;
    inbox->context = &calls;
    cr_expect(inbox_is_empty(inbox) && !inbox_is_asleep(inbox));
    cr_assert(inbox_doze(inbox) && inbox_is_empty(inbox) && !inbox_is_asleep(inbox));
    cr_expect(inbox_push(inbox, &events[0]) && calls == 1);
    cr_expect(inbox_push(inbox, &events[1]) && calls == 1);
    inbox_rise(inbox);
    cr_expect(!inbox_is_empty(inbox) && !inbox_doze(inbox), "there is something");
    cr_expect(inbox_take(inbox) == &events[0] && events[0].next == &events[1]);
    cr_expect(inbox_doze(inbox));
    inbox_rise(inbox);
    cr_expect(inbox_push(inbox, &events[2]) && calls == 1, "awake");
    cr_expect(inbox_take(inbox) == &events[2] && !events[2].next);
    events[4].next = &events[3]; /* newest first */
    cr_expect(inbox_doze(inbox) && inbox_push_all(inbox, &events[4], &events[3]) && calls == 2);
    cr_expect(inbox_close(inbox) == &events[3] && events[3].next == &events[4]);
    cr_expect(!inbox_push_all(inbox, &events[4], &events[3]), "closed");
    inbox_unref(&inbox);
}

/* As many held inboxes as a thread notes, and some more. */
Test(inbox, many_sleepers_of_one_holder)
{
    enum
    {
        MANY = 20,
    };
    static struct sleeper sleepers[MANY];
    static struct event events[MANY][2];
    pthread_t threads[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        sleepers[i].inbox = inbox_new();
        cr_assert(sleepers[i].inbox &&
                  pthread_create(&threads[i], NULL, take_two, &sleepers[i]) == 0);
    }
    for (unsigned i = 0; i < MANY; i++)
        while (!atomic_load(&sleepers[i].sleeps))
            usleep(1000);
    inbox_hold();
    for (unsigned i = 0; i < 2 * MANY; i++)
        cr_expect(inbox_push(sleepers[i % MANY].inbox, &events[i % MANY][i / MANY]));
    inbox_let_go();
    for (unsigned i = 0; i < MANY; i++) {
        pthread_join(threads[i], NULL);
        cr_expect(sleepers[i].taken == 2, "inbox %u", i);
        inbox_unref(&sleepers[i].inbox);
    }
}
