/* Batches in turn, best and median. */
#include "bench/contest.h"

#include <stdlib.h>
#include <time.h>

enum
{
    ROUNDS_MIN = 5,
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double contest_cpu_s(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double contest_now_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

static void run_one(struct contestant *c)
{
    double begin = contest_cpu_s();
    uint64_t n = c->batch(c->context);
    double us = 1e6 * (contest_cpu_s() - begin) / (double)(n ? n : 1);
    c->operations += n;
    c->all_us[c->rounds++] = us;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void contest_run(struct contestant *contestants, unsigned count, double seconds)
{
    for (unsigned i = 0; i < count; i++) {
        contestants[i].batch(contestants[i].context);
        contestants[i].operations = contestants[i].rounds = 0;
    }
    double end = contest_now_s() + seconds;
    for (unsigned r = 0; r < CONTEST_ROUNDS_MAX && (r < ROUNDS_MIN || contest_now_s() < end); r++)
        for (unsigned i = 0; i < count; i++)
            run_one(&contestants[i]);
    for (unsigned i = 0; i < count; i++) {
        struct contestant *c = &contestants[i];
        qsort(c->all_us, c->rounds, sizeof *c->all_us, by_size);
        c->best_us = c->all_us[0];
        c->median_us = c->all_us[c->rounds / 2];
    }
}
