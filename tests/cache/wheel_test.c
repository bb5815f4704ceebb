#include "cache/wheel.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum
{
    NODES = 500,
    AHEAD_S = 100,
};

struct timed
{
    struct wheel_node node;
    int64_t at_ms;
};

static uint64_t random_state = 88172645463325252;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void add(struct wheel *wheel, struct timed *t, int64_t now_ms)
{
    t->at_ms = now_ms + (int64_t)draw(AHEAD_S * 1000);
    wheel_add(wheel, &t->node, t->at_ms, now_ms);
}

/* Against the plain rule: after a call at `now`, no node that was due a second ago is left. */
Test(wheel, nothing_early_nothing_late)
{
    static struct timed all[NODES];
    struct wheel wheel;
    int64_t now_ms = 123456789;
    cr_assert(wheel_init(&wheel, AHEAD_S));
    for (int round = 0; round < 5000; round++) {
        struct timed *t = &all[draw(NODES)];
        if (t->node.link && draw(2))
            wheel_remove(&t->node);
        else if (!t->node.link)
            add(&wheel, t, now_ms);
        now_ms += (int64_t)draw(3000);
        struct wheel_node *node;
        while (draw(3) && (node = wheel_next(&wheel, now_ms)) != NULL) {
            struct timed *due = (struct timed *)(void *)node;
            cr_expect(due->at_ms <= now_ms, "%ld ms early", due->at_ms - now_ms);
        }
    }
    while (wheel_next(&wheel, now_ms))
        ;
    for (int i = 0; i < NODES; i++)
        cr_expect(!all[i].node.link || all[i].at_ms > now_ms - 1000);
    wheel_fini(&wheel);
}

/* After a pause longer than the wheel nothing is lost: it comes within the next turn. */
Test(wheel, long_pause)
{
    static struct timed all[NODES];
    struct wheel wheel;
    int64_t now_ms = 5000;
    size_t found = 0;
    cr_assert(wheel_init(&wheel, AHEAD_S));
    for (int i = 0; i < NODES; i++)
        add(&wheel, &all[i], now_ms);
    now_ms += 1000000;
    for (unsigned second = 0; second <= wheel.mask; second++, now_ms += 1000)
        while (wheel_next(&wheel, now_ms))
            found++;
    cr_expect(found == NODES, "got %zu", found);
    wheel_fini(&wheel);
}

/* What is due already comes with the next second, not a turn later. */
Test(wheel, a_time_in_the_past_is_now)
{
    static struct timed late;
    struct wheel wheel;
    int64_t now_ms = 50000;
    cr_assert(wheel_init(&wheel, AHEAD_S));
    cr_expect(wheel_next(&wheel, now_ms) == NULL);
    wheel_add(&wheel, &late.node, now_ms - 20000, now_ms);
    cr_expect(wheel_next(&wheel, now_ms + 1000) == &late.node);
    cr_expect(!late.node.link);
    wheel_fini(&wheel);
}
