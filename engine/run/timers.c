#include "run/timers.h"

#include <stdlib.h>

bool timers_init(struct timers *timers, uint32_t capacity)
{
    *timers = (struct timers){.capacity = capacity};
    timers->heap = calloc(capacity, sizeof(struct timer *));
    return timers->heap != NULL;
}

void timers_fini(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){.heap = NULL};
}

static void put(struct timers *timers, uint32_t at, struct timer *timer)
{
    timers->heap[at] = timer;
    timer->place = at + 1;
}

/* `timer` belongs at `at` or above. */
static void sift_up(struct timers *timers, uint32_t at, struct timer *timer)
{
    while (at && timers->heap[(at - 1) / 2]->at_ms > timer->at_ms) {
        put(timers, at, timers->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(timers, at, timer);
}

/* `timer` belongs at `at` or below. */
static void sift_down(struct timers *timers, uint32_t at, struct timer *timer)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            timers->heap[child + 1]->at_ms < timers->heap[child]->at_ms)
            child++;
        if (timers->heap[child]->at_ms >= timer->at_ms)
            break;
        put(timers, at, timers->heap[child]);
        at = child;
    }
    put(timers, at, timer);
}

void timers_add(struct timers *timers, struct timer *timer, int64_t at_ms)
{
    assert(timer->place == 0 && timers->count < timers->capacity);
    timer->at_ms = at_ms;
    sift_up(timers, timers->count++, timer);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    if (timer->place == 0)
        return;
    uint32_t at = timer->place - 1;
    struct timer *last = timers->heap[--timers->count];
    timer->place = 0;
    if (last == timer)
        return;
    if (at && timers->heap[(at - 1) / 2]->at_ms > last->at_ms)
        sift_up(timers, at, last);
    else
        sift_down(timers, at, last);
}

struct timer *timers_due(struct timers *timers, int64_t now_ms)
{
    if (timers->count == 0 || timers->heap[0]->at_ms > now_ms)
        return NULL;
    struct timer *due = timers->heap[0];
    timers_remove(timers, due);
    return due;
}

int64_t timers_wait_ms(const struct timers *timers, int64_t now_ms)
{
    if (timers->count == 0)
        return -1;
    int64_t wait = timers->heap[0]->at_ms - now_ms;
    return wait > 0 ? wait : 0;
}
