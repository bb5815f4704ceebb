/*
 * R1: what goes in comes out, exactly once, in whatever way it ends. Also R5: afterwards the pool
 * holds nothing.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum
{
    MESSAGES = 20000,
    PRODUCERS = 2,
    OPEN_AT_ONCE = 40, /* of one producer */
    QUERIES = 1000,
};

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static struct task *submit_patiently(struct fixture *fixture, const struct task_request *request)
{
    for (;;) {
        struct task *task = pool_submit(fixture->pool, request);
        if (task)
            return task;
        nap();
    }
}

struct producer
{
    struct fixture *fixture;
    struct judged *judged;
    unsigned count;
    uint32_t random;
    bool cancels;
    uint32_t cancelled;
    pthread_t thread;
};

struct open_task
{
    struct task *task;
    struct chunk *chunk;
    size_t at, n;
};

static void let_go(struct producer *p, struct open_task *open)
{
    if (p->cancels && draw(&p->random) % 3 == 0) {
        task_cancel(open->task);
        p->cancelled++;
    } else {
        struct span rest = span_of(open->chunk->bytes + open->at, open->n - open->at);
        task_feed(open->task, open->chunk, rest);
        task_end(open->task);
    }
    chunk_unref(&open->chunk);
    open->task = NULL;
}

static void feed_some(struct producer *p, struct open_task *open)
{
    size_t left = open->n - open->at, n = draw(&p->random) % 700;
    n = n < left ? n : left;
    task_feed(open->task, open->chunk, span_of(open->chunk->bytes + open->at, n));
    open->at += n;
}

static void open_next(struct producer *p, unsigned i, struct open_task *open)
{
    const struct samples *samples = samples_read();
    const struct sample *sample = &samples->rows[draw(&p->random) % samples->count];
    struct task_request request = request_of(sample, &p->judged[i]);
    request.early_spf = i % 2;
    *open = (struct open_task){
        .task = submit_patiently(p->fixture, &request),
        .chunk = chunk_of(sample->text),
        .n = sample->text.n,
    };
}

static void *produce(void *argument)
{
    struct producer *p = argument;
    struct open_task open[OPEN_AT_ONCE] = {{0}};
    unsigned begun = 0, ended = 0;
    while (ended < p->count) {
        struct open_task *one = &open[draw(&p->random) % OPEN_AT_ONCE];
        if (!one->task && begun < p->count)
            open_next(p, begun++, one);
        else if (one->task && draw(&p->random) % 3)
            feed_some(p, one);
        else if (one->task) {
            let_go(p, one);
            ended++;
        }
    }
    return NULL;
}

static void check_empty(struct fixture *fixture, uint64_t messages, uint64_t cancelled)
{
    struct pool_stats stats;
    pool_drain(fixture->pool);
    pool_stats(fixture->pool, &stats);
    cr_expect(stats.messages == messages && stats.cancelled == cancelled,
              "%lu judged and %lu cancelled, want %lu and %lu", stats.messages, stats.cancelled,
              messages, cancelled);
    cr_expect(stats.in_flight == 0 && stats.arena_bytes == 0 && stats.queued_bytes == 0,
              "left: %lu in flight, %lu bytes, %lu queued", stats.in_flight, stats.arena_bytes,
              stats.queued_bytes);
    cr_expect(stats.cpu_ns > 0 && stats.rounds > 0);
    for (unsigned protocol = 0; protocol < 5; protocol++) {
        uint64_t sum = 0;
        for (unsigned slot = 0; slot < 8; slot++)
            sum += stats.results[protocol][slot];
        cr_expect(sum == messages, "protocol %u: %lu results, want %lu", protocol, sum, messages);
    }
}

static void keep_ledger(unsigned workers, bool cancels)
{
    struct fixture fixture;
    struct producer producers[PRODUCERS];
    struct judged *judged = calloc(MESSAGES, sizeof *judged);
    uint32_t cancelled = 0, lost = 0, doubled = 0;
    cr_assert(judged);
    samples_read();
    fixture_open(&fixture, &(struct fixture_config){.workers = workers});
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){
            &fixture, judged + i * (MESSAGES / PRODUCERS), MESSAGES / PRODUCERS, i + 1, cancels, 0,
            0};
        cr_assert(pthread_create(&producers[i].thread, NULL, produce, &producers[i]) == 0);
    }
    for (unsigned i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i].thread, NULL);
        cancelled += producers[i].cancelled;
    }
    check_empty(&fixture, MESSAGES - cancelled, cancelled);
    for (unsigned i = 0; i < MESSAGES; i++) {
        lost += judged[i].calls == 0;
        doubled += judged[i].calls > 1 || judged[i].early_calls > 1;
        if (judged[i].outcome == TASK_JUDGED && i % 2)
            cr_expect(judged[i].early_calls == 1 && judged[i].early_spf == judged[i].spf,
                      "message %u: early SPF", i);
    }
    cr_expect(lost == 0 && doubled == 0, "%u lost, %u doubled", lost, doubled);
    fixture_close_now(&fixture);
    free(judged);
}

Test(ledger, every_message_is_answered_once)
{
    keep_ledger(2, false);
}

/* L02: at any moment between submit and end. */
Test(ledger, cancelled_messages_too)
{
    keep_ledger(2, true);
    keep_ledger(1, true);
}

/* --- judges without a message --- */

struct asker
{
    struct dns_name name;
    _Atomic uint32_t runs, calls;
    enum task_outcome outcome;
    enum dns_outcome found;
};

static enum judge ask(void *context, struct dns_answers *answers, struct arena *arena,
                      struct limit_hits *hits)
{
    struct asker *asker = context;
    (void)arena, (void)hits;
    atomic_fetch_add(&asker->runs, 1);
    const struct dns_answer *answer = dns_lookup(answers, &asker->name, DNS_TXT);
    if (!answer)
        return JUDGE_WAITING;
    asker->found = answer->outcome;
    return JUDGE_DONE;
}

static void asked(void *context, enum task_outcome outcome)
{
    struct asker *asker = context;
    asker->outcome = outcome;
    atomic_fetch_add(&asker->calls, 1);
}

Test(ledger, queries_beside_messages)
{
    static struct asker askers[QUERIES];
    struct fixture fixture;
    fixture_open(&fixture, &(struct fixture_config){.workers = 2});
    for (unsigned i = 0; i < QUERIES; i++) {
        struct span text = i % 2 ? SPAN("shop.example") : SPAN("nowhere.invalid");
        cr_assert(dns_name_from_domain(&askers[i].name, text) == DNS_NAME_OK);
        struct query_request request = {.judge = ask, .done = asked, .context = &askers[i]};
        while (!pool_query(fixture.pool, &request))
            nap();
    }
    check_empty(&fixture, 0, 0);
    for (unsigned i = 0; i < QUERIES; i++) {
        enum dns_outcome want = i % 2 ? DNS_ANSWER : DNS_NXDOMAIN;
        cr_expect(askers[i].calls == 1 && askers[i].outcome == TASK_JUDGED &&
                      askers[i].found == want && askers[i].runs <= 2,
                  "query %u: %u calls, outcome %d, found %d, %u runs", i, askers[i].calls,
                  (int)askers[i].outcome, (int)askers[i].found, askers[i].runs);
    }
    fixture_close_now(&fixture);
}

/* --- the end --- */

/* pool_stop with everything in flight: each is told once, nothing is left (ASan). */
Test(ledger, stop_with_work_in_flight)
{
    struct fixture fixture;
    const struct samples *samples = samples_read();
    struct judged *judged = calloc(600, sizeof *judged);
    struct task *tasks[600];
    fixture_open(&fixture, &(struct fixture_config){.workers = 2});
    for (unsigned i = 0; i < 600; i++)
        tasks[i] = submit_and_feed(&fixture, &samples->rows[i % samples->count], i % 3 ? 100 : 0,
                                   &judged[i]);
    for (unsigned i = 0; i < 600; i += 3)
        task_end(tasks[i]);
    fixture_close_now(&fixture);
    for (unsigned i = 0; i < 600; i++) {
        cr_expect(judged[i].calls == 1, "message %u: %u calls", i, judged[i].calls);
        cr_expect(judged[i].outcome == TASK_CANCELLED ||
                      (i % 3 == 0 && judged[i].outcome == TASK_JUDGED),
                  "message %u: outcome %d", i, (int)judged[i].outcome);
    }
    free(judged);
}

/* Drained: what was accepted gets its verdict; what comes later is refused. */
Test(ledger, drain_answers_what_was_accepted)
{
    struct fixture fixture;
    struct judged judged[100] = {{0}}, late = {0};
    const struct sample *sample = sample_find("pass.eml");
    fixture_open(&fixture, &(struct fixture_config){.workers = 2});
    for (unsigned i = 0; i < 100; i++)
        task_end(submit_and_feed(&fixture, sample, 500, &judged[i]));
    pool_drain(fixture.pool);
    for (unsigned i = 0; i < 100; i++)
        cr_expect(judged[i].calls == 1 && judged[i].outcome == TASK_JUDGED);
    struct task_request request = request_of(sample, &late);
    struct query_request query = {.judge = ask, .done = asked};
    cr_expect(pool_submit(fixture.pool, &request) == NULL);
    cr_expect(!pool_query(fixture.pool, &query));
    fixture_close(&fixture); /* a second drain is harmless */
}
