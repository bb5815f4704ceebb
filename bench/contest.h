/*
 * Several things measured in turn, so that whatever else the machine does meets all of them: each
 * round runs a short batch of every contestant, and the best and the median batch of each are kept.
 * Time is CPU time of the calling thread.
 */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include <stdint.h>

enum
{
    CONTEST_ROUNDS_MAX = 512,
};

struct contestant
{
    const char *name;
    /* Does a batch of about a few milliseconds; returns how many operations it did. */
    uint64_t (*batch)(void *context);
    void *context;
    /* out */
    double best_us, median_us; /* of an operation */
    uint64_t operations;
    unsigned rounds;
    double all_us[CONTEST_ROUNDS_MAX];
};

/* One round that does not count, then rounds for that long, at least 5. */
void contest_run(struct contestant *contestants, unsigned count, double seconds);
/* Seconds on this thread's CPU clock, and on CLOCK_MONOTONIC. */
double contest_cpu_s(void);
double contest_now_s(void);

#endif
