/* Quantiles against sorted values, the edges of buckets, merging. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/histogram.h"

Test(histogram, empty_and_single)
{
    static struct histogram h;
    cr_expect(histogram_quantile(&h, 0.5) == 0 && histogram_mean(&h) == 0);
    histogram_add(&h, 1234567);
    static const double shares[] = {0, 0.5, 0.999, 1};
    for (int i = 0; i < 4; i++)
        cr_expect(histogram_quantile(&h, shares[i]) == 1234567, "share %f", shares[i]);
    cr_expect(h.min == 1234567 && h.max == 1234567 && histogram_mean(&h) == 1234567);
}

/* Below 64 every value has a bucket of its own. */
Test(histogram, small_values_are_exact)
{
    static struct histogram h;
    for (uint64_t v = 0; v < 64; v++)
        histogram_add(&h, v);
    for (uint64_t v = 0; v < 64; v++) {
        uint64_t got = histogram_quantile(&h, ((double)v + 1) / 64);
        cr_expect(got == v, "got %lu, want %lu", got, v);
    }
}

/* At the edges of each power of two and its parts: never below the value, at most 1/32 above. */
Test(histogram, edges)
{
    for (unsigned bit = 0; bit < 42; bit++)
        for (uint64_t part = 0; part < 32; part++)
            for (int off = -1; off <= 1; off++) {
                static struct histogram h;
                h = (struct histogram){.count = 0};
                uint64_t value = (1ull << bit) + (part << bit >> 5) + (uint64_t)(int64_t)off;
                histogram_add(&h, value);
                histogram_add(&h, UINT64_MAX / 2); /* so that max does not hide the bucket's end */
                uint64_t got = histogram_quantile(&h, 0.5);
                bool last = value >> 42 || value > (1ull << 42) - (1ull << 36);
                cr_assert(got >= value && (last || got - value <= value / 32), "value %lu: got %lu",
                          value, got);
            }
}

Test(histogram, values_beyond_the_range_count)
{
    static struct histogram h;
    histogram_add(&h, UINT64_MAX);
    histogram_add(&h, 1ull << 42);
    histogram_add(&h, 5);
    cr_expect(h.count == 3 && histogram_quantile(&h, 0.3) == 5);
    cr_expect(histogram_quantile(&h, 0.5) == UINT64_MAX, "the last bucket says the maximum");
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

Test(histogram, quantiles_of_many_values_and_of_merged_halves)
{
    enum
    {
        N = 20000,
    };
    static uint64_t values[N];
    static struct histogram whole, halves[2];
    uint64_t random = 88172645463325252;
    for (unsigned i = 0; i < N; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        values[i] = (random >> 22) >> (random % 42);
        histogram_add(&whole, values[i]);
        histogram_add(&halves[i % 2], values[i]);
    }
    histogram_merge(&halves[0], &halves[1]);
    qsort(values, N, sizeof *values, by_value);
    static const double shares[] = {0.001, 0.01, 0.5, 0.9, 0.99, 0.999, 1};
    for (int i = 0; i < 7; i++) {
        uint64_t want = values[(size_t)(shares[i] * N) - 1];
        uint64_t got = histogram_quantile(&whole, shares[i]);
        cr_expect(got >= want && got - want <= want / 32, "%f: got %lu, want %lu", shares[i], got,
                  want);
        cr_expect(histogram_quantile(&halves[0], shares[i]) == got, "merged");
    }
    cr_expect(halves[0].count == N && halves[0].sum == whole.sum && halves[0].min == whole.min &&
              halves[0].max == whole.max);
}
