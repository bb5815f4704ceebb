/*
 * R3: the same bytes, answers and clock give the same verdict, whatever the number of workers, the
 * segmentation, the order, and the state of the cache. The oracle is the blocking engine.
 */
#include "fixture.h"

#include <stdlib.h>

static char *expected_json(const struct sample *sample)
{
    char *json = blocking_json(NULL, sample);
    json_drop_dns(json);
    return json;
}

static void expect_same(const struct sample *sample, struct judged *judged, const char *how)
{
    char *expected = expected_json(sample);
    cr_expect(judged->calls == 1, "%.*s, %s: %u calls", (int)sample->file.n, sample->file.p, how,
              judged->calls);
    cr_assert(judged->outcome == TASK_JUDGED && judged->json);
    json_drop_dns(judged->json);
    cr_expect_str_eq(judged->json, expected, "%.*s, %s:\n got %s\nwant %s", (int)sample->file.n,
                     sample->file.p, how, judged->json, expected);
    free(expected);
}

/* Every sample on its own, in pieces of `step` bytes. */
static void judge_each(struct fixture *fixture, size_t step, const char *how)
{
    const struct samples *samples = samples_read();
    for (size_t i = 0; i < samples->count; i++) {
        struct judged judged = {.wants_json = true};
        task_end(submit_and_feed(fixture, &samples->rows[i], step, &judged));
        wait_for(&judged);
        expect_same(&samples->rows[i], &judged, how);
        judged_free(&judged, 1);
    }
}

static void judge_with(unsigned workers)
{
    struct fixture fixture;
    fixture_open(&fixture, &(struct fixture_config){.workers = workers});
    judge_each(&fixture, 0, "whole, cold");
    judge_each(&fixture, 0, "whole, warm");
    judge_each(&fixture, 1, "byte by byte");
    judge_each(&fixture, 61, "in pieces of 61");
    fixture_close(&fixture);
}

Test(same, one_worker)
{
    judge_with(1);
}

Test(same, two_workers)
{
    judge_with(2);
}

Test(same, four_workers)
{
    judge_with(4);
}

/* All samples at once, a piece of each in turn; some pieces of zero bytes. */
static void judge_interleaved(unsigned workers, size_t step)
{
    const struct samples *samples = samples_read();
    struct task *tasks[SAMPLES_MAX];
    struct chunk *chunks[SAMPLES_MAX];
    struct judged judged[SAMPLES_MAX] = {{0}};
    struct fixture fixture;
    size_t longest = 0;
    fixture_open(&fixture, &(struct fixture_config){.workers = workers});
    for (size_t i = 0; i < samples->count; i++) {
        judged[i].wants_json = true;
        struct task_request request = request_of(&samples->rows[i], &judged[i]);
        tasks[i] = pool_submit(fixture.pool, &request);
        cr_assert(tasks[i]);
        chunks[i] = chunk_of(samples->rows[i].text);
        longest = samples->rows[i].text.n > longest ? samples->rows[i].text.n : longest;
    }
    for (size_t at = 0; at < longest; at += step) {
        for (size_t i = 0; i < samples->count; i++) {
            size_t n = samples->rows[i].text.n;
            size_t from = at < n ? at : n, to = at + step < n ? at + step : n;
            task_feed(tasks[i], chunks[i], span_of(chunks[i]->bytes + from, to - from));
        }
    }
    for (size_t i = samples->count; i-- > 0;) {
        task_end(tasks[i]);
        chunk_unref(&chunks[i]);
    }
    for (size_t i = 0; i < samples->count; i++)
        wait_for(&judged[i]);
    fixture_close(&fixture);
    for (size_t i = 0; i < samples->count; i++)
        expect_same(&samples->rows[i], &judged[i], "interleaved");
    judged_free(judged, samples->count);
}

Test(same, interleaved)
{
    judge_interleaved(1, 7);
    judge_interleaved(2, 64);
    judge_interleaved(4, 1000);
}
