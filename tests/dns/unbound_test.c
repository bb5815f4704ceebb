/* The network source against a real name server (nsd) and against one that misbehaves. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "dns_test_support.h"
#include "support/name_server.h"

static struct dns_source *open_source(const char *resolver)
{
    struct dns_error error = {""};
    struct dns_source *source = dns_unbound_open(resolver, &error);
    cr_assert(source, "dns_unbound_open: %s", error.text);
    return source;
}

struct want
{
    const char *name;
    enum dns_type type;
    const char *line;
};

static void expect_all(struct dns_source *source, const struct want *wants, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct want *w = &wants[i];
        int64_t begin = now_ms();
        const char *got = ask_line(source, w->name, w->type, 4000);
        int64_t took = now_ms() - begin;
        cr_expect(strcmp(got, w->line) == 0, "%s %s: got \"%.200s\" in %ld ms, want \"%.200s\"",
                  w->name, dns_type_text(w->type), got, (long)took, w->line);
    }
}

static const char nsd_zone[] =
    "$ORIGIN mail.test.\n"
    "@ 300 SOA ns hostmaster 1 3600 600 86400 120\n"
    "@ 300 NS ns\n"
    "@ 300 MX 10 mx1\n"
    "@ 300 MX 20 mx2\n"
    "@ 300 TXT \"v=spf1 \" \"-all\"\n"
    "ns 300 A 127.0.0.1\n"
    "mx1 200 A 192.0.2.1\n"
    "mx1 100 A 192.0.2.2\n"
    "mx1 300 AAAA 2001:db8::1\n"
    "ptr 300 PTR mx1\n"
    "bytes 300 TXT \"\\000\\255\\\"\\\\\"\n"
    "empty 300 TXT \"\"\n"
    "a.ent 300 A 192.0.2.3\n"
    "*.wild 300 TXT \"v=spf1 -all\"\n"
    "www 60 CNAME mx1\n"
    "todangling 60 CNAME dangling\n"
    "dangling 60 CNAME gone\n"
    "self 60 CNAME self\n"
    "loop1 60 CNAME loop2\n"
    "loop2 60 CNAME loop1\n"
    "outside 60 CNAME host.elsewhere.test.\n"
    "c1 60 CNAME c2\nc2 60 CNAME c3\nc3 60 CNAME c4\nc4 60 CNAME c5\nc5 60 CNAME c6\n"
    "c6 60 CNAME c7\nc7 60 CNAME c8\nc8 60 CNAME c9\nc9 60 CNAME c10\nc10 60 CNAME mx1\n"
    "odd\\.dot.x\\000y\\032z\\;\\\\\\\" 300 A 192.0.2.77\n";

static const struct want nsd_wants[] = {
    {"mail.test", DNS_TXT, "answer [v=spf1 -all]"},
    {"MAIL.Test.", DNS_TXT, "answer [v=spf1 -all]"},
    {"mail.test", DNS_MX, "answer [10 mx1.mail.test] [20 mx2.mail.test]"},
    {"mx1.mail.test", DNS_A, "answer [192.0.2.1] [192.0.2.2]"},
    {"mx1.mail.test", DNS_AAAA, "answer [2001:db8::1]"},
    {"ptr.mail.test", DNS_PTR, "answer [mx1.mail.test]"},
    {"mx1.mail.test", DNS_TXT, "empty"},
    {"empty.mail.test", DNS_TXT, "answer []"}, /* F05: one empty string */
    {"ent.mail.test", DNS_TXT, "empty"},
    {"nothing.mail.test", DNS_TXT, "nxdomain"},
    {"any.wild.mail.test", DNS_TXT, "answer [v=spf1 -all]"}, /* F10 */
    {"www.mail.test", DNS_A, "answer [192.0.2.1] [192.0.2.2]"},
    {"www.mail.test", DNS_TXT, "empty"},
    {"www.mail.test", DNS_CNAME, "answer [mx1.mail.test]"},
    /* F07 */
    {"todangling.mail.test", DNS_A, "nxdomain"},
    {"c3.mail.test", DNS_A, "answer [192.0.2.1] [192.0.2.2]"}, /* 8 links */
    {"c2.mail.test", DNS_A, "tempfail cname_chain_too_long"},  /* 9 links */
    {"c1.mail.test", DNS_A, "tempfail cname_chain_too_long"},
    {"self.mail.test", DNS_A, "tempfail servfail"},
    {"loop1.mail.test", DNS_A, "tempfail servfail"},
    {"outside.mail.test", DNS_A, "tempfail servfail"}, /* F08: nsd refuses other zones */
    {"host.elsewhere.test", DNS_A, "tempfail servfail"},
    {"odd\\.dot.x\\000y z;\\\\\".mail.test", DNS_A, "answer [192.0.2.77]"}, /* F06 */
    {"odd.dot.x\\000y z;\\\\\".mail.test", DNS_A, "nxdomain"},
};

/* `count` TXT records of 255 + 200 bytes each: over every UDP size, so TCP has to be used. */
static void append_large(struct buffer *zone, const char *name, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buffer_printf(zone, "%s 300 TXT \"%0255u\" \"%0200u\"\n", name, i, i);
}

Test(unbound, real_name_server)
{
    struct nsd nsd;
    struct buffer zone;
    buffer_init(&zone, 1 << 20);
    buffer_append_string(&zone, nsd_zone);
    append_large(&zone, "large", 20);
    append_large(&zone, "huge", 100);
    buffer_append_byte(&zone, '\0');
    nsd_start(&nsd, (const char *)zone.p);
    struct dns_source *source = open_source(nsd.resolver);

    expect_all(source, nsd_wants, COUNT_OF(nsd_wants));

    struct asker a;
    asker_init(&a);
    const struct dns_answer *large = ask(&a, source, "large.mail.test", DNS_TXT, 4000);
    cr_expect(large->count == 20 && !large->cut, "large: %u records", large->count);
    for (uint32_t i = 0; i < large->count; i++)
        cr_expect(large->records[i].text.n == 455, "large: %zu bytes", large->records[i].text.n);
    const struct dns_answer *huge = ask(&a, source, "huge.mail.test", DNS_TXT, 4000);
    cr_expect(huge->count == MAX_DNS_RECORDS && huge->cut, "F09: %u records", huge->count);
    cr_expect(a.hits.n[LIMIT_DNS_RECORDS] == 1);
    const struct dns_answer *bytes = ask(&a, source, "bytes.mail.test", DNS_TXT, 4000);
    cr_expect(bytes->count == 1 && span_equal(bytes->records[0].text, SPAN("\0\377\"\\")));
    cr_expect(ask(&a, source, "mx1.mail.test", DNS_A, 4000)->ttl <= 100);
    cr_expect(ask(&a, source, "www.mail.test", DNS_AAAA, 4000)->ttl <= 60);
    uint32_t negative = ask(&a, source, "nothing.mail.test", DNS_A, 4000)->ttl;
    cr_expect(negative <= 120 && negative >= 110, "RFC 2308: got %u", negative);
    asker_fini(&a);

    dns_source_free(&source);
    nsd_stop(&nsd);
    buffer_fini(&zone);
}

static const struct want fake_wants[] = {
    {"ok.fake.test", DNS_A, "answer [192.0.2.53]"},
    {"ok.fake.test", DNS_TXT, "empty"},
    {"ok.fake.invalid", DNS_A, "answer [192.0.2.53]"}, /* no built-in zones */
    {"localhost", DNS_A, "answer [192.0.2.53]"},
    {"1.0.0.10.in-addr.arpa", DNS_A, "answer [192.0.2.53]"},
    {"stray.fake.test", DNS_A, "answer [192.0.2.53]"},    /* F03, F15 */
    {"wrongid.fake.test", DNS_A, "answer [192.0.2.53]"},  /* F04 */
    {"overrun.fake.test", DNS_TXT, "tempfail malformed"}, /* F05 */
    {"nostring.fake.test", DNS_TXT, "tempfail malformed"},
    {"servfail.fake.test", DNS_A, "tempfail servfail"}, /* F08 */
    {"refused.fake.test", DNS_A, "tempfail servfail"},
    {"notimp.fake.test", DNS_A, "tempfail servfail"},
    {"formerr.fake.test", DNS_A, "tempfail servfail"},
    {"cut.fake.test", DNS_A, "tempfail servfail"},
};

Test(unbound, a_server_that_misbehaves)
{
    struct fake fake;
    fake_start(&fake);
    struct dns_source *source = open_source(fake.resolver);
    expect_all(source, fake_wants, COUNT_OF(fake_wants));
    dns_source_free(&source);
    fake_stop(&fake);
}

/* F11, F08: nothing is worth more time than the deadline gives, and what comes late is dropped. */
Test(unbound, deadlines)
{
    static const struct want wants[] = {
        {"silent.fake.test", DNS_A, "tempfail timeout"},
        {"late.fake.test", DNS_A, "tempfail timeout"}, /* comes 300 ms after the deadline */
    };
    struct fake fake;
    fake_start(&fake);
    struct dns_source *source = open_source(fake.resolver);
    const char *got;
    for (size_t i = 0; i < COUNT_OF(wants); i++) {
        int64_t begin = now_ms();
        got = ask_line(source, wants[i].name, wants[i].type, 400);
        int64_t took = now_ms() - begin;
        cr_expect(strcmp(got, wants[i].line) == 0, "%s: got %s", wants[i].name, got);
        cr_expect(took >= 390 && took < 4900, "%s: took %ld ms", wants[i].name, (long)took);
    }
    /* The late reply arrives while others are asked, into slots that are theirs now. */
    static const struct want after[] = {
        {"ok.1.test", DNS_A, "answer [192.0.2.53]"},
        {"late.2.test", DNS_A, "answer [192.0.2.53]"},
        {"ok.3.test", DNS_A, "answer [192.0.2.53]"},
    };
    expect_all(source, after, COUNT_OF(after));
    /* A deadline in the past: no question leaves. */
    unsigned before = atomic_load(&fake.queries);
    cr_expect(strcmp(ask_line(source, "ok.past.test", DNS_A, -1), "tempfail timeout") == 0);
    cr_expect(atomic_load(&fake.queries) == before);
    got = ask_line(source, "drip.fake.test", DNS_A, 700);
    cr_expect(strcmp(got, "tempfail timeout") == 0, "F11: got %s", got);
    dns_source_free(&source);
    fake_stop(&fake);
}

/* F11: one question ends after 5 s though the message has time left. */
Test(unbound, one_question_takes_five_seconds_at_most)
{
    struct fake fake;
    fake_start(&fake);
    struct dns_source *source = open_source(fake.resolver);
    int64_t begin = now_ms();
    const char *got = ask_line(source, "silent.fake.test", DNS_A, 60000);
    int64_t took = now_ms() - begin;
    cr_expect(strcmp(got, "tempfail timeout") == 0, "got %s", got);
    cr_expect(took >= 4900 && took < 30000, "took %ld ms", (long)took);
    cr_expect(atomic_load(&fake.queries) > 1, "it has been asked again");
    dns_source_free(&source);
    fake_stop(&fake);
}

static void note(struct asker *a, const char *label, int i)
{
    char text[64];
    snprintf(text, sizeof text, "%s.%d.test", label, i);
    struct dns_name name = name_of(text);
    cr_assert(dns_lookup(&a->answers, &name, DNS_A) == NULL);
}

/* MAX_DNS_AT_ONCE: the rest waits until one has landed. */
Test(unbound, questions_at_once)
{
    struct fake fake;
    struct asker a;
    fake_start(&fake);
    struct dns_source *source = open_source(fake.resolver);

    asker_init(&a);
    for (int i = 0; i < MAX_DNS_QUESTIONS; i++)
        note(&a, "ok", i);
    dns_source_resolve(source, &a.answers, now_ms() + 4000);
    cr_expect(a.answers.waiting == 0);
    for (struct dns_question *q = a.answers.first; q; q = q->next)
        cr_expect(q->answer.outcome == DNS_ANSWER && !q->in_flight);
    asker_fini(&a);

    /* Nothing is asked again within 600 ms, so what arrives is what was in flight. */
    asker_init(&a);
    atomic_store(&fake.queries, 0);
    for (int i = 0; i < MAX_DNS_AT_ONCE + 14; i++)
        note(&a, "silent", i);
    dns_source_resolve(source, &a.answers, now_ms() + 600);
    unsigned arrived = atomic_load(&fake.queries);
    cr_expect(arrived == MAX_DNS_AT_ONCE, "got %u, want %d", arrived, MAX_DNS_AT_ONCE);
    for (struct dns_question *q = a.answers.first; q; q = q->next)
        cr_expect(q->answer.outcome == DNS_TEMPFAIL && strcmp(q->answer.reason, "timeout") == 0);
    asker_fini(&a);

    dns_source_free(&source);
    fake_stop(&fake);
}

/* F12: a resolver that was silent for a while, or for slow zones, is used again at once. */
Test(unbound, a_silent_spell_is_forgiven)
{
    struct fake fake;
    fake_start(&fake);
    struct dns_source *source = open_source(fake.resolver);
    atomic_store(&fake.silent, true);
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "ok.%d.test", i);
        cr_expect(strcmp(ask_line(source, name, DNS_A, 900), "tempfail timeout") == 0);
    }
    atomic_store(&fake.silent, false);
    int64_t begin = now_ms();
    const char *got = ask_line(source, "ok.after.test", DNS_A, 4000);
    cr_expect(strcmp(got, "answer [192.0.2.53]") == 0, "got %s", got);
    cr_expect(now_ms() - begin < 3900, "took %ld ms", (long)(now_ms() - begin));
    dns_source_free(&source);
    fake_stop(&fake);
}

/* A03, E06, F06: every byte, and the longest name, reach the server as they are. The source only
 * takes replies that repeat our question, and the fake repeats what it was asked. */
Test(unbound, every_byte_in_a_name)
{
    struct fake fake;
    fake_start(&fake);
    struct dns_source *source = open_source(fake.resolver);
    char text[DNS_NAME_TEXT_MAX];
    for (unsigned from = 0; from < 256; from += 32) {
        size_t n = 0;
        for (unsigned c = from; c < from + 32; c++)
            n += (size_t)snprintf(text + n, sizeof text - n, "\\%03u", c);
        snprintf(text + n, sizeof text - n, ".fake.test");
        const char *got = ask_line(source, text, DNS_A, 4000);
        cr_expect(strcmp(got, "answer [192.0.2.53]") == 0, "bytes from %u: got %s", from, got);
    }
    /* 63 + 63 + 63 + 61 octets, all escaped: 255 on the wire, 1,003 characters. */
    size_t n = 0;
    for (unsigned i = 0; i < 250; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\\200",
                              i == 63 || i == 126 || i == 189 ? "." : "");
    cr_assert(name_of(text).length == DNS_NAME_MAX);
    const char *got = ask_line(source, text, DNS_A, 4000);
    cr_expect(strcmp(got, "answer [192.0.2.53]") == 0, "longest name: got %s", got);
    dns_source_free(&source);
    fake_stop(&fake);
}

Test(unbound, resolvers_it_refuses)
{
    static const struct
    {
        const char *resolver;
        const char *expected; /* part of the message */
    } cases[] = {
        {"", "expected an IP address"},
        {"localhost", "expected an IP address"},
        {"127.0.0.1:53", "expected an IP address"},
        {"192.0.2.256", "expected an IP address"},
        {"::1%lo", "expected an IP address"},
        {"127.0.0.1@", "expected a port"},
        {"127.0.0.1@0", "expected a port"},
        {"127.0.0.1@65536", "expected a port"},
        {"::1@x", "expected a port"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_error error = {""};
        cr_expect(dns_unbound_open(cases[i].resolver, &error) == NULL);
        cr_expect(strstr(error.text, cases[i].expected) != NULL, "\"%s\": got \"%s\"",
                  cases[i].resolver, error.text);
    }
    static const char *const good[] = {"127.0.0.1", "127.0.0.1@65535", "::1", "2001:db8::1@5353"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct dns_source *source = open_source(good[i]);
        dns_source_free(&source);
    }
    struct dns_source *system = open_source(NULL);
    dns_source_free(&system);
}
