/* opendkim's tables (opendkim.conf(5) KeyTable, SigningTable; opendkim(8) DATA SETS). */
#include <criterion/criterion.h>
#include <stdio.h>

#include "sign/tables.h"
#include "support/guard.h"

struct pattern_case
{
    const char *pattern, *text;
    bool fits;
};

static const struct pattern_case patterns[] = {
    {"*", "", true},
    {"*", "x@a.example", true},
    {"", "", true},
    {"", "x", false},
    {"x@a.example", "x@a.example", true},
    {"X@A.Example", "x@a.EXAMPLE", true},
    {"*@a.example", "x@a.example", true},
    {"*@a.example", "@a.example", true},
    {"*@a.example", "x@b.a.example", false},
    {"*@*.a.example", "x@b.a.example", true},
    {"*@*a.example", "x@a.example", true},
    {"x@*", "x@a.example", true},
    {"x@*", "xx@a.example", false},
    {"*a*b*", "xxaxxbxx", true},
    {"*a*b", "abab", true},
    {"*a*b", "aba", false},
    {"a*", "b", false},
    {"**", "ab", true},
    {"a.example", "x@a.example", false},
    {"x@a?example", "x@a.example", false}, /* "*" is the only one with a meaning */
    {"x@a.example*", "x@a.example", true},
};

Test(tables, wildcards)
{
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct span pattern = guard_copy(span_from_string(patterns[i].pattern));
        struct span text = guard_copy(span_from_string(patterns[i].text));
        cr_expect(data_set_pattern_fits(pattern, text, true) == patterns[i].fits,
                  "\"%s\" and \"%s\": want %d", patterns[i].pattern, patterns[i].text,
                  patterns[i].fits);
    }
}

/* L13: no pattern costs more than its length times that of the text. */
Test(tables, many_stars_are_not_exponential)
{
    char pattern[400], text[4000];
    for (size_t i = 0; i < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 2);
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    cr_expect(
        !data_set_pattern_fits(span_of(pattern, sizeof pattern), span_of(text, sizeof text), true));
}

/* Tables in memory ------------------------------------------------------------------------------
 */

struct setup
{
    struct arena arena;
    struct key_table keys;
    struct signing_table signing;
};

static void set_up(struct setup *s, const char *keys, enum data_set_kind key_kind,
                   const char *signing, enum data_set_kind signing_kind)
{
    char error[DATA_SET_ERROR_MAX] = "";
    arena_init(&s->arena, 1 << 20);
    cr_assert(key_table_parse(guard_copy(span_from_string(keys)), key_kind, "keys", &s->arena,
                              &s->keys, error),
              "%s", error);
    cr_assert(signing_table_parse(guard_copy(span_from_string(signing)), signing_kind, "signing",
                                  &s->arena, &s->signing, error),
              "%s", error);
}

/* "name=domain/selector/key/identity" of each choice, between blanks. */
static void chosen(struct setup *s, const char *local, const char *domain, bool all, char *out,
                   size_t n)
{
    struct sign_choice choices[SIGN_CHOICES_MAX], wrong;
    struct dns_name name;
    out[0] = '\0';
    cr_assert(dns_name_from_domain(&name, span_from_string(domain)) == DNS_NAME_OK);
    int count = sign_tables_choose(&s->keys, &s->signing, span_from_string(local), &name, all,
                                   &s->arena, choices, &wrong);
    if (count < 0)
        snprintf(out, n, "wrong %u", wrong.line);
    for (int i = 0; i < count; i++) {
        struct sign_choice *c = &choices[i];
        size_t used = strlen(out);
        snprintf(out + used, n - used, "%s%.*s=%.*s/%.*s/%.*s/%.*s", i ? " " : "", (int)c->name.n,
                 (const char *)c->name.p, (int)c->domain.n, (const char *)c->domain.p,
                 (int)c->selector.n, (const char *)c->selector.p, (int)c->key.n,
                 (const char *)c->key.p, (int)c->identity.n,
                 c->identity.n ? (const char *)c->identity.p : "");
    }
}

static const char order_keys[] = "1 d1.example:s:/k\n2 d2.example:s:/k\n3 d3.example:s:/k\n"
                                 "4 d4.example:s:/k\n5 d5.example:s:/k\n6 d6.example:s:/k\n"
                                 "7 d7.example:s:/k\n8 d8.example:s:/k\n";

/* The lines in an order that is not the lookup's: the lookup decides, not the file. */
static const char order_rows[] = "*                 8\n"
                                 "user@*            7\n"
                                 ".example.com      6\n"
                                 ".foo.example.com  5\n"
                                 "user@.example.com 4\n"
                                 "user@.foo.example.com 3\n"
                                 "foo.example.com   2\n"
                                 "USER@foo.example.com 1\n"
                                 "user@foo.example.com 8\n";

struct order_case
{
    const char *local, *domain, *first;
};

static const struct order_case order_cases[] = {
    {"user", "foo.example.com", "1=d1.example/s//k/"},
    {"User", "FOO.example.COM", "1=d1.example/s//k/"},
    {"other", "foo.example.com", "2=d2.example/s//k/"},
    {"user", "x.foo.example.com", "3=d3.example/s//k/"},
    {"user", "y.example.com", "4=d4.example/s//k/"},
    {"other", "x.foo.example.com", "5=d5.example/s//k/"},
    {"other", "y.example.com", "6=d6.example/s//k/"},
    {"user", "elsewhere.test", "7=d7.example/s//k/"},
    {"user", "example.com", "7=d7.example/s//k/"},
    {"other", "elsewhere.test", "8=d8.example/s//k/"},
};

/* user@host, host, user@.domain upwards, .domain upwards, user@*, * */
Test(tables, file_is_asked_in_opendkims_order)
{
    struct setup s;
    char got[512];
    set_up(&s, order_keys, DATA_SET_FILE, order_rows, DATA_SET_FILE);
    for (size_t i = 0; i < sizeof order_cases / sizeof order_cases[0]; i++) {
        chosen(&s, order_cases[i].local, order_cases[i].domain, false, got, sizeof got);
        cr_expect(strcmp(got, order_cases[i].first) == 0, "%s@%s: got %s, want %s",
                  order_cases[i].local, order_cases[i].domain, got, order_cases[i].first);
    }
    arena_fini(&s.arena);
}

/* MultipleSignatures */
Test(tables, all_matches_of_a_file)
{
    struct setup s;
    char got[512];
    set_up(&s, order_keys, DATA_SET_FILE, order_rows, DATA_SET_FILE);
    chosen(&s, "user", "x.foo.example.com", true, got, sizeof got);
    cr_expect_str_eq(got, "3=d3.example/s//k/ 4=d4.example/s//k/ 5=d5.example/s//k/ "
                          "6=d6.example/s//k/ 7=d7.example/s//k/ 8=d8.example/s//k/");
    arena_fini(&s.arena);
}

struct table_case
{
    const char *name, *keys, *signing, *local, *domain, *want;
    bool all;
};

static const struct table_case table_cases[] = {
    {"the first pattern", "a a.example:s1:/a\nb a.example:s2:/b\n", "*@a.example a\n* b\n", "x",
     "a.example", "a=a.example/s1//a/", false},
    {"all patterns in order", "a a.example:s1:/a\nb a.example:s2:/b\n",
     "*@a.example a\n*@b.example a\n* b\n", "x", "a.example",
     "a=a.example/s1//a/ b=a.example/s2//b/", true},
    {"no pattern", "a a.example:s1:/a\n", "*@a.example a\n", "x", "b.example", "", true},
    {"percent as the domain", "a %:s1:/keys/%/s1.private\n", "* a\n", "x", "Sub.A.example",
     "a=sub.a.example/s1//keys/sub.a.example/s1.private/", false},
    {"percent as the key's name", "a.example a.example:s1:/a\n", "* %\n", "x", "a.example",
     "a.example=a.example/s1//a/", false},
    {"percent in a key that is no path", "a a.example:s1:AB%C\n", "* a\n", "x", "a.example",
     "a=a.example/s1/AB%C/", false},
    {"relative path", "a a.example:s1:./keys/%\n", "* a\n", "x", "a.example",
     "a=a.example/s1/./keys/a.example/", false},
    {"a colon in the path", "a a.example:s1:/keys/a:b\n", "* a\n", "x", "a.example",
     "a=a.example/s1//keys/a:b/", false},
    {"identity", "a a.example:s1:/a\n", "* a:bounce@news.%\n", "x", "a.example",
     "a=a.example/s1//a/bounce@news.a.example", false},
    {"identity that does not fit d= is left out", "a a.example:s1:/a\n", "* a:x@b.example\n", "x",
     "a.example", "a=a.example/s1//a/", false},
    {"identity above d= is left out", "a s.a.example:s1:/a\n", "* a:x@a.example\n", "x",
     "a.example", "a=s.a.example/s1//a/", false},
    {"comments and blanks", "# k\n\n  a\t a.example:s1:/a # here\r\n", "\n*   a#x\n", "x",
     "a.example", "a=a.example/s1//a/", false},
    {"no line end", "a a.example:s1:/a", "* a", "x", "a.example", "a=a.example/s1//a/", false},
    {"a row that names no key", "a a.example:s1:/a\n", "\n* c\n", "x", "a.example", "wrong 2",
     false},
    {"names of keys have case", "A a.example:s1:/a\n", "* a\n", "x", "a.example", "wrong 1", false},
    {"U-labels", "a %:s1:/k/%\n", "*@xn--mnchen-3ya.example a\n", "x", "m\xc3\xbcnchen.example",
     "a=xn--mnchen-3ya.example/s1//k/xn--mnchen-3ya.example/", false},
};

Test(tables, patterns_and_percents)
{
    for (size_t i = 0; i < sizeof table_cases / sizeof table_cases[0]; i++) {
        const struct table_case *c = &table_cases[i];
        struct setup s;
        char got[512];
        set_up(&s, c->keys, DATA_SET_FILE, c->signing, DATA_SET_REFILE);
        chosen(&s, c->local, c->domain, c->all, got, sizeof got);
        cr_expect(strcmp(got, c->want) == 0, "%s: got \"%s\", want \"%s\"", c->name, got, c->want);
        arena_fini(&s.arena);
    }
}

/* Many sites have their KeyTable as a refile, where its names are patterns without a star. */
Test(tables, key_table_as_a_refile)
{
    struct setup s;
    char got[512];
    set_up(&s, "a a.example:s1:/a\n*.b b.example:s1:/b\n", DATA_SET_REFILE, "* x.b\n",
           DATA_SET_REFILE);
    chosen(&s, "x", "a.example", false, got, sizeof got);
    cr_expect_str_eq(got, "*.b=b.example/s1//b/");
    arena_fini(&s.arena);
}

/* SIGN_CHOICES_MAX: one below, at, one above. */
Test(tables, sixteen_signatures_at_most)
{
    for (int rows = SIGN_CHOICES_MAX - 1; rows <= SIGN_CHOICES_MAX + 1; rows++) {
        char signing[256] = "", got[4096];
        struct setup s;
        for (int i = 0; i < rows; i++)
            strcat(signing, "* a\n");
        set_up(&s, "a a.example:s1:/a\n", DATA_SET_FILE, signing, DATA_SET_REFILE);
        chosen(&s, "x", "a.example", true, got, sizeof got);
        int count = 0;
        for (const char *at = got; (at = strstr(at, "a=a.example")) != NULL; at++)
            count++;
        cr_expect(count == (rows < SIGN_CHOICES_MAX ? rows : SIGN_CHOICES_MAX), "%d rows: %d", rows,
                  count);
        arena_fini(&s.arena);
    }
}

/* Thousands of lines are found by hash; the first line of a key counts. */
Test(tables, large_file)
{
    enum
    {
        ROWS = 20000
    };
    static char signing[ROWS * 48];
    size_t n = 0;
    for (int i = 0; i < ROWS; i++)
        n += (size_t)snprintf(signing + n, sizeof signing - n, "d%d.example a:u%d@%%\n",
                              i % (ROWS / 2), i);
    struct setup s;
    char error[DATA_SET_ERROR_MAX], got[512];
    arena_init(&s.arena, 64 << 20);
    cr_assert(
        key_table_parse(SPAN("a %:s1:/a\n"), DATA_SET_FILE, "keys", &s.arena, &s.keys, error));
    cr_assert(signing_table_parse(span_of(signing, n), DATA_SET_FILE, "signing", &s.arena,
                                  &s.signing, error));
    for (int i = 0; i < ROWS / 2; i += 997) {
        char domain[32], want[128];
        snprintf(domain, sizeof domain, "d%d.example", i);
        snprintf(want, sizeof want, "a=%s/s1//a/u%d@%s", domain, i, domain);
        chosen(&s, "x", domain, false, got, sizeof got);
        cr_expect_str_eq(got, want);
    }
    arena_fini(&s.arena);
}

struct spec_case
{
    const char *spec;
    bool read;
    enum data_set_kind kind;
    const char *path;
};

static const struct spec_case specs[] = {
    {"/etc/opendkim/KeyTable", true, DATA_SET_FILE, "/etc/opendkim/KeyTable"},
    {"file:/etc/k", true, DATA_SET_FILE, "/etc/k"},
    {"refile:/etc/k", true, DATA_SET_REFILE, "/etc/k"},
    {"REFILE:k", true, DATA_SET_REFILE, "k"},
    {"k", true, DATA_SET_FILE, "k"},
    {"csl:a,b", false, 0, NULL},
    {"db:/etc/k.db", false, 0, NULL},
    {"dsn:mysql://x", false, 0, NULL},
    {"ldap://x", false, 0, NULL},
    {"lua:/etc/k", false, 0, NULL},
};

Test(tables, kinds_of_data_set)
{
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        enum data_set_kind kind;
        const char *path;
        char error[DATA_SET_ERROR_MAX] = "";
        bool read = data_set_spec(specs[i].spec, &kind, &path, error);
        cr_expect(read == specs[i].read, "%s: %d", specs[i].spec, read);
        if (read)
            cr_expect(kind == specs[i].kind && strcmp(path, specs[i].path) == 0, "%s: %s",
                      specs[i].spec, path);
        else
            cr_expect(strstr(error, specs[i].spec) != NULL, "%s", error);
    }
}
