/*
 * Chance that is the same on every machine and in every run, for what the benches make up: names,
 * sizes, who is asked for how often.
 */
#ifndef BENCH_DRAW_H
#define BENCH_DRAW_H

#include <stdint.h>
#include <stddef.h>

/* The next number (Marsaglia's xorshift64); *state is never 0. */
static inline uint64_t draw_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A number as a share, 0 to 1 (exclusive). */
static inline double draw_share(uint64_t number)
{
    return (double)(number >> 11) / (double)(1ull << 53);
}

struct draw_point
{
    double share, value; /* so much is at most that large */
};

/* Straight lines between points, the first at share 0, the last at 1. */
double draw_between(const struct draw_point *points, double share);

/* Weights: sums[i] is the weight of all up to i. Returns the i that `wanted` (below the last sum)
 * falls on. */
unsigned draw_weighted(const double *sums, unsigned count, double wanted);

#endif
