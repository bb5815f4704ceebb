/*
 * Deadlines of one worker's tasks: a binary heap of pointers, with each member's place in the
 * member, so that taking one out is O(log n) too. Room for all is made at the start: adding cannot
 * fail. Only tasks that wait for answers are in it.
 */
#ifndef RUN_TIMERS_H
#define RUN_TIMERS_H

#include "base/attributes.h"
#include "base/span.h"

/* Embedded in what has a deadline; cleared memory is a timer that is not set. */
struct timer
{
    int64_t at_ms;
    uint32_t place; /* 1 + index in the heap; 0: not set */
};

struct timers
{
    struct timer **heap; /* owned */
    uint32_t count;
    uint32_t capacity;
};

bool timers_init(struct timers *timers, uint32_t capacity) MUST_CHECK;
void timers_fini(struct timers *timers);
/* Requires: not set, fewer than `capacity` are. */
void timers_add(struct timers *timers, struct timer *timer, int64_t at_ms);
/* Does nothing where it is not set. */
void timers_remove(struct timers *timers, struct timer *timer);
/* The earliest that is due, taken out; NULL: none. */
struct timer *timers_due(struct timers *timers, int64_t now_ms);
/* Milliseconds to the earliest deadline, 0 where it has passed, -1 without any. */
int64_t timers_wait_ms(const struct timers *timers, int64_t now_ms);

#endif
