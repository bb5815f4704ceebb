/* The table of shared results: whole keys, ends, and what is forgotten. */
#include "base/result_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum
{
    SETS = 4,
    BYTES = 128,
    HASH = 0x12345678,
};

static struct result_cache *cache_at(int64_t now_ms)
{
    struct result_cache *cache = result_cache_new(SETS, BYTES, 0);
    cr_assert(cache != NULL);
    result_cache_begin(cache, now_ms, 0);
    return cache;
}

static struct result_key key_of(struct span name)
{
    return (struct result_key){.facts = {1, 2, 3}, .name = name};
}

static bool keep(struct result_cache *cache, const char *key, uint64_t hash, int64_t until_ms,
                 const char *value)
{
    struct span text = span_from_string(value);
    struct result_key whole = key_of(span_from_string(key));
    void *place = result_cache_keep(cache, &whole, hash, until_ms, text.n);
    if (place)
        memcpy(place, text.p, text.n);
    return place != NULL;
}

static bool has(struct result_cache *cache, const char *key, uint64_t hash, const char *value)
{
    struct result_key whole = key_of(span_from_string(key));
    struct span found = result_cache_find(cache, &whole, hash);
    return value ? found.p && span_equal(found, span_from_string(value)) : !found.p;
}

/* Poisoning: two keys with one hash are two results. */
Test(result_cache, keys_are_compared_in_full)
{
    static const char *const keys[] = {"a.example", "b.example", "a.example2", "a"};
    struct result_cache *cache = cache_at(0);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        cr_expect(has(cache, keys[i], HASH, NULL), "%s: not kept", keys[i]);
        cr_assert(keep(cache, keys[i], HASH, 1000, keys[i]));
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        cr_expect(has(cache, keys[i], HASH, keys[i]), "%s", keys[i]);
    cr_expect(has(cache, "c.example", HASH, NULL) && has(cache, "", HASH, NULL));
    cr_expect(cache->hits == 4 && cache->misses == 6, "%lu hits, %lu misses", cache->hits,
              cache->misses);
    result_cache_free(&cache);
    cr_expect_null(cache);
}

/* The same name with one other fact, each in turn. */
Test(result_cache, facts_are_compared_too)
{
    struct result_cache *cache = cache_at(0);
    cr_assert(keep(cache, "a", HASH, 1000, "1"));
    for (unsigned i = 0; i < RESULT_FACTS; i++) {
        struct result_key other = key_of(SPAN("a"));
        uint64_t hash = result_key_hash(&other, 7);
        other.facts[i] ^= UINT64_C(1) << 20 * i;
        cr_expect(!result_cache_find(cache, &other, HASH).p, "fact %u", i);
        cr_expect(result_key_hash(&other, 7) != hash, "fact %u is in the hash", i);
    }
    cr_expect(has(cache, "a", HASH, "1"));
    result_cache_free(&cache);
}

Test(result_cache, ends_when_it_was_told_to)
{
    struct result_cache *cache = cache_at(100);
    cr_expect(!keep(cache, "late", HASH, 100, "x"), "it does not stand any more");
    cr_assert(keep(cache, "a", HASH, 101, "1") && has(cache, "a", HASH, "1"));
    cr_assert(keep(cache, "b", HASH, INT64_MAX, "2"));
    result_cache_begin(cache, 101, 0);
    cr_expect(has(cache, "a", HASH, NULL) && has(cache, "b", HASH, "2"));
    result_cache_begin(cache, 99 + RESULT_CACHE_MS, 0);
    cr_expect(has(cache, "b", HASH, "2"));
    result_cache_begin(cache, 100 + RESULT_CACHE_MS, 0);
    cr_expect(has(cache, "b", HASH, NULL), "no result stands longer");
    cr_assert(keep(cache, "b", HASH, INT64_MAX, "3") && has(cache, "b", HASH, "3"));
    result_cache_free(&cache);
}

Test(result_cache, a_newer_result_takes_the_place_of_the_older_one)
{
    struct result_cache *cache = cache_at(0);
    cr_assert(keep(cache, "a", HASH, 5000, "old") && keep(cache, "a", HASH, 10, "newer"));
    cr_expect(has(cache, "a", HASH, "newer"));
    result_cache_begin(cache, 10, 0);
    cr_expect(has(cache, "a", HASH, NULL), "also where it ends earlier");
    result_cache_free(&cache);
}

Test(result_cache, a_removal_forgets_all_at_once)
{
    struct result_cache *cache = cache_at(0);
    cr_assert(keep(cache, "a", HASH, 5000, "1"));
    result_cache_begin(cache, 1, 0);
    cr_expect(has(cache, "a", HASH, "1"));
    result_cache_begin(cache, 1, 1);
    cr_expect(has(cache, "a", HASH, NULL));
    cr_assert(keep(cache, "a", HASH, 5000, "2") && has(cache, "a", HASH, "2"));
    result_cache_free(&cache);
}

Test(result_cache, a_full_set_gives_up_what_ends_first)
{
    static const char *const keys[] = {"a", "b", "c", "d"};
    struct result_cache *cache = cache_at(0);
    for (int64_t i = 0; i < RESULT_CACHE_WAYS; i++)
        cr_assert(keep(cache, keys[i], HASH, i == 2 ? 50 : 100 + i, keys[i]));
    cr_assert(keep(cache, "e", HASH, 70, "e"));
    cr_expect(has(cache, "c", HASH, NULL) && has(cache, "e", HASH, "e"));
    cr_assert(keep(cache, "f", HASH + 1, 70, "f"), "another set");
    cr_expect(has(cache, "a", HASH, "a") && has(cache, "b", HASH, "b") &&
              has(cache, "d", HASH, "d"));
    result_cache_free(&cache);
}

/* An entry has 38 octets of its own, the name, and the value from the next multiple of 8 on. */
Test(result_cache, what_does_not_fit_is_not_kept)
{
    static char key[BYTES + 1], value[BYTES + 1];
    struct result_cache *cache = cache_at(0);
    memset(key, 'k', sizeof key - 1);
    memset(value, 'v', sizeof value - 1);
    value[BYTES - 40] = '\0';
    cr_expect(keep(cache, "kk", HASH, 9, value) && has(cache, "kk", HASH, value), "just fits");
    value[BYTES - 40] = 'v';
    value[BYTES - 39] = '\0';
    cr_expect(!keep(cache, "kk", HASH, 9, value), "one octet more");
    cr_expect(!keep(cache, key, HASH, 9, ""), "nor a key as long as the entry");
    cr_expect(keep(cache, "k", HASH, 9, "") && has(cache, "k", HASH, ""), "an empty value is one");
    result_cache_free(&cache);
}

/* Values are written as structs: where one begins is aligned, whatever the key. */
Test(result_cache, values_are_aligned)
{
    static const char key[] = "0123456789abcdef0123456789abcdef";
    struct result_cache *cache = cache_at(0);
    for (size_t n = 0; n < sizeof key; n++) {
        uint64_t number = 0x0123456789abcdef ^ n;
        struct result_key whole = key_of(span_of(key, n));
        uint64_t *place = result_cache_keep(cache, &whole, n, 9, sizeof number);
        cr_assert(place && (uintptr_t)place % sizeof number == 0, "%zu", n);
        *place = number;
        struct span found = result_cache_find(cache, &whole, n);
        cr_expect(found.n == sizeof number && *(const uint64_t *)(const void *)found.p == number);
    }
    result_cache_free(&cache);
}

/* Against a plain list, over thousands of steps of time, keeps, finds and removals. */
Test(result_cache, never_gives_what_was_not_kept_last)
{
    enum
    {
        KEYS = 40,
        STEPS = 200000
    };
    struct
    {
        int64_t until_ms;
        uint64_t removals;
        unsigned value;
    } list[KEYS] = {{0}};
    struct result_cache *cache = cache_at(0);
    int64_t now_ms = 0;
    uint64_t removals = 0;
    unsigned random = 1, found = 0;
    for (unsigned step = 1; step <= STEPS; step++) {
        char key[16], value[16];
        random = random * 1103515245 + 12345;
        unsigned k = (random >> 16) % KEYS;
        snprintf(key, sizeof key, "key%u", k);
        if (step % 7 == 0)
            now_ms += (random >> 8) % 900;
        removals += step % 1009 == 0;
        result_cache_begin(cache, now_ms, removals);
        if (random & 0x1000) {
            int64_t until_ms = now_ms + (random >> 20) % 20000;
            snprintf(value, sizeof value, "%u", step);
            if (keep(cache, key, k % 5, until_ms, value)) {
                int64_t most = now_ms + RESULT_CACHE_MS;
                list[k].until_ms = until_ms < most ? until_ms : most;
                list[k].removals = removals;
                list[k].value = step;
            }
            continue;
        }
        struct result_key whole = key_of(span_from_string(key));
        struct span got = result_cache_find(cache, &whole, k % 5);
        if (!got.p)
            continue; /* it may have had to go */
        snprintf(value, sizeof value, "%u", list[k].value);
        found++;
        cr_assert(now_ms < list[k].until_ms && list[k].removals == removals &&
                      span_equal(got, span_from_string(value)),
                  "step %u, %s", step, key);
    }
    cr_expect(found > STEPS / 20, "%u found", found);
    result_cache_free(&cache);
}
