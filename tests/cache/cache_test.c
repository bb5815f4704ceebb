/* Entries from put to release: states, rules of replacement, claims. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

enum
{
    SECOND = 1000
};

Test(cache, put_get_replace_remove)
{
    struct fixture f;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    cr_expect(get(&f, "a", 0, &hit) == CACHE_MISS);
    cr_expect(hit.object == NULL && hit.entry == NULL);

    cr_expect(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_expect(get(&f, "a", 2500, &hit) == CACHE_FRESH);
    cr_expect(hit.outcome == CACHE_ANSWER && hit.age_ms == 2500);
    cr_expect(get(&f, "A", 0, &hit) == CACHE_MISS, "keys are bytes");
    cr_expect(get(&f, "a2", 0, &hit) == CACHE_MISS);

    cr_expect(put(&f, "a", CACHE_ANSWER, 60, 2, 0, 5 * SECOND) == CACHE_STORED);
    cr_expect(number_of(&f, "a", 6 * SECOND) == 2, "G3");
    cr_expect(cache_remove(f.cache, SPAN("a")));
    cr_expect(!cache_remove(f.cache, SPAN("a")));
    cr_expect(number_of(&f, "a", 6 * SECOND) == -1);

    struct cache_stats s = stats_of(&f);
    cr_expect(s.stored == 2 && s.replaced == 1 && s.removed == 1 && s.entries == 0 && s.bytes == 0);
    cr_expect(s.hits == 2 && s.misses == 4, "hits %lu, misses %lu", s.hits, s.misses);
    fixture_fini(&f);
    cr_expect(values_alive == 0, "G5: %u values not released", values_alive);
}

/* G2: a pointer is good until the next quiescent state, whatever happens to its entry. */
Test(cache, pointer_lives_until_the_quiescent_state)
{
    struct fixture f;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_assert(get(&f, "a", 0, &hit) == CACHE_FRESH);
    const struct value *value = hit.object;
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 2, 0, 0) == CACHE_STORED);
    cr_assert(cache_remove(f.cache, SPAN("a")));
    usleep(50000); /* the callback thread has its chance */
    cr_expect(value->canary == VALUE_ALIVE && value->number == 1);
    cr_expect(values_alive == 2 && stats_of(&f).retired_entries == 2);
    settle();
    cr_expect(values_alive == 0 && stats_of(&f).retired_entries == 0);
    cr_expect(stats_of(&f).retired_bytes == 0);
    fixture_fini(&f);
}

Test(cache, keys_of_every_length_up_to_the_limit)
{
    struct fixture f;
    struct cache_hit hit;
    uint8_t key[CACHE_KEY_MAX];
    fixture_init(&f, NULL);
    memset(key, 'k', sizeof key);
    struct cache_item item = {.outcome = CACHE_NXDOMAIN, .ttl_s = 60};
    for (size_t n = 1; n <= sizeof key; n++)
        cr_assert(cache_put(f.cache, span_of(key, n), &item, 0) == CACHE_STORED);
    for (size_t n = 1; n <= sizeof key; n++)
        cr_expect(cache_get(&f.reader, span_of(key, n), 0, &hit) == CACHE_FRESH &&
                      hit.outcome == CACHE_NXDOMAIN && hit.object == NULL,
                  "length %zu", n);
    cr_expect(stats_of(&f).entries == CACHE_KEY_MAX && stats_of(&f).hits_negative == CACHE_KEY_MAX);
    struct span one = span_of(key, 1);
    uint64_t hash = siphash13(cache_hash_key(f.cache), one);
    cr_expect(cache_get_hashed(&f.reader, one, hash, 0, &hit) == CACHE_FRESH);
    cr_expect(cache_get_hashed(&f.reader, one, ~hash, 0, &hit) == CACHE_MISS, "not its place");
    fixture_fini(&f);
}

Test(cache, fresh_ends_exactly_at_the_ttl)
{
    struct fixture f;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 1000) == CACHE_STORED);
    cr_expect(number_of(&f, "a", 60999) == 1);
    cr_expect(number_of(&f, "a", 61000) == -1, "expired, and no failure: ask again");
    fixture_fini(&f);
}

/* An owner's second look is not a use: the entry does not come to be in demand by it. */
Test(cache, a_peek_leaves_no_trace)
{
    struct fixture f;
    struct cache_hit hit;
    struct cache_due_key due[1];
    fixture_init(&f, NULL);
    cr_expect(cache_peek(f.cache, SPAN("a"), 0, &hit) == CACHE_MISS && !hit.entry);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    (void)!cache_due(f.cache, 0, due, 1);
    for (int i = 0; i < 8; i++)
        cr_expect(cache_peek(f.cache, SPAN("a"), 5000, &hit) == CACHE_FRESH &&
                  hit.outcome == CACHE_ANSWER && hit.age_ms == 5000 && !hit.refresh);
    cr_expect(((const struct value *)hit.object)->number == 1);
    cr_expect(cache_due(f.cache, 59999, due, 1) == 0, "nobody used it");
    cr_expect(cache_peek(f.cache, SPAN("a"), 60000, &hit) == CACHE_MISS);
    struct cache_stats stats = stats_of(&f);
    cr_expect(stats.hits == 0 && stats.misses == 0);
    cr_expect(put(&f, "a", CACHE_FAILURE, 0, 2, 0, 60000) == CACHE_KEPT);
    cr_expect(cache_peek(f.cache, SPAN("a"), 60001, &hit) == CACHE_STALE);
    fixture_fini(&f);
}

/* G11: only what is asked again in time without another lookup may do without lookups. */
Test(cache, G11_an_answer_in_demand_stands_until_refreshes_begin)
{
    struct fixture f;
    struct cache_hit hit;
    struct cache_due_key due[1];
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 600, 1, 0, 0) == CACHE_STORED);
    cr_expect(get(&f, "a", 0, &hit) == CACHE_FRESH && hit.stands_until_ms == 0, "one use");
    cr_assert(get(&f, "a", 1, &hit) == CACHE_FRESH);
    int64_t until = hit.stands_until_ms;
    cr_expect(until >= 480 * SECOND && until < 481 * SECOND, "got %ld", until);
    cr_expect(cache_due(f.cache, until - 1, due, 1) == 0, "not before it");
    cr_expect(cache_due(f.cache, until + 60 * SECOND, due, 1) == 1,
              "and then without a further use");
    cr_expect(get(&f, "a", until + 60 * SECOND, &hit) == CACHE_FRESH && !hit.refresh);
    cr_expect(hit.stands_until_ms == until, "asked for: the newer answer may come at any moment");
    cr_assert(put(&f, "a", CACHE_FAILURE, 0, 2, 0, until + 61 * SECOND) == CACHE_KEPT);
    cr_assert(get(&f, "a", until + 62 * SECOND, &hit) == CACHE_FRESH);
    cr_expect(hit.stands_until_ms == until);
    cr_assert(put(&f, "a", CACHE_NXDOMAIN, 60, 3, 0, 599 * SECOND) == CACHE_STORED);
    cr_expect(get(&f, "a", 599 * SECOND, &hit) == CACHE_FRESH && hit.stands_until_ms == 0,
              "demand is the answer's, not the name's");
    for (unsigned i = 0; i < 3; i++)
        cr_assert(put(&f, "b", CACHE_FAILURE, 0, 4, 0, 0) == CACHE_STORED &&
                  get(&f, "b", 0, &hit) == CACHE_FRESH && hit.stands_until_ms == 0);
    fixture_fini(&f);
}

/* G11: no spread of any lead, for no TTL, lets an entry be asked again while it stands. */
Test(cache, G11_nothing_stands_while_it_may_be_refreshed)
{
    struct fixture f;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    for (uint32_t ttl_s = 30; ttl_s <= 3600; ttl_s += 35) {
        for (unsigned i = 0; i < 8; i++) {
            char key[32];
            snprintf(key, sizeof key, "%u.%u", ttl_s, i);
            cr_assert(put(&f, key, CACHE_ANSWER, ttl_s, 1, 0, 0) == CACHE_STORED);
            (void)!get(&f, key, 0, &hit);
            cr_assert(get(&f, key, 0, &hit) == CACHE_FRESH && hit.stands_until_ms > 0);
            int64_t until = hit.stands_until_ms;
            cr_expect(until >= (int64_t)ttl_s * 780, "%s: %ld", key, until);
            cr_expect(get(&f, key, until - 1, &hit) == CACHE_FRESH && !hit.refresh, "%s", key);
        }
    }
    fixture_fini(&f);
}

/* An operator's flush ends at once what others made of entries. */
Test(cache, removals_are_counted)
{
    struct fixture f;
    fixture_init(&f, NULL);
    uint64_t before = cache_removals(f.cache);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 2, 0, 0) == CACHE_STORED);
    cr_expect(cache_removals(f.cache) == before, "a put is none");
    cr_assert(cache_remove(f.cache, SPAN("a")));
    cr_expect(cache_removals(f.cache) == before + 1);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_assert(cache_flush(f.cache, NULL, NULL) == 1);
    cr_expect(cache_removals(f.cache) == before + 2);
    fixture_fini(&f);
}

/* L07: SERVFAIL once, then good. */
Test(cache, failure_backs_off_and_ends_with_an_answer)
{
    static const int64_t kept_s[] = {5, 10, 20, 40, 60, 60};
    struct fixture f;
    struct cache_hit hit;
    int64_t now = 0;
    fixture_init(&f, NULL);
    for (size_t i = 0; i < COUNT_OF(kept_s); i++) {
        cr_assert(put(&f, "a", CACHE_FAILURE, 999, (int)i, 0, now) == CACHE_STORED);
        cr_expect(get(&f, "a", now + kept_s[i] * SECOND - 1, &hit) == CACHE_FRESH &&
                      hit.outcome == CACHE_FAILURE,
                  "failure %zu is kept %ld s", i + 1, kept_s[i]);
        now += kept_s[i] * SECOND;
        cr_expect(get(&f, "a", now, &hit) == CACHE_MISS, "failure %zu ends", i + 1);
    }
    cr_expect(put(&f, "a", CACHE_ANSWER, 60, 7, 0, now) == CACHE_STORED);
    cr_expect(number_of(&f, "a", now) == 7, "G6: an answer replaces a failure");
    now += 60 * SECOND + 3600 * SECOND;
    cr_expect(put(&f, "a", CACHE_FAILURE, 0, 8, 0, now) == CACHE_STORED);
    cr_expect(get(&f, "a", now + 5 * SECOND, &hit) == CACHE_MISS, "counted from 1 again");
    cr_expect(stats_of(&f).hits_failure == COUNT_OF(kept_s));
    fixture_fini(&f);
    cr_expect(values_alive == 0);
}

/* G6: an answer outlives failures, fresh or stale, within the bound. */
Test(cache, stale_answer_instead_of_a_failure)
{
    struct fixture f;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_expect(put(&f, "a", CACHE_FAILURE, 0, 2, 0, 50 * SECOND) == CACHE_KEPT);
    cr_expect(get(&f, "a", 59999, &hit) == CACHE_FRESH && hit.outcome == CACHE_ANSWER);
    cr_expect(get(&f, "a", 60000, &hit) == CACHE_STALE && hit.outcome == CACHE_ANSWER);
    cr_expect(hit.age_ms == 60000 && hit.refresh, "the next try was due at 55 s");

    cr_expect(cache_refresh_claim(&f.reader, &hit, 60000));
    cr_expect(get(&f, "a", 60001, &hit) == CACHE_STALE && !hit.refresh, "asked for by one");
    cr_expect(put(&f, "a", CACHE_FAILURE, 0, 3, 0, 61 * SECOND) == CACHE_KEPT);
    cr_expect(get(&f, "a", 70999, &hit) == CACHE_STALE && !hit.refresh, "10 s after the second");
    cr_expect(get(&f, "a", 71000, &hit) == CACHE_STALE && hit.refresh);

    int64_t end = 60000 + 3600 * SECOND;
    cr_expect(get(&f, "a", end - 1, &hit) == CACHE_STALE);
    cr_expect(get(&f, "a", end, &hit) == CACHE_MISS, "the bound");
    cr_expect(put(&f, "a", CACHE_FAILURE, 0, 4, 0, end - 1) == CACHE_KEPT);
    cr_expect(put(&f, "a", CACHE_FAILURE, 0, 5, 0, end) == CACHE_STORED);
    cr_expect(get(&f, "a", end, &hit) == CACHE_FRESH && hit.outcome == CACHE_FAILURE);

    cr_expect(put(&f, "a", CACHE_NXDOMAIN, 60, 6, 0, end) == CACHE_STORED);
    cr_expect(get(&f, "a", end, &hit) == CACHE_FRESH && hit.outcome == CACHE_NXDOMAIN);
    cr_expect(stats_of(&f).kept == 3 && stats_of(&f).stale == 5, "kept %lu, stale %lu",
              stats_of(&f).kept, stats_of(&f).stale);
    fixture_fini(&f);
    cr_expect(values_alive == 0);
}

/* L07: a negative answer ends at its TTL also when the DNS fails: its ceiling is hard. */
Test(cache, negative_answers_are_never_stale)
{
    static const enum cache_outcome negative[] = {CACHE_EMPTY, CACHE_NXDOMAIN};
    struct fixture f;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    for (size_t i = 0; i < COUNT_OF(negative); i++) {
        cr_assert(put(&f, "a", negative[i], 300, 1, 0, 0) == CACHE_STORED);
        cr_expect(put(&f, "a", CACHE_FAILURE, 0, 2, 0, 299 * SECOND) == CACHE_KEPT);
        cr_expect(get(&f, "a", 299999, &hit) == CACHE_FRESH && hit.outcome == negative[i]);
        cr_expect(get(&f, "a", 300000, &hit) == CACHE_MISS);
        cr_expect(put(&f, "a", CACHE_FAILURE, 0, 3, 0, 300000) == CACHE_STORED);
    }
    fixture_fini(&f);
}

Test(cache, an_answer_replaces_a_stale_one_and_forgets_the_failures)
{
    struct fixture f;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 30, 1, 0, 0) == CACHE_STORED);
    cr_assert(put(&f, "a", CACHE_FAILURE, 0, 2, 0, 29 * SECOND) == CACHE_KEPT);
    cr_assert(put(&f, "a", CACHE_ANSWER, 30, 3, 0, 40 * SECOND) == CACHE_STORED);
    cr_expect(get(&f, "a", 69999, &hit) == CACHE_FRESH);
    cr_expect(get(&f, "a", 70000, &hit) == CACHE_MISS, "no failure since: not stale");
    fixture_fini(&f);
}

/* --- refresh before expiry --- */

Test(due, only_entries_in_demand_and_each_once)
{
    struct fixture f;
    struct cache_hit hit;
    struct cache_due_key due[8];
    fixture_init(&f, NULL);
    cr_assert(put(&f, "cold", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_assert(put(&f, "once", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_assert(put(&f, "hot", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    cr_assert(put(&f, "failed", CACHE_FAILURE, 0, 1, 0, 0) == CACHE_STORED);
    number_of(&f, "once", 0);
    for (int i = 0; i < 2; i++)
        number_of(&f, "hot", 0), number_of(&f, "failed", 0);
    cr_expect(cache_due(f.cache, 45 * SECOND, due, 8) == 0, "too early");
    size_t n = cache_due(f.cache, 59 * SECOND, due, 8);
    cr_expect(n == 1, "got %zu", n);
    cr_expect(span_equal(span_of(due[0].key, due[0].key_n), SPAN("hot")));
    cr_expect(cache_due(f.cache, 59 * SECOND, due, 8) == 0, "claimed");
    cr_expect(get(&f, "hot", 59 * SECOND, &hit) == CACHE_FRESH && !hit.refresh);
    cr_expect(get(&f, "once", 59 * SECOND, &hit) == CACHE_FRESH && hit.refresh,
              "in demand by now: a reader brings it up");
    cr_expect(cache_refresh_claim(&f.reader, &hit, 59 * SECOND));
    cr_expect(!cache_refresh_claim(&f.reader, &hit, 59 * SECOND), "one claim");
    cr_expect(stats_of(&f).due == 1 && stats_of(&f).refresh_claimed == 1);
    fixture_fini(&f);
}

Test(due, uses_are_counted_per_answer)
{
    struct fixture f;
    struct cache_due_key due[8];
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    number_of(&f, "a", 0), number_of(&f, "a", 0);
    cr_expect(cache_due(f.cache, 58 * SECOND, due, 8) == 1);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 2, 0, 58 * SECOND) == CACHE_STORED);
    cr_expect(cache_due(f.cache, 117 * SECOND, due, 8) == 0, "nobody asked since the refresh");
    fixture_fini(&f);
}

Test(due, a_claim_that_leads_to_nothing_is_given_again)
{
    struct fixture f;
    struct cache_due_key due[8];
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 1, 0, 0) == CACHE_STORED);
    number_of(&f, "a", 0), number_of(&f, "a", 0);
    int64_t now = 3550 * SECOND;
    cr_expect(cache_due(f.cache, now, due, 8) == 1);
    cr_expect(cache_due(f.cache, now + CACHE_CLAIM_MS - 1, due, 8) == 0);
    cr_expect(cache_due(f.cache, now + CACHE_CLAIM_MS + SECOND, due, 8) == 1);
    fixture_fini(&f);
}

Test(due, a_failed_refresh_is_tried_again_after_its_pause)
{
    struct fixture f;
    struct cache_due_key due[8];
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
    number_of(&f, "a", 0), number_of(&f, "a", 0);
    cr_expect(cache_due(f.cache, 58 * SECOND, due, 8) == 1);
    cr_expect(put(&f, "a", CACHE_FAILURE, 0, 2, 0, 60 * SECOND) == CACHE_KEPT);
    cr_expect(cache_due(f.cache, 64 * SECOND, due, 8) == 0);
    cr_expect(cache_due(f.cache, 66 * SECOND, due, 8) == 1, "5 s after the failure, stale");
    fixture_fini(&f);
}

/* More entries than fit the caller's array or one call's visits: none is lost, none comes twice. */
Test(due, many_at_once_come_in_portions)
{
    enum
    {
        MANY = 3000,
        PORTION = 7
    };
    struct fixture f;
    struct cache_config config = fixture_config();
    struct cache_due_key due[PORTION];
    static bool seen[MANY];
    size_t calls = 0, total = 0;
    config.budget_bytes = 16 * 1024 * 1024;
    fixture_init(&f, &config);
    for (int i = 0; i < MANY; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        cr_assert(put(&f, key, CACHE_ANSWER, 60, i, 0, 0) == CACHE_STORED);
        if (i % 2)
            continue;
        number_of(&f, key, 0), number_of(&f, key, 0);
    }
    while (total < MANY / 2 && calls++ < MANY) {
        size_t n = cache_due(f.cache, 59 * SECOND, due, PORTION);
        for (size_t i = 0; i < n; i++) {
            int number = atoi((const char *)memcpy((char[16]){0}, due[i].key, due[i].key_n));
            cr_expect(!seen[number] && number % 2 == 0, "%d came again, or cold", number);
            seen[number] = true;
        }
        total += n;
    }
    cr_expect(total == MANY / 2, "got %zu", total);
    fixture_fini(&f);
}

/* --- forced refresh after a key rotation --- */

Test(rotation, L09_once_per_entry_and_minute)
{
    struct fixture f;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 1, 0, 0) == CACHE_STORED);
    cr_assert(get(&f, "a", 59999, &hit) == CACHE_FRESH);
    cr_expect(!cache_rotation_claim(&f.reader, &hit, 59999), "too young");
    cr_expect(cache_rotation_claim(&f.reader, &hit, 60000));
    cr_expect(!cache_rotation_claim(&f.reader, &hit, 60001));
    cr_expect(!cache_rotation_claim(&f.reader, &hit, 119999));
    cr_expect(cache_rotation_claim(&f.reader, &hit, 120000), "the refresh failed or was lost");

    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 2, 0, 121000) == CACHE_STORED);
    cr_assert(get(&f, "a", 181000, &hit) == CACHE_FRESH);
    cr_expect(cache_rotation_claim(&f.reader, &hit, 181000), "60 s after the new answer");
    fixture_fini(&f);
}

/* The stamp goes over to the new entry: a refresh at short intervals does not reset the limit. */
Test(rotation, L10_limit_survives_a_replacement)
{
    struct cache_config config = fixture_config();
    struct fixture f;
    struct cache_hit hit;
    config.ttl.rotation_s = 60;
    fixture_init(&f, &config);
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 1, 0, 0) == CACHE_STORED);
    cr_assert(get(&f, "a", 100 * SECOND, &hit) == CACHE_FRESH);
    cr_expect(cache_rotation_claim(&f.reader, &hit, 100 * SECOND));
    /* An answer that was under way before the claim arrives with an older date than the claim. */
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 2, 0, 90 * SECOND) == CACHE_STORED);
    cr_assert(get(&f, "a", 155 * SECOND, &hit) == CACHE_FRESH);
    cr_expect(!cache_rotation_claim(&f.reader, &hit, 155 * SECOND), "old enough, asked lately");
    cr_expect(cache_rotation_claim(&f.reader, &hit, 160 * SECOND));
    fixture_fini(&f);
}

/* Who was refused may follow: while the answer is on its way, and shortly after it came. */
Test(rotation, L09_followers)
{
    struct fixture f;
    struct cache_hit hit;
    int64_t asked_ms;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 1, 0, 0) == CACHE_STORED);
    cr_assert(get(&f, "a", 100 * SECOND, &hit) == CACHE_FRESH);
    cr_expect(cache_rotation_state(&hit, CACHE_FRESH_MS, &asked_ms) == CACHE_ROTATION_FRESH);
    cr_expect(cache_rotation_state(&hit, CACHE_FRESH_MS + 1, &asked_ms) == CACHE_ROTATION_NONE);
    cr_expect(cache_rotation_claim(&f.reader, &hit, 100 * SECOND));
    int64_t last = 100 * SECOND + CACHE_CLAIM_MS;
    cr_expect(cache_rotation_state(&hit, last, &asked_ms) == CACHE_ROTATION_ASKED);
    cr_expect(asked_ms == CACHE_CLAIM_MS, "asked %ld ms ago", asked_ms);
    cr_expect(cache_rotation_state(&hit, last + 1, &asked_ms) == CACHE_ROTATION_NONE);
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 2, 0, 101 * SECOND) == CACHE_STORED);
    cr_assert(get(&f, "a", 101 * SECOND, &hit) == CACHE_FRESH);
    last = 101 * SECOND + CACHE_FRESH_MS;
    cr_expect(cache_rotation_state(&hit, last, &asked_ms) == CACHE_ROTATION_FRESH);
    cr_expect(cache_rotation_state(&hit, last + 1, &asked_ms) == CACHE_ROTATION_NONE,
              "the answer has come");
    fixture_fini(&f);
}

/* L10: 10^5 bad signatures of one domain: at most one query in 60 s. */
Test(rotation, L10_a_flood_of_bad_signatures)
{
    struct fixture f;
    struct cache_hit hit;
    unsigned granted = 0;
    fixture_init(&f, NULL);
    cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 1, 0, 0) == CACHE_STORED);
    for (int64_t i = 0; i < 100000; i++) {
        int64_t now = i * 6; /* 600 s */
        cr_assert(get(&f, "a", now, &hit) == CACHE_FRESH);
        if (!cache_rotation_claim(&f.reader, &hit, now))
            continue;
        granted++;
        cr_assert(put(&f, "a", CACHE_ANSWER, 3600, 1, 0, now) == CACHE_STORED);
    }
    cr_expect(granted == 9, "600 s, the first minute too young: got %u", granted);
    struct cache_stats s = stats_of(&f);
    cr_expect(s.rotation_claimed == 9 && s.rotation_refused == 100000 - 9);
    fixture_fini(&f);
}

/* --- limits and settings --- */

/* L06 and G7: limit-1, limit, limit+1; and the value that was there before is gone. */
Test(cache, entry_limit)
{
    struct cache_config config = fixture_config();
    struct fixture f;
    config.entry_max_bytes = 4096;
    fixture_init(&f, &config);
    size_t room = 4096 - cache_charge(1, sizeof(struct value));
    cr_expect(put(&f, "a", CACHE_ANSWER, 60, 1, room - 1, 0) == CACHE_STORED);
    cr_expect(put(&f, "a", CACHE_ANSWER, 60, 2, room, 0) == CACHE_STORED);
    cr_expect(number_of(&f, "a", 0) == 2);
    cr_expect(put(&f, "a", CACHE_ANSWER, 60, 3, room + 1, 0) == CACHE_TOO_LARGE);
    cr_expect(number_of(&f, "a", 0) == -1, "G7");
    cr_expect(put(&f, "b", CACHE_ANSWER, 60, 3, SIZE_MAX - 4096, 0) == CACHE_TOO_LARGE);
    cr_expect(stats_of(&f).refused == 2 && stats_of(&f).backlog == 0);
    fixture_fini(&f);
    cr_expect(values_alive == 0);
}

/* L14: a reader that does not reach a quiescent state: memory stays bounded, and it shows. */
Test(cache, L14_backlog_of_retired_values_is_capped)
{
    struct cache_config config = fixture_config();
    struct fixture f;
    config.retired_max_bytes = 64 * 1024;
    fixture_init(&f, &config);
    size_t charge = cache_charge(1, sizeof(struct value) + 1000), puts = 0;
    while (put(&f, "a", CACHE_ANSWER, 60, 1, 1000, 0) == CACHE_STORED && puts < 1000)
        puts++;
    cr_expect(puts == 64 * 1024 / charge + 2, "got %zu puts of %zu bytes", puts, charge);
    cr_expect(number_of(&f, "a", 0) == -1, "G7");
    struct cache_stats s = stats_of(&f);
    cr_expect(s.backlog == 1 && s.retired_entries == puts && s.retired_bytes == puts * charge);
    settle();
    cr_expect(put(&f, "a", CACHE_ANSWER, 60, 2, 1000, 0) == CACHE_STORED, "all is well again");
    fixture_fini(&f);
    cr_expect(values_alive == 0);
}

static bool ends_in_x(struct span key, void *context)
{
    ++*(unsigned *)context;
    return key.p[key.n - 1] == 'x';
}

Test(cache, flush_some_and_all)
{
    struct fixture f;
    unsigned seen = 0;
    fixture_init(&f, NULL);
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d%c", i, i % 4 ? 'y' : 'x');
        cr_assert(put(&f, key, CACHE_ANSWER, 60, i, 0, 0) == CACHE_STORED);
    }
    cr_expect(cache_flush(f.cache, ends_in_x, &seen) == 25 && seen == 100);
    cr_expect(number_of(&f, "4x", 0) == -1 && number_of(&f, "5y", 0) == 5);
    cr_expect(cache_flush(f.cache, NULL, NULL) == 75);
    cr_expect(stats_of(&f).entries == 0 && stats_of(&f).bytes == 0 && stats_of(&f).removed == 100);
    settle();
    cr_expect(values_alive == 0);
    fixture_fini(&f);
}

Test(cache, settings_that_cannot_be)
{
    struct cache_error error;
    struct cache_config config = fixture_config();
    config.budget_bytes = CACHE_BUDGET_MIN - 1;
    cr_expect(!cache_new(&config, &error) && strstr(error.text, "budget"));
    config = fixture_config(), config.buckets = 0;
    cr_expect(!cache_new(&config, &error) && strstr(error.text, "buckets"));
    config = fixture_config(), config.entry_max_bytes = CACHE_ENTRY_OVERHEAD;
    cr_expect(!cache_new(&config, &error) && strstr(error.text, "entry"));
    config = fixture_config(), config.ttl.answer_min_s = 0;
    cr_expect(!cache_new(&config, &error) && strstr(error.text, "TTL"));
}

/* G10: without a given key two caches hash differently; seen in the order of a walk. */
static bool note_order(struct span key, void *context)
{
    char *order = context;
    strncat(order, (const char *)key.p, key.n);
    return false;
}

Test(cache, G10_hash_key_is_random)
{
    struct cache_config config = fixture_config();
    char order[2][128] = {"", ""};
    config.hash_key = NULL;
    for (int round = 0; round < 2; round++) {
        struct fixture f;
        fixture_init(&f, &config);
        for (char c = 'A'; c <= 'Z'; c++)
            cr_assert(put(&f, (char[]){c, 0}, CACHE_ANSWER, 60, 1, 0, 0) == CACHE_STORED);
        cache_flush(f.cache, note_order, order[round]);
        fixture_fini(&f);
    }
    cr_expect(strlen(order[0]) == 26 && strcmp(order[0], order[1]) != 0, "%s", order[0]);
}

Test(cache, counters_of_a_reader_stay_when_it_goes)
{
    struct fixture f;
    struct cache_reader other;
    struct cache_hit hit;
    fixture_init(&f, NULL);
    cache_reader_init(&other, f.cache);
    cr_expect(cache_get(&other, SPAN("a"), 0, &hit) == CACHE_MISS);
    cr_expect(get(&f, "a", 0, &hit) == CACHE_MISS);
    cr_expect(stats_of(&f).misses == 2);
    cache_reader_fini(&other);
    cr_expect(stats_of(&f).misses == 2);
    fixture_fini(&f);
}
