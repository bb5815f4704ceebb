/*
 * The outbox under fire: workers put rounds of answers and kick, or push one; the front sleeps in
 * epoll, takes, and sometimes takes early. Nothing may be lost, doubled or out of a
 * worker's order, and the front may not sleep while there is something.
 *
 *   outbox_stress [ANSWERS]     of each worker; default 100,000
 *
 * Each answer is memory of its own that the front frees: a pusher that looked at it afterwards, or
 * a front that saw it unfinished, is found by ThreadSanitizer and AddressSanitizer.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "front/outbox.h"

enum
{
    WORKERS = 4,
    LONGEST_ROUND = 32,
    OPEN = 64, /* answers of a worker that may be on their way: the front has to keep up */
    PATIENCE_MS = 30 * 1000,
};

struct answer
{
    struct outbox_node node;
    unsigned worker;
    unsigned long nth;
};

struct worker
{
    pthread_t thread;
    unsigned number;
    _Atomic unsigned long taken; /* by the front */
};

static struct outbox outbox;
static struct worker workers[WORKERS];
static unsigned long answers = 100000;

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "outbox_stress: %s\n", what);
    exit(1);
}

static struct answer *answer_new(unsigned worker, unsigned long nth)
{
    struct answer *answer = malloc(sizeof *answer);
    must(answer, "no memory");
    *answer = (struct answer){.worker = worker, .nth = nth};
    return answer;
}

static void *work(void *context)
{
    struct worker *worker = context;
    unsigned round = worker->number;
    for (unsigned long nth = 0; nth < answers;) {
        while (nth - atomic_load(&worker->taken) > OPEN - LONGEST_ROUND)
            sched_yield();
        round = round % LONGEST_ROUND + 1;
        if (round == LONGEST_ROUND) {
            outbox_push(&outbox, &answer_new(worker->number, nth++)->node);
            continue;
        }
        for (unsigned i = 0; i < round && nth < answers; i++)
            outbox_put(&outbox, &answer_new(worker->number, nth++)->node);
        outbox_kick(&outbox);
    }
    return NULL;
}

static unsigned long look_at(struct outbox_node *node, unsigned long next[WORKERS])
{
    unsigned long taken = 0;
    while (node) {
        struct answer *answer = (struct answer *)node;
        node = node->next;
        must(answer->nth == next[answer->worker]++, "an answer is out of its order");
        atomic_fetch_add(&workers[answer->worker].taken, 1);
        free(answer);
        taken++;
    }
    return taken;
}

int main(int argc, char **argv)
{
    unsigned long next[WORKERS] = {0}, taken = 0, turns = 0, early = 0;
    if (argc > 1)
        answers = strtoul(argv[1], NULL, 10);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    must(outbox_open(&outbox) && outbox_watch(&outbox, epoll, NULL), "no descriptor");
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].number = i;
        must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "no thread");
    }
    for (; taken < WORKERS * answers; turns++) {
        struct epoll_event event;
        must(epoll_wait(epoll, &event, 1, PATIENCE_MS) == 1, "asleep while there are answers");
        taken += look_at(outbox_take(&outbox), next);
        if (turns % 3 || !outbox_has(&outbox))
            continue;
        taken += look_at(outbox_take_early(&outbox), next);
        early++;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    outbox_close(&outbox);
    close(epoll);
    printf("outbox_stress: %lu answers of %d workers in %lu turns, %lu times early\n", taken,
           WORKERS, turns, early);
    return 0;
}
