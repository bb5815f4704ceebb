#include "base/histogram.h"

#include <stdbool.h>

enum
{
    PARTS = 1 << HISTOGRAM_PART_BITS,
};

/* Values below 2 * PARTS have a bucket each; above, the five bits behind the leading one choose. */
static unsigned bucket_of(uint64_t value)
{
    if (value < PARTS)
        return (unsigned)value;
    unsigned leading = 63 - (unsigned)__builtin_clzll(value);
    if (leading >= HISTOGRAM_VALUE_BITS)
        return HISTOGRAM_BUCKETS - 1;
    unsigned shift = leading - HISTOGRAM_PART_BITS;
    unsigned part = (unsigned)(value >> shift) - PARTS;
    return ((shift + 1) << HISTOGRAM_PART_BITS) + part;
}

/* The largest value of a bucket. */
static uint64_t upper_end(unsigned bucket)
{
    if (bucket < PARTS)
        return bucket;
    unsigned shift = (bucket >> HISTOGRAM_PART_BITS) - 1;
    uint64_t part = PARTS + (bucket & (PARTS - 1));
    return ((part + 1) << shift) - 1;
}

/* The reader's side of histogram_add on another thread: whole numbers, in no order. */
static uint64_t get(const uint64_t *number)
{
    return __atomic_load_n(number, __ATOMIC_RELAXED);
}

static void set(uint64_t *number, uint64_t value)
{
    __atomic_store_n(number, value, __ATOMIC_RELAXED);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    bool first = histogram->count == 0;
    uint64_t *bucket = &histogram->buckets[bucket_of(value)];
    if (first || value < histogram->min)
        set(&histogram->min, value);
    if (first || value > histogram->max)
        set(&histogram->max, value);
    set(bucket, *bucket + 1);
    set(&histogram->sum, histogram->sum + value);
    set(&histogram->count, histogram->count + 1);
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    bool first = histogram->count == 0;
    uint64_t count = get(&other->count), min = get(&other->min), max = get(&other->max);
    if (count == 0)
        return;
    histogram->min = first || min < histogram->min ? min : histogram->min;
    histogram->max = max > histogram->max ? max : histogram->max;
    histogram->count += count;
    histogram->sum += get(&other->sum);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->buckets[i] += get(&other->buckets[i]);
}

uint64_t histogram_quantile(const struct histogram *histogram, double q)
{
    double wanted = q * (double)histogram->count;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1 && histogram->count; i++) {
        seen += histogram->buckets[i];
        if (seen && (double)seen >= wanted) {
            uint64_t end = upper_end(i);
            return end < histogram->max ? end : histogram->max;
        }
    }
    return histogram->max;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count ? (double)histogram->sum / (double)histogram->count : 0;
}
