/* Names in wire form: what becomes one, what does not, and how it reads again. */
#include "dns/name.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "support/guard.h"

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10
#define L63 L60 "xyz"
#define L61 L60 "x"

enum builder
{
    DOMAIN,
    ZONE,
    RAW,
};

struct name_case
{
    enum builder builder;
    struct span text;
    enum dns_name_error error;
    const char *want; /* dns_name_text */
};

#define T(literal)                                                                                 \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }

/* clang-format off */
static const struct name_case cases[] = {
    {DOMAIN, T("example.com"), DNS_NAME_OK, "example.com"},
    {DOMAIN, T("Example.COM."), DNS_NAME_OK, "example.com"}, /* F16, DP-4 */
    {DOMAIN, T("com"), DNS_NAME_OK, "com"},
    {DOMAIN, T("_dmarc.a-b_c.9"), DNS_NAME_OK, "_dmarc.a-b_c.9"},
    {DOMAIN, T("-a.b-"), DNS_NAME_OK, "-a.b-"},
    {DOMAIN, T(""), DNS_NAME_EMPTY, NULL},
    {DOMAIN, T("."), DNS_NAME_EMPTY, NULL},
    {DOMAIN, T(".."), DNS_NAME_EMPTY_LABEL, NULL},
    {DOMAIN, T(".com"), DNS_NAME_EMPTY_LABEL, NULL},
    {DOMAIN, T("a..com"), DNS_NAME_EMPTY_LABEL, NULL},
    {DOMAIN, T("com.."), DNS_NAME_EMPTY_LABEL, NULL},
    /* A03, A04: bytes that would read differently elsewhere */
    {DOMAIN, T("sel._domainkey.attack.test.\0.x"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("a\\000b.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("evil\\046example.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("victim.test(.attack.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("victim.test'a.attack.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("victim.test\"=(.attack.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("a b.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("a%00.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("a\x7f.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("[192.0.2.1]"), DNS_NAME_BAD_BYTE, NULL},
    /* 63 and 64 octets in a label; 253 and 254 characters in a name */
    {DOMAIN, T(L63 ".test"), DNS_NAME_OK, L63 ".test"},
    {DOMAIN, T(L63 "x.test"), DNS_NAME_LABEL_TOO_LONG, NULL},
    {DOMAIN, T("test." L63 "x"), DNS_NAME_LABEL_TOO_LONG, NULL},
    {DOMAIN, T(L63 "." L63 "." L63 "." L60), DNS_NAME_OK, L63 "." L63 "." L63 "." L60},
    {DOMAIN, T(L63 "." L63 "." L63 "." L61), DNS_NAME_OK, L63 "." L63 "." L63 "." L61},
    {DOMAIN, T(L63 "." L63 "." L63 "." L61 "."), DNS_NAME_OK, L63 "." L63 "." L63 "." L61},
    {DOMAIN, T(L63 "." L63 "." L63 "." L61 "y"), DNS_NAME_TOO_LONG, NULL},
    {DOMAIN, T(L63 "." L63 "." L63 "." L60 ".a"), DNS_NAME_TOO_LONG, NULL},
    {DOMAIN, T(L63 "." L63 "." L63 "." L63 "." L63), DNS_NAME_TOO_LONG, NULL},
    /* DP-4, DV-47, SP-4: U-labels */
    {DOMAIN, T("b\303\274cher.example"), DNS_NAME_OK, "xn--bcher-kva.example"},
    {DOMAIN, T("B\303\274CHER.Example."), DNS_NAME_OK, "xn--bcher-kva.example"},
    {DOMAIN, T("_dmarc.b\303\274cher.example"), DNS_NAME_OK, "_dmarc.xn--bcher-kva.example"},
    {DOMAIN, T("stra\303\237e.example"), DNS_NAME_OK, "xn--strae-oqa.example"}, /* IDNA2008 */
    {DOMAIN, T("\344\276\213\343\201\210.\343\203\206\343\202\271\343\203\210"), DNS_NAME_OK, "xn--r8jz45g.xn--zckzah"},
    {DOMAIN, T("xn--bcher-kva.example"), DNS_NAME_OK, "xn--bcher-kva.example"},
    {DOMAIN, T("xn--a.example"), DNS_NAME_OK, "xn--a.example"},
    /* A17: nothing is mapped, dropped or read as a dot */
    {DOMAIN, T("victim\342\200\200.test"), DNS_NAME_BAD_IDN, NULL}, /* U+2000 */
    {DOMAIN, T("victim\342\200\213.test"), DNS_NAME_BAD_IDN, NULL}, /* U+200B */
    {DOMAIN, T("vic\302\255tim.test"), DNS_NAME_BAD_IDN, NULL},     /* U+00AD */
    {DOMAIN, T("victim\343\200\202test"), DNS_NAME_BAD_IDN, NULL},  /* U+3002 */
    {DOMAIN, T("victim\357\274\216test"), DNS_NAME_BAD_IDN, NULL},  /* U+FF0E */
    {DOMAIN, T("\357\275\226ictim.test"), DNS_NAME_BAD_IDN, NULL},  /* U+FF56 */
    {DOMAIN, T("\303\234ber.test"), DNS_NAME_BAD_IDN, NULL},        /* U+00DC, upper case */
    {DOMAIN, T("bu\314\210cher.test"), DNS_NAME_BAD_IDN, NULL},     /* not NFC */
    {DOMAIN, T("a\342\200\215b.test"), DNS_NAME_BAD_IDN, NULL},     /* U+200D without its context */
    {DOMAIN, T("_\303\274.test"), DNS_NAME_BAD_IDN, NULL},          /* "_" is no letter of a U-label */
    {DOMAIN, T("\314\210a.test"), DNS_NAME_BAD_IDN, NULL},          /* begins with a combining mark */
    {DOMAIN, T("-\303\274.test"), DNS_NAME_OK, "xn----eha.test"}, /* RFC 5891 5.4 lets it be looked up */
    {DOMAIN, T("xn--\303\274.test"), DNS_NAME_BAD_IDN, NULL},
    {DOMAIN, T("a\327\220b.test"), DNS_NAME_BAD_IDN, NULL},         /* RFC 5893: mixed direction */
    {DOMAIN, T("caf\351.test"), DNS_NAME_BAD_IDN, NULL},            /* Latin-1, no UTF-8 */
    {DOMAIN, T("\300\257.test"), DNS_NAME_BAD_IDN, NULL},           /* overlong UTF-8 */
    {DOMAIN, T("\355\240\200.test"), DNS_NAME_BAD_IDN, NULL},       /* surrogate */
    {DOMAIN, T("\303"), DNS_NAME_BAD_IDN, NULL},
    {DOMAIN, T("\303\274 b.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T("\303\274\0.test"), DNS_NAME_BAD_BYTE, NULL},
    {DOMAIN, T(L60 "\303\274.test"), DNS_NAME_LABEL_TOO_LONG, NULL},
    {DOMAIN, T(L60 L60 L60 L60 L60 L60 "\303\274.test"), DNS_NAME_LABEL_TOO_LONG, NULL},

    {ZONE, T("."), DNS_NAME_OK, "."},
    {ZONE, T("a.b"), DNS_NAME_OK, "a.b"},
    {ZONE, T("A.b."), DNS_NAME_OK, "a.b"},
    {ZONE, T("a\\.b.c"), DNS_NAME_OK, "a\\.b.c"},
    {ZONE, T("a\\046b.c\\\\"), DNS_NAME_OK, "a\\.b.c\\\\"},
    {ZONE, T("\\000\\032\\255\\127 .\\065\\;;"), DNS_NAME_OK, "\\000\\032\\255\\127\\032.a;;"},
    {ZONE, T("a\377\0b"), DNS_NAME_OK, "a\\255\\000b"},
    {ZONE, T(""), DNS_NAME_EMPTY, NULL},
    {ZONE, T(".."), DNS_NAME_EMPTY_LABEL, NULL},
    {ZONE, T(".a"), DNS_NAME_EMPTY_LABEL, NULL},
    {ZONE, T("a..b"), DNS_NAME_EMPTY_LABEL, NULL},
    {ZONE, T("a.."), DNS_NAME_EMPTY_LABEL, NULL},
    {ZONE, T("a\\"), DNS_NAME_BAD_BYTE, NULL},
    {ZONE, T("a\\25"), DNS_NAME_BAD_BYTE, NULL},
    {ZONE, T("a\\2x5"), DNS_NAME_BAD_BYTE, NULL},
    {ZONE, T("a\\256"), DNS_NAME_BAD_BYTE, NULL},
    {ZONE, T(L60 "\\001\\002\\003"), DNS_NAME_OK, L60 "\\001\\002\\003"},
    {ZONE, T(L60 "\\001\\002\\003\\004"), DNS_NAME_LABEL_TOO_LONG, NULL},

    /* E06: macro text becomes labels byte by byte */
    {RAW, T("a\\.b.test"), DNS_NAME_OK, "a\\\\.b.test"},
    {RAW, T("a\\000b.test"), DNS_NAME_OK, "a\\\\000b.test"},
    {RAW, T("a b\0\377.Test."), DNS_NAME_OK, "a\\032b\\000\\255.test"},
    {RAW, T("a..b"), DNS_NAME_EMPTY_LABEL, NULL},
    {RAW, T(""), DNS_NAME_EMPTY, NULL},
    {RAW, T("."), DNS_NAME_EMPTY, NULL},
    {RAW, T(".a"), DNS_NAME_EMPTY_LABEL, NULL},
    {RAW, T(L63 "." L63 "." L63 "." L61), DNS_NAME_OK, L63 "." L63 "." L63 "." L61},
    {RAW, T(L63 "." L63 "." L63 "." L61 "y"), DNS_NAME_TOO_LONG, NULL},
    {RAW, T(L63 "x"), DNS_NAME_LABEL_TOO_LONG, NULL},
};
/* clang-format on */

static enum dns_name_error build(struct dns_name *name, enum builder builder, struct span text)
{
    if (builder == DOMAIN)
        return dns_name_from_domain(name, text);
    return builder == ZONE ? dns_name_from_zone_text(name, text) : dns_name_from_raw(name, text);
}

Test(name, builders)
{
    static const struct dns_name untouched = {.wire = "\3old", .length = 5, .labels = 1};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct name_case *c = &cases[i];
        struct dns_name name = untouched;
        char text[DNS_NAME_TEXT_MAX];
        enum dns_name_error error = build(&name, c->builder, guard_copy(c->text));
        cr_expect(error == c->error, "case %zu \"%.*s\": got %s, want %s", i, (int)c->text.n,
                  (const char *)c->text.p, dns_name_error_word(error),
                  dns_name_error_word(c->error));
        if (error != c->error)
            continue;
        if (error) {
            cr_expect(memcmp(&name, &untouched, sizeof name) == 0, "case %zu: touched", i);
            continue;
        }
        dns_name_text(&name, text);
        cr_expect(strcmp(text, c->want) == 0, "case %zu: got \"%s\", want \"%s\"", i, text,
                  c->want);
        struct dns_name again;
        cr_expect(dns_name_from_zone_text(&again, span_from_string(text)) == DNS_NAME_OK &&
                      dns_name_equal(&name, &again) && name.labels == again.labels,
                  "case %zu: does not read back", i);
    }
}

/* Every byte value survives text and back, lower-cased. */
Test(name, every_byte)
{
    for (unsigned c = 0; c < 256; c++) {
        uint8_t raw[] = {'x', (uint8_t)c, 'y'};
        struct dns_name name, again;
        char text[DNS_NAME_TEXT_MAX];
        if (c == '.')
            continue;
        cr_assert(dns_name_from_raw(&name, span_of(raw, 3)) == DNS_NAME_OK);
        cr_expect(name.wire[2] == ascii_lower((uint8_t)c) && name.length == 5);
        dns_name_text(&name, text);
        cr_assert(dns_name_from_zone_text(&again, span_from_string(text)) == DNS_NAME_OK);
        cr_expect(dns_name_equal(&name, &again), "byte %u: \"%s\"", c, text);
    }
}

/* xorshift64: the same names in every run. */
static uint32_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}

/* Mostly good octets; every octet at times. */
static void fill(uint8_t *p, size_t n, uint64_t *seed)
{
    static const char good[] = "abcxyzABCXYZ0189-_abcdefghijklmnopqrstuvwxyz";
    uint32_t dots = next_random(seed) % 24 + 2, odd = next_random(seed) % 4;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = next_random(seed);
        p[i] = (uint8_t)good[r % (sizeof good - 1)];
        if (r / 64 % dots == 0)
            p[i] = '.';
        if (odd == 0 && r / 4096 % 64 == 0)
            p[i] = (uint8_t)(r >> 24);
    }
}

/*
 * What is short and plain is read in one pass, and with a dot at its end label by label: both ways
 * lead to the same name or error. At every length up to that limit, and above it.
 */
Test(name, plain_and_label_by_label)
{
    static const struct dns_name untouched = {.wire = "\3old", .length = 5, .labels = 1};
    static uint8_t memory[80 + 1];
    uint64_t seed = 0x9e3779b97f4a7c15;
    unsigned good = 0;
    for (unsigned round = 0; round < 200000; round++) {
        size_t n = 1 + round % 79;
        struct dns_name plain = untouched, any = untouched;
        uint8_t *text = memory + 80 - n;
        fill(text, n, &seed);
        memory[80] = '.';
        if (text[n - 1] == '.')
            continue;
        enum dns_name_error error = dns_name_from_domain(&plain, span_of(text, n));
        enum dns_name_error want = dns_name_from_domain(&any, span_of(text, n + 1));
        cr_assert(error == want, "\"%.*s\": got %s, want %s", (int)n, (const char *)text,
                  dns_name_error_word(error), dns_name_error_word(want));
        cr_assert(dns_name_equal(&plain, &any) && plain.labels == any.labels, "\"%.*s\"", (int)n,
                  (const char *)text);
        good += !error;
    }
    cr_expect(good > 50000, "%u good names", good);
}

/* Nothing behind the text is read, at any length. */
Test(name, plain_up_to_a_page)
{
    static const char text[] = L63 "." L10;
    for (size_t n = 1; n < sizeof text - 1; n++) {
        struct dns_name name;
        enum dns_name_error error =
            dns_name_from_domain(&name, guard_copy(span_of(text + sizeof text - 1 - n, n)));
        cr_expect(error == (text[sizeof text - 1 - n] == '.' ? DNS_NAME_EMPTY_LABEL : DNS_NAME_OK));
    }
}

struct packet_name_case
{
    struct span packet;
    size_t offset;
    size_t after; /* 0: refused */
    const char *want;
};

static const struct packet_name_case packet_cases[] = {
    {T("\1A\2bC\0"), 0, 6, "a.bc"},
    {T("\0"), 0, 1, "."},
    {T("\1a\0\1b\300\0x"), 3, 7, "b.a"},
    {T("\1a\0\300\0\300\3"), 5, 7, "a"}, /* a pointer to a pointer */
    {T("\1a"), 0, 0, NULL},              /* no end */
    {T("\2a"), 0, 0, NULL},              /* label past the end */
    {T("\77a"), 0, 0, NULL},
    {T(""), 0, 0, NULL},
    {T("\1a\0"), 3, 0, NULL},
    {T("\300"), 0, 0, NULL},         /* half a pointer */
    {T("\300\0"), 0, 0, NULL},       /* to itself */
    {T("\1a\300\0"), 0, 0, NULL},    /* to its own beginning */
    {T("\1a\300\0"), 2, 0, NULL},    /* by way of itself: "a" and round again */
    {T("\300\2\1a\0"), 0, 0, NULL},  /* forwards */
    {T("\300\2\300\0"), 2, 0, NULL}, /* two in a circle */
    {T("\100a\0"), 0, 0, NULL},      /* label type 01 */
    {T("\200a\0"), 0, 0, NULL},      /* label type 10 */
};

Test(name, from_packet)
{
    for (size_t i = 0; i < COUNT_OF(packet_cases); i++) {
        const struct packet_name_case *c = &packet_cases[i];
        struct dns_name name = {0};
        char text[DNS_NAME_TEXT_MAX];
        size_t after = dns_name_from_packet(&name, guard_copy(c->packet), c->offset);
        cr_expect(after == c->after, "case %zu: got %zu, want %zu", i, after, c->after);
        if (after && c->want)
            cr_expect(strcmp(dns_name_text(&name, text), c->want) == 0, "case %zu: %s", i, text);
    }
}

/* Pointers only lead backwards, so the longest ladder of them ends, and quickly. */
Test(name, pointer_ladder)
{
    static uint8_t packet[16384];
    size_t n = 1;
    for (; n + 2 <= sizeof packet; n += 2) {
        size_t target = n == 1 ? 0 : n - 2;
        packet[n] = (uint8_t)(0xc0 | target >> 8);
        packet[n + 1] = (uint8_t)target;
    }
    struct dns_name name;
    cr_expect(dns_name_from_packet(&name, span_of(packet, n), n - 2) == n);
    cr_expect(name.length == 1);
}

/* 255 octets on the wire are a name, 256 are not; compressed or not. */
Test(name, longest_in_a_packet)
{
    uint8_t packet[600];
    size_t n = 0;
    for (unsigned i = 0; i < 127; i++) {
        packet[n++] = 1;
        packet[n++] = 'a';
    }
    packet[n++] = 0;
    struct dns_name name;
    cr_expect(dns_name_from_packet(&name, span_of(packet, n), 0) == 255);
    cr_expect(name.length == 255 && name.labels == 127);
    memcpy(packet + n, "\300\0", 2);
    cr_expect(dns_name_from_packet(&name, span_of(packet, n + 2), n) == n + 2);
    memcpy(packet + n, "\1b\300\0", 4);
    cr_expect(dns_name_from_packet(&name, span_of(packet, n + 4), n) == 0);
    memcpy(packet + n, "\1b\300\2", 4);
    cr_expect(dns_name_from_packet(&name, span_of(packet, n + 4), n) == n + 4);
}

static struct dns_name of(const char *text)
{
    struct dns_name name = {0};
    cr_assert(dns_name_from_zone_text(&name, span_from_string(text)) == DNS_NAME_OK);
    return name;
}

Test(name, join_and_prepend)
{
    struct dns_name name = {0}, base = of("example.com"), root = of("."), prefix = of("a.b");
    char text[DNS_NAME_TEXT_MAX];
    cr_expect(dns_name_join(&name, &prefix, &base) == DNS_NAME_OK);
    cr_expect(strcmp(dns_name_text(&name, text), "a.b.example.com") == 0 && name.labels == 4);
    cr_expect(dns_name_join(&name, &root, &base) == DNS_NAME_OK && dns_name_equal(&name, &base));
    cr_expect(dns_name_join(&name, &base, &root) == DNS_NAME_OK && dns_name_equal(&name, &base));
    cr_expect(dns_name_prepend(&name, "_dmarc", &base) == DNS_NAME_OK);
    cr_expect(strcmp(dns_name_text(&name, text), "_dmarc.example.com") == 0);
    /* Onto itself. */
    cr_expect(dns_name_prepend(&name, "x", &name) == DNS_NAME_OK);
    cr_expect(strcmp(dns_name_text(&name, text), "x._dmarc.example.com") == 0);

    /* 247 + "_dmarc." is 254, 248 is 255, 249 is one too many (A-record of limits). */
    static const char *const longs[] = {
        L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 "a",
        L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 "abc",
        L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 "abcd",
        L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 "abcde",
    };
    static const enum dns_name_error want[] = {DNS_NAME_OK, DNS_NAME_OK, DNS_NAME_OK,
                                               DNS_NAME_TOO_LONG};
    for (size_t i = 0; i < COUNT_OF(longs); i++) {
        struct dns_name suffix = of(longs[i]), before = name;
        enum dns_name_error got = dns_name_prepend(&name, "_dmarc", &suffix);
        cr_expect(got == want[i], "%u octets: got %s", suffix.length, dns_name_error_word(got));
        cr_expect(got == DNS_NAME_OK || dns_name_equal(&name, &before));
    }
}

Test(name, ancestors)
{
    struct dns_name name = of("a.b\\.c.example"), up;
    char text[DNS_NAME_TEXT_MAX];
    static const char *const want[] = {"a.b\\.c.example", "b\\.c.example", "example", "."};
    for (unsigned i = 0; i < COUNT_OF(want); i++) {
        up = dns_name_ancestor(&name, i);
        cr_expect(strcmp(dns_name_text(&up, text), want[i]) == 0, "%u: %s", i, text);
        cr_expect(up.labels == 3 - i && dns_name_is_at_or_below(&name, &up));
        struct dns_name built = of(want[i]);
        cr_expect(up.length == built.length && memcmp(up.wire, built.wire, up.length) == 0);
    }
}

/* G03: labels, never strings. */
Test(name, at_or_below)
{
    static const struct
    {
        const char *name, *ancestor;
        bool want;
    } pairs[] = {
        {"example.com", "example.com", true},
        {"a.example.com", "example.com", true},
        {"aexample.com", "example.com", false},
        {"example.com", "a.example.com", false},
        {"example.com", ".", true},
        {".", ".", true},
        {".", "com", false},
        {"a\\.example.com", "example.com", false},
        {"x.\\007example.com", "example.com", false},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct dns_name name = of(pairs[i].name), ancestor = of(pairs[i].ancestor);
        cr_expect(dns_name_is_at_or_below(&name, &ancestor) == pairs[i].want, "%s below %s",
                  pairs[i].name, pairs[i].ancestor);
    }
}
