/*
 * What the benches share: timed rounds on CLOCK_MONOTONIC, one row a measurement with the work
 * done and the spread, and a table of time against size.
 *
 * A round runs the measured call as often as fills about 20 ms (ASSAY_BENCH_MS), found by a trial;
 * 11 rounds (ASSAY_BENCH_ROUNDS) give best, median and worst. Work is printed, so that a call that
 * does nothing cannot look fast. ASSAY_BENCH_ONLY=text measures only rows whose name holds the
 * text; the others return 0. Not for threads.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* The measured call. */
typedef void bench_call(void *context);

struct bench_work /* of one call */
{
    uint64_t operations; /* what a row's ns/op counts: messages, signatures, ... */
    uint64_t bytes;      /* 0: no rate is printed */
};

/* Nanoseconds on CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/* Prints a title and the names of the columns. */
void bench_title(const char *title);
/* Measures and prints one row; returns the median in nanoseconds per operation. */
double bench_run(const char *name, bench_call *call, void *context, struct bench_work work);

/*
 * Time at 1, 2, 4 and 8 times the size. `prepare` makes the input for a factor (not timed), `call`
 * works on it. Prints nanoseconds per call at each and the fitted exponent of time over size, and
 * returns the exponent: 1 is linear (security.md T20 asks for less than 1.1 on bombs).
 */
typedef void bench_prepare(void *context, unsigned factor);
double bench_scale(const char *name, bench_prepare *prepare, bench_call *call, void *context);

/* Makes the compiler believe that the memory behind `p` is used. */
static inline void bench_keep(const void *p)
{
    __asm__ volatile("" : : "g"(p) : "memory");
}

#endif
