/*
 * When to ask again: a timing wheel with one slot a second (Varghese and Lauck, "Hashed and
 * Hierarchical Timing Wheels", 1987, scheme 6). Putting in and taking out are O(1).
 *
 * The wheel knows only seconds; whether an entry in a slot is really due the caller looks up. It
 * turns only when asked; left alone for longer than half a turn it skips what lies before, and
 * finds that a turn later. The caller has the cache's lock.
 */
#ifndef CACHE_WHEEL_H
#define CACHE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

/* Embedded in what the wheel holds. link == NULL: not in the wheel. */
struct wheel_node
{
    struct wheel_node *next;
    struct wheel_node **link; /* the pointer that points here */
};

struct wheel
{
    struct wheel_node **slots; /* owned */
    uint32_t mask;             /* slots - 1; a power of two of them */
    bool started;
    int64_t cursor_s; /* slots of earlier seconds have been seen */
};

/* For times at most `ahead_s` seconds ahead. False: no memory. */
bool wheel_init(struct wheel *wheel, uint32_t ahead_s) MUST_CHECK;
void wheel_fini(struct wheel *wheel);
size_t wheel_bytes(const struct wheel *wheel);

/* `node` is in no wheel. A time in the past is taken as the present. */
void wheel_add(struct wheel *wheel, struct wheel_node *node, int64_t at_ms, int64_t now_ms);
/* Does nothing where the node is in no wheel. */
void wheel_remove(struct wheel_node *node);

/*
 * The next node of a slot whose second has begun, out of the wheel; NULL: none up to `now_ms`. A
 * node that is not due yet (it aliased) may come too: the caller adds it again, at its time, which
 * is never into a slot that this turn still visits.
 */
struct wheel_node *wheel_next(struct wheel *wheel, int64_t now_ms);

#endif
