/* Reverse-paths: RFC 5321 4.1.2, attacks A02, A05, A06. */
#include <criterion/criterion.h>

#include "mail_support.h"
#include "support/guard.h"

struct path_case
{
    const char *name;
    struct span text;
    enum mail_path_kind kind;
    const char *local, *domain;
    bool route;
};

static const struct path_case path_cases[] = {
    {"null", TEXT("<>"), MAIL_PATH_NULL, "", "", false},
    {"null without brackets", TEXT(""), MAIL_PATH_NULL, "", "", false},
    {"address", TEXT("<a@x.test>"), MAIL_PATH_ADDRESS, "a", "x.test", false},
    {"without brackets", TEXT("a@x.test"), MAIL_PATH_ADDRESS, "a", "x.test", false},
    {"case is kept", TEXT("<A@X.Test>"), MAIL_PATH_ADDRESS, "A", "X.Test", false},
    {"underscore, dot at the end", TEXT("<a@_x.test.>"), MAIL_PATH_ADDRESS, "a", "_x.test.", false},
    {"one label", TEXT("<a@x>"), MAIL_PATH_ADDRESS, "a", "x", false},
    {"literal", TEXT("<a@[192.0.2.1]>"), MAIL_PATH_ADDRESS, "a", "[192.0.2.1]", false},
    {"IPv6 literal", TEXT("<a@[IPv6:::1]>"), MAIL_PATH_ADDRESS, "a", "[IPv6:::1]", false},
    {"UTF-8", TEXT("<\xc3\xa9@b\xc3\xbc.test>"), MAIL_PATH_ADDRESS, "\xc3\xa9", "b\xc3\xbc.test",
     false},
    {"quoted", TEXT("<\"a b\"@x.test>"), MAIL_PATH_ADDRESS, "a b", "x.test", false},
    {"quoted @ and \"", TEXT("<\"a@b\\\"c\\\\\"@x.test>"), MAIL_PATH_ADDRESS, "a@b\"c\\", "x.test",
     false},
    {"quoted >", TEXT("<\">\"@x.test>"), MAIL_PATH_ADDRESS, ">", "x.test", false},
    {"empty quoted", TEXT("<\"\"@x.test>"), MAIL_PATH_ADDRESS, "", "x.test", false},
    {"dots as carriers gave them", TEXT("<.a..b.@x.test>"), MAIL_PATH_ADDRESS, ".a..b.", "x.test",
     false},
    {"VERP", TEXT("<b+u=y.test@x.test>"), MAIL_PATH_ADDRESS, "b+u=y.test", "x.test", false},

    {"A02: a comment begins", TEXT("<(any@victim.test>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: no domain", TEXT("<any>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: empty domain", TEXT("<any@>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: no local part", TEXT("<@victim.test>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: < alone", TEXT("<"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: > alone", TEXT(">"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: one bracket", TEXT("<a@x.test"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: the other", TEXT("a@x.test>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: two of them", TEXT("<<a@x.test>>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: blank inside <>", TEXT("< >"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: blank in front", TEXT(" <>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: parameters", TEXT("<a@x.test> SIZE=1"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: NUL", TEXT("<a\0@x.test>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: NUL in the domain", TEXT("<a@x.test\0.y>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: CRLF", TEXT("<a@x.test\r\n>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: control character in quotes", TEXT("<\"a\nb\"@x.test>"), MAIL_PATH_MALFORMED, "", "",
     false},
    {"A02: quote not closed", TEXT("<\"a@x.test>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A02: backslash at the end", TEXT("<\"a\\>"), MAIL_PATH_MALFORMED, "", "", false},
    {"empty label", TEXT("<a@x..test>"), MAIL_PATH_MALFORMED, "", "", false},
    {"empty label in front", TEXT("<a@.test>"), MAIL_PATH_MALFORMED, "", "", false},
    {"dot only", TEXT("<a@.>"), MAIL_PATH_MALFORMED, "", "", false},
    {"literal not closed", TEXT("<a@[192.0.2.1>"), MAIL_PATH_MALFORMED, "", "", false},
    {"empty literal", TEXT("<a@[]>"), MAIL_PATH_MALFORMED, "", "", false},
    {"text behind a literal", TEXT("<a@[1].x>"), MAIL_PATH_MALFORMED, "", "", false},

    {"A05: parenthesis in the domain", TEXT("<any@victim.test(.attack.test>"), MAIL_PATH_MALFORMED,
     "", "", false},
    {"A05: the last @ splits", TEXT("<any@victim.test'@a.attack.test>"), MAIL_PATH_ADDRESS,
     "any@victim.test'", "a.attack.test", false},
    {"A05: an @ in quotes does not", TEXT("<a@\"@x.test\">"), MAIL_PATH_MALFORMED, "", "", false},
    {"A05: quote in the domain", TEXT("<any@victim.test\"=.attack.test>"), MAIL_PATH_MALFORMED, "",
     "", false},
    {"A05: percent", TEXT("<any%victim.test@a.attack.test>"), MAIL_PATH_ADDRESS, "any%victim.test",
     "a.attack.test", false},

    {"A06: route, then an odd local part", TEXT("<@victim.test,@any.test:'any@attack.test>"),
     MAIL_PATH_ADDRESS, "'any", "attack.test", true},
    {"A06: one hop", TEXT("<@victim.test:a@attack.test>"), MAIL_PATH_ADDRESS, "a", "attack.test",
     true},
    {"A06: junk behind the route", TEXT("<@victim.test,junk:a@attack.test>"), MAIL_PATH_MALFORMED,
     "", "", false},
    {"A06: junk in the route", TEXT("<@victim.test(:a@attack.test>"), MAIL_PATH_MALFORMED, "", "",
     false},
    {"A06: route alone", TEXT("<@victim.test:>"), MAIL_PATH_MALFORMED, "", "", false},
    {"A06: route without colon", TEXT("<@victim.test,a@attack.test>"), MAIL_PATH_MALFORMED, "", "",
     false},
    {"A06: comma at the end", TEXT("<@victim.test,:a@attack.test>"), MAIL_PATH_MALFORMED, "", "",
     false},
    {"A06: empty domain in the route", TEXT("<@:a@attack.test>"), MAIL_PATH_MALFORMED, "", "",
     false},
    {"A06: two routes", TEXT("<@a.test:@b.test:c@d.test>"), MAIL_PATH_MALFORMED, "", "", false},
};

struct read_path
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_path path;
};

static void read_path(struct read_path *r, struct span text)
{
    *r = (struct read_path){0};
    arena_init(&r->arena, MAX_ARENA_BYTES);
    mail_path_parse(text, &r->arena, &r->anomalies, &r->hits, &r->path);
}

static void check_path(const struct path_case *c)
{
    struct read_path r;
    struct span text = guard_copy(c->text);
    read_path(&r, text);
    cr_expect(r.path.kind == c->kind, "%s: kind %d, want %d", c->name, r.path.kind, c->kind);
    cr_expect(span_equal(r.path.local, span_from_string(c->local)), "%s: local \"%.*s\"", c->name,
              (int)r.path.local.n, (const char *)r.path.local.p);
    cr_expect(span_equal(r.path.domain, span_from_string(c->domain)), "%s: domain \"%.*s\"",
              c->name, (int)r.path.domain.n, (const char *)r.path.domain.p);
    cr_expect(r.path.route == c->route, "%s", c->name);
    cr_expect(r.path.text.p == text.p && r.path.text.n == text.n, "%s: text", c->name);
    bool malformed = c->kind == MAIL_PATH_MALFORMED;
    cr_expect((r.path.reason != NULL) == malformed, "%s: reason", c->name);
    const char *want = malformed ? "path_malformed" : c->route ? "path_route" : "";
    cr_expect(strcmp(anomalies_text(&r.anomalies), want) == 0, "%s: got \"%s\"", c->name,
              anomalies_text(&r.anomalies));
    arena_fini(&r.arena);
}

Test(path, named_cases)
{
    for (size_t i = 0; i < COUNT_OF(path_cases); i++)
        check_path(&path_cases[i]);
}

Test(path, absent)
{
    struct read_path r;
    read_path(&r, (struct span){NULL, 0});
    cr_expect(r.path.kind == MAIL_PATH_ABSENT && r.anomalies.set == 0);
    arena_fini(&r.arena);
}

/* MAX_PATH_BYTES at one below, at it, one above. */
Test(path, limit)
{
    for (int more = -1; more <= 1; more++) {
        struct read_path r;
        struct span local = repeated("a", (size_t)(MAX_PATH_BYTES - 7 + more));
        read_path(&r, joined(local, SPAN("@x.test"), SPAN("")));
        cr_expect(r.path.kind == (more > 0 ? MAIL_PATH_MALFORMED : MAIL_PATH_ADDRESS));
        cr_expect(r.hits.n[LIMIT_PATH_BYTES] == (more > 0));
        if (more > 0)
            cr_expect(strcmp(r.path.reason, "path_too_long") == 0);
        arena_fini(&r.arena);
    }
}

Test(path, without_memory)
{
    struct read_path r = {0};
    arena_init(&r.arena, 0);
    mail_path_parse(SPAN("<\"a\"@x.test>"), &r.arena, &r.anomalies, &r.hits, &r.path);
    cr_expect(r.path.kind == MAIL_PATH_MALFORMED && strcmp(r.path.reason, "arena_full") == 0);
    cr_expect(r.arena.failed);
    mail_path_parse(SPAN("<a@x.test>"), &r.arena, &r.anomalies, &r.hits, &r.path);
    cr_expect(r.path.kind == MAIL_PATH_ADDRESS, "a plain one needs none");
    arena_fini(&r.arena);
}

/* A path that begins with a quoted octet goes the general way, and means the same as without the
 * quotes: the short way of plain paths comes to what the general way comes to. */
Test(path, plain_ones_are_read_as_all_others)
{
    static const char letters[] = "ab0.@-_+=[\"\\ \xc3:,";
    unsigned random = 1, addresses = 0;
    for (unsigned i = 0; i < 300000; i++) {
        uint8_t plain[16], quoted[18];
        size_t n = 1 + i % (sizeof plain - 1);
        for (size_t k = 0; k < n; k++) {
            random = random * 1103515245 + 12345;
            plain[k] = (uint8_t)letters[(random >> 16) % (i & 1 ? 6 : sizeof letters - 1)];
        }
        if (plain[0] != 'a' && plain[0] != '.')
            continue;
        quoted[0] = quoted[2] = '"';
        quoted[1] = plain[0];
        memcpy(quoted + 3, plain + 1, n - 1);
        struct read_path got, want;
        read_path(&got, span_of(plain, n));
        read_path(&want, span_of(quoted, n + 2));
        cr_assert(got.path.kind == want.path.kind && got.anomalies.set == want.anomalies.set &&
                      span_equal(got.path.local, want.path.local) &&
                      span_equal(got.path.domain, want.path.domain),
                  "%.*s", (int)n, (const char *)plain);
        addresses += got.path.kind == MAIL_PATH_ADDRESS;
        arena_fini(&got.arena);
        arena_fini(&want.arena);
    }
    cr_expect(addresses > 1000, "%u", addresses);
}
