/* task_request.round_done: called when a round ends in which somebody was told, and only then. */
#include "fixture.h"

#include "run/pool.h"

enum
{
    TIMES = 8, /* each sample */
};

/* Written by the worker; the test reads. */
static _Atomic unsigned told, pending, rounds, for_nothing;

static void done(void *context, enum task_outcome outcome, const struct message *message)
{
    (void)context;
    (void)outcome;
    (void)message;
    atomic_fetch_add(&pending, 1);
    atomic_fetch_add(&told, 1);
}

static void round_done(void *context)
{
    if (context != &told || atomic_exchange(&pending, 0) == 0) /* no assertion on this thread */
        atomic_fetch_add(&for_nothing, 1);
    atomic_fetch_add(&rounds, 1);
}

static bool all_told(void *context)
{
    return atomic_load(&told) == *(unsigned *)context && atomic_load(&pending) == 0;
}

Test(round, done_is_told_for_all_that_were_told)
{
    const struct samples *samples = samples_read();
    struct fixture fixture;
    unsigned n = 0;
    fixture_open(&fixture, &(struct fixture_config){.workers = 1});
    for (unsigned t = 0; t < TIMES; t++) {
        for (size_t i = 0; i < samples->count; i++, n++) {
            struct chunk *chunk = chunk_of(samples->rows[i].text);
            struct task_request request = {
                .envelope = samples->rows[i].envelope,
                .done = done,
                .round_done = round_done,
                .round_context = &told,
            };
            struct task *task = pool_submit(fixture.pool, &request);
            cr_assert(task);
            task_feed(task, chunk, span_of(chunk->bytes, samples->rows[i].text.n));
            task_end(task);
            chunk_unref(&chunk);
        }
    }
    wait_until(all_told, &n, "a verdict or its round is missing");
    fixture_close(&fixture);
    cr_expect(told == n && pending == 0);
    cr_expect(rounds > 0 && rounds <= n, "%u rounds for %u messages", rounds, n);
    cr_expect(for_nothing == 0, "%u rounds in which nobody was told", for_nothing);
}
