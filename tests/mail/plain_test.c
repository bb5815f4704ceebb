/*
 * From values that are read in one pass: which ones, and that the general way, taken where a
 * comment stands in front, comes to the same for every value.
 */
#include "mail/address_plain.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "mail_support.h"
#include "support/guard.h"

struct plain_case
{
    struct span value;
    const char *local, *domain; /* NULL: not plain */
};

static const struct plain_case cases[] = {
    {TEXT("a@x.test"), "a", "x.test"},
    {TEXT(" \ta.b+c@x.test \t"), "a.b+c", "x.test"},
    {TEXT(" <a@x>"), "a", "x"},
    {TEXT(" Joe Q. Public <joe@x.test>"), "joe", "x.test"},
    {TEXT("Joe... . X\t<joe@x.test> "), "joe", "x.test"},
    {TEXT(" \"Public, Joe (Q.) <>:;[]\" <joe@x.test>"), "joe", "x.test"},
    {TEXT("\"\"<joe@x.test>"), "joe", "x.test"},
    {TEXT("!#$%&'*+-/?^_`{|}~@x_y.test"), "!#$%&'*+-/?^_`{|}~", "x_y.test"},
    /* what is left to the general way, right or wrong */
    {TEXT(""), NULL, NULL},
    {TEXT(" "), NULL, NULL},
    {TEXT("a"), NULL, NULL},
    {TEXT("@x.test"), NULL, NULL},
    {TEXT("a@"), NULL, NULL},
    {TEXT("a@x.test."), NULL, NULL},
    {TEXT("a@.test"), NULL, NULL},
    {TEXT("a@x..test"), NULL, NULL},
    {TEXT(".a@x.test"), NULL, NULL},
    {TEXT("a.@x.test"), NULL, NULL},
    {TEXT("a..b@x.test"), NULL, NULL},
    {TEXT("a @x.test"), NULL, NULL},
    {TEXT("a@ x.test"), NULL, NULL},
    {TEXT("a b@x.test"), NULL, NULL},
    {TEXT("a@x@y.test"), NULL, NULL},
    {TEXT("a@x.test b"), NULL, NULL},
    {TEXT("a@x.test, b@x.test"), NULL, NULL},
    {TEXT("a@x.test,"), NULL, NULL},
    {TEXT("a@[192.0.2.1]"), NULL, NULL},
    {TEXT("\"a\"@x.test"), NULL, NULL},
    {TEXT("a=b@x.test"), NULL, NULL},
    {TEXT("<a@x.test"), NULL, NULL},
    {TEXT("a@x.test>"), NULL, NULL},
    {TEXT("< a@x.test>"), NULL, NULL},
    {TEXT("<a@x.test >"), NULL, NULL},
    {TEXT("<a@x.test>b"), NULL, NULL},
    {TEXT("<a@x.test>>"), NULL, NULL},
    {TEXT("<a@x.test> <b@x.test>"), NULL, NULL},
    {TEXT("<@y.test:a@x.test>"), NULL, NULL},
    {TEXT("Joe <>"), NULL, NULL},
    {TEXT(". <a@x.test>"), NULL, NULL},
    {TEXT("Joe \"Q\" <a@x.test>"), NULL, NULL},
    {TEXT("\"Q\" Joe <a@x.test>"), NULL, NULL},
    {TEXT("\"Q <a@x.test>"), NULL, NULL},
    {TEXT("\"a\\\"b\" <a@x.test>"), NULL, NULL},
    {TEXT("\"b@y.test\" <a@x.test>"), NULL, NULL},
    {TEXT("b@y.test <a@x.test>"), NULL, NULL},
    {TEXT("=?utf-8?Q?b=40y.test?= <a@x.test>"), NULL, NULL},
    {TEXT("\"=?utf-8?Q?b=40y.test?=\" <a@x.test>"), NULL, NULL},
    {TEXT("J\xc3\xb6rg <a@x.test>"), NULL, NULL},
    {TEXT("\"J\xc3\xb6rg\" <a@x.test>"), NULL, NULL},
    {TEXT("a@\xc3\xb6.test"), NULL, NULL},
    {TEXT("\"\x1b\" <a@x.test>"), NULL, NULL},
    {TEXT("\"\0\" <a@x.test>"), NULL, NULL},
    {TEXT("a\0@x.test"), NULL, NULL},
    {TEXT("Joe (Q) <a@x.test>"), NULL, NULL},
    {TEXT("Joe\r\n <a@x.test>"), NULL, NULL},
    {TEXT("g: a@x.test;"), NULL, NULL},
    {TEXT("a@x.test;"), NULL, NULL},
};

Test(plain, which)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct plain_case *c = &cases[i];
        struct mail_address address;
        bool plain = address_plain(guard_copy(c->value), &address);
        cr_expect(plain == (c->local != NULL), "case %zu: %s", i, plain ? "plain" : "not plain");
        if (!plain || !c->local)
            continue;
        cr_expect(span_equal(address.local, span_from_string(c->local)), "case %zu", i);
        cr_expect(span_equal(address.domain, span_from_string(c->domain)), "case %zu", i);
        cr_expect(!address.literal && !address.non_ascii);
    }
}

struct parsed
{
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_address_list list;
};

static void parse(struct parsed *parsed, struct arena *arena, struct span value)
{
    *parsed = (struct parsed){.list = {.error = MAIL_ADDRESS_OK}};
    mail_address_list_parse(value, arena, &parsed->anomalies, &parsed->hits, &parsed->list);
}

static bool same_address(const struct mail_address *a, const struct mail_address *b)
{
    return span_equal(a->local, b->local) && span_equal(a->domain, b->domain) &&
           a->literal == b->literal && a->non_ascii == b->non_ascii;
}

/* The value itself, and with a comment in front. True where it is plain. */
static bool compare(struct span value, struct arena *arena)
{
    static uint8_t behind[256] = "()";
    static struct parsed got, want;
    struct mail_address address;
    cr_assert(value.n <= sizeof behind - 2);
    memcpy(behind + 2, value.p, value.n);
    arena_reset(arena);
    parse(&got, arena, value);
    parse(&want, arena, span_of(behind, value.n + 2));
    cr_assert(got.list.error == want.list.error && got.list.count == want.list.count,
              "\"%.*s\": got error %d, want %d", (int)value.n, (const char *)value.p,
              got.list.error, want.list.error);
    for (uint32_t i = 0; i < got.list.count; i++)
        cr_assert(same_address(&got.list.addresses[i], &want.list.addresses[i]), "\"%.*s\"",
                  (int)value.n, (const char *)value.p);
    cr_assert(memcmp(&got.anomalies, &want.anomalies, sizeof got.anomalies) == 0, "\"%.*s\": %s",
              (int)value.n, (const char *)value.p, anomalies_text(&got.anomalies));
    cr_assert(memcmp(&got.hits, &want.hits, sizeof got.hits) == 0);
    return address_plain(value, &address);
}

Test(plain, cases_by_both_ways)
{
    struct arena arena;
    arena_init(&arena, MAX_ARENA_BYTES);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        compare(cases[i].value, &arena);
    arena_fini(&arena);
}

static const char *const words[] = {
    "a",  "b.c", "@", "x.test", "<",  ">",  " ",  "\"",   ".",      "=",    "=?utf-8?Q?=40?=",
    "\t", ",",   ":", ";",      "\\", "(x", ")",  "\r\n", "[",      "]",    "\xc3\xa9",
    "\n", "\r",  "?", "Joe Q",  "-",  "_9", "\1", "Z",    "\r\n\t", " <a@", "@x.test>",
};

/* One of the forms, with up to two words put in somewhere in place of an octet. */
static struct span generate(uint64_t *seed)
{
    static const char *const forms[] = {"a.b@x.test", "<a@x.test>", "Joe Q. Public <joe@x.test>",
                                        "\"Public, Joe\" <joe@x.test>", " \t<a@x.test> "};
    static char text[200];
    size_t n =
        (size_t)snprintf(text, sizeof text, "%s", forms[random_next(seed) % COUNT_OF(forms)]);
    for (uint32_t odd = random_next(seed) % 3; odd; odd--) {
        const char *word = words[random_next(seed) % COUNT_OF(words)];
        size_t at = random_next(seed) % n, word_n = strlen(word);
        size_t skipped = random_next(seed) % 2;
        memmove(text + at + word_n, text + at + skipped, n - at - skipped);
        memcpy(text + at, word, word_n);
        n += word_n - skipped;
    }
    return span_of(text, n);
}

Test(plain, generated_by_both_ways)
{
    struct arena arena;
    uint64_t seed = 11;
    unsigned plain = 0, others = 0;
    arena_init(&arena, MAX_ARENA_BYTES);
    for (unsigned round = 0; round < 100000; round++) {
        if (compare(generate(&seed), &arena))
            plain++;
        else
            others++;
    }
    cr_expect(plain > 20000 && others > 20000, "%u plain, %u others", plain, others);
    arena_fini(&arena);
}

Test(plain, without_memory)
{
    struct arena arena;
    struct parsed parsed;
    arena_init(&arena, 16);
    parse(&parsed, &arena, SPAN("Joe <a@x.test>"));
    cr_expect(parsed.list.error == MAIL_ADDRESS_NO_MEMORY && parsed.list.count == 0 &&
              arena.failed);
    arena_fini(&arena);
}
