#include "base/ip.h"

#include <criterion/criterion.h>

struct ip_case
{
    const char *text;
    const char *v4, *v6, *any; /* what each parser gives back as text; NULL: refused */
};

static const struct ip_case cases[] = {
    {"192.0.2.1", "192.0.2.1", NULL, "192.0.2.1"},
    {"0.0.0.0", "0.0.0.0", NULL, "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255", NULL, "255.255.255.255"},
    {"256.0.0.1", NULL, NULL, NULL},
    {"192.0.2.01", NULL, NULL, NULL}, /* SP-14: no leading zeros */
    {"192.0.2", NULL, NULL, NULL},    /* E09 */
    {"192.0.2.", NULL, NULL, NULL},
    {"192.0.2.1.", NULL, NULL, NULL},
    {"192.0.2.1 ", NULL, NULL, NULL},
    {"1920.0.2.1", NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
    {"2001:db8::1", NULL, "2001:db8::1", "2001:db8::1"},
    {"::", NULL, "::", "::"},
    {":::", NULL, NULL, NULL}, /* E09 */
    {"2001:db8::1%eth0", NULL, NULL, NULL},
    {"[2001:db8::1]", NULL, NULL, NULL},
    {"::ffff:192.0.2.1", NULL, "::ffff:192.0.2.1", "192.0.2.1"}, /* SP-5, E11 */
    {"::FFFF:c000:0201", NULL, "::ffff:192.0.2.1", "192.0.2.1"},
    {"IPv6:2001:db8::1", NULL, NULL, "2001:db8::1"},
};

static void expect(const char *text, const char *which, bool ok, const struct ip *ip,
                   const char *want)
{
    char got[IP_TEXT_MAX];
    cr_expect(ok == (want != NULL), "%s %s: got %d", which, text, ok);
    if (ok && want)
        cr_expect(strcmp(ip_text(ip, got), want) == 0, "%s %s: got %s, want %s", which, text, got,
                  want);
}

Test(ip, parse)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct span text = span_from_string(cases[i].text);
        struct ip ip = {0};
        expect(cases[i].text, "v4", ip_parse_v4(text, &ip), &ip, cases[i].v4);
        expect(cases[i].text, "v6", ip_parse_v6(text, &ip), &ip, cases[i].v6);
        expect(cases[i].text, "any", ip_parse(text, &ip), &ip, cases[i].any);
    }
    struct ip ip;
    cr_expect(!ip_parse_v6(span_of("::1\0", 4), &ip), "a NUL is no end");
}

Test(ip, prefix_at_every_length)
{
    struct ip a, b;
    cr_assert(ip_parse(SPAN("2001:db8::"), &a));
    for (unsigned bit = 0; bit < 128; bit++) {
        b = a;
        b.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        for (unsigned prefix = 0; prefix <= 128; prefix++)
            cr_assert(ip_in_prefix(&b, &a, prefix) == (prefix <= bit), "bit %u, /%u", bit, prefix);
    }
    cr_expect(!ip_in_prefix(&a, &a, 129));
    cr_assert(ip_parse(SPAN("32.1.13.184"), &b));
    cr_expect(!ip_in_prefix(&b, &a, 0), "families never match (SP-22)");
    cr_expect(!ip_in_prefix(&b, &b, 33));
    struct ip none = {0};
    cr_expect(!ip_equal(&none, &none));
}
