/* From values: the grammar of RFC 5322 3.4 and 4.4, attacks A12-A18, limits. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mail_support.h"
#include "support/guard.h"

struct list_case
{
    const char *name;
    struct span value;
    enum mail_address_error error;
    const char *addresses; /* "local|domain local|domain ..." */
    const char *anomalies;
};

#define B64_ADMIN "=?utf-8?B?PGFkbWluQHZpY3RpbS50ZXN0Pg==?="

static const struct list_case list_cases[] = {
    /* The grammar. */
    {"addr-spec", TEXT(" a@x.test"), MAIL_ADDRESS_OK, "a|x.test", ""},
    {"name-addr", TEXT(" Joe Q Public <joe@x.test>"), MAIL_ADDRESS_OK, "joe|x.test", ""},
    {"quoted name", TEXT("\"Public, \\\"Joe\\\" Q.\" <joe@x.test>"), MAIL_ADDRESS_OK, "joe|x.test",
     ""},
    {"obs-phrase: dot", TEXT("John Q. Public <a@b.test>"), MAIL_ADDRESS_OK, "a|b.test", ""},
    {"obs-phrase: dots together", TEXT("Inc... <a@b.test>"), MAIL_ADDRESS_OK, "a|b.test", ""},
    {"no blank before <", TEXT("Joe<a@b.test>"), MAIL_ADDRESS_OK, "a|b.test", ""},
    {"quoted name, no blank", TEXT("\"Joe\"<a@b.test>"), MAIL_ADDRESS_OK, "a|b.test", ""},
    {"comments everywhere", TEXT("(1) Joe (2) < (3) a (4) @ (5) b (6) . (7) test (8) > (9)"),
     MAIL_ADDRESS_OK, "a|b.test", ""},
    {"RFC 5322 A.5", TEXT("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
     MAIL_ADDRESS_OK, "pete|silly.test", ""},
    {"RFC 5322 A.6.1: route and empty elements",
     TEXT("Mary Smith <@node.test:mary@example.net>, , jdoe@test   . example"), MAIL_ADDRESS_OK,
     "mary|example.net jdoe|test.example", "from_route"},
    {"quoted local part", TEXT("\"a b@c\"@x.test"), MAIL_ADDRESS_OK, "a b@c|x.test", ""},
    {"obs-local-part", TEXT("a . \"b c\" . d@x.test"), MAIL_ADDRESS_OK, "a.b c.d|x.test", ""},
    {"quoted-pair in a local part", TEXT("\"a\\\"\\\\b\"@x.test"), MAIL_ADDRESS_OK, "a\"\\b|x.test",
     ""},
    {"empty quoted local part", TEXT("\"\"@x.test"), MAIL_ADDRESS_OK, "|x.test", ""},
    {"literal", TEXT("a@[192.0.2.1]"), MAIL_ADDRESS_OK, "a|[192.0.2.1]", ""},
    {"literal with folding", TEXT("a@[ IPv6:2001:db8::1\r\n ]"), MAIL_ADDRESS_OK,
     "a|[IPv6:2001:db8::1]", ""},
    {"folds", TEXT("Joe\r\n <a@b.test>\r\n\t"), MAIL_ADDRESS_OK, "a|b.test", ""},
    {"fold in a quoted name", TEXT("\"Joe\r\n Public\" <a@b.test>"), MAIL_ADDRESS_OK, "a|b.test",
     ""},
    {"fold in a comment", TEXT("(Joe\r\n Public) a@b.test"), MAIL_ADDRESS_OK, "a|b.test", ""},
    {"group", TEXT("g: a@x.test, B <b@y.test>;"), MAIL_ADDRESS_OK, "a|x.test b|y.test", ""},
    {"group and more", TEXT("a@x.test, \"g\" : ,b@y.test,, ; (c) , c@z.test"), MAIL_ADDRESS_OK,
     "a|x.test b|y.test c|z.test", ""},
    {"empty elements", TEXT(",, a@x.test ,,"), MAIL_ADDRESS_OK, "a|x.test", ""},
    {"DP-4: a dot at the end of the domain", TEXT("a@x.test."), MAIL_ADDRESS_OK, "a|x.test.", ""},
    {"DP-4: the same in angle brackets", TEXT("<a@x.test. >"), MAIL_ADDRESS_OK, "a|x.test.", ""},
    {"UTF-8 name", TEXT("J\xc3\xb6rg <a@x.test>"), MAIL_ADDRESS_OK, "a|x.test", ""},
    {"raw 8-bit name", TEXT("J\xf6rg <a@x.test>"), MAIL_ADDRESS_OK, "a|x.test", ""},
    {"encoded name", TEXT("=?iso-8859-1?Q?J=F6rg?= <a@x.test>"), MAIL_ADDRESS_OK, "a|x.test", ""},
    {"ESC in a quoted name", TEXT("\"\x1b$B\x1b(B\" <a@x.test>"), MAIL_ADDRESS_OK, "a|x.test", ""},

    /* Nothing there. */
    {"empty", TEXT(""), MAIL_ADDRESS_EMPTY, "", "from_malformed"},
    {"blank", TEXT(" \t"), MAIL_ADDRESS_EMPTY, "", "from_malformed"},
    {"comment only", TEXT(" (nobody)"), MAIL_ADDRESS_EMPTY, "", "from_malformed"},
    {"empty group", TEXT("undisclosed-recipients:;"), MAIL_ADDRESS_EMPTY, "", "from_malformed"},

    /* A12 */
    {"A12: two", TEXT("a@attack.test, admin@victim.test"), MAIL_ADDRESS_OK,
     "a|attack.test admin|victim.test", ""},
    {"A12: <> among them", TEXT("a@x.test, <>, b"), MAIL_ADDRESS_NO_DOMAIN, "", "from_malformed"},
    {"A12: no domain", TEXT("a@x.test, b"), MAIL_ADDRESS_NO_DOMAIN, "", "from_malformed"},
    {"A12: no domain in angle brackets", TEXT("Joe <joe>"), MAIL_ADDRESS_NO_DOMAIN, "",
     "from_malformed"},
    {"A12: name only", TEXT("\"admin@victim.test\""), MAIL_ADDRESS_NO_DOMAIN, "", "from_malformed"},
    {"G04: a@", TEXT("a@"), MAIL_ADDRESS_NO_DOMAIN, "", "from_malformed"},
    {"G04: <a@>", TEXT("<a@>"), MAIL_ADDRESS_NO_DOMAIN, "", "from_malformed"},
    {"G04: a@.", TEXT("a@."), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"a@x..test", TEXT("a@x..test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"a..b@x", TEXT("a..b@x.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {".a@x", TEXT(".a@x.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"a.@x", TEXT("a.@x.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"@x", TEXT("@x.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"two words as local part", TEXT("a b@x.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"two @", TEXT("a@b@x.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},

    /* A13 */
    {"A13: encoded address as element", TEXT(B64_ADMIN ",<b@attack.test>"), MAIL_ADDRESS_NO_DOMAIN,
     "", "from_malformed from_encoded_address"},
    {"A13: encoded address as name", TEXT(B64_ADMIN " <b@attack.test>"), MAIL_ADDRESS_OK,
     "b|attack.test", "from_encoded_address"},
    {"A13: quoted-printable", TEXT("=?us-ascii?q?admin=40victim.test?= <b@attack.test>"),
     MAIL_ADDRESS_OK, "b|attack.test", "from_encoded_address"},
    {"A13: inside quotes", TEXT("\"" B64_ADMIN "\" <b@attack.test>"), MAIL_ADDRESS_OK,
     "b|attack.test", "from_encoded_address"},
    {"A13: base64 with junk and no padding",
     TEXT("\"=?utf-8?b?PGFk.bWluQHZpY3RpbS50ZXN0Pg?=\" <b@attack.test>"), MAIL_ADDRESS_OK,
     "b|attack.test", "from_encoded_address"},
    {"A13: encoded name without an address",
     TEXT("=?utf-8?B?SsO2cmc=?= =?utf-8?Q?a=41=4?= <b@x.test>"), MAIL_ADDRESS_OK, "b|x.test", ""},

    /* A14 */
    {"A14: route", TEXT("<@attack.test,@any.test:admin@victim.test>"), MAIL_ADDRESS_OK,
     "admin|victim.test", "from_route"},
    {"A14: obs-route with commas and comments", TEXT("Joe <,,@a.test (x) , , @b.test: c@d.test>"),
     MAIL_ADDRESS_OK, "c|d.test", "from_route"},
    {"A14: a route in the second address leaves the first alone",
     TEXT("first@one.test, <@attack.test:admin@victim.test>"), MAIL_ADDRESS_OK,
     "first|one.test admin|victim.test", "from_route"},
    {"A14: route without comma", TEXT("<@a.test@b.test:c@d.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed from_route"},
    {"A14: route without address", TEXT("<@a.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed from_route"},
    {"A14: route and nothing", TEXT("<@a.test:>"), MAIL_ADDRESS_NO_DOMAIN, "",
     "from_malformed from_route"},
    {"A14: no domain in the route", TEXT("<,:a@b.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed from_route"},
    {"A14: route without angle brackets", TEXT("@a.test:b@c.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},

    /* A15, A16 */
    {"A15: quoted-pair between addresses", TEXT("<admin@victim.test>\\,<b@attack.test>"),
     MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"A16: two, one without brackets", TEXT("admin@victim.test,<b@attack.test>"), MAIL_ADDRESS_OK,
     "admin|victim.test b|attack.test", ""},
    {"A16: trailing text", TEXT("<a@attack.test>admin@victim.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: leading address", TEXT("admin@victim.test <a@attack.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: two in brackets", TEXT("<admin@victim.test><a@attack.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: brackets in brackets", TEXT("<<a@attack.test>>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: no closing bracket", TEXT("<a@attack.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: semicolon", TEXT("a@attack.test; admin@victim.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: group not closed", TEXT("g: a@attack.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: group in a group", TEXT("g: h: a@attack.test;;"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: group without a name", TEXT(": a@attack.test;"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A16: text behind a group", TEXT("g:; a@attack.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},

    /* A17 */
    {"A17: U-label",
     TEXT("a@b\xc3\xbc"
          "cher.test"),
     MAIL_ADDRESS_OK,
     "a|b\xc3\xbc"
     "cher.test",
     "from_non_ascii"},
    {"A17: zero width space", TEXT("a@vic\xe2\x80\x8btim.test"), MAIL_ADDRESS_OK,
     "a|vic\xe2\x80\x8btim.test", "from_non_ascii"},
    {"A17: 8-bit local part", TEXT("\xe9@x.test"), MAIL_ADDRESS_OK, "\xe9|x.test",
     "from_non_ascii"},

    /* A18 */
    {"A18: another address as name", TEXT("\"admin@victim.test\" <a@attack.test>"), MAIL_ADDRESS_OK,
     "a|attack.test", "from_display_address"},
    {"A18: another address as comment", TEXT("a@attack.test (admin@victim.test)"), MAIL_ADDRESS_OK,
     "a|attack.test", "from_display_address"},
    {"A18: comment in front", TEXT("(admin@victim.test) a@attack.test"), MAIL_ADDRESS_OK,
     "a|attack.test", "from_display_address"},
    {"A18: the own address as name", TEXT("\"a@Attack.test\" <a@attack.test>"), MAIL_ADDRESS_OK,
     "a|attack.test", ""},
    {"A18: name of the second address", TEXT("a@x.test, \"admin@victim.test\" <b@x.test>"),
     MAIL_ADDRESS_OK, "a|x.test b|x.test", "from_display_address"},
    {"A18: a group's name", TEXT("\"admin@victim.test\": a@attack.test;"), MAIL_ADDRESS_OK,
     "a|attack.test", "from_display_address"},
    {"A18: unquoted address as name", TEXT("admin@victim.test a@attack.test"),
     MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"A18: comment not closed", TEXT("(a@attack.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A18: string not closed", TEXT("\"Joe <a@attack.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A18: ends in a backslash", TEXT("\"Joe\\"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"A18: comment ends in a backslash", TEXT("(Joe\\"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"A18: ) alone", TEXT(") a@attack.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},

    /* B02, B03 in the value */
    {"B03: NUL", TEXT("a@attack.test\0@victim.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"B03: NUL in a string", TEXT("\"a\0b\" <a@x.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"B03: NUL in a quoted-pair", TEXT("\"a\\\0b\" <a@x.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"B03: NUL in a comment", TEXT("(\0) a@x.test"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"B02: bare LF", TEXT("a@x.test\n"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"B02: bare LF and blank", TEXT("Joe\n <a@x.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"B02: bare CR", TEXT("a@x.test\r"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"B02: CRLF without a blank", TEXT("a@x.test\r\nb"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"B02: bare LF in a string", TEXT("\"a\nb\" <a@x.test>"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"B02: bare CR in a comment", TEXT("(a\rb) a@x.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"control character in a local part", TEXT("\"a\x01\"@x.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"control character in an atom", TEXT("a\x01@x.test"), MAIL_ADDRESS_MALFORMED, "",
     "from_malformed"},
    {"literal not closed", TEXT("a@[192.0.2.1"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
    {"literal in a literal", TEXT("a@[[]"), MAIL_ADDRESS_MALFORMED, "", "from_malformed"},
};

static const char *list_text(const struct mail_address_list *list)
{
    static char text[8192];
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < list->count; i++) {
        const struct mail_address *address = &list->addresses[i];
        int added = snprintf(text + n, sizeof text - n, "%s%.*s|%.*s", i ? " " : "",
                             (int)address->local.n, (const char *)address->local.p,
                             (int)address->domain.n, (const char *)address->domain.p);
        cr_assert(added > 0 && (size_t)added < sizeof text - n);
        n += (size_t)added;
    }
    return text;
}

struct parsed
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_address_list list;
};

static void parse(struct parsed *parsed, struct span value)
{
    *parsed = (struct parsed){0};
    arena_init(&parsed->arena, MAX_ARENA_BYTES);
    mail_address_list_parse(guard_copy(value), &parsed->arena, &parsed->anomalies, &parsed->hits,
                            &parsed->list);
}

Test(address, named_cases)
{
    for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
        const struct list_case *c = &list_cases[i];
        static struct parsed p;
        parse(&p, c->value);
        cr_expect(p.list.error == c->error, "%s: error %d at %u, want %d", c->name, p.list.error,
                  p.list.error_at, c->error);
        cr_expect(strcmp(list_text(&p.list), c->addresses) == 0, "%s: got \"%s\", want \"%s\"",
                  c->name, list_text(&p.list), c->addresses);
        cr_expect(strcmp(anomalies_text(&p.anomalies), c->anomalies) == 0,
                  "%s: got \"%s\", want \"%s\"", c->name, anomalies_text(&p.anomalies),
                  c->anomalies);
        arena_fini(&p.arena);
    }
}

Test(address, literals_are_marked)
{
    static struct parsed p;
    parse(&p, SPAN("a@[192.0.2.1], b@x.test"));
    cr_assert(p.list.count == 2);
    cr_expect(p.list.addresses[0].literal && !p.list.addresses[1].literal);
    arena_fini(&p.arena);
}

Test(address, error_position)
{
    static struct parsed p;
    parse(&p, SPAN("a@x.test, <b@y.test>z"));
    cr_expect(p.list.error_at == 20, "got %u", p.list.error_at);
    arena_fini(&p.arena);
}

/* Every prefix of every good case: an answer, no crash, and never more addresses than the whole. */
Test(address, every_prefix)
{
    for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
        for (size_t n = 0; n < list_cases[i].value.n; n++) {
            static struct parsed p;
            parse(&p, span_slice(list_cases[i].value, 0, n));
            cr_expect((p.list.error == MAIL_ADDRESS_OK) == (p.list.count > 0));
            arena_fini(&p.arena);
        }
    }
}

/* MAX_FROM_ADDRESSES at one below, at it, one above (A12). */
Test(address, address_limit)
{
    for (int more = -1; more <= 1; more++) {
        static struct parsed p;
        size_t count = (size_t)(MAX_FROM_ADDRESSES + more);
        parse(&p, repeated("a@x.test,", count));
        cr_expect(p.list.count == (more > 0 ? 0 : count), "%zu: got %u", count, p.list.count);
        cr_expect(p.list.error == (more > 0 ? MAIL_ADDRESS_TOO_MANY : MAIL_ADDRESS_OK));
        cr_expect(p.hits.n[LIMIT_FROM_ADDRESSES] == (more > 0));
        arena_fini(&p.arena);
    }
}

/* MAX_COMMENT_DEPTH at one below, at it, one above; 100,000 of them (A18, L13). */
Test(address, comment_depth_limit)
{
    for (int more = -1; more <= 1; more++) {
        static struct parsed p;
        size_t depth = (size_t)(MAX_COMMENT_DEPTH + more);
        parse(&p, joined(repeated("(", depth), repeated(")", depth), SPAN("a@x.test")));
        cr_expect(p.list.error == (more > 0 ? MAIL_ADDRESS_TOO_DEEP : MAIL_ADDRESS_OK),
                  "depth %zu: error %d", depth, p.list.error);
        cr_expect(p.hits.n[LIMIT_COMMENT_DEPTH] == (more > 0));
        arena_fini(&p.arena);
    }
    static struct parsed p;
    parse(&p, repeated("(", 100000));
    cr_expect(p.list.error == MAIL_ADDRESS_TOO_DEEP && p.list.error_at == MAX_COMMENT_DEPTH);
    arena_fini(&p.arena);
    parse(&p, joined(repeated("()", 40000), SPAN("a@x.test"), SPAN("")));
    cr_expect(p.list.error == MAIL_ADDRESS_OK, "depth 1, many times");
    arena_fini(&p.arena);
}

/* Large values of every kind stay linear and give an answer. */
Test(address, bombs)
{
    static const char *const pieces[] = {"\"",     "\\", "<", ",",      ".",   "a",   "@",
                                         "\"a\" ", "=?", "?", "=?a?Q?", "a.",  "@a,", "\r\n ",
                                         ":",      ";",  "[", "\xff",   "(\\)"};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        static struct parsed p;
        struct span middle = repeated(pieces[i], 90000 / strlen(pieces[i]));
        parse(&p, joined(SPAN("<"), middle, SPAN(" a@x.test>")));
        arena_fini(&p.arena);
        parse(&p, joined(SPAN("\""), middle, SPAN("\" <a@x.test>")));
        arena_fini(&p.arena);
        parse(&p, middle);
        cr_expect(p.list.count == 0, "\"%s\" repeated is an address", pieces[i]);
        arena_fini(&p.arena);
    }
}

Test(address, without_memory)
{
    struct arena arena;
    struct mail_anomalies anomalies = {0};
    struct limit_hits hits = {0};
    static struct mail_address_list list;
    arena_init(&arena, 0);
    mail_address_list_parse(SPAN("a@x.test"), &arena, &anomalies, &hits, &list);
    cr_expect(list.error == MAIL_ADDRESS_NO_MEMORY && list.count == 0 && arena.failed);
    arena_fini(&arena);
}
