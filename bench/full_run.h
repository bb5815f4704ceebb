/*
 * What assay-bench measures besides the acceptance figures: further sets, a cold cache, all cores,
 * latency by load, and the verifiers that run in processes of their own.
 */
#ifndef BENCH_FULL_RUN_H
#define BENCH_FULL_RUN_H

#include "bench/quick_sets.h"

/* First sight of every domain: µs a message with an empty cache, answers from a zone in memory. */
json_t *full_cold(const struct quick_options *options);
/* [{"threads":1,"messages_per_s":...}, ...]: 10k on 1 to all CPUs, a batch and a cache each. */
json_t *full_cores(const struct quick_options *options);
/* [{"load":0.1,"messages_per_s":...,"p50_us":...,"p99_us":...,"p999_us":...}, ...]: 10k through the
 * socket at shares of `capacity` messages a second. */
json_t *full_load(const struct quick_options *options, double capacity);
/* [{"name":...,"cpu_us_per_message":...} or {"skipped":"why"}, ...], fed 10k. */
json_t *full_peers(const struct quick_options *options);

#endif
