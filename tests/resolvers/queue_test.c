/* The queue of questions: order, and a wake-up for every sleep that something ends. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>

#include "dns/question_queue.h"

static bool readable(const struct question_queue *queue)
{
    struct pollfd fd = {.fd = queue->wake_fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

Test(queue, who_sleeps_is_woken)
{
    struct question_queue queue;
    struct cds_wfcq_node a, b, c;
    question_queue_init(&queue);
    cr_assert(question_queue_open(&queue));
    cr_expect(!question_queue_take(&queue));
    cr_expect(!question_queue_push(&queue, &a), "nobody sleeps");
    cr_expect(!readable(&queue));
    /* It came after the last look and before the sleep. */
    cr_expect(!question_queue_sleep(&queue));
    cr_expect(!question_queue_push(&queue, &b), "and nobody sleeps still");
    cr_expect(question_queue_take(&queue) == &a && question_queue_take(&queue) == &b);
    cr_expect(!question_queue_take(&queue));

    cr_expect(question_queue_sleep(&queue));
    cr_expect(question_queue_push(&queue, &a), "wakes");
    cr_expect(readable(&queue));
    cr_expect(!question_queue_push(&queue, &b), "once");
    question_queue_awake(&queue);
    question_queue_clear(&queue);
    cr_expect(!readable(&queue));
    cr_expect(!question_queue_push(&queue, &c));
    cr_expect(question_queue_take(&queue) == &a && question_queue_take(&queue) == &b &&
              question_queue_take(&queue) == &c && !question_queue_take(&queue));

    question_queue_wake(&queue);
    cr_expect(readable(&queue), "asleep or not");
    question_queue_fini(&queue);
}

enum
{
    PRODUCERS = 3,
    EACH = 20000
};

struct item
{
    struct cds_wfcq_node node; /* first */
    unsigned producer;
    unsigned number;
};

static struct question_queue shared;
static struct item items[PRODUCERS][EACH];

static void *produce(void *argument)
{
    unsigned producer = (unsigned)(uintptr_t)argument;
    for (unsigned i = 0; i < EACH; i++) {
        items[producer][i] = (struct item){.producer = producer, .number = i};
        question_queue_push(&shared, &items[producer][i].node);
    }
    return NULL;
}

/* Sleeps only in poll: a wake-up that is lost is a poll that ends by its timeout. */
Test(queue, many_producers)
{
    pthread_t threads[PRODUCERS];
    unsigned next[PRODUCERS] = {0}, taken = 0;
    question_queue_init(&shared);
    cr_assert(question_queue_open(&shared));
    for (uintptr_t i = 0; i < PRODUCERS; i++)
        cr_assert(pthread_create(&threads[i], NULL, produce, (void *)i) == 0);
    while (taken < PRODUCERS * EACH) {
        struct item *item = (struct item *)question_queue_take(&shared);
        if (item) {
            cr_assert(item->number == next[item->producer]++, "out of order");
            taken++;
            continue;
        }
        if (!question_queue_sleep(&shared))
            continue;
        struct pollfd fd = {.fd = shared.wake_fd, .events = POLLIN};
        cr_assert(poll(&fd, 1, 20000) == 1, "a wake-up was lost after %u", taken);
        question_queue_awake(&shared);
        question_queue_clear(&shared);
    }
    for (unsigned i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    question_queue_fini(&shared);
}
