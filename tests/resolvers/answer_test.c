/* What waiters get: every outcome, from the zone file, from nsd, from a server that misbehaves. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "fixture.h"

struct want
{
    const char *name;
    enum dns_type type;
    const char *line;
    const char *cached; /* NULL: the same */
};

static void expect_all(struct fixture *f, const struct want *wants, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct want *w = &wants[i];
        const char *got = ask_line(f, w->name, w->type, 6000);
        cr_expect(strcmp(got, w->line) == 0, "%s %s: got \"%.200s\", want \"%.200s\"", w->name,
                  dns_type_text(w->type), got, w->line);
        const char *cached = w->cached ? w->cached : w->line;
        got = cached_line(f, w->name, w->type);
        cr_expect(strcmp(got, cached) == 0, "%s %s: cached \"%.200s\", want \"%.200s\"", w->name,
                  dns_type_text(w->type), got, cached);
    }
}

static const char zone[] = "a.test 300 A 192.0.2.1\n"
                           "a.test 300 TXT \"v=spf1 -all\"\n"
                           "a.test 300 MX 10 mx.a.test\n"
                           "www.a.test 60 CNAME a.test\n"
                           "bad.test TXT !servfail\n"
                           "slow.test TXT !timeout\n"
                           "s._domainkey.a.test 300 TXT \"v=DKIM1; p=\"\n";

/* F08: every outcome stays what it is, in the answer and in the cache. */
Test(answer, zone_file)
{
    static const struct want wants[] = {
        {"a.test", DNS_A, "answer [192.0.2.1]", NULL},
        {"a.test", DNS_TXT, "answer [v=spf1 -all]", NULL},
        {"a.test", DNS_MX, "answer [10 mx.a.test]", NULL},
        {"www.a.test", DNS_A, "answer [192.0.2.1]", NULL},
        {"a.test", DNS_AAAA, "empty", NULL},
        {"none.test", DNS_TXT, "nxdomain", NULL},
        {"bad.test", DNS_TXT, "tempfail servfail", NULL},
        {"slow.test", DNS_TXT, "tempfail timeout", NULL},
    };
    struct fixture f;
    fixture_start(&f, &(struct setting){.zone = zone});
    expect_all(&f, wants, COUNT_OF(wants));
    struct resolvers_stats s = stats_of(&f);
    cr_expect(s.queries == 8 && s.answers == 4 && s.empty == 1 && s.nxdomain == 1 &&
                  s.failures == 2 && s.timeouts == 1 && s.in_flight == 0,
              "%lu queries, %lu answers", s.queries, s.answers);
    /* All of it again: from the cache, failures too. */
    expect_all(&f, wants, COUNT_OF(wants));
    s = stats_of(&f);
    cr_expect(s.queries == 8 && s.cached == 8 && s.questions == 16, "%lu queries", s.queries);
    fixture_stop(&f);
}

/* F16: one key, however the name was written. */
Test(answer, case_and_final_dot)
{
    struct fixture f;
    fixture_start(&f, &(struct setting){.zone = zone});
    cr_expect(strcmp(ask_line(&f, "S._DomainKey.A.test.", DNS_TXT, 5000), "answer [v=DKIM1; p=]") ==
              0);
    cr_expect(strcmp(cached_line(&f, "s._domainkey.a.test", DNS_TXT), "answer [v=DKIM1; p=]") == 0);
    cr_expect(strcmp(ask_line(&f, "s._domainkey.a.TEST", DNS_TXT, 5000), "answer [v=DKIM1; p=]") ==
              0);
    cr_expect(stats_of(&f).queries == 1);
    fixture_stop(&f);
}

/* Design idea 4: what is kept is parsed. */
Test(answer, prepared_forms)
{
    struct fixture f;
    struct waiter w = {0};
    fixture_start(&f, &(struct setting){.zone = zone});
    waiter_ask(&f, &w, "a.test", DNS_TXT, 5000);
    waiter_line(&w);
    const struct dns_prepared *prepared = w.question.answer->answer.prepared;
    cr_expect(prepared && prepared->kind == DNS_PREPARED_SPF);
    waiter_drop(&w);
    fixture_stop(&f);
}

static const char nsd_zone[] = "$ORIGIN mail.test.\n"
                               "@ 300 SOA ns hostmaster 1 3600 600 86400 120\n"
                               "@ 300 NS ns\n"
                               "@ 300 TXT \"v=spf1 \" \"-all\"\n"
                               "ns 300 A 127.0.0.1\n"
                               "mx1 200 A 192.0.2.1\n"
                               "www 60 CNAME mx1\n"
                               "*.wild 300 TXT \"v=spf1 -all\"\n"
                               "self 60 CNAME self\n";

Test(answer, real_name_server)
{
    static const struct want wants[] = {
        {"mail.test", DNS_TXT, "answer [v=spf1 -all]", NULL},
        {"mx1.mail.test", DNS_A, "answer [192.0.2.1]", NULL},
        {"mx1.mail.test", DNS_TXT, "empty", NULL},
        {"www.mail.test", DNS_A, "answer [192.0.2.1]", NULL},
        {"no.mail.test", DNS_TXT, "nxdomain", NULL},
        {"x.wild.mail.test", DNS_TXT, "answer [v=spf1 -all]", NULL}, /* F10 */
        {"self.mail.test", DNS_A, "tempfail servfail", NULL},        /* F07 */
    };
    struct nsd nsd;
    struct fixture f;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_string(&text, nsd_zone);
    for (unsigned i = 0; i < 100; i++)
        buffer_printf(&text, "huge 300 TXT \"%0255u\" \"%0200u\"\n", i, i);
    buffer_append_byte(&text, '\0');
    nsd_start(&nsd, (const char *)text.p);
    fixture_start(&f, &(struct setting){.resolver = nsd.resolver, .threads = 2});
    expect_all(&f, wants, COUNT_OF(wants));

    /* F09: over TCP, cut, and too large for the cache (L06) but not for who asked. */
    struct waiter w = {0};
    waiter_ask(&f, &w, "huge.mail.test", DNS_TXT, 5000);
    waiter_line(&w);
    cr_expect(w.question.answer->answer.count == MAX_DNS_RECORDS && w.question.answer->answer.cut);
    cr_expect(strcmp(cached_line(&f, "huge.mail.test", DNS_TXT), "miss") == 0);
    waiter_drop(&w);
    fixture_stop(&f);
    nsd_stop(&nsd);
    buffer_fini(&text);
}

Test(answer, a_server_that_misbehaves)
{
    static const struct want wants[] = {
        {"ok.fake.test", DNS_A, "answer [192.0.2.53]", NULL},
        {"ok.fake.test", DNS_TXT, "empty", NULL},
        {"stray.fake.test", DNS_A, "answer [192.0.2.53]", NULL},    /* F03, F15 */
        {"wrongid.fake.test", DNS_A, "answer [192.0.2.53]", NULL},  /* F04 */
        {"overrun.fake.test", DNS_TXT, "tempfail malformed", NULL}, /* F05 */
        {"servfail.fake.test", DNS_A, "tempfail servfail", NULL},   /* F08 */
        {"cut.fake.test", DNS_A, "tempfail servfail", NULL},
        {"localhost", DNS_A, "answer [192.0.2.53]", NULL}, /* no built-in zones */
    };
    struct fake fake;
    struct fixture f;
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver});
    expect_all(&f, wants, COUNT_OF(wants));
    /* F03: the stray record was for this name, and nobody believed it. */
    cr_expect(strcmp(cached_line(&f, "x.test", DNS_A), "miss") == 0);
    fixture_stop(&f);
    fake_stop(&fake);
}

/* F11: silence, a reply that is late, one that drips: the query's own deadline ends them. */
Test(answer, nothing_takes_longer_than_the_query_may)
{
    static const char *const names[] = {"silent.fake.test", "late.fake.test", "ok.fake.test",
                                        "drip.fake.test"};
    struct fake fake;
    struct fixture f;
    fake_start(&fake);
    fixture_start(&f, &(struct setting){.resolver = fake.resolver, .question_ms = 400});
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct waiter w = {0};
        bool ok = i == 2;
        const char *want = ok ? "answer [192.0.2.53]" : "tempfail timeout";
        waiter_ask(&f, &w, names[i], DNS_A, 60000);
        const char *got = waiter_line(&w);
        int64_t took = w.answered_ms - w.asked_ms;
        cr_expect(strcmp(got, want) == 0, "%s: got %s", names[i], got);
        cr_expect(ok || (took >= 399 && took < 5000), "%s: took %ld ms", names[i], (long)took);
        cr_expect(strcmp(cached_line(&f, names[i], DNS_A), want) == 0);
        waiter_drop(&w);
        pause_ms(500); /* the fake serves one at a time; the late reply comes now, and is dropped */
    }
    struct resolvers_stats s = stats_of(&f);
    cr_expect(s.timeouts == 3 && s.failures == 3 && s.answers == 1 && s.in_flight == 0);
    fixture_stop(&f);
    fake_stop(&fake);
}

Test(answer, a_source_that_cannot_be_opened)
{
    static const struct
    {
        struct resolvers_config config;
        const char *expected;
    } cases[] = {
        {{.zone_file = "/nonexistent"}, "/nonexistent: No such file"},
        {{.resolver = "localhost"}, "expected an IP address"},
        {{.resolver = "127.0.0.1@0", .threads = 4}, "expected a port"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_error error = {""};
        cr_expect(!resolvers_start(&cases[i].config, &error));
        cr_expect(strstr(error.text, cases[i].expected), "got %s", error.text);
    }
}
