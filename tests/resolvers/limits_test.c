/* Limits on queries in flight (F12): below, at and above each, and what a zone is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/query_limits.h"
#include "fixture.h"

static const struct siphash_key key = {1, 2};

Test(limits, what_a_zone_is)
{
    static const struct
    {
        const char *name;
        const char *zone;
    } cases[] = {
        {".", "."},
        {"test", "test"},
        {"a.test", "a.test"},
        {"s._domainkey.a.test", "a.test"},
        {"co.uk", "co.uk"},
        {"a.co.uk", "a.co.uk"},
        {"x.y.a.co.uk", "a.co.uk"},
        {"x.y.a.com.br", "a.com.br"},
        {"x.y.abcd.br", "abcd.br"},
        {"x.y.com.test", "com.test"},
        {"4.3.2.1.in-addr.arpa", "2.1.in-addr.arpa"},
        {"1.in-addr.arpa", "1.in-addr.arpa"},
        {"in-addr.arpa", "in-addr.arpa"},
        {"f.f.f.f.f.f.f.f.8.b.d.0.1.0.0.2.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"},
        {"x.y.home.arpa", "home.arpa"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_name name = name_of(cases[i].name), want = name_of(cases[i].zone);
        struct span zone = query_zone(&name);
        cr_expect(span_equal(zone, dns_name_span(&want)), "%s: want %s", cases[i].name,
                  cases[i].zone);
    }
    /* The longest name: 127 labels of one octet. */
    char text[255];
    for (unsigned i = 0; i < 127; i++)
        memcpy(text + 2 * i, "a.", 2);
    text[253] = '\0';
    struct dns_name name = name_of(text);
    cr_expect(name.labels == 127 && query_zone(&name).n == 5);
}

static enum query_permit take(struct query_limits *limits, const char *text,
                              struct zone_slot **zone)
{
    struct dns_name name = name_of(text);
    return query_limits_take(limits, &name, zone);
}

Test(limits, exact_counts)
{
    struct query_limits limits;
    struct zone_slot *zones[10];
    cr_assert(query_limits_init(&limits, 5, 3, &key));
    for (int i = 0; i < 3; i++)
        cr_expect(take(&limits, "x.slow.test", &zones[i]) == QUERY_ALLOWED);
    cr_expect(take(&limits, "y.slow.test", &zones[3]) == QUERY_BUSY_ZONE);
    cr_expect(take(&limits, "a.test", &zones[3]) == QUERY_ALLOWED);
    cr_expect(take(&limits, "b.test", &zones[4]) == QUERY_ALLOWED);
    cr_expect(query_limits_in_flight(&limits) == 5);
    cr_expect(take(&limits, "c.test", &zones[5]) == QUERY_BUSY);
    cr_expect(take(&limits, "z.slow.test", &zones[5]) == QUERY_BUSY_ZONE);
    query_limits_release(&limits, zones[0]);
    cr_expect(take(&limits, "z.slow.test", &zones[0]) == QUERY_ALLOWED);
    for (int i = 0; i < 5; i++)
        query_limits_release(&limits, zones[i]);
    cr_expect(query_limits_in_flight(&limits) == 0);
    /* All slots came back. */
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%d.test", i);
        cr_expect(take(&limits, name, &zones[i]) == QUERY_ALLOWED);
    }
    for (int i = 0; i < 5; i++)
        query_limits_release(&limits, zones[i]);
    query_limits_fini(&limits);
}

/* Against a count that is obviously right. */
Test(limits, random_taking_and_releasing)
{
    enum
    {
        ZONES = 40,
        TOTAL = 64,
        EACH = 4
    };
    struct query_limits limits;
    struct zone_slot *slots[ZONES][EACH];
    unsigned counts[ZONES] = {0}, total = 0;
    unsigned random = 12345;
    cr_assert(query_limits_init(&limits, TOTAL, EACH, &key));
    for (int i = 0; i < 20000; i++) {
        random = random * 1103515245 + 12345;
        unsigned z = random >> 8 & 0xffff;
        bool release = z & 0x8000;
        z %= ZONES;
        if (release && counts[z]) {
            query_limits_release(&limits, slots[z][--counts[z]]);
            total--;
            continue;
        }
        char name[48];
        snprintf(name, sizeof name, "q%d.zone%u.test", i, z);
        enum query_permit want = counts[z] == EACH ? QUERY_BUSY_ZONE
                                 : total == TOTAL  ? QUERY_BUSY
                                                   : QUERY_ALLOWED;
        struct zone_slot *slot = NULL;
        cr_assert(take(&limits, name, &slot) == want, "step %d", i);
        if (want == QUERY_ALLOWED) {
            slots[z][counts[z]++] = slot;
            total++;
        }
        cr_assert(query_limits_in_flight(&limits) == total);
    }
    for (unsigned z = 0; z < ZONES; z++)
        while (counts[z])
            query_limits_release(&limits, slots[z][--counts[z]]);
    query_limits_fini(&limits);
}

static void ask_many(struct fixture *f, struct waiter *w, unsigned from, unsigned to, bool one_zone)
{
    char name[64];
    for (unsigned i = from; i < to; i++) {
        snprintf(name, sizeof name, "silent.s%u.%s%u.test", i, one_zone ? "tarpit" : "zone",
                 one_zone ? 0 : i);
        waiter_ask(f, &w[i], name, DNS_A, 60000);
    }
}

/* A tar-pit: max_per_zone - 1, max_per_zone, and one more, over all threads. */
Test(limits, per_zone)
{
    enum
    {
        EACH = 8
    };
    struct fake fake;
    struct fixture f;
    struct waiter w[EACH + 1] = {{.done = false}};
    fake_start(&fake);
    fixture_start(&f,
                  &(struct setting){.resolver = fake.resolver, .threads = 4, .max_per_zone = EACH});
    ask_many(&f, w, 0, EACH - 1, true);
    cr_expect(WAIT_UNTIL(stats_of(&f).in_flight == EACH - 1));
    cr_expect(stats_of(&f).refused_zone == 0);
    ask_many(&f, w, EACH - 1, EACH, true);
    cr_expect(WAIT_UNTIL(stats_of(&f).in_flight == EACH));
    cr_expect(stats_of(&f).refused_zone == 0);
    ask_many(&f, w, EACH, EACH + 1, true);
    const char *got = waiter_line(&w[EACH]);
    cr_expect(strcmp(got, "tempfail busy_zone") == 0, "got %s", got);
    cr_expect(w[EACH].answered_ms - w[EACH].asked_ms < 500, "at once");
    cr_expect(stats_of(&f).refused_zone == 1 && stats_of(&f).in_flight == EACH);
    cr_expect(strcmp(cached_line(&f, "silent.s8.tarpit0.test", DNS_A), "miss") == 0,
              "our own limit says nothing about the name");
    /* To join a query in flight is no query more. */
    struct waiter joined = {.done = false};
    waiter_ask(&f, &joined, "silent.s0.tarpit0.test", DNS_A, 100);
    cr_expect(strcmp(waiter_line(&joined), "tempfail timeout") == 0);
    cr_expect(stats_of(&f).shared == 1 && stats_of(&f).refused_zone == 1);
    waiter_drop(&joined);
    /* Other mail flows. */
    cr_expect(strcmp(ask_line(&f, "ok.normal.test", DNS_A, 5000), "answer [192.0.2.53]") == 0);
    fixture_stop(&f);
    for (unsigned i = 0; i <= EACH; i++)
        waiter_drop(&w[i]);
    fake_stop(&fake);
}

Test(limits, in_all)
{
    enum
    {
        TOTAL = 20
    };
    struct fake fake;
    struct fixture f;
    struct waiter w[TOTAL + 1] = {{.done = false}};
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver,
                                        .threads = 4,
                                        .max_in_flight = TOTAL,
                                        .question_ms = 2500});
    ask_many(&f, w, 0, TOTAL - 1, false);
    cr_expect(WAIT_UNTIL(stats_of(&f).in_flight == TOTAL - 1));
    ask_many(&f, w, TOTAL - 1, TOTAL, false);
    cr_expect(WAIT_UNTIL(stats_of(&f).in_flight == TOTAL));
    cr_expect(stats_of(&f).refused_total == 0);
    ask_many(&f, w, TOTAL, TOTAL + 1, false);
    const char *got = waiter_line(&w[TOTAL]);
    cr_expect(strcmp(got, "tempfail busy") == 0, "got %s", got);
    cr_expect(stats_of(&f).refused_total == 1);
    /* The slots come back at the queries' deadline (F11). */
    cr_expect(WAIT_UNTIL(stats_of(&f).in_flight == 0));
    cr_expect(strcmp(ask_line(&f, "ok.after.test", DNS_A, 5000), "answer [192.0.2.53]") == 0);
    for (unsigned i = 0; i < TOTAL; i++) {
        cr_expect(strcmp(waiter_line(&w[i]), "tempfail timeout") == 0);
        waiter_drop(&w[i]);
    }
    waiter_drop(&w[TOTAL]);
    fixture_stop(&f);
    fake_stop(&fake);
}

/* F12: ten thousand names under one tar-pit zone, and normal questions in between. */
Test(limits, normal_mail_beside_a_tar_pit)
{
    enum
    {
        NAMES = 10000,
        EVERY = 100
    };
    struct fake fake;
    struct fixture f;
    struct waiter *w = calloc(NAMES, sizeof *w);
    int64_t worst = 0;
    char name[64];
    cr_assert(w);
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver, .threads = 2});
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "silent.s%u.tarpit.test", i);
        waiter_ask(&f, &w[i], name, DNS_A, 60000);
        if (i % EVERY)
            continue;
        snprintf(name, sizeof name, "ok.normal%u.test", i);
        int64_t begin = now_ms();
        cr_expect(strcmp(ask_line(&f, name, DNS_A, 5000), "answer [192.0.2.53]") == 0);
        int64_t took = now_ms() - begin;
        worst = took > worst ? took : worst;
    }
    cr_expect(worst < 4000, "the slowest normal question took %ld ms", (long)worst);
    cr_expect(stats_of(&f).in_flight <= 64 && stats_of(&f).refused_zone >= NAMES - 3 * 64,
              "%lu in flight, %lu refused", stats_of(&f).in_flight, stats_of(&f).refused_zone);
    fixture_stop(&f);
    for (unsigned i = 0; i < NAMES; i++)
        waiter_drop(&w[i]);
    free(w);
    fake_stop(&fake);
}
