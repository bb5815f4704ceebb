#include "cache/wheel.h"

#include <stdlib.h>

static struct wheel_node **wheel_slot(const struct wheel *wheel, int64_t second)
{
    return &wheel->slots[(uint64_t)second & wheel->mask];
}

bool wheel_init(struct wheel *wheel, uint32_t ahead_s)
{
    /*
     * Twice the reach: the cursor is at most half a turn behind the present, so a node that is
     * added ahead of the present never lands in a slot between cursor and present.
     */
    size_t slots = 2;
    while (slots < 2 * ((size_t)ahead_s + 2))
        slots *= 2;
    *wheel = (struct wheel){.slots = calloc(slots, sizeof(struct wheel_node *)),
                            .mask = (uint32_t)(slots - 1)};
    return wheel->slots != NULL;
}

void wheel_fini(struct wheel *wheel)
{
    free(wheel->slots);
    wheel->slots = NULL;
}

size_t wheel_bytes(const struct wheel *wheel)
{
    return ((size_t)wheel->mask + 1) * sizeof *wheel->slots;
}

static void wheel_catch_up(struct wheel *wheel, int64_t now_s)
{
    int64_t earliest = now_s - (int64_t)(wheel->mask / 2);
    if (!wheel->started || wheel->cursor_s < earliest)
        wheel->cursor_s = wheel->started ? earliest : now_s;
    wheel->started = true;
}

void wheel_add(struct wheel *wheel, struct wheel_node *node, int64_t at_ms, int64_t now_ms)
{
    assert(!node->link);
    int64_t at_s = at_ms / 1000 + 1; /* the second in which it is due is over */
    wheel_catch_up(wheel, now_ms / 1000);
    if (at_s < wheel->cursor_s)
        at_s = wheel->cursor_s;
    struct wheel_node **slot = wheel_slot(wheel, at_s);
    node->next = *slot;
    node->link = slot;
    if (node->next)
        node->next->link = &node->next;
    *slot = node;
}

void wheel_remove(struct wheel_node *node)
{
    if (!node->link)
        return;
    *node->link = node->next;
    if (node->next)
        node->next->link = node->link;
    node->link = NULL;
}

struct wheel_node *wheel_next(struct wheel *wheel, int64_t now_ms)
{
    int64_t now_s = now_ms / 1000;
    wheel_catch_up(wheel, now_s);
    for (; wheel->cursor_s <= now_s; wheel->cursor_s++) {
        struct wheel_node *node = *wheel_slot(wheel, wheel->cursor_s);
        if (!node)
            continue;
        wheel_remove(node);
        return node;
    }
    return NULL;
}
