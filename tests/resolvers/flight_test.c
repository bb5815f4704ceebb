/* Waiters and queries: single flight, deadlines, owners, the stop. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

static struct waiter *waiters_new(unsigned count)
{
    struct waiter *w = calloc(count, sizeof *w);
    cr_assert(w);
    return w;
}

static void expect_lines(struct waiter *w, unsigned count, const char *want)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *got = waiter_line(&w[i]);
        if (strcmp(got, want) != 0 && wrong++ < 3)
            cr_expect(false, "waiter %u: got \"%s\", want \"%s\"", i, got, want);
        waiter_drop(&w[i]);
    }
    cr_expect(wrong == 0, "%u of %u are wrong", wrong, count);
}

/* L11, must hold: 1,000 messages that miss the same cold name cause exactly one query. */
Test(flight, a_thousand_waiters_one_query)
{
    enum
    {
        WAITERS = 1000
    };
    struct fake fake;
    struct fixture f;
    struct waiter *w = waiters_new(WAITERS);
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver, .threads = 4});
    for (unsigned i = 0; i < WAITERS; i++)
        waiter_ask(&f, &w[i], i % 2 ? "serial.cold.test" : "SERIAL.cold.TEST.", DNS_TXT, 8000);
    expect_lines(w, WAITERS, "answer [serial 0]");
    struct resolvers_stats s = stats_of(&f);
    cr_expect(atomic_load(&fake.queries) == 1, "the server saw %u", atomic_load(&fake.queries));
    cr_expect(s.queries == 1 && s.questions == WAITERS && s.shared + s.cached == WAITERS - 1,
              "%lu queries, %lu joined, %lu from the cache", s.queries, s.shared, s.cached);
    fixture_stop(&f);
    fake_stop(&fake);
    free(w);
}

/* Two types of one name are two questions of one owner. */
Test(flight, types_are_apart)
{
    struct fake fake;
    struct fixture f;
    struct waiter w[2] = {{.done = false}};
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver, .threads = 4});
    waiter_ask(&f, &w[0], "ok.a.test", DNS_A, 5000);
    waiter_ask(&f, &w[1], "ok.a.test", DNS_AAAA, 5000);
    cr_expect(strcmp(waiter_line(&w[0]), "answer [192.0.2.53]") == 0);
    cr_expect(strcmp(waiter_line(&w[1]), "empty") == 0);
    cr_expect(stats_of(&f).queries == 2);
    cr_expect(pthread_equal(w[0].answered_by, w[1].answered_by));
    waiter_drop(&w[0]);
    waiter_drop(&w[1]);
    fixture_stop(&f);
    fake_stop(&fake);
}

/* A name always has the same owner, and all owners have names. */
Test(flight, a_name_belongs_to_one_thread)
{
    enum
    {
        NAMES = 200,
        TIMES = 5
    };
    static pthread_t owners[NAMES];
    pthread_t seen[4];
    unsigned threads = 0;
    struct fixture f;
    fixture_start(&f, &(struct setting){.zone = "a.test A 192.0.2.1\n", .threads = 4});
    for (unsigned i = 0; i < NAMES * TIMES; i++) {
        struct waiter w = {.done = false};
        char name[32];
        snprintf(name, sizeof name, "%s%u.test", i / NAMES % 2 ? "N" : "n", i % NAMES);
        waiter_ask_anew(&f, &w, name, i % 3 ? DNS_A : DNS_TXT, 5000);
        waiter_line(&w);
        if (i < NAMES)
            owners[i] = w.answered_by;
        cr_assert(pthread_equal(owners[i % NAMES], w.answered_by), "%s changed its owner", name);
        unsigned at = 0;
        while (at < threads && !pthread_equal(seen[at], w.answered_by))
            at++;
        cr_assert(at < 4);
        seen[at] = w.answered_by;
        threads = at == threads ? threads + 1 : threads;
        waiter_drop(&w);
    }
    cr_expect(threads == 4, "%u threads have answered", threads);
    cr_expect(stats_of(&f).queries == NAMES * TIMES);
    fixture_stop(&f);
}

/* F11: each waiter has its own deadline; the query goes on for the others, and for the cache. */
Test(flight, deadlines_of_waiters)
{
    struct fake fake;
    struct fixture f;
    struct waiter w[4] = {{.done = false}};
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver});
    waiter_ask(&f, &w[0], "late.a.test", DNS_A, 5000); /* the answer comes after 700 ms */
    waiter_ask(&f, &w[1], "late.a.test", DNS_A, 100);
    waiter_ask(&f, &w[2], "late.a.test", DNS_A, 300);
    waiter_ask(&f, &w[3], "late.a.test", DNS_A, INT32_MAX);
    static const char *const want[] = {"answer [192.0.2.53]", "tempfail timeout",
                                       "tempfail timeout", "answer [192.0.2.53]"};
    static const int64_t from[] = {600, 100, 300, 600};
    for (unsigned i = 0; i < 4; i++) {
        const char *got = waiter_line(&w[i]);
        int64_t took = w[i].answered_ms - w[i].asked_ms;
        cr_expect(strcmp(got, want[i]) == 0, "waiter %u: got %s", i, got);
        cr_expect(took >= from[i] && took < 5000, "waiter %u: %ld ms", i, (long)took);
    }
    cr_expect(w[1].answered_ms <= w[2].answered_ms && w[2].answered_ms <= w[0].answered_ms);
    for (unsigned i = 0; i < 4; i++)
        waiter_drop(&w[i]);
    struct resolvers_stats s = stats_of(&f);
    cr_expect(s.late == 2 && s.timeouts == 0 && s.queries == 1);
    /* Nobody waits any more when the answer comes: it is kept all the same. */
    cr_expect(strcmp(ask_line(&f, "late.b.test", DNS_A, 50), "tempfail timeout") == 0);
    cr_expect(
        WAIT_UNTIL(strcmp(cached_line(&f, "late.b.test", DNS_A), "answer [192.0.2.53]") == 0));
    /* A deadline in the past: no query leaves. */
    unsigned before = atomic_load(&fake.queries);
    cr_expect(strcmp(ask_line(&f, "ok.past.test", DNS_A, -1), "tempfail timeout") == 0);
    cr_expect(atomic_load(&fake.queries) == before && stats_of(&f).queries == 2);
    /* But what is known is known. */
    cr_expect(strcmp(ask_line(&f, "late.b.test", DNS_A, -1), "answer [192.0.2.53]") == 0);
    fixture_stop(&f);
    fake_stop(&fake);
}

/* Many waiters, a deadline each, on a query that is never answered. */
Test(flight, a_thousand_deadlines)
{
    enum
    {
        WAITERS = 1000
    };
    struct fake fake;
    struct fixture f;
    struct waiter *w = waiters_new(WAITERS);
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver});
    for (unsigned i = 0; i < WAITERS; i++)
        waiter_ask(&f, &w[i], "silent.a.test", DNS_A, 100 + (i * 7919) % WAITERS);
    int64_t latest = 0;
    for (unsigned i = 0; i < WAITERS; i++) {
        waiter_line(&w[i]);
        int64_t over = w[i].answered_ms - w[i].question.deadline_ms;
        cr_assert(over >= 0, "waiter %u: %ld ms early", i, (long)-over);
        latest = over > latest ? over : latest;
    }
    cr_expect(latest < 200, "%ld ms late", (long)latest);
    cr_expect(stats_of(&f).late == WAITERS && stats_of(&f).queries == 1);
    expect_lines(w, WAITERS, "tempfail timeout");
    fixture_stop(&f);
    fake_stop(&fake);
    free(w);
}

/* F13: thousands of names at once. */
Test(flight, thousands_of_names_in_flight)
{
    enum
    {
        NAMES = 4000
    };
    struct fake fake;
    struct fixture f;
    struct waiter *w = waiters_new(NAMES);
    char name[64];
    fake_start(&fake);
    atomic_store(&fake.silent, true);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver, .threads = 2});
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "ok.s%u.zone%u.test", i, i / 50);
        waiter_ask(&f, &w[i], name, DNS_A, 12000);
    }
    cr_expect(WAIT_UNTIL(stats_of(&f).in_flight == NAMES), "%lu in flight", stats_of(&f).in_flight);
    atomic_store(&fake.silent, false); /* the library asks again within 0.8 s */
    expect_lines(w, NAMES, "answer [192.0.2.53]");
    struct resolvers_stats s = stats_of(&f);
    cr_expect(s.queries == NAMES && s.answers == NAMES && s.in_flight == 0);
    fixture_stop(&f);
    fake_stop(&fake);
    free(w);
}

/* The stop answers everything that is open, in flight or still in a queue. */
Test(flight, stop_with_questions_in_flight)
{
    enum
    {
        WAITERS = 500
    };
    struct fake fake;
    struct fixture f;
    struct waiter *w = waiters_new(WAITERS);
    char name[64];
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver, .threads = 4});
    for (unsigned i = 0; i < WAITERS; i++) {
        snprintf(name, sizeof name, "silent.zone%u.test", i / 2);
        waiter_ask(&f, &w[i], name, DNS_A, 60000);
    }
    pause_ms(20);
    int64_t begin = now_ms();
    fixture_stop(&f);
    cr_expect(now_ms() - begin < 20000, "%ld ms", (long)(now_ms() - begin));
    for (unsigned i = 0; i < WAITERS; i++)
        cr_assert(atomic_load(&w[i].done), "waiter %u is left without an answer", i);
    expect_lines(w, WAITERS, "tempfail shutdown");
    fake_stop(&fake);
    free(w);
}

/* `answered` may ask on: here for ever, until the stop. */
struct chain
{
    struct resolver_question question;
    struct resolvers *resolvers;
    _Atomic unsigned steps;
    unsigned after_stop;
    _Atomic bool ended;
};

static void on_link(struct resolver_question *question)
{
    struct chain *chain = (struct chain *)question;
    const char *reason = question->answer->answer.reason;
    chain->after_stop += reason && strcmp(reason, "shutdown") == 0;
    dns_shared_unref(&question->answer);
    atomic_fetch_add(&chain->steps, 1);
    if (chain->after_stop == 3) {
        atomic_store(&chain->ended, true);
        return;
    }
    char name[32];
    snprintf(name, sizeof name, "n%u.test", atomic_load(&chain->steps) % 100);
    question->name = name_of(name);
    resolvers_ask(chain->resolvers, question);
}

Test(flight, answered_may_ask_again)
{
    struct fixture f;
    static struct chain chain;
    fixture_start(&f, &(struct setting){.zone = "a.test A 192.0.2.1\n", .threads = 4});
    chain = (struct chain){
        .question = {.name = name_of("a.test"), .type = DNS_A, .answered = on_link},
        .resolvers = f.resolvers,
    };
    chain.question.deadline_ms = now_ms() + 60000;
    resolvers_ask(f.resolvers, &chain.question);
    cr_expect(WAIT_UNTIL(atomic_load(&chain.steps) > 1000));
    fixture_stop(&f);
    cr_expect(atomic_load(&chain.ended) && chain.after_stop == 3);
}

/* A sleeping owner is woken, each time. */
Test(flight, one_question_at_a_time)
{
    struct fixture f;
    fixture_start(&f, &(struct setting){.zone = "a.test A 192.0.2.1\n"});
    for (unsigned i = 0; i < 300; i++) {
        int64_t begin = now_ms();
        cr_expect(strcmp(ask_line_anew(&f, "a.test", DNS_A, 60000), "answer [192.0.2.1]") == 0);
        cr_assert(now_ms() - begin < 10000, "the owner slept on");
        if (i % 32 == 0)
            pause_ms(5);
    }
    fixture_stop(&f);
}
