/* The zone-file source: what it answers, which files it refuses and how it says so. */
#include "dns_test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "support/guard.h"

static struct dns_source *parse(const char *text)
{
    struct dns_error error = {""};
    struct dns_source *source = dns_zone_parse(span_from_string(text), "zone", &error);
    cr_assert(source, "refused: %s", error.text);
    return source;
}

static const char zone[] = "; a comment, then a blank line\n"
                           "\n"
                           "  \t ; an indented comment\n"
                           "$TTL 600\n"
                           "a.example. 300 IN A 192.0.2.1\n"
                           "A.Example  IN 60 a 192.0.2.2 ; second record, mixed case (F16)\n"
                           "a.example AAAA 2001:db8::1\r\n"
                           "a.example MX 10 mx1.example\n"
                           "a.example MX 0 .\n"
                           "a.example TXT \"v=spf1 \" \"-all\"\n"
                           "a.example TXT \"q\\\"b\\\\d\\065;\" x\\;y ; DV-29: joined, escapes\n"
                           "a.example TXT \"\"\n"
                           "1.2.0.192.in-addr.arpa PTR a.example\n"
                           "www.example CNAME a.example\n"
                           "dangling.example CNAME gone.example\n"
                           "toempty.example CNAME spf.example\n"
                           "spf.example SPF \"v=spf1 -all\"\n"
                           "ns.example NS ns1.example\n"
                           "other.example TYPE65280 \\# 0\n"
                           "b.deep.ent.example A 192.0.2.9\n"
                           "*.wild.example TXT \"covered\"\n"
                           "*.wild.example MX 5 mx.wild.example\n"
                           "own.wild.example A 192.0.2.7\n"
                           "below.host.wild.example A 192.0.2.8\n"
                           "*.alias.example CNAME a.example\n"
                           "fail.example TXT !servfail\n"
                           "slow.example 5 IN TXT !timeout\n"
                           "tofail.example CNAME fail.example\n"
                           "no.example TXT !nxdomain\n"
                           "e.wild.example TXT !empty\n"
                           "loop1.example CNAME loop2.example\n"
                           "loop2.example CNAME loop1.example\n"
                           "self.example CNAME self.example\n"
                           "esc\\046aped.x\\000\\;y.example A 192.0.2.66\n"
                           "rec.example TXT one\nrec.example TXT !cut\nrec.example TXT !age 17\n";

struct zone_case
{
    const char *name;
    enum dns_type type;
    const char *want;
};

static const struct zone_case zone_cases[] = {
    {"a.example", DNS_A, "answer [192.0.2.1] [192.0.2.2]"},
    {"A.EXAMPLE.", DNS_A, "answer [192.0.2.1] [192.0.2.2]"}, /* F16 */
    {"a.example", DNS_AAAA, "answer [2001:db8::1]"},
    {"a.example", DNS_MX, "answer [10 mx1.example] [0 .]"},
    {"a.example", DNS_TXT, "answer [v=spf1 -all] [q\"b\\dA;x;y] []"},
    {"a.example", DNS_PTR, "empty"},
    {"1.2.0.192.in-addr.arpa", DNS_PTR, "answer [a.example]"},
    {"www.example", DNS_AAAA, "answer [2001:db8::1]"},
    {"www.example", DNS_PTR, "empty"},
    {"www.example", DNS_CNAME, "answer [a.example]"},
    {"dangling.example", DNS_A, "nxdomain"}, /* F07: chain to NXDOMAIN */
    {"toempty.example", DNS_A, "empty"},
    {"spf.example", DNS_TXT, "empty"},
    {"ns.example", DNS_A, "empty"},
    {"other.example", DNS_A, "empty"},
    {"b.deep.ent.example", DNS_A, "answer [192.0.2.9]"},
    {"deep.ent.example", DNS_A, "empty"}, /* RFC 8020: an empty non-terminal exists */
    {"ent.example", DNS_TXT, "empty"},
    {"example", DNS_TXT, "empty"},
    {".", DNS_TXT, "empty"},
    {"c.ent.example", DNS_A, "nxdomain"},
    {"a.b.deep.ent.example", DNS_A, "nxdomain"},
    {"xa.example", DNS_A, "nxdomain"},
    {"other", DNS_A, "nxdomain"},
    /* RFC 4592 section 2.2.1 */
    {"anything.wild.example", DNS_TXT, "answer [covered]"},
    {"two.labels.wild.example", DNS_TXT, "answer [covered]"},
    {"anything.wild.example", DNS_A, "empty"},
    {"*.wild.example", DNS_TXT, "answer [covered]"},
    {"own.wild.example", DNS_TXT, "empty"},
    {"x.own.wild.example", DNS_TXT, "nxdomain"},
    {"host.wild.example", DNS_TXT, "empty"},
    {"x.host.wild.example", DNS_TXT, "nxdomain"},
    {"e.wild.example", DNS_TXT, "empty"},
    {"wild.example", DNS_TXT, "empty"},
    {"x.alias.example", DNS_A, "answer [192.0.2.1] [192.0.2.2]"},
    /* F08 */
    {"fail.example", DNS_TXT, "tempfail servfail"},
    {"slow.example", DNS_TXT, "tempfail timeout"},
    {"fail.example", DNS_A, "empty"},
    {"tofail.example", DNS_TXT, "tempfail servfail"},
    {"no.example", DNS_TXT, "nxdomain"},
    {"no.example", DNS_A, "nxdomain"},
    {"loop1.example", DNS_A, "tempfail cname_loop"},
    {"self.example", DNS_A, "tempfail cname_loop"},
    {"esc\\.aped.x\\000;Y.example", DNS_A, "answer [192.0.2.66]"},
    {"rec.example", DNS_TXT, "answer [one] cut"},
};

Test(zone, answers)
{
    struct dns_source *source = parse(zone);
    for (size_t i = 0; i < COUNT_OF(zone_cases); i++) {
        const struct zone_case *c = &zone_cases[i];
        const char *got = ask_line(source, c->name, c->type, 0);
        cr_expect(strcmp(got, c->want) == 0, "%s %s: got \"%s\", want \"%s\"", c->name,
                  dns_type_text(c->type), got, c->want);
    }
    dns_source_free(&source);
    cr_assert(source == NULL);
}

struct error_case
{
    const char *text;
    const char *want;
};

#define L64 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"

/* clang-format off */
static const struct error_case error_cases[] = {
    {"\n\nexample A 192.0.2.256\n", "zone:3:11: expected an IPv4 address, found \"192.0.2.256\""},
    {"example A", "zone:1:10: expected an IPv4 address, found the end of the line"},
    {"example A ; 192.0.2.1", "zone:1:11: expected an IPv4 address, found the end of the line"},
    {"example A 192.0.2.1 192.0.2.2", "zone:1:21: expected the end of the line, found \"192.0.2.2\""},
    {"example A \"192.0.2.1\"", "zone:1:11: expected an IPv4 address, found \"192.0.2.1\""},
    {"example AAAA ::g", "zone:1:14: expected an IPv6 address, found \"::g\""},
    {"example MX mx.example", "zone:1:12: expected a preference from 0 to 65535, found \"mx.example\""},
    {"example MX 65536 mx.example", "zone:1:12: expected a preference from 0 to 65535, found \"65536\""},
    {"example MX 10", "zone:1:14: expected an absolute domain name, found the end of the line"},
    {"example TXT", "zone:1:12: expected a string, found the end of the line"},
    {"example TXT \"abc", "zone:1:17: expected a closing quote, found the end of the line"},
    {"example TXT \"abc\\\"", "zone:1:19: expected a closing quote, found the end of the line"},
    {"example TXT \"a\\256\"", "zone:1:13: expected an escape \\X or \\DDD up to \\255, found \"a\\256\""},
    {"example TXT a\\", "zone:1:13: expected an escape \\X or \\DDD up to \\255, found \"a\\\""},
    {"example", "zone:1:8: expected a TTL, IN or a record type, found the end of the line"},
    {"example 300 IN", "zone:1:15: expected a TTL, IN or a record type, found the end of the line"},
    {"example 300 300 A 192.0.2.1", "zone:1:13: expected a record type (A, AAAA, MX, TXT, PTR, CNAME ...), found \"300\""},
    {"example 1h A 192.0.2.1", "zone:1:9: expected a TTL from 0 to 2147483647, found \"1h\""},
    {"example 2147483648 A 192.0.2.1", "zone:1:9: expected a TTL from 0 to 2147483647, found \"2147483648\""},
    {"example CH A 192.0.2.1", "zone:1:9: expected a record type (A, AAAA, MX, TXT, PTR, CNAME ...), found \"CH\""},
    {"example DNAME x.example", "zone:1:9: expected a record type (A, AAAA, MX, TXT, PTR, CNAME ...), found \"DNAME\""},
    {"example TYPEx x", "zone:1:9: expected a record type (A, AAAA, MX, TXT, PTR, CNAME ...), found \"TYPEx\""},
    {" example A 192.0.2.1", "zone:1:2: expected a name at the beginning of the line, found \"example\""},
    {"@ A 192.0.2.1", "zone:1:1: expected an absolute domain name, found \"@\""},
    {"a..b A 192.0.2.1", "zone:1:1: expected an absolute domain name, found \"a..b\""},
    {L64 ".test A 192.0.2.1", "zone:1:1: expected an absolute domain name, found \"abcdefghijklmnopqrstuvwxyzabcdefghijklmn\""},
    {"\"example\" A 192.0.2.1", "zone:1:1: expected an absolute domain name, found \"example\""},
    {"$ORIGIN example.", "zone:1:1: expected $TTL or a record with an absolute name, found \"$ORIGIN\""},
    {"$INCLUDE other", "zone:1:1: expected $TTL or a record with an absolute name, found \"$INCLUDE\""},
    {"$TTL x", "zone:1:6: expected a TTL from 0 to 2147483647, found \"x\""},
    {"$TTL 5 6", "zone:1:8: expected the end of the line, found \"6\""},
    {"example SOA (", NULL}, /* not read further */
    {"example TXT ( \"a\"", "zone:1:13: expected a record on one line (parentheses are not read), found \"(\""},
    {"example TXT !no", "zone:1:13: expected !servfail, !timeout or another outcome, found \"!no\""},
    {"example TXT !", "zone:1:13: expected !servfail, !timeout or another outcome, found \"!\""},
    {"example TXT !SERVFAIL", "zone:1:13: expected !servfail, !timeout or another outcome, found \"!SERVFAIL\""},
    {"example TXT !servfail x", "zone:1:23: expected the end of the line, found \"x\""},
    {"example TXT !servfail\nexample TXT a", "zone:2:13: expected either records or one outcome of a question, found \"a\""},
    {"example TXT a\nexample TXT !servfail", "zone:2:13: expected either records or one outcome of a question, found \"!servfail\""},
    {"example TXT !empty\nexample TXT !empty", "zone:2:13: expected either records or one outcome of a question, found \"!empty\""},
    {"example TXT !cut", "zone:1:13: expected the set's other lines before this one, found \"!cut\""},
    {"example TXT !age 5", "zone:1:13: expected the set's other lines before this one, found \"!age\""},
    {"example TXT a\nexample TXT !age", "zone:2:17: expected an age in seconds, found the end of the line"},
    {"a\001\377b\tA x\033[2J", "zone:1:8: expected an IPv4 address, found \"x?[2J\""}, /* no terminal codes */
    {"", NULL},
    {"example A 192.0.2.1", NULL}, /* no line end */
    {"example TXT a\"b\"c\\ d", NULL},
    {"example IN 5 txt a", NULL},
    {"example NS", NULL},
};
/* clang-format on */

Test(zone, errors)
{
    for (size_t i = 0; i < COUNT_OF(error_cases); i++) {
        const struct error_case *c = &error_cases[i];
        struct dns_error error = {""};
        struct dns_source *source =
            dns_zone_parse(guard_copy(span_from_string(c->text)), "zone", &error);
        cr_expect((source != NULL) == (c->want == NULL), "\"%s\": %s", c->text, error.text);
        if (c->want)
            cr_expect(strcmp(error.text, c->want) == 0, "\"%s\":\n got \"%s\"\nwant \"%s\"",
                      c->text, error.text, c->want);
        dns_source_free(&source);
    }
}

Test(zone, files)
{
    char path[] = "/tmp/assay-zone-XXXXXX";
    struct dns_error error = {""};
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, zone, sizeof zone - 1) == (ssize_t)sizeof zone - 1);
    struct dns_source *source = dns_zone_open(path, &error);
    cr_assert(source, "%s", error.text);
    cr_expect(strcmp(ask_line(source, "a.example", DNS_AAAA, 0), "answer [2001:db8::1]") == 0);
    dns_source_free(&source);
    close(fd);
    unlink(path);

    cr_expect(dns_zone_open("/nonexistent/zone", &error) == NULL);
    cr_expect(strcmp(error.text, "/nonexistent/zone: No such file or directory") == 0, "%s",
              error.text);
    cr_expect(dns_zone_open("/tmp", &error) == NULL);
    cr_expect(strcmp(error.text, "/tmp: Is a directory") == 0, "%s", error.text);
}

/* Strings longer than DNS has them are read; RDATA of 65,535 bytes is the limit. */
Test(zone, text_limits)
{
    struct buffer b;
    buffer_init(&b, 1 << 20);
    for (size_t n = 65277; n <= 65280; n++) {
        struct dns_error error = {""};
        buffer_reset(&b);
        buffer_append_string(&b, "long.example TXT \"");
        for (size_t i = 0; i < n; i++)
            buffer_append_byte(&b, 'x');
        buffer_append_string(&b, "\"");
        struct dns_source *source = dns_zone_parse(buffer_span(&b), "zone", &error);
        /* 255 strings of 255 bytes and one more, with a length byte each */
        bool fits = n + (n + 254) / 255 <= 65535;
        cr_expect((source != NULL) == fits, "%zu bytes: %s", n, error.text);
        if (source)
            cr_expect(strlen(ask_line(source, "long.example", DNS_TXT, 0)) ==
                      n + strlen("answer []"));
        dns_source_free(&source);
    }
    buffer_fini(&b);
}

/* F07: 8 links are followed, 9 are not. F09: 64 records are given, of the rest it is said. */
Test(zone, limits)
{
    struct buffer b;
    buffer_init(&b, 1 << 20);
    for (int i = 0; i < 12; i++)
        buffer_printf(&b, "c%d.example %d CNAME c%d.example\n", i, 100 + i, i + 1);
    buffer_append_string(&b, "c12.example 200 A 192.0.2.1\n");
    for (int i = 0; i < MAX_DNS_RECORDS + 1; i++)
        buffer_printf(&b, "%smany.example A 192.0.2.%d\n", i < MAX_DNS_RECORDS ? "" : "over.", i);
    for (int i = 0; i < MAX_DNS_RECORDS; i++)
        buffer_printf(&b, "over.many.example A 192.0.2.%d\n", i);
    buffer_append_byte(&b, '\0');
    struct dns_source *source = parse((const char *)b.p);
    struct asker a;
    asker_init(&a);
    cr_expect(ask(&a, source, "c5.example", DNS_A, 0)->outcome == DNS_ANSWER, "7 links");
    const struct dns_answer *eight = ask(&a, source, "c4.example", DNS_A, 0);
    cr_expect(eight->outcome == DNS_ANSWER && eight->ttl == 104, "8 links, TTL %u", eight->ttl);
    cr_expect(a.hits.n[LIMIT_DNS_CNAMES] == 0);
    const struct dns_answer *nine = ask(&a, source, "c3.example", DNS_A, 0);
    cr_expect(nine->outcome == DNS_TEMPFAIL && strcmp(nine->reason, "cname_chain_too_long") == 0);
    cr_expect(a.hits.n[LIMIT_DNS_CNAMES] == 1);
    const struct dns_answer *full = ask(&a, source, "many.example", DNS_A, 0);
    cr_expect(full->count == MAX_DNS_RECORDS && !full->cut);
    const struct dns_answer *over = ask(&a, source, "over.many.example", DNS_A, 0);
    cr_expect(over->count == MAX_DNS_RECORDS && over->cut);
    cr_expect(a.hits.n[LIMIT_DNS_RECORDS] == 1);
    asker_fini(&a);
    dns_source_free(&source);
    buffer_fini(&b);
}

/* Loading is linear, in names and in records of one name: a quadratic step would take hours. */
static int64_t load_ms(int records, bool one_name)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    for (int i = 0; i < records; i++)
        buffer_printf(&b, "h%d.zone.example 300 IN TXT \"v=spf1 ip4:192.0.2.%d -all\"\n",
                      one_name ? 0 : i, i % 256);
    struct dns_error error = {""};
    int64_t begin = now_ms();
    struct dns_source *source = dns_zone_parse(buffer_span(&b), "zone", &error);
    int64_t took = now_ms() - begin;
    cr_assert(source, "%s", error.text);
    char name[32];
    snprintf(name, sizeof name, "h%d.zone.example", one_name ? 0 : records - 1);
    struct asker a;
    asker_init(&a);
    cr_expect(ask(&a, source, name, DNS_TXT, 0)->outcome == DNS_ANSWER);
    asker_fini(&a);
    dns_source_free(&source);
    buffer_fini(&b);
    return took;
}

Test(zone, a_million_records)
{
    int64_t many = load_ms(1000000, false), same = load_ms(1000000, true);
    cr_expect(many < 30000 && same < 30000, "took %ld and %ld ms", (long)many, (long)same);
}
