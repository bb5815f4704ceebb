/*
 * The acceptance figures of assay-bench: for each set of messages the cost of the whole judgement
 * beside its limit and beside libopendkim, measured in turn in this process; the same at each
 * kernel level; through the socket of an assayd; how long a lone message takes.
 */
#ifndef BENCH_QUICK_SETS_H
#define BENCH_QUICK_SETS_H

#include <jansson.h>

struct quick_options
{
    const char *keys; /* folder of the private keys */
    const char *self; /* argv[0]: the levels run in processes of their own */
    double seconds;   /* of one set */
    const char *only; /* one set; NULL: all of the contract */
    int cpu;          /* that this thread is pinned to */
};

/*
 * {"us_per_message":..., "limit_us":..., "vs_limit":..., "opendkim_us":..., "vs_libopendkim":...,
 *  "single_us":..., and the work behind them}. New reference; a line on stderr says what it does.
 */
json_t *quick_set(const struct quick_options *options, const char *name);
/* {"avx512":{...},"avx2":{...},"scalar":{...}}, each as above for 10k; null where the machine lacks
 * it. */
json_t *quick_levels(const struct quick_options *options);
/* What 10k took in this process in the same run. */
struct quick_peers
{
    double opendkim_us;
    double single_us; /* assay, one message at a time */
};

/*
 * {"engine_us_per_message":..., "vs_libopendkim":..., "own_p50_us":..., "own_p99_us":...,
 *  "lone_own_p50_us":..., "lone_vs_single":..., ...}: own is what the daemon takes from a message's
 * last byte to its verdict, at 70 % of its capacity; lone likewise, a message at a time.
 */
json_t *quick_socket(const struct quick_options *options, const struct quick_peers *peers);

#endif
