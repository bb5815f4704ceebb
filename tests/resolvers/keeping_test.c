/* What the owners do to the cache: stale answers, refreshes, rotation, flush. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

/* Seconds instead of minutes. */
#define QUICK_RULES                                                                                \
    {                                                                                              \
        .answer_min_s = 1, .answer_max_s = 3600, .negative_min_s = 1, .negative_max_s = 2,         \
        .failure_first_s = 1, .failure_max_s = 1, .stale_s = 3, .rotation_s = 1,                   \
    }

static bool is(const char *got, const char *want)
{
    return strcmp(got, want) == 0;
}

/* A use by a worker: what makes an entry be in demand. */
static enum cache_state use(struct fixture *f, struct cache_reader *reader, const char *text,
                            struct cache_hit *hit)
{
    uint8_t key[CACHE_KEY_MAX];
    struct dns_name name = name_of(text);
    size_t n = resolvers_cache_key(&name, DNS_TXT, key);
    (void)f;
    return cache_get(reader, span_of(key, n), now_ms(), hit);
}

/* RFC 8767: the resolver is silent, and what was known is used within the bound. */
Test(keeping, stale_answers_when_the_server_dies)
{
    struct fake fake;
    struct fixture f;
    struct waiter w = {.done = false};
    fake_start(&fake);
    atomic_store(&fake.ttl, 1);
    fixture_start(
        &f, &(struct setting){.resolver = fake.resolver, .question_ms = 200, .ttl = QUICK_RULES});
    cr_expect(is(ask_line(&f, "serial.a.test", DNS_TXT, 5000), "answer [serial 0]"));
    atomic_store(&fake.silent, true);
    pause_ms(1100);
    cr_expect(is(cached_line(&f, "serial.a.test", DNS_TXT), "miss"), "expired");

    waiter_ask(&f, &w, "serial.a.test", DNS_TXT, 5000);
    const char *got = waiter_line(&w);
    cr_expect(is(got, "answer [serial 0]"), "got %s", got);
    cr_expect(w.question.age >= 1 && w.question.age <= 3, "age %u", w.question.age);
    cr_expect(stats_of(&f).stale == 1 && stats_of(&f).timeouts == 1);
    waiter_drop(&w);
    got = cached_line(&f, "serial.a.test", DNS_TXT);
    cr_expect(is(got, "stale answer [serial 0]"), "got %s", got);
    /* While it is stale nobody waits for the network again. */
    waiter_ask(&f, &w, "serial.a.test", DNS_TXT, 5000);
    cr_expect(is(waiter_line(&w), "answer [serial 0]"));
    cr_expect(stats_of(&f).queries == 2 && w.question.age >= 1);
    waiter_drop(&w);
    /* Past the bound of 3 s there is nothing to use, and the failure is the answer. */
    pause_ms(3000);
    got = ask_line(&f, "serial.a.test", DNS_TXT, 5000);
    cr_expect(is(got, "tempfail timeout"), "got %s", got);
    /* L07: a good answer ends the failure. */
    atomic_store(&fake.silent, false);
    atomic_store(&fake.serial, 7);
    got = ask_line_anew(&f, "serial.a.test", DNS_TXT, 5000);
    cr_expect(is(got, "tempfail timeout") || is(got, "answer [serial 7]"), "got %s", got);
    cr_expect(
        WAIT_UNTIL(is(ask_line_anew(&f, "serial.a.test", DNS_TXT, 5000), "answer [serial 7]")));
    cr_expect(is(cached_line(&f, "serial.a.test", DNS_TXT), "answer [serial 7]"));
    fixture_stop(&f);
    fake_stop(&fake);
}

/* L09: a key has been rotated. The cache has the old one; who asks anew gets the new one. */
Test(keeping, rotation)
{
    struct fake fake;
    struct fixture f;
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver, .threads = 2});
    cr_expect(is(ask_line(&f, "serial.a.test", DNS_TXT, 5000), "answer [serial 0]"));
    atomic_store(&fake.serial, 1);
    cr_expect(is(ask_line(&f, "serial.a.test", DNS_TXT, 5000), "answer [serial 0]"));
    cr_expect(atomic_load(&fake.queries) == 1);
    cr_expect(is(ask_line_anew(&f, "serial.a.test", DNS_TXT, 5000), "answer [serial 1]"));
    cr_expect(is(cached_line(&f, "serial.a.test", DNS_TXT), "answer [serial 1]"));
    cr_expect(is(ask_line(&f, "serial.a.test", DNS_TXT, 5000), "answer [serial 1]"));
    cr_expect(atomic_load(&fake.queries) == 2);
    /* The new one fails to come: the old one is better than none, and says its age. */
    atomic_store(&fake.silent, true);
    struct waiter w = {.done = false};
    waiter_ask_anew(&f, &w, "serial.a.test", DNS_TXT, 300);
    cr_expect(is(waiter_line(&w), "tempfail timeout"), "its own deadline comes first");
    waiter_drop(&w);
    fixture_stop(&f);
    fake_stop(&fake);
}

/* What is in demand is asked again before it expires; what is not, is not. */
Test(keeping, refresh_before_expiry)
{
    struct fake fake;
    struct fixture f;
    struct cache_reader reader;
    struct cache_hit hit;
    fake_start(&fake);
    atomic_store(&fake.ttl, 7);
    fixture_start(&f,
                  &(struct setting){.resolver = fake.resolver, .threads = 2, .ttl = QUICK_RULES});
    cr_expect(is(ask_line(&f, "serial.hot.test", DNS_TXT, 5000), "answer [serial 0]"));
    cr_expect(is(ask_line(&f, "serial.cold.test", DNS_TXT, 5000), "answer [serial 0]"));
    int64_t begin = now_ms();
    atomic_store(&fake.serial, 1);
    cache_thread_online();
    cache_reader_init(&reader, f.cache);
    for (int i = 0; i < 3; i++)
        cr_expect(use(&f, &reader, "serial.hot.test", &hit) == CACHE_FRESH);
    cache_reader_fini(&reader);
    cache_thread_offline();
    cr_expect(WAIT_UNTIL(is(cached_line(&f, "serial.hot.test", DNS_TXT), "answer [serial 1]")));
    cr_expect(now_ms() - begin < 6900, "after %ld ms", (long)(now_ms() - begin));
    cr_expect(is(cached_line(&f, "serial.cold.test", DNS_TXT), "answer [serial 0]"));
    pause_ms(begin + 7200 - now_ms());
    cr_expect(is(cached_line(&f, "serial.cold.test", DNS_TXT), "miss"));
    cr_expect(is(cached_line(&f, "serial.hot.test", DNS_TXT), "answer [serial 1]"));
    struct resolvers_stats s = stats_of(&f);
    cr_expect(s.refreshes == 1 && s.queries == 3 && s.questions == 2, "%lu refreshes, %lu queries",
              s.refreshes, s.queries);
    fixture_stop(&f);
    fake_stop(&fake);
}

static bool all_but_b(struct span key, void *context)
{
    (void)context;
    return key.n > 3 && key.p[3] != 'b'; /* behind type and length */
}

/* L08: what was asked before a flush is not kept after it. */
Test(keeping, flush)
{
    struct fake fake;
    struct fixture f;
    struct waiter w = {.done = false};
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver});
    cr_expect(is(ask_line(&f, "a.test", DNS_A, 5000), "answer [192.0.2.53]"));
    cr_expect(is(ask_line(&f, "b.test", DNS_A, 5000), "answer [192.0.2.53]"));
    waiter_ask(&f, &w, "late.c.test", DNS_A, 5000);
    cr_expect(WAIT_UNTIL(stats_of(&f).in_flight == 1));
    cache_thread_online();
    cr_expect(resolvers_flush(f.resolvers, all_but_b, NULL) == 1);
    cache_thread_offline();
    cr_expect(is(cached_line(&f, "a.test", DNS_A), "miss"));
    cr_expect(is(cached_line(&f, "b.test", DNS_A), "answer [192.0.2.53]"));
    cr_expect(is(waiter_line(&w), "answer [192.0.2.53]"), "who waits gets it");
    waiter_drop(&w);
    cr_expect(is(cached_line(&f, "late.c.test", DNS_A), "miss"));
    cr_expect(is(ask_line(&f, "late.c.test", DNS_A, 5000), "answer [192.0.2.53]"));
    cr_expect(is(cached_line(&f, "late.c.test", DNS_A), "answer [192.0.2.53]"));
    cache_thread_online();
    cr_expect(resolvers_flush(f.resolvers, NULL, NULL) == 2);
    cache_thread_offline();
    fixture_stop(&f);
    fake_stop(&fake);
}

/* An answer outlives resolvers and cache for who holds it. */
Test(keeping, answers_outlive_the_stop)
{
    struct fixture f;
    struct waiter w[2] = {{.done = false}};
    fixture_start(&f, &(struct setting){.zone = "a.test TXT \"v=spf1 -all\"\n"});
    waiter_ask(&f, &w[0], "a.test", DNS_TXT, 5000);
    waiter_ask(&f, &w[1], "a.test", DNS_TXT, -1);
    waiter_line(&w[0]);
    waiter_line(&w[1]);
    fixture_stop(&f);
    cr_expect(is(waiter_line(&w[0]), "answer [v=spf1 -all]"));
    waiter_drop(&w[0]);
    waiter_drop(&w[1]);
}
