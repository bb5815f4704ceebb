/*
 * The guest (run/guest.h): which messages it judges, that their verdicts are those of any worker,
 * waiting, deadlines, and the end with something in it. The test's thread is the host.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"
#include "run/guest.h"
#include "support/corpora.h"
#include "zone_server.h"

static struct span samples_zone(void)
{
    return file_read("share/samples/zone.txt");
}

static void expect_by_guest(struct host *host, uint64_t by_guest, uint64_t messages)
{
    struct pool_stats stats = host_stats(host);
    cr_expect(stats.by_guest == by_guest && stats.messages == messages,
              "%lu of %lu by the guest, want %lu of %lu", stats.by_guest, stats.messages, by_guest,
              messages);
}

/* Which messages --------------------------------------------------------------------------------
 */

/* Judged on the host's thread, within pool_guest_run, and in the figures. */
Test(guest, a_lone_message)
{
    struct host host;
    struct judged first = {0}, second = {0};
    host_open(&host, &(struct fixture_config){.workers = 2});
    host_judge(&host, sample_find("pass.eml"), &first); /* fills the cache */
    host_until_idle(&host);
    task_end(submit_and_feed(&host.fixture, sample_find("pass.eml"), 300, &second));
    usleep(2000);
    cr_expect(second.calls == 0, "not before the batch is over");
    cr_expect(pool_guest_doze(host.fixture.pool) == 0, "the host may not sleep now");
    host_run(&host);
    cr_expect(second.calls == 1, "at once");
    cr_expect(first.dkim == RESULT_PASS && second.dkim == RESULT_PASS);
    expect_by_guest(&host, 2, 2);
    struct pool_stats stats = host_stats(&host);
    cr_expect(stats.workers == 2, "the threads");
    cr_expect(stats.cpu_ns > 0 && stats.rounds > 1 && stats.own_time.count >= 1);
    cr_expect(stats.verify_jobs == 2, "%lu jobs", stats.verify_jobs);
    cr_expect(stats.in_flight == 0 && stats.queued_bytes == 0 && stats.arena_bytes == 0);
    host_close(&host);
}

/* Where the first is done before the second is there, that one is alone: tried again. */
Test(guest, two_in_a_batch_go_to_threads)
{
    enum
    {
        TRIES = 50,
    };
    struct host host;
    uint64_t by_guest = 1;
    host_open(&host, &(struct fixture_config){.workers = 2});
    for (unsigned t = 0; by_guest && t < TRIES; t++) {
        struct judged judged[2] = {{0}};
        uint64_t before = host_stats(&host).by_guest;
        host_until_idle(&host);
        for (unsigned i = 0; i < 2; i++)
            task_end(submit_and_feed(&host.fixture, sample_find("pass.eml"), 0, &judged[i]));
        for (unsigned i = 0; i < 2; i++)
            host_wait_for(&host, &judged[i]);
        by_guest = host_stats(&host).by_guest - before;
        cr_assert(by_guest <= 1, "the first is a thread's");
    }
    cr_expect(by_guest == 0, "the second of two was the guest's each time");
    host_close(&host);
}

/* The judges are to begin with what is there, and the host is not to be there for each piece. */
Test(guest, an_incomplete_message_goes_to_a_thread)
{
    struct host host;
    struct judged judged = {0};
    host_open(&host, &(struct fixture_config){.workers = 1});
    host_until_idle(&host);
    struct task *task = submit_and_feed(&host.fixture, sample_find("pass.eml"), 0, &judged);
    host_run(&host);
    task_end(task);
    host_wait_for(&host, &judged);
    cr_expect(judged.dkim == RESULT_PASS);
    expect_by_guest(&host, 0, 1);
    host_close(&host);
}

/* A sample with so many bytes in all: its body grows. */
static struct sample sample_of_bytes(size_t n)
{
    struct sample sample = *sample_find("pass.eml");
    uint8_t *text = malloc(n);
    cr_assert(text && n > sample.text.n);
    memcpy(text, sample.text.p, sample.text.n);
    for (size_t i = sample.text.n; i < n; i++)
        text[i] = (n - i) % 64 == 2 ? '\r' : (n - i) % 64 == 1 ? '\n' : 'x';
    sample.text = span_of(text, n);
    return sample;
}

Test(guest, large_messages_go_to_threads)
{
    static const struct
    {
        size_t bytes, step;
        unsigned by_guest;
    } cases[] = {
        {GUEST_BYTES - 1, 0, 1},     {GUEST_BYTES, 0, 1},     {GUEST_BYTES + 1, 0, 0},
        {GUEST_BYTES - 1, 10000, 1}, {GUEST_BYTES, 10000, 1}, {GUEST_BYTES + 1, 10000, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host host;
        struct judged judged = {0};
        struct sample sample = sample_of_bytes(cases[i].bytes);
        host_open(&host, &(struct fixture_config){.workers = 1});
        host_until_idle(&host);
        task_end(submit_and_feed(&host.fixture, &sample, cases[i].step, &judged));
        host_wait_for(&host, &judged);
        cr_expect(judged.bytes == cases[i].bytes && judged.dkim == RESULT_FAIL);
        expect_by_guest(&host, cases[i].by_guest, 1);
        struct pool_stats stats = host_stats(&host);
        cr_expect(stats.queued_bytes == 0, "%lu bytes queued", stats.queued_bytes);
        host_close(&host);
        free((void *)(uintptr_t)sample.text.p);
    }
}

/* Before another thread goes on with it. */
Test(guest, a_shared_message_goes_to_a_thread)
{
    struct host host;
    struct judged judged = {0};
    host_open(&host, &(struct fixture_config){.workers = 1});
    host_until_idle(&host);
    struct task *task = submit_and_feed(&host.fixture, sample_find("pass.eml"), 0, &judged);
    task_share(task);
    task_share(task);
    task_end(task);
    host_wait_for(&host, &judged);
    expect_by_guest(&host, 0, 1);
    host_close(&host);
}

/* A worker that is busy: its query ends when the test says so. */
struct gate
{
    struct pool *pool;
    sem_t reached, open;
    _Atomic uint32_t done;
    pthread_t judged_on;
};

static enum judge judge_at_gate(void *context, struct dns_answers *answers, struct arena *arena,
                                struct limit_hits *hits)
{
    struct gate *gate = context;
    (void)answers, (void)arena, (void)hits;
    gate->judged_on = pthread_self();
    sem_post(&gate->reached);
    while (sem_wait(&gate->open) != 0)
        ;
    return JUDGE_DONE;
}

static void gate_done(void *context, enum task_outcome outcome)
{
    struct gate *gate = context;
    (void)outcome;
    atomic_fetch_add(&gate->done, 1);
}

static void *ask_at_gate(void *context)
{
    struct gate *gate = context;
    struct query_request request = {.judge = judge_at_gate, .done = gate_done, .context = gate};
    return pool_query(gate->pool, &request) ? context : NULL;
}

static void gate_init(struct gate *gate, struct pool *pool)
{
    *gate = (struct gate){.pool = pool};
    cr_assert(sem_init(&gate->reached, 0, 0) == 0 && sem_init(&gate->open, 0, 0) == 0);
}

/* Another thread's tasks are never the guest's; and while one is judged the pool is not idle. */
Test(guest, a_busy_pool_judges_on_threads)
{
    struct host host;
    struct gate gate;
    struct judged judged = {0};
    pthread_t thread;
    host_open(&host, &(struct fixture_config){.workers = 1});
    host_until_idle(&host);
    gate_init(&gate, host.fixture.pool);
    cr_assert(pthread_create(&thread, NULL, ask_at_gate, &gate) == 0);
    cr_assert(sem_wait(&gate.reached) == 0);
    pthread_join(thread, NULL);
    cr_expect(!pthread_equal(gate.judged_on, pthread_self()));
    task_end(submit_and_feed(&host.fixture, sample_find("pass.eml"), 0, &judged));
    host_run(&host);
    cr_expect(judged.calls == 0, "behind the busy one");
    sem_post(&gate.open);
    host_wait_for(&host, &judged);
    expect_by_guest(&host, 0, 1);
    cr_expect(gate.done == 1);
    host_close(&host);
}

Test(guest, a_lone_query)
{
    struct host host;
    struct gate gate;
    host_open(&host, &(struct fixture_config){.workers = 1});
    host_until_idle(&host);
    gate_init(&gate, host.fixture.pool);
    sem_post(&gate.open);
    cr_assert(ask_at_gate(&gate) != NULL);
    host_run(&host);
    cr_expect(gate.done == 1 && pthread_equal(gate.judged_on, pthread_self()));
    expect_by_guest(&host, 0, 0);
    host_close(&host);
}

/* Verdicts ----------------------------------------------------------------------------------------
 */

/* R3 for the guest: every sample, with a cold cache and a warm one. */
Test(guest, the_same_verdicts)
{
    const struct samples *samples = samples_read();
    struct host host;
    host_open(&host, &(struct fixture_config){.workers = 1});
    for (size_t i = 0; i < 2 * samples->count; i++) {
        const struct sample *sample = &samples->rows[i % samples->count];
        struct judged judged = {.wants_json = true};
        char *expected = blocking_json(NULL, sample);
        host_judge(&host, sample, &judged);
        cr_assert(judged.calls == 1 && judged.outcome == TASK_JUDGED && judged.json);
        json_drop_dns(expected);
        json_drop_dns(judged.json);
        cr_expect_str_eq(judged.json, expected, "%.*s:\n got %s\nwant %s", (int)sample->file.n,
                         sample->file.p, judged.json, expected);
        free(expected);
        judged_free(&judged, 1);
    }
    expect_by_guest(&host, 2 * samples->count, 2 * samples->count);
    host_close(&host);
}

/* SPF is told early, also of a message that came whole. */
Test(guest, early_spf)
{
    struct host host;
    struct judged judged = {0};
    const struct sample *sample = sample_find("pass.eml");
    struct task_request request = request_of(sample, &judged);
    struct chunk *chunk = chunk_of(sample->text);
    request.early_spf = true;
    host_open(&host, &(struct fixture_config){.workers = 1});
    host_until_idle(&host);
    struct task *task = pool_submit(host.fixture.pool, &request);
    cr_assert(task);
    task_feed(task, chunk, span_of(chunk->bytes, sample->text.n));
    task_end(task);
    host_wait_for(&host, &judged);
    cr_expect(judged.early_calls == 1 && judged.early_spf == RESULT_PASS);
    expect_by_guest(&host, 1, 1);
    chunk_unref(&chunk);
    host_close(&host);
}

/* Too many checks ---------------------------------------------------------------------------------
 */

/* The first signature of pass.eml `copies` times; `from` (NULL: its own) in place of the author. */
static struct sample sample_of_signatures(unsigned copies, const char *from)
{
    static struct buffer text;
    struct sample sample = *sample_find("pass.eml");
    const uint8_t *at = memmem(sample.text.p, sample.text.n, "DKIM-Signature:", 15);
    cr_assert(at == sample.text.p, "the first field");
    const uint8_t *end = at;
    do
        end = (const uint8_t *)memchr(end, '\n', (size_t)(span_end(sample.text) - end)) + 1;
    while (*end == ' ' || *end == '\t');
    buffer_fini(&text); /* the one before */
    buffer_init(&text, 1 << 20);
    for (unsigned i = 1; i < copies; i++)
        buffer_append(&text, span_of(at, (size_t)(end - at)));
    const uint8_t *author = memmem(sample.text.p, sample.text.n, "\nFrom:", 6);
    const uint8_t *rest = memchr(author + 1, '\n', (size_t)(span_end(sample.text) - author - 1));
    if (from) {
        buffer_append(&text, span_of(at, (size_t)(author + 1 - at)));
        buffer_append_string(&text, from);
        buffer_append(&text, span_of(rest + 1, (size_t)(span_end(sample.text) - rest - 1)));
    } else {
        buffer_append(&text, sample.text);
    }
    cr_assert(!text.failed);
    sample.text = buffer_span(&text);
    return sample;
}

/* Eight checks with 2,048 bits are the host's, the ninth makes it a thread's. */
Test(guest, many_checks_are_a_threads)
{
    static const struct
    {
        unsigned signatures, by_guest;
    } cases[] = {{7, 1}, {8, 1}, {9, 0}, {10, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host host;
        struct sample sample = sample_of_signatures(cases[i].signatures, NULL);
        char *expected = blocking_json(NULL, &sample);
        json_drop_dns(expected);
        host_open(&host, &(struct fixture_config){.workers = 1});
        for (unsigned k = 0; k < 2; k++) { /* cold, and from the cache */
            struct judged judged = {.wants_json = true};
            host_judge(&host, &sample, &judged);
            json_drop_dns(judged.json);
            cr_expect(judged.dkim == RESULT_PASS);
            cr_expect_str_eq(judged.json, expected, "%u signatures", cases[i].signatures);
            judged_free(&judged, 1);
        }
        expect_by_guest(&host, 2 * cases[i].by_guest, 2);
        struct pool_stats stats = host_stats(&host);
        cr_expect(stats.verify_jobs == 2 * cases[i].signatures, "%lu jobs", stats.verify_jobs);
        cr_expect(stats.in_flight == 0 && stats.arena_bytes == 0, "%lu bytes held",
                  stats.arena_bytes);
        host_close(&host);
        free(expected);
    }
}

/* Runs the host until that many waits were counted. */
static void wait_until_parked(struct host *host, uint64_t parked)
{
    int64_t end = engine_clock_ms() + 20000;
    while (host_stats(host).parked < parked) {
        cr_assert(engine_clock_ms() < end, "parked %lu times", host_stats(host).parked);
        host_run(host);
        usleep(1000);
    }
}

static bool is_unverified(const struct host *host)
{
    const struct task *task = host->fixture.pool->guest->tasks;
    return task && task->unverified;
}

/* Its questions come back to the guest: it goes to the thread when they are over. */
Test(guest, many_checks_wait_for_what_was_asked)
{
    struct host host;
    struct zone_server server;
    struct judged judged = {.wants_json = true};
    struct sample sample = sample_of_signatures(10, "From: a@b.slow.example\r\n");
    zone_server_start(&server, samples_zone());
    host_open(&host, &(struct fixture_config){
                         .workers = 1, .resolver = server.resolver, .timeout_ms = 3000});
    host_judge(&host, &sample, &judged);
    cr_expect(judged.calls == 1 && judged.outcome == TASK_JUDGED);
    cr_expect(judged.dkim == RESULT_FAIL && judged.dmarc == RESULT_TEMPERROR, "%s", judged.json);
    expect_by_guest(&host, 0, 1);
    struct pool_stats stats = host_stats(&host);
    cr_expect(stats.verify_jobs >= 10 && stats.in_flight == 0 && stats.arena_bytes == 0);
    judged_free(&judged, 1);
    host_close_now(&host);
    zone_server_stop(&server);
}

/* Waiting -----------------------------------------------------------------------------------------
 */

/* While the guest's message waits, the next lone one is a thread's; its own deadline ends it. */
Test(guest, one_waits_while_another_comes)
{
    struct host host;
    struct zone_server server;
    struct judged slow = {0}, fast[3] = {{0}};
    zone_server_start(&server, samples_zone());
    host_open(&host, &(struct fixture_config){
                         .workers = 1, .resolver = server.resolver, .timeout_ms = 1500});
    host_until_idle(&host);
    int64_t begin = engine_clock_ms();
    task_end(submit_and_feed(&host.fixture, sample_find("dns-timeout.eml"), 0, &slow));
    host_run(&host);
    int64_t wait_ms = pool_guest_doze(host.fixture.pool);
    cr_expect(wait_ms >= 0 && wait_ms <= 1500, "%ld ms: its deadline", wait_ms);
    for (unsigned i = 0; i < COUNT_OF(fast); i++) {
        task_end(submit_and_feed(&host.fixture, sample_find("pass.eml"), 0, &fast[i]));
        host_wait_for(&host, &fast[i]);
        cr_expect(fast[i].dkim == RESULT_PASS);
    }
    bool in_time = engine_clock_ms() - begin < 1500;
    cr_expect(!in_time || slow.calls == 0, "still waiting");
    host_wait_for(&host, &slow);
    cr_expect(slow.done_at_ms - begin >= 1490, "after %ld ms", slow.done_at_ms - begin);
    cr_expect(slow.outcome == TASK_JUDGED && slow.spf == RESULT_TEMPERROR);
    if (in_time)
        expect_by_guest(&host, 1, 1 + COUNT_OF(fast));
    host_close_now(&host);
    zone_server_stop(&server);
}

/* The end -----------------------------------------------------------------------------------------
 */

enum moment
{
    APART,     /* not run yet */
    WAITING,   /* in the guest, for names */
    UNVERIFIED /* likewise, and too many checks */
};

static void stop_in(enum moment moment)
{
    struct host host;
    struct zone_server server;
    struct judged judged = {0};
    struct sample sample = moment == UNVERIFIED
                               ? sample_of_signatures(10, "From: a@b.slow.example\r\n")
                               : *sample_find("dns-timeout.eml");
    zone_server_start(&server, samples_zone());
    host_open(&host, &(struct fixture_config){.workers = 1, .resolver = server.resolver});
    host_until_idle(&host);
    task_end(submit_and_feed(&host.fixture, &sample, 0, &judged));
    if (moment == WAITING)
        wait_until_parked(&host, 1);
    int64_t end = engine_clock_ms() + 20000;
    while (moment == UNVERIFIED && !is_unverified(&host) && engine_clock_ms() < end)
        host_run(&host);
    cr_expect(is_unverified(&host) == (moment == UNVERIFIED));
    cr_expect(judged.calls == 0);
    host_close_now(&host);
    cr_expect(judged.calls == 1 && judged.outcome == TASK_CANCELLED, "moment %d: %u calls, %x",
              (int)moment, judged.calls, judged.outcome);
    zone_server_stop(&server);
}

Test(guest, a_stop_cancels_it)
{
    stop_in(APART);
    stop_in(WAITING);
    stop_in(UNVERIFIED);
}

/* On the thread that drains; with `left`, the host has left before. */
static void drain(bool left)
{
    struct host host;
    struct zone_server server;
    struct judged judged = {0};
    zone_server_start(&server, samples_zone());
    host_open(&host, &(struct fixture_config){
                         .workers = 1, .resolver = server.resolver, .timeout_ms = 300});
    host_until_idle(&host);
    task_end(submit_and_feed(&host.fixture, sample_find("dns-timeout.eml"), 0, &judged));
    wait_until_parked(&host, 1);
    cr_expect(judged.calls == 0);
    if (left)
        pool_guest_end(host.fixture.pool);
    pool_drain(host.fixture.pool);
    cr_expect(judged.calls == 1 && judged.outcome == TASK_JUDGED && judged.spf == RESULT_TEMPERROR);
    expect_by_guest(&host, 1, 1);
    host_close(&host);
    zone_server_stop(&server);
}

Test(guest, a_drain_waits_for_it)
{
    drain(false);
    drain(true);
}

/* Nobody may be the host before the pool stops. */
Test(guest, a_pool_without_its_host)
{
    struct fixture fixture;
    struct judged judged = {0};
    fixture_open(&fixture, &(struct fixture_config){.workers = 1, .rouse = free, .host = NULL});
    task_end(submit_and_feed(&fixture, sample_find("pass.eml"), 0, &judged));
    wait_for(&judged);
    struct pool_stats stats;
    pool_stats(fixture.pool, &stats);
    cr_expect(stats.by_guest == 0 && stats.messages == 1);
    fixture_close(&fixture);
}

Test(guest, a_cancelled_message)
{
    struct host host;
    struct judged judged = {0};
    host_open(&host, &(struct fixture_config){.workers = 1});
    host_until_idle(&host);
    task_cancel(submit_and_feed(&host.fixture, sample_find("pass.eml"), 0, &judged));
    host_run(&host);
    cr_expect(judged.calls == 1 && judged.outcome == TASK_CANCELLED);
    cr_expect(host_stats(&host).cancelled == 1 && host_stats(&host).in_flight == 0);
    host_close(&host);
}
