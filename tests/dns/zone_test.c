/* The zone-file source: what it answers, which files it refuses and how it says so. */
#include "dns_test_support.h"

#include <stdio.h>

#include "base/buffer.h"

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
