#include "bench/bench.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum
{
    ROUND_MS = 20,
    ROUNDS = 11,
    ROUNDS_MAX = 1000,
    FACTORS = 4,
};

struct spread /* nanoseconds per call */
{
    double best, median, worst;
    uint64_t calls; /* in all rounds */
    unsigned rounds;
};

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static unsigned setting(const char *name, unsigned otherwise, unsigned max)
{
    const char *text = getenv(name);
    unsigned long value = text ? strtoul(text, NULL, 10) : otherwise;
    return value < 1 ? 1 : value > max ? max : (unsigned)value;
}

static uint64_t time_calls(bench_call *call, void *context, uint64_t calls)
{
    uint64_t begin = bench_now_ns();
    for (uint64_t i = 0; i < calls; i++)
        call(context);
    return bench_now_ns() - begin;
}

/* Calls that fill a round: doubled until a trial takes a tenth of it, which also warms up. */
static uint64_t calls_per_round(bench_call *call, void *context, uint64_t round_ns)
{
    uint64_t calls = 1;
    uint64_t ns;
    while ((ns = time_calls(call, context, calls)) < round_ns / 10)
        calls *= 2;
    uint64_t wanted = (uint64_t)((double)calls * (double)round_ns / (double)ns);
    return wanted ? wanted : 1;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct spread measure(bench_call *call, void *context)
{
    static double ns[ROUNDS_MAX];
    unsigned rounds = setting("ASSAY_BENCH_ROUNDS", ROUNDS, ROUNDS_MAX);
    uint64_t round_ns = (uint64_t)setting("ASSAY_BENCH_MS", ROUND_MS, 60000) * 1000000;
    uint64_t calls = calls_per_round(call, context, round_ns);
    for (unsigned i = 0; i < rounds; i++)
        ns[i] = (double)time_calls(call, context, calls) / (double)calls;
    qsort(ns, rounds, sizeof *ns, by_value);
    return (struct spread){ns[0], ns[rounds / 2], ns[rounds - 1], calls * rounds, rounds};
}

/* ASSAY_BENCH_ONLY=text: rows whose name holds the text. */
static bool wanted(const char *name)
{
    const char *only = getenv("ASSAY_BENCH_ONLY");
    return !only || strstr(name, only) != NULL;
}

void bench_title(const char *title)
{
    printf("\n%s\n%-40s %12s %8s %6s %11s %11s %11s %8s\n", title, "", "operations", "MB", "rounds",
           "best ns/op", "median", "worst", "GB/s");
}

double bench_run(const char *name, bench_call *call, void *context, struct bench_work work)
{
    if (!wanted(name))
        return 0;
    struct spread spread = measure(call, context);
    double operations = work.operations ? (double)work.operations : 1;
    printf("%-40s %12.0f %8.0f %6u %11.1f %11.1f %11.1f ", name, operations * (double)spread.calls,
           (double)work.bytes * (double)spread.calls / 1e6, spread.rounds, spread.best / operations,
           spread.median / operations, spread.worst / operations);
    if (work.bytes)
        printf("%8.2f\n", (double)work.bytes / spread.median);
    else
        printf("%8s\n", "-");
    fflush(stdout);
    return spread.median / operations;
}

/* Slope of log(time) over log(size), least squares. */
static double fitted_exponent(const double *ns)
{
    double x = 0, y = 0, xx = 0, xy = 0;
    for (int i = 0; i < FACTORS; i++) {
        x += i;
        y += log2(ns[i]);
        xx += i * i;
        xy += i * log2(ns[i]);
    }
    return (FACTORS * xy - x * y) / (FACTORS * xx - x * x);
}

double bench_scale(const char *name, bench_prepare *prepare, bench_call *call, void *context)
{
    double ns[FACTORS];
    if (!wanted(name))
        return 0;
    printf("%-40s", name);
    for (int i = 0; i < FACTORS; i++) {
        prepare(context, 1u << i);
        ns[i] = measure(call, context).best;
        printf("  %ux %10.0f ns", 1u << i, ns[i]);
    }
    double exponent = fitted_exponent(ns);
    printf("  exponent %.2f\n", exponent);
    fflush(stdout);
    return exponent;
}
