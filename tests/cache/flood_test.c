/*
 * L05: names that collide under an unkeyed hash must cost no more than random ones.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"

enum
{
    BITS = 20,
    NAMES = 1 << BITS, /* over 10^6 */
    NAME_BYTES = 2 * BITS,
};

static uint32_t djb2(struct span s)
{
    uint32_t hash = 5381;
    for (size_t i = 0; i < s.n; i++)
        hash = hash * 33 + s.p[i];
    return hash;
}

/* "Ez" and "FY" are equal under h * 33 + c, and so are all rows of them of one length. */
static struct span colliding(unsigned number, uint8_t out[NAME_BYTES])
{
    for (unsigned bit = 0; bit < BITS; bit++)
        memcpy(out + (size_t)2 * bit, number >> bit & 1 ? "Ez" : "FY", 2);
    return span_of(out, NAME_BYTES);
}

static struct span arbitrary(unsigned number, uint8_t out[NAME_BYTES])
{
    uint64_t x = number + 1;
    for (unsigned i = 0; i < NAME_BYTES; i++) {
        x = x * 6364136223846793005 + 1442695040888963407;
        out[i] = (uint8_t)('a' + (x >> 40) % 26);
    }
    return span_of(out, NAME_BYTES);
}

typedef struct span name_maker(unsigned number, uint8_t out[NAME_BYTES]);

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* CPU time of putting all names in and looking each up. */
static double time_names(name_maker *make, unsigned names)
{
    struct cache_config config = fixture_config();
    struct cache_hit hit;
    struct fixture f;
    uint8_t bytes[NAME_BYTES];
    unsigned found = 0;
    config.budget_bytes = (size_t)1 << 30;
    config.buckets = names;
    fixture_init(&f, &config);
    struct cache_item item = {.outcome = CACHE_NXDOMAIN, .ttl_s = 300};
    double begin = cpu_seconds();
    for (unsigned i = 0; i < names; i++)
        cr_assert(cache_put(f.cache, make(i, bytes), &item, 0) == CACHE_STORED);
    for (unsigned i = 0; i < names; i++)
        found += cache_get(&f.reader, make(i, bytes), 0, &hit) == CACHE_FRESH;
    double seconds = cpu_seconds() - begin;
    cr_expect(found == names, "%u of %u", found, names);
    fixture_fini(&f);
    return seconds;
}

Test(flood, L05_colliding_names_cost_what_random_names_cost)
{
    uint8_t a[NAME_BYTES], b[NAME_BYTES];
    for (unsigned i = 0; i < NAMES; i += 12345)
        cr_assert(djb2(colliding(i, a)) == djb2(colliding(0, b)), "the attack works on djb2");
    time_names(arbitrary, NAMES / 16); /* warms malloc up */
    double random = time_names(arbitrary, NAMES), hostile = time_names(colliding, NAMES);
    cr_log_info("%d random names %.2f s, colliding names %.2f s", NAMES, random, hostile);
    cr_expect(hostile < 3 * random, "random %.2f s, colliding %.2f s", random, hostile);
}
