/*
 * Sizes and counts of one record, each at its limit - 1, limit and limit + 1: strings of 255
 * octets, answers of 512, and what the engine's parsers take.
 */
#include "lint/lint.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"

static struct arena arena;
static struct lint_findings findings;

static void setup(void)
{
    arena_init(&arena, MAX_ARENA_BYTES);
}

static void begin(void)
{
    arena_reset(&arena);
    lint_findings_init(&findings, &arena);
}

static const struct lint_finding *find(const char *code)
{
    for (const struct lint_finding *f = findings.first; f; f = f->next)
        if (strcmp(f->code, code) == 0)
            return f;
    return NULL;
}

/* `head`, `c` as often as it takes for `n` bytes with `tail`, `tail`; malloc'd. */
static struct span filled(const char *head, char c, size_t n, const char *tail)
{
    size_t before = strlen(head), after = strlen(tail);
    cr_assert(before + after <= n);
    char *text = malloc(n + 1);
    memcpy(text, head, before);
    memset(text + before, c, n - before - after);
    memcpy(text + n - after, tail, after + 1);
    return span_of(text, n);
}

struct limit_case
{
    const char *what;
    enum lint_kind kind;
    const char *head;
    char fill;
    const char *tail;
    size_t limit; /* the longest text without the finding */
    const char *code;
};

enum
{
    /* header, question of the root-less name, one TXT record: see size.c; a name of 0 here */
    ANSWER_512 = 512 - 12 - 4 - 12 - 2,
};

static const struct limit_case limit_cases[] = {
    {"one string", LINT_SPF, "v=spf1 x=", 'a', " -all", 255, "several_strings"},
    {"one string", LINT_DMARC, "v=DMARC1; p=reject; rua=mailto:", 'a', "@a.example", 255,
     "several_strings"},
    {"one string", LINT_DKIM, "v=DKIM1; n=", 'a', "; p=", 255, "several_strings"},
    {"one answer", LINT_SPF, "v=spf1 x=", 'a', " -all", ANSWER_512, "answer_over_512"},
    {"one answer", LINT_DMARC, "v=DMARC1; p=reject; rua=mailto:", 'a', "@a.example", ANSWER_512,
     "answer_over_512"},
    {"one answer", LINT_DKIM, "v=DKIM1; n=", 'a', "; p=", ANSWER_512, "answer_over_512"},
    {"record", LINT_SPF, "v=spf1 x=", 'a', " -all", MAX_SPF_RECORD_BYTES, "spf_record_too_long"},
    {"record", LINT_DMARC, "v=DMARC1; p=reject; rua=mailto:", 'a', "@a.example",
     MAX_DMARC_RECORD_BYTES, "dmarc_record_too_long"},
    {"record", LINT_DKIM, "v=DKIM1; n=", 'a', "; p=", MAX_KEY_RECORD_BYTES, "key_record_too_long"},
};

Test(lint_limits, bytes, .init = setup)
{
    for (size_t i = 0; i < COUNT_OF(limit_cases); i++) {
        const struct limit_case *c = &limit_cases[i];
        for (size_t n = c->limit - 1; n <= c->limit + 1; n++) {
            struct span text = filled(c->head, c->fill, n, c->tail);
            begin();
            lint_record(c->kind, NULL, text, &findings);
            cr_expect((find(c->code) != NULL) == (n > c->limit), "%s of %s: %zu bytes", c->code,
                      lint_kind_word(c->kind), n);
            free((void *)(uintptr_t)text.p);
        }
    }
}

/* What RFC 7208 3.4 asks of SPF is a matter of taste for keys, which are long. */
Test(lint_limits, severity_of_512, .init = setup)
{
    static const struct
    {
        enum lint_kind kind;
        const char *head, *tail;
        enum lint_severity severity;
    } cases[] = {{LINT_SPF, "v=spf1 x=", " -all", LINT_WARNING},
                 {LINT_DKIM, "v=DKIM1; n=", "; p=", LINT_NOTE},
                 {LINT_DMARC, "v=DMARC1; p=reject; rua=mailto:", "@a.example", LINT_NOTE}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        begin();
        lint_record(cases[i].kind, NULL, filled(cases[i].head, 'a', 600, cases[i].tail), &findings);
        const struct lint_finding *f = find("answer_over_512");
        cr_assert(f != NULL);
        cr_expect(f->severity == cases[i].severity, "%s: %s", lint_kind_word(cases[i].kind),
                  lint_severity_word(f->severity));
    }
}

/* The name's octets count in the packet. */
Test(lint_limits, answer_with_a_name, .init = setup)
{
    struct dns_name name;
    cr_assert(dns_name_from_domain(&name, SPAN("a.example")) == DNS_NAME_OK);
    for (size_t over = 0; over < 2; over++) {
        begin();
        lint_record(LINT_SPF, &name,
                    filled("v=spf1 x=", 'a', (size_t)ANSWER_512 - name.length + over, " -all"),
                    &findings);
        cr_expect((find("answer_over_512") != NULL) == (over == 1));
    }
}

Test(lint_limits, terms, .init = setup)
{
    for (size_t n = MAX_SPF_TERMS - 1; n <= MAX_SPF_TERMS + 1; n++) {
        char text[16 * 1024];
        size_t at = (size_t)snprintf(text, sizeof text, "v=spf1");
        for (size_t i = 0; i < n; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, " x%zu=y", i);
        begin();
        lint_record(LINT_SPF, NULL, span_of(text, at), &findings);
        cr_expect((find("too_many_terms") != NULL) == (n > MAX_SPF_TERMS), "%zu terms", n);
    }
}

Test(lint_limits, tags, .init = setup)
{
    static const struct
    {
        enum lint_kind kind;
        const char *head;
        size_t tags; /* of the head */
    } cases[] = {{LINT_DMARC, "v=DMARC1; p=reject; rua=mailto:d@a.example", 3},
                 {LINT_DKIM, "v=DKIM1; p=", 2}};
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        for (size_t n = MAX_TAGS - 1; n <= MAX_TAGS + 1; n++) {
            char text[4096];
            size_t at = (size_t)snprintf(text, sizeof text, "%s", cases[k].head);
            for (size_t i = cases[k].tags; i < n; i++)
                at += (size_t)snprintf(text + at, sizeof text - at, "; x%zu=y", i);
            begin();
            lint_record(cases[k].kind, NULL, span_of(text, at), &findings);
            cr_expect((find("too_many_tags") != NULL) == (n > MAX_TAGS), "%s: %zu tags",
                      lint_kind_word(cases[k].kind), n);
        }
    }
}

/* --- pasted strings: RFC 1035 3.3 --- */

Test(lint_limits, pasted_strings, .init = setup)
{
    for (size_t n = 254; n <= 256; n++) {
        struct span string = filled("v=spf1 x=", 'a', n, " -all");
        char text[300];
        int length = snprintf(text, sizeof text, "\"%.*s\"", (int)string.n, (const char *)string.p);
        struct span pasted = span_of(text, (size_t)length);
        begin();
        lint_pasted_record(LINT_SPF, NULL, &pasted, &findings);
        cr_expect((find("string_over_255") != NULL) == (n > 255), "%zu octets", n);
        cr_expect(span_equal(pasted, string), "%.*s", (int)pasted.n, (const char *)pasted.p);
    }
}

static const struct
{
    const char *pasted, *text, *code; /* code NULL: none of pasting */
} pasted_cases[] = {
    {"v=spf1 -all", "v=spf1 -all", NULL},
    {"\"v=spf1\" \" -all\"", "v=spf1 -all", NULL},
    {"\"v=spf1 \" \"-all\"", "v=spf1 -all", NULL},
    {" \"v=spf1 \"\t\"-all\" ", "v=spf1 -all", NULL},
    {"\"v=spf1 \"\"-all\"", "v=spf1 -all", NULL},
    {"\"v=spf1 mx\" \"-all\"", "v=spf1 mx-all", "lost_space"}, /* SP-8 */
    {"\"v=spf1 mx\" \"\" \" -all\"", "v=spf1 mx -all", NULL},
    {"\"v=spf1 \\045all\"", "v=spf1 -all", NULL},
    {"\"v=spf1 \\-all\"", "v=spf1 -all", NULL},
    {"\"v=spf1 -all", "\"v=spf1 -all", "bad_version"},
    {"\"v=spf1 -all\" x", "\"v=spf1 -all\" x", "bad_version"},
    {"\"v=spf1 -all\\", "\"v=spf1 -all\\", "bad_version"},
    {"\"v=spf1 \\999 -all\"", "\"v=spf1 \\999 -all\"", "bad_version"},
    {"\"v=spf1 \"\r\n\"-all\"\n", "v=spf1 -all", NULL},
    /* a zone file's line: RFC 1035 5.1 */
    {"a.example. 3600 IN TXT \"v=spf1 \" \"-all\"", "v=spf1 -all", NULL},
    {"@\tIN\ttxt\t( \"v=spf1 mx \"\n\t\"-all\" )  ; \"who\" sends\n", "v=spf1 mx -all", NULL},
    {"a TXT (\n\"v=spf1 mx\" ; hosts\n \" -all\")", "v=spf1 mx -all", NULL},
    {"TXT \"v=spf1 -all\"", "v=spf1 -all", NULL},
    {"a TXT ( ( \"v=spf1 -all\"", "v=spf1 -all", NULL},
    {"a TXT x \"v=spf1 -all\"", "a TXT x \"v=spf1 -all\"", "bad_version"},
    {"a TXT \"v=spf1 -all\" b TXT \"x\"", "a TXT \"v=spf1 -all\" b TXT \"x\"", "bad_version"},
    {"\"v=spf1 -all\" ; x", "\"v=spf1 -all\" ; x", "bad_version"},
    {"a TXT", "a TXT", "bad_version"},
};

Test(lint_limits, pasting, .init = setup)
{
    for (size_t i = 0; i < COUNT_OF(pasted_cases); i++) {
        struct span text = span_from_string(pasted_cases[i].pasted);
        begin();
        lint_pasted_record(LINT_SPF, NULL, &text, &findings);
        cr_expect(span_equal(text, span_from_string(pasted_cases[i].text)), "%s: %.*s",
                  pasted_cases[i].pasted, (int)text.n, (const char *)text.p);
        if (pasted_cases[i].code)
            cr_expect(find(pasted_cases[i].code) != NULL, "%s", pasted_cases[i].pasted);
        else
            cr_expect(!find("lost_space") && !find("bad_version"), "%s", pasted_cases[i].pasted);
    }
}

/* --- keys of every size that has a word: RFC 8301 3.2 --- */

/* A DER length in its shortest form. */
static uint8_t *put_length(uint8_t *p, size_t n)
{
    if (n > 0xff)
        *p++ = 0x82, *p++ = (uint8_t)(n >> 8);
    else if (n > 0x7f)
        *p++ = 0x81;
    *p++ = (uint8_t)n;
    return p;
}

/* SEQUENCE { INTEGER of that many bits, INTEGER exponent } in base64. */
static struct span key_of(unsigned bits, uint8_t exponent, uint8_t last)
{
    static char text[4096];
    uint8_t der[2048], inner[2048], *p = inner;
    size_t bytes = (bits + 7) / 8, pad = bits % 8 == 0;
    *p++ = 0x02;
    p = put_length(p, pad + bytes);
    if (pad)
        *p++ = 0;
    memset(p, 0xff, bytes);
    p[0] = (uint8_t)(bits % 8 ? (1u << bits % 8) - 1 : 0xff);
    p[bytes - 1] = last;
    p += bytes;
    *p++ = 0x02, *p++ = 1, *p++ = exponent;
    der[0] = 0x30;
    uint8_t *end = put_length(der + 1, (size_t)(p - inner));
    memcpy(end, inner, (size_t)(p - inner));
    size_t n = (size_t)(end - der) + (size_t)(p - inner);
    size_t at = (size_t)snprintf(text, sizeof text, "v=DKIM1; p=");
    base64_encode(span_of(der, n), text + at);
    return span_of(text, at + BASE64_ENCODED_LENGTH(n));
}

static const struct
{
    unsigned bits;
    uint8_t exponent, last;
    const char *code; /* NULL: none about the key */
} keys[] = {
    {1023, 3, 0xff, "key_too_small"},
    {1024, 3, 0xff, "short_key"},
    {1025, 3, 0xff, "short_key"},
    {2047, 3, 0xff, "short_key"},
    {2048, 3, 0xff, NULL},
    {2049, 3, 0xff, NULL},
    {4095, 3, 0xff, NULL},
    {4096, 3, 0xff, NULL},
    {4097, 3, 0xff, "long_key"},
    {8192, 3, 0xff, "long_key"},
    {8193, 3, 0xff, "key_too_large"},
    {2048, 2, 0xff, "key_bad_exponent"},
    {2048, 1, 0xff, "key_bad_exponent"},
    {2048, 3, 0xfe, "key_bad_modulus"},
};

Test(lint_limits, key_sizes, .init = setup)
{
    static const char *const codes[] = {"key_too_small",    "short_key",        "long_key",
                                        "key_too_large",    "key_bad_exponent", "key_bad_modulus",
                                        "key_bad_encoding", "bad_key_data"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        begin();
        lint_record(LINT_DKIM, NULL, key_of(keys[i].bits, keys[i].exponent, keys[i].last),
                    &findings);
        for (size_t k = 0; k < COUNT_OF(codes); k++)
            cr_expect((find(codes[k]) != NULL) ==
                          (keys[i].code && strcmp(keys[i].code, codes[k]) == 0),
                      "%u bits, e=%u: %s", keys[i].bits, keys[i].exponent, codes[k]);
    }
}

Test(lint_limits, key_characters, .init = setup)
{
    for (size_t n = MAX_P_CHARS; n <= MAX_P_CHARS + 4; n += 4) {
        struct span text = filled("v=DKIM1; p=", 'A', strlen("v=DKIM1; p=") + n, "");
        begin();
        lint_record(LINT_DKIM, NULL, text, &findings);
        cr_expect((find("p_too_long") != NULL) == (n > MAX_P_CHARS), "%zu", n);
    }
}

Test(lint_limits, kinds, .init = setup)
{
    static const struct
    {
        const char *text;
        enum lint_kind kind;
    } texts[] = {
        {"v=spf1 -all", LINT_SPF}, {"V=SPF1", LINT_SPF},
        {"spf2.0/pra", LINT_SPF},  {"\"v=spf1", LINT_SPF},
        {"v=spf10", LINT_SPF},     {"v=DKIM1; p=", LINT_DKIM},
        {"k=rsa; p=", LINT_DKIM},  {"p=MIGfAA", LINT_DKIM},
        {"v=dkim1", LINT_DKIM},    {"v=DMARC1; p=none", LINT_DMARC},
        {"v=dmarc1", LINT_DMARC},  {"p=none; v=DMARC1", LINT_DMARC},
        {"", LINT_KIND_UNKNOWN},   {"hello", LINT_KIND_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        cr_expect(lint_kind_of(span_from_string(texts[i].text)) == texts[i].kind, "%s",
                  texts[i].text);
}
