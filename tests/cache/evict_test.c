/* The budget and what goes when it is full: G4, G8, L06. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/entry.h"
#include "fixture.h"

enum
{
    OBJECT_BYTES = 500,
    KEY_BYTES = 8,
    CHARGE = CACHE_ENTRY_OVERHEAD + KEY_BYTES + OBJECT_BYTES,
};

/* A key of KEY_BYTES bytes. */
static struct span numbered(char kind, unsigned number)
{
    static char text[KEY_BYTES + 1];
    snprintf(text, sizeof text, "%c%07u", kind, number % 10000000);
    return span_of(text, KEY_BYTES);
}

static bool store(struct fixture *f, struct span key, int64_t now_ms)
{
    struct cache_item item = {.outcome = CACHE_ANSWER, .ttl_s = 3600, .bytes = OBJECT_BYTES};
    bool stored = cache_put(f->cache, key, &item, now_ms) == CACHE_STORED;
    cr_expect(stats_of(f).bytes <= stats_of(f).budget_bytes, "G4");
    cache_thread_quiescent();
    return stored;
}

static bool has(struct fixture *f, struct span key, int64_t now_ms)
{
    struct cache_hit hit;
    return cache_get(&f->reader, key, now_ms, &hit) == CACHE_FRESH;
}

static void fixture_of_entries(struct fixture *f, size_t entries, int bytes_more)
{
    struct cache_config config = fixture_config();
    config.budget_bytes = (size_t)((int64_t)(entries * CHARGE) + bytes_more);
    fixture_init(f, &config);
}

/* The limit is exact: what fits to the byte is kept, one byte less of room evicts one entry. */
Test(evict, budget_at_the_limit)
{
    static const struct
    {
        int bytes_more;
        unsigned kept;
    } cases[] = {{-1, 199}, {0, 200}, {1, 200}, {CHARGE - 1, 200}, {CHARGE, 201}};
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        struct fixture f;
        fixture_of_entries(&f, 200, cases[c].bytes_more);
        for (unsigned i = 0; i < 201; i++)
            cr_assert(store(&f, numbered('k', i), 0));
        struct cache_stats s = stats_of(&f);
        cr_expect(s.entries == cases[c].kept && s.evicted == 201 - cases[c].kept &&
                      s.bytes == cases[c].kept * CHARGE,
                  "%+d: %lu entries, %lu bytes", cases[c].bytes_more, s.entries, s.bytes);
        fixture_fini(&f);
    }
}

/* A replacement by a larger value evicts others, never the new value itself. */
Test(evict, growing_in_place)
{
    struct fixture f;
    fixture_of_entries(&f, 200, 0);
    for (unsigned i = 0; i < 200; i++)
        cr_assert(store(&f, numbered('k', i), 0));
    struct cache_item item = {.outcome = CACHE_ANSWER, .ttl_s = 60, .bytes = OBJECT_BYTES + CHARGE};
    cr_assert(cache_put(f.cache, numbered('k', 0), &item, 0) == CACHE_STORED);
    struct cache_stats s = stats_of(&f);
    cr_expect(s.evicted == 1 && s.entries == 199 && s.bytes == s.budget_bytes);
    cr_expect(has(&f, numbered('k', 0), 0));
    fixture_fini(&f);
}

/* L06: 2,048 selectors with values of 64 KiB: the bytes hold, and so does the limit per entry. */
Test(evict, L06_bytes_not_entries)
{
    struct cache_config config = fixture_config();
    struct fixture f;
    config.budget_bytes = 4 * 1024 * 1024;
    config.entry_max_bytes = 128 * 1024;
    config.retired_max_bytes = SIZE_MAX / 2;
    fixture_init(&f, &config);
    struct cache_item item = {.outcome = CACHE_ANSWER, .ttl_s = 3600, .bytes = 64 * 1024};
    for (unsigned i = 0; i < 2048; i++) {
        cr_assert(cache_put(f.cache, numbered('s', i), &item, 0) == CACHE_STORED);
        cr_expect(stats_of(&f).bytes <= config.budget_bytes);
    }
    cr_expect(stats_of(&f).entries == 4 * 1024 * 1024 / (64 * 1024 + CHARGE - OBJECT_BYTES));
    fixture_fini(&f);
}

/* --- scans --- */

enum
{
    CAPACITY = 1000,
    HOT = 200,
    SCAN = 10 * CAPACITY,
    HOT_EVERY = 5, /* scanned names for one use of a hot one: each hot one once in CAPACITY names */
};

/* The same budget as a plain FIFO: the comparison that shows that this test can fail. */
struct fifo
{
    unsigned ring[CAPACITY]; /* hot number + 1; 0: a scanned name */
    unsigned next;
    bool in[HOT];
};

static void fifo_put(struct fifo *fifo, unsigned hot)
{
    unsigned *slot = &fifo->ring[fifo->next++ % CAPACITY];
    if (*slot)
        fifo->in[*slot - 1] = false;
    *slot = hot;
    if (hot)
        fifo->in[hot - 1] = true;
}

/* Asked for, fetched where missing, and used by the one who waited, as the engine does. */
static bool use(struct fixture *f, struct span key)
{
    if (has(f, key, 0))
        return true;
    cr_assert(store(f, key, 0));
    has(f, key, 0);
    return false;
}

Test(evict, G8_hot_set_survives_a_scan_of_ten_times_the_cache)
{
    static struct fifo fifo;
    struct fixture f;
    unsigned hits = 0, fifo_hits = 0, uses = 0;
    fixture_of_entries(&f, CAPACITY, 0);
    for (unsigned i = 0; i < 3 * HOT; i++) {
        use(&f, numbered('h', i % HOT));
        if (i < HOT)
            fifo_put(&fifo, i + 1);
    }
    for (unsigned i = 0; i < SCAN; i++) {
        use(&f, numbered('s', i));
        fifo_put(&fifo, 0);
        if (i % HOT_EVERY)
            continue;
        unsigned hot = uses++ % HOT;
        hits += use(&f, numbered('h', hot));
        fifo_hits += fifo.in[hot];
        if (!fifo.in[hot])
            fifo_put(&fifo, hot + 1);
    }
    double rate = (double)hits / uses, fifo_rate = (double)fifo_hits / uses;
    cr_log_info("hot hit rate under the scan: %.3f, plain FIFO %.3f", rate, fifo_rate);
    cr_expect(rate >= 0.99, "S3-FIFO kept only %.3f", rate);
    cr_expect(fifo_rate <= 0.9, "the scan is too weak: FIFO keeps %.3f", fifo_rate);
    fixture_fini(&f);
}

Test(evict, G8_hot_set_survives_a_scan_while_nobody_uses_it)
{
    struct fixture f;
    unsigned kept = 0;
    fixture_of_entries(&f, CAPACITY, 0);
    for (unsigned i = 0; i < 3 * HOT; i++)
        use(&f, numbered('h', i % HOT));
    for (unsigned i = 0; i < SCAN; i++)
        use(&f, numbered('s', i));
    for (unsigned i = 0; i < HOT; i++)
        kept += has(&f, numbered('h', i), 0);
    cr_expect(kept == HOT, "got %u of %u", kept, HOT);
    fixture_fini(&f);
}

/* Names that were in use once make room for new ones in use: main is no grave. */
Test(evict, the_hot_set_may_change)
{
    struct fixture f;
    unsigned kept = 0;
    fixture_of_entries(&f, CAPACITY, 0);
    for (unsigned i = 0; i < 4 * CAPACITY; i++)
        use(&f, numbered('a', i % (CAPACITY - 100)));
    for (unsigned i = 0; i < 20 * CAPACITY; i++)
        use(&f, numbered('b', i % (CAPACITY - 100)));
    for (unsigned i = 0; i < CAPACITY - 100; i++)
        kept += has(&f, numbered('b', i), 0);
    cr_expect(kept >= (CAPACITY - 100) * 95 / 100, "got %u", kept);
    fixture_fini(&f);
}

Test(evict, a_key_that_comes_back_skips_the_small_queue)
{
    struct fixture f;
    fixture_of_entries(&f, CAPACITY, 0);
    for (unsigned i = 0; i < CAPACITY + 10; i++)
        cr_assert(store(&f, numbered('k', i), 0));
    cr_assert(!has(&f, numbered('k', 3), 0) && stats_of(&f).evicted == 10);
    cr_assert(store(&f, numbered('k', 3), 0));
    cr_expect(stats_of(&f).ghost_hits == 1);
    for (unsigned i = 0; i < CAPACITY; i++)
        cr_assert(store(&f, numbered('s', i), 0));
    cr_expect(has(&f, numbered('k', 3), 0), "it is in main, the scan is not");
    fixture_fini(&f);
}

Test(evict, dead_entries_go_first_and_leave_no_ghost)
{
    struct fixture f;
    fixture_of_entries(&f, CAPACITY, 0);
    for (unsigned i = 0; i < CAPACITY; i++) {
        cr_assert(store(&f, numbered('k', i), 0));
        has(&f, numbered('k', i), 0), has(&f, numbered('k', i), 0), has(&f, numbered('k', i), 0);
    }
    int64_t later = 3600 * 1000;
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(store(&f, numbered('n', i), later));
        cr_expect(!cache_remove(f.cache, numbered('k', i)), "%u: the oldest goes, used or not", i);
    }
    for (unsigned i = 0; i < 10; i++)
        cr_assert(store(&f, numbered('k', i), later));
    cr_expect(stats_of(&f).ghost_hits == 0, "they did not go for lack of use");
    fixture_fini(&f);
}

/* No put waits for a walk through all entries in use. */
Test(evict, search_for_a_victim_is_bounded)
{
    enum
    {
        MANY = 5000
    };
    struct s3fifo queues;
    unsigned touched = 0;
    bool to_ghost;
    struct cache_entry *entries = aligned_alloc(64, MANY * sizeof *entries);
    cr_assert(entries && s3fifo_init(&queues, MANY * 100, MANY));
    memset(entries, 0, MANY * sizeof *entries);
    for (unsigned i = 0; i < MANY; i++) {
        entries[i].bytes = 100;
        entries[i].expires_ms = 1;
        entry_set_frequency(&entries[i], 3);
        s3fifo_insert(&queues, &entries[i], true);
    }
    cr_expect(s3fifo_victim(&queues, 0, &to_ghost) == &entries[S3_STEPS_MAX] && !to_ghost);
    for (unsigned i = 0; i < MANY; i++)
        touched += entry_frequency(&entries[i]) != 3;
    cr_expect(touched == S3_STEPS_MAX, "got %u", touched);
    while (s3fifo_victim(&queues, 0, &to_ghost))
        ;
    cr_expect(s3fifo_bytes(&queues) == 0);
    s3fifo_fini(&queues);
    free(entries);
}

/* --- the ghost queue --- */

static uint64_t scrambled(uint64_t i)
{
    static const struct siphash_key key = {1, 2};
    return siphash13(&key, span_of(&i, sizeof i));
}

Test(ghost, remembers_as_many_bytes_as_it_was_made_for)
{
    struct ghost ghost;
    unsigned recent = 0, old = 0;
    cr_assert(ghost_init(&ghost, 4096, 1000 * 256));
    for (uint64_t i = 0; i < 3000; i++)
        ghost_add(&ghost, scrambled(i), 256);
    for (uint64_t i = 0; i < 1990; i++)
        old += ghost_take(&ghost, scrambled(i));
    for (uint64_t i = 2010; i < 3000; i++)
        recent += ghost_take(&ghost, scrambled(i));
    cr_expect(old == 0, "%u of the time before", old);
    cr_expect(recent >= 980, "%u of 990 (a bucket may overflow)", recent);
    cr_expect(!ghost_take(&ghost, scrambled(2999)), "taken is forgotten");
    ghost_fini(&ghost);
}

/* --- random use --- */

static bool add_charge(struct span key, void *context)
{
    *(size_t *)context += cache_charge(key.n, OBJECT_BYTES);
    return false;
}

/* Whatever comes: the sum of the entries in the table is the sum that is charged. */
Test(evict, accounts_are_right_after_random_use)
{
    struct fixture f;
    uint64_t random = 88172645463325252;
    fixture_of_entries(&f, CAPACITY, 77);
    for (unsigned i = 0; i < 100000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        struct span key = numbered('k', (unsigned)(random >> 20) % (2 * CAPACITY));
        if (random % 100 < 50)
            has(&f, key, i);
        else if (random % 100 < 95)
            cr_assert(store(&f, key, i));
        else
            cache_remove(f.cache, key);
    }
    size_t charged = 0;
    cache_flush(f.cache, add_charge, &charged);
    struct cache_stats s = stats_of(&f);
    cr_expect(charged == s.bytes && s.entries * CHARGE == s.bytes, "%zu in the table, %lu charged",
              charged, s.bytes);
    cr_expect(s.stored - s.replaced == s.entries + s.evicted + s.removed);
    fixture_fini(&f);
}
