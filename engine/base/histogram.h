/*
 * A histogram for latencies and sizes: log-linear buckets, as in HdrHistogram. Each power of two is
 * divided into 32 equal parts, so a quantile is at most 1/32 (3.2 %) above the true value and never
 * below it, from 0 to 2^42 - 1; larger values share one bucket, which says the maximum. Values
 * below 64 are exact.
 *
 * 10 KiB, no allocation. One thread adds; keep one a thread and merge. Another thread may merge
 * from a histogram that is being added to: each number is one that stood there during the call,
 * the sum of the buckets may be a few values off the count.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

enum
{
    HISTOGRAM_PART_BITS = 5,
    HISTOGRAM_VALUE_BITS = 42,
    HISTOGRAM_BUCKETS =
        ((HISTOGRAM_VALUE_BITS - HISTOGRAM_PART_BITS + 1) << HISTOGRAM_PART_BITS) + 1,
};

struct histogram
{
    uint64_t count;
    uint64_t sum;      /* of all values, for the mean */
    uint64_t min, max; /* exact; 0 while count is 0 */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* A cleared struct is an empty histogram. */
void histogram_add(struct histogram *histogram, uint64_t value);
/* Adds all of `other`. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);
/*
 * The value that at least the share `q` (0 to 1) of all values do not exceed: the upper end of its
 * bucket, or the largest value where that is less. 0 where there are no values.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double q);
double histogram_mean(const struct histogram *histogram);

#endif
