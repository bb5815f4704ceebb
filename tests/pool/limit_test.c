/*
 * Limits of the pool at limit-1, limit, limit+1; large messages in little memory; memory that does
 * not grow with what has passed.
 */
#include "fixture.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER true
#else
#define UNDER_SANITIZER false
#endif

static uint64_t refused(struct fixture *fixture)
{
    struct pool_stats stats;
    pool_stats(fixture->pool, &stats);
    return stats.refused;
}

static size_t resident_bytes(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    cr_assert(statm && fscanf(statm, "%*s %zu", &pages) == 1);
    fclose(statm);
    return pages * 4096;
}

/* --- busy --- */

Test(limit, messages_in_flight)
{
    enum
    {
        MOST = 5
    };
    struct fixture fixture;
    struct judged judged[MOST + 1] = {{0}};
    struct task *tasks[MOST + 1];
    const struct sample *sample = sample_find("pass.eml");
    fixture_open(&fixture, &(struct fixture_config){.workers = 2, .max_messages = MOST});
    for (unsigned i = 0; i < MOST; i++)
        tasks[i] = submit_and_feed(&fixture, sample, 0, &judged[i]); /* limit-1, limit */
    struct task_request request = request_of(sample, &judged[MOST]);
    cr_expect(pool_submit(fixture.pool, &request) == NULL, "limit+1");
    cr_expect(refused(&fixture) == 1);
    task_end(tasks[0]);
    wait_for(&judged[0]);
    /* It is in flight until `done` has returned. */
    for (unsigned i = 0; i < 1000 && !(tasks[MOST] = pool_submit(fixture.pool, &request)); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    cr_assert(tasks[MOST], "room again");
    for (unsigned i = 1; i <= MOST; i++)
        task_cancel(tasks[i]);
    fixture_close(&fixture);
}

/* Holds the only worker until it is let go: nothing that is queued meanwhile is taken. */
struct holder
{
    sem_t held, go;
    _Atomic bool done;
};

static enum judge hold(void *context, struct dns_answers *answers, struct arena *arena,
                       struct limit_hits *hits)
{
    struct holder *holder = context;
    (void)answers, (void)arena, (void)hits;
    sem_post(&holder->held);
    sem_wait(&holder->go);
    return JUDGE_DONE;
}

static void held(void *context, enum task_outcome outcome)
{
    (void)outcome;
    atomic_store(&((struct holder *)context)->done, true);
}

static void holder_begin(struct holder *holder, struct fixture *fixture)
{
    struct query_request request = {.judge = hold, .done = held, .context = holder};
    holder->done = false;
    sem_init(&holder->held, 0, 0);
    sem_init(&holder->go, 0, 0);
    cr_assert(pool_query(fixture->pool, &request));
    sem_wait(&holder->held);
}

/* With the worker held, two messages in flight and `queued` bytes: is there room for a third? */
static bool has_room(int64_t over)
{
    struct fixture fixture;
    struct holder holder;
    struct judged judged[2] = {{0}};
    uint64_t most = 3 * sizeof(struct message) + 10000;
    fixture_open(&fixture, &(struct fixture_config){.workers = 1, .max_bytes = most});
    holder_begin(&holder, &fixture);
    const struct sample *sample = sample_find("pass.eml");
    struct task_request request = request_of(sample, &judged[0]);
    struct task *task = pool_submit(fixture.pool, &request);
    struct chunk *chunk = chunk_new(20000);
    cr_assert(task && chunk);
    memset(chunk->bytes, 'a', 20000);
    task_feed(task, chunk, span_of(chunk->bytes, (size_t)(10000 + over)));
    cr_expect(task_queued_bytes(task) == (uint64_t)(10000 + over));
    request.context = &judged[1];
    struct task *another = pool_submit(fixture.pool, &request);
    bool room = another != NULL;
    cr_expect(refused(&fixture) == (room ? 0 : 1));
    if (room)
        task_cancel(another);
    task_end(task);
    sem_post(&holder.go);
    chunk_unref(&chunk);
    fixture_close(&fixture);
    return room;
}

Test(limit, bytes_in_flight)
{
    cr_expect(has_room(-1), "limit-1");
    cr_expect(has_room(0), "limit");
    cr_expect(!has_room(1), "limit+1");
}

/* What was queued is counted down as it is hashed. */
Test(limit, queued_bytes_are_counted_down)
{
    struct fixture fixture;
    struct judged judged = {0};
    const struct sample *sample = sample_find("pass.eml");
    fixture_open(&fixture, &(struct fixture_config){.workers = 1});
    struct task *task = submit_and_feed(&fixture, sample, 10, &judged);
    for (unsigned i = 0; i < 5000 && task_queued_bytes(task); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    cr_expect(task_queued_bytes(task) == 0);
    task_cancel(task);
    fixture_close(&fixture);
}

/* --- sizes --- */

/* The sample, then a body that goes on to `total` bytes, one chunk over and over. */
static void feed_to(struct task *task, const struct sample *sample, uint64_t total,
                    size_t *most_resident)
{
    enum
    {
        CHUNK = 256 * 1024
    };
    static uint8_t lines[CHUNK];
    for (size_t i = 0; i < CHUNK; i++)
        lines[i] = (uint8_t) "a line of the body, neither long nor short ............\r\n"[i % 57];
    struct chunk *head = chunk_of(sample->text), *chunk = chunk_of(span_of(lines, CHUNK));
    task_feed(task, head, span_of(head->bytes, sample->text.n));
    for (uint64_t at = sample->text.n; at < total;) {
        while (task_queued_bytes(task) > 4 * 1024 * 1024)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        uint64_t left = total - at;
        size_t n = left < CHUNK ? (size_t)left : CHUNK;
        task_feed(task, chunk, span_of(chunk->bytes, n));
        at += n;
        size_t resident = resident_bytes();
        *most_resident = resident > *most_resident ? resident : *most_resident;
    }
    chunk_unref(&head);
    chunk_unref(&chunk);
}

/* Item 1: a 1 GiB message costs no more memory than a small one. */
Test(limit, a_gigabyte)
{
    uint64_t total = UNDER_SANITIZER ? 1 << 26 : 1 << 30;
    struct fixture fixture;
    struct judged judged[2] = {{0}};
    struct pool_stats small, large;
    size_t before, most = 0;
    const struct sample *sample = sample_find("pass.eml");
    fixture_open(&fixture, &(struct fixture_config){.workers = 1, .max_message_bytes = total});
    struct task_request request = request_of(sample, &judged[0]);
    struct task *task = pool_submit(fixture.pool, &request);
    feed_to(task, sample, 10 * 1024, &most);
    while (task_queued_bytes(task))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    pool_stats(fixture.pool, &small);
    before = resident_bytes();
    task_end(task);
    wait_for(&judged[0]);
    request.context = &judged[1];
    task = pool_submit(fixture.pool, &request);
    feed_to(task, sample, total, &most);
    while (task_queued_bytes(task))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    pool_stats(fixture.pool, &large);
    task_end(task);
    wait_for(&judged[1]);
    cr_expect(judged[1].bytes == total && !judged[1].too_large, "%lu bytes", judged[1].bytes);
    cr_expect(judged[1].dkim == RESULT_FAIL, "the body is another one");
    cr_expect(large.arena_bytes == small.arena_bytes, "%lu bytes held, %lu for 10 KiB",
              large.arena_bytes, small.arena_bytes);
    cr_expect(UNDER_SANITIZER || most < before + 2 * 1024 * 1024, "%zu bytes more", most - before);
    fixture_close(&fixture);
}

Test(limit, message_bytes)
{
    static const struct
    {
        int over;
        bool too_large;
    } cases[] = {{-1, false}, {0, false}, {1, true}};
    const struct sample *sample = sample_find("pass.eml");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture fixture;
        struct judged judged = {0};
        size_t most = 0;
        fixture_open(&fixture, &(struct fixture_config){.workers = 1, .max_message_bytes = 100000});
        struct task_request request = request_of(sample, &judged);
        struct task *task = pool_submit(fixture.pool, &request);
        cr_assert(task);
        feed_to(task, sample, (uint64_t)(100000 + cases[i].over), &most);
        task_end(task);
        wait_for(&judged);
        cr_expect(judged.too_large == cases[i].too_large, "limit%+d", cases[i].over);
        cr_expect(judged.dkim != RESULT_PASS);
        fixture_close(&fixture);
    }
}

/* --- nothing grows --- */

static void count_one(void *context, enum task_outcome outcome, const struct message *message)
{
    if (outcome == TASK_JUDGED && engine_dkim_result(&message->dkim) == RESULT_PASS)
        atomic_fetch_add((_Atomic uint32_t *)context, 1);
}

static void pass_through(struct fixture *fixture, unsigned count, _Atomic uint32_t *passed)
{
    const struct sample *sample = sample_find("pass.eml");
    struct chunk *chunk = chunk_of(sample->text);
    for (unsigned i = 0; i < count; i++) {
        struct task_request request = {
            .envelope = sample->envelope, .done = count_one, .context = passed};
        struct task *task = pool_submit(fixture->pool, &request);
        if (!task) {
            nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
            i--;
            continue;
        }
        task_feed(task, chunk, span_of(chunk->bytes, sample->text.n));
        task_end(task);
    }
    chunk_unref(&chunk);
}

/* R5: 100,000 messages leave as much memory behind as 10,000. */
Test(limit, memory_stays_flat)
{
    struct fixture fixture;
    _Atomic uint32_t passed = 0;
    unsigned count = UNDER_SANITIZER ? 2000 : 10000;
    fixture_open(&fixture, &(struct fixture_config){.workers = 2, .max_messages = 256});
    pass_through(&fixture, count, &passed);
    size_t before = resident_bytes();
    pass_through(&fixture, 9 * count, &passed);
    size_t after = resident_bytes();
    pool_drain(fixture.pool);
    cr_expect(passed == 10 * count, "%u passed", passed);
    cr_expect(UNDER_SANITIZER || after <= before + before / 50 + 512 * 1024,
              "%zu bytes after %u messages, %zu after ten times as many", before, count, after);
    fixture_close(&fixture);
}
