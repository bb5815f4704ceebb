/*
 * The pool's own time for a message (run/own_time.h): what is counted, from when to when. No bound
 * here depends on how fast the machine is.
 */
#include "fixture.h"

#include <unistd.h>

#include "run/own_time.h"

enum
{
    MESSAGES = 100, /* more than a round takes */
    PAUSE_US = 60 * 1000,
};

static struct task *submit_whole(struct fixture *fixture, struct judged *judged)
{
    return submit_and_feed(fixture, sample_find("pass.eml"), 0, judged);
}

/* What it asks is in the cache behind it. */
static void judge_one(struct fixture *fixture)
{
    struct judged judged = {0};
    task_end(submit_whole(fixture, &judged));
    wait_for(&judged);
    judged_free(&judged, 1);
}

/* The workers have ended: nothing is counted any more. */
static struct pool_stats final_stats(struct fixture *fixture)
{
    struct pool_stats stats;
    pool_drain(fixture->pool);
    pool_stats(fixture->pool, &stats);
    return stats;
}

static void expect_order(const struct pool_own_time *t)
{
    cr_expect(t->p50_ns > 0 && t->p50_ns <= t->p99_ns && t->p99_ns <= t->p999_ns &&
                  t->p999_ns <= t->max_ns,
              "p50 %lu, p99 %lu, p999 %lu, max %lu", t->p50_ns, t->p99_ns, t->p999_ns, t->max_ns);
}

Test(own_time, none_is_all_zero)
{
    struct fixture fixture;
    fixture_open(&fixture, &(struct fixture_config){.workers = 2});
    struct pool_own_time t = final_stats(&fixture).own_time;
    cr_expect(!t.count && !t.p50_ns && !t.p99_ns && !t.p999_ns && !t.max_ns);
    fixture_close(&fixture);
}

/* Its time is the resolvers': it would say nothing of the pool. */
Test(own_time, who_waits_for_a_name_is_not_counted)
{
    struct fixture fixture;
    fixture_open(&fixture, &(struct fixture_config){.workers = 1});
    judge_one(&fixture);
    struct pool_stats stats = final_stats(&fixture);
    cr_expect(stats.messages == 1);
    cr_expect(stats.own_time.count == (stats.parked == 0), "%lu counted, parked %lu times",
              stats.own_time.count, stats.parked);
    fixture_close(&fixture);
}

Test(own_time, each_judged_message_is_counted_once_and_no_other)
{
    static struct judged judged[MESSAGES], cancelled;
    struct fixture fixture;
    fixture_open(&fixture, &(struct fixture_config){.workers = 2});
    judge_one(&fixture);
    for (unsigned i = 0; i < MESSAGES; i++)
        task_end(submit_whole(&fixture, &judged[i]));
    task_cancel(submit_whole(&fixture, &cancelled));
    struct pool_stats stats = final_stats(&fixture);
    cr_expect(stats.messages == MESSAGES + 1 && stats.cancelled == 1);
    uint64_t waited = stats.parked; /* the first, once or twice */
    cr_expect(stats.own_time.count == MESSAGES + (waited == 0), "%lu counted, parked %lu times",
              stats.own_time.count, waited);
    expect_order(&stats.own_time);
    judged_free(judged, MESSAGES);
    judged_free(&cancelled, 1);
    fixture_close(&fixture);
}

/* From the end, not from the beginning: what the sender takes is not the pool's. */
Test(own_time, begins_with_the_end_of_the_message)
{
    struct judged judged = {0};
    struct fixture fixture;
    fixture_open(&fixture, &(struct fixture_config){.workers = 1});
    judge_one(&fixture);
    struct task *task = submit_whole(&fixture, &judged);
    usleep(PAUSE_US);
    int64_t end_ns = own_time_clock_ns();
    task_end(task);
    struct pool_stats stats = final_stats(&fixture);
    uint64_t took_ns = (uint64_t)(own_time_clock_ns() - end_ns);
    cr_expect(stats.own_time.count >= 1);
    if (!stats.parked || stats.own_time.count == 1)
        cr_expect(stats.own_time.max_ns <= took_ns, "%lu ns, at most %lu", stats.own_time.max_ns,
                  took_ns);
    judged_free(&judged, 1);
    fixture_close(&fixture);
}
