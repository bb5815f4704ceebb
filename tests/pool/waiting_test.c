/*
 * Messages that wait for the DNS: how many may, what they cost, how long they wait, and that nobody
 * else waits with them. The name server is ours, on loopback; names below slow.example are a
 * tar-pit.
 */
#include "fixture.h"
#include "zone_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/corpora.h"

enum
{
    CROWD = 16384,          /* DEFAULT of pool_config.max_messages */
    BYTES_EACH = 16 * 1024, /* besides the header */
};

static struct span samples_zone(void)
{
    return file_read("share/samples/zone.txt");
}

static size_t resident_bytes(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    cr_assert(statm && fscanf(statm, "%*s %zu", &pages) == 1);
    fclose(statm);
    return pages * 4096;
}

static size_t header_bytes(const struct sample *sample)
{
    const uint8_t *end = memmem(sample->text.p, sample->text.n, "\r\n\r\n", 4);
    cr_assert(end);
    return (size_t)(end - sample->text.p) + 4;
}

static struct pool_stats stats_of(struct fixture *fixture)
{
    struct pool_stats stats;
    pool_stats(fixture->pool, &stats);
    return stats;
}

struct wanted
{
    struct fixture *fixture;
    uint64_t parked;
};

static bool are_parked(void *context)
{
    const struct wanted *wanted = context;
    return stats_of(wanted->fixture).parked >= wanted->parked;
}

static void wait_until_parked(struct fixture *fixture, uint64_t count)
{
    struct wanted wanted = {fixture, count};
    wait_until(are_parked, &wanted, "messages are parked");
}

static void submit_many(struct fixture *fixture, const struct sample *sample, unsigned count,
                        struct judged *judged)
{
    struct chunk *chunk = chunk_of(sample->text);
    for (unsigned i = 0; i < count; i++) {
        struct task_request request = request_of(sample, &judged[i]);
        struct task *task = pool_submit(fixture->pool, &request);
        cr_assert(task, "the pool is busy");
        task_feed(task, chunk, span_of(chunk->bytes, sample->text.n));
        task_end(task);
    }
    chunk_unref(&chunk);
}

static void wait_for_all(struct judged *judged, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        wait_for(&judged[i]);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER true
#else
#define UNDER_SANITIZER false
#endif

/* 16,384 in flight, each under 16 KiB besides its header; one more is refused. */
Test(waiting, a_crowd_in_a_tar_pit)
{
    struct zone_server server;
    struct fixture fixture;
    const struct sample *sample = sample_find("pass.eml");
    struct judged *judged = calloc(CROWD + 1, sizeof *judged);
    zone_server_start(&server, samples_zone());
    atomic_store(&server.silent, true);
    fixture_open(&fixture, &(struct fixture_config){
                               .workers = 2, .resolver = server.resolver, .question_ms = 20000});
    submit_many(&fixture, sample, 1, judged);
    wait_until_parked(&fixture, 1);
    size_t before = resident_bytes();
    submit_many(&fixture, sample, CROWD - 1, judged + 1);
    wait_until_parked(&fixture, CROWD);
    size_t each = (resident_bytes() - before) / (CROWD - 1), header = header_bytes(sample);
    struct pool_stats stats = stats_of(&fixture);
    printf("suite waiting: %d in flight, %zu bytes each (%zu of header), %lu by the pool's count, "
           "%u queries\n",
           CROWD, each, header, stats.arena_bytes / CROWD, server.queries);
    cr_expect(stats.in_flight == CROWD);
    cr_expect(UNDER_SANITIZER || each - header < BYTES_EACH, "%zu bytes a message", each);
    struct task_request request = request_of(sample, &judged[CROWD]);
    cr_expect(pool_submit(fixture.pool, &request) == NULL, "one more than allowed");
    cr_expect(stats_of(&fixture).refused == 1);
    fixture_close_now(&fixture);
    for (unsigned i = 0; i < CROWD; i++)
        cr_assert(judged[i].calls == 1 && judged[i].outcome == TASK_CANCELLED, "message %u", i);
    zone_server_stop(&server);
    free(judged);
}

/* Item 1: a slow message delays no other. */
Test(waiting, slow_messages_delay_nobody)
{
    struct zone_server server;
    struct fixture fixture;
    struct judged slow[64] = {{0}}, *fast = calloc(2000, sizeof *fast);
    zone_server_start(&server, samples_zone());
    fixture_open(&fixture, &(struct fixture_config){.workers = 1,
                                                    .resolver = server.resolver,
                                                    .timeout_ms = 4000,
                                                    .question_ms = 4000});
    submit_many(&fixture, sample_find("dns-timeout.eml"), COUNT_OF(slow), slow);
    int64_t begin = engine_clock_ms();
    submit_many(&fixture, sample_find("pass.eml"), 2000, fast);
    wait_for_all(fast, 2000);
    int64_t took = engine_clock_ms() - begin;
    for (unsigned i = 0; i < COUNT_OF(slow); i++)
        cr_expect(slow[i].calls == 0, "slow message %u was done within %ld ms", i, took);
    for (unsigned i = 0; i < 2000; i++)
        cr_assert(fast[i].dkim == RESULT_PASS && fast[i].dmarc == RESULT_PASS);
    wait_for_all(slow, COUNT_OF(slow));
    for (unsigned i = 0; i < COUNT_OF(slow); i++)
        cr_expect(slow[i].outcome == TASK_JUDGED && slow[i].spf == RESULT_TEMPERROR &&
                      slow[i].dmarc == RESULT_TEMPERROR,
                  "slow message %u", i);
    fixture_close(&fixture);
    zone_server_stop(&server);
    free(fast);
}

/* The request's deadline, from the message's end; the pool's is the most there is. */
Test(waiting, deadlines)
{
    static const struct
    {
        unsigned pool_ms, asked_ms, least_ms, most_ms;
    } cases[] = {
        {20000, 200, 195, 15000},
        {400, 0, 395, 15000},
        {400, 60000, 395, 15000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct zone_server server;
        struct fixture fixture;
        struct judged judged = {.wants_json = true};
        const struct sample *sample = sample_find("pass.eml");
        struct task_request request = request_of(sample, &judged);
        struct chunk *chunk = chunk_of(sample->text);
        request.deadline_ms = cases[i].asked_ms;
        zone_server_start(&server, samples_zone());
        atomic_store(&server.silent, true);
        fixture_open(&fixture, &(struct fixture_config){.workers = 1,
                                                        .resolver = server.resolver,
                                                        .timeout_ms = cases[i].pool_ms});
        struct task *task = pool_submit(fixture.pool, &request);
        cr_assert(task);
        task_feed(task, chunk, span_of(chunk->bytes, sample->text.n));
        int64_t begin = engine_clock_ms();
        task_end(task);
        wait_for(&judged);
        int64_t took = judged.done_at_ms - begin;
        cr_expect(took >= cases[i].least_ms && took <= cases[i].most_ms, "case %zu: %ld ms", i,
                  took);
        cr_expect(judged.spf == RESULT_TEMPERROR && judged.dkim == RESULT_TEMPERROR &&
                      judged.dmarc == RESULT_TEMPERROR,
                  "case %zu: %s", i, judged.json);
        cr_expect(strstr(judged.json, "\"reason\":\"timeout\""), "case %zu: %s", i, judged.json);
        fixture_close_now(&fixture); /* the questions are still with the resolvers */
        zone_server_stop(&server);
        chunk_unref(&chunk);
        free(judged.json);
    }
}

/* Queries of `count` equal messages on a cold cache; the first one is cancelled half-way where
 * `cancels` (L11). */
static uint32_t queries_of(unsigned count, bool cancels)
{
    struct zone_server server;
    struct fixture fixture;
    struct resolvers_stats stats;
    struct judged first = {0}, *judged = calloc(count, sizeof *judged);
    const struct sample *sample = sample_find("pass.eml");
    zone_server_start(&server, samples_zone());
    fixture_open(&fixture, &(struct fixture_config){.workers = 2, .resolver = server.resolver});
    if (cancels)
        task_cancel(submit_and_feed(&fixture, sample, 0, &first));
    submit_many(&fixture, sample, count, judged);
    wait_for_all(judged, count);
    for (unsigned i = 0; i < count; i++)
        cr_assert(judged[i].dkim == RESULT_PASS && judged[i].dmarc == RESULT_PASS, "message %u", i);
    pool_drain(fixture.pool);
    resolvers_stats(fixture.resolvers, &stats);
    cr_expect(stats.queries == server.queries, "%lu queries counted, %u came", stats.queries,
              server.queries);
    fixture_close(&fixture);
    zone_server_stop(&server);
    free(judged);
    return server.queries;
}

/* 1,000 messages that miss the same names: one query a name. */
Test(waiting, a_thousand_messages_one_query)
{
    uint32_t alone = queries_of(1, false);
    cr_expect(alone >= 3, "%u queries of one message", alone);
    uint32_t all = queries_of(1000, false);
    cr_expect(all == alone, "%u queries, want %u", all, alone);
    uint32_t orphaned = queries_of(1000, true);
    cr_expect(orphaned == alone, "%u queries with the first one cancelled, want %u", orphaned,
              alone);
}

static bool is_told_early(void *context)
{
    return atomic_load(&((struct judged *)context)->early_calls) > 0;
}

struct asked
{
    struct zone_server *server;
    uint32_t queries;
};

static bool have_come(void *context)
{
    const struct asked *asked = context;
    return atomic_load(&asked->server->queries) >= asked->queries;
}

/* DNS questions leave when the header ends, not when the message does; SPF's before. */
Test(waiting, questions_leave_early)
{
    struct zone_server server;
    struct fixture fixture;
    struct judged judged = {0};
    const struct sample *sample = sample_find("pass.eml");
    size_t header = header_bytes(sample);
    struct chunk *chunk = chunk_of(sample->text);
    struct task_request request = request_of(sample, &judged);
    request.early_spf = true;
    zone_server_start(&server, samples_zone());
    fixture_open(&fixture, &(struct fixture_config){.workers = 1, .resolver = server.resolver});
    struct task *task = pool_submit(fixture.pool, &request);
    cr_assert(task);
    wait_until(is_told_early, &judged, "early SPF");
    cr_expect(judged.early_calls == 1 && judged.early_spf == RESULT_PASS, "SPF before the header");
    uint32_t before = server.queries;
    task_feed(task, chunk, span_of(chunk->bytes, header));
    struct asked asked = {&server, before + 2};
    wait_until(have_come, &asked, "queries for DKIM and DMARC");
    task_feed(task, chunk, span_of(chunk->bytes + header, sample->text.n - header));
    task_end(task);
    wait_for(&judged);
    cr_expect(judged.dkim == RESULT_PASS);
    fixture_close(&fixture);
    zone_server_stop(&server);
    chunk_unref(&chunk);
}
