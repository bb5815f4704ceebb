/* SPF record syntax (SP-7 to SP-15), its limits, and security.md E08, E09. */
#include "spf/record.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "support/guard.h"

static struct limit_hits hits;

struct syntax_case
{
    const char *text;
    const char *reason; /* NULL: valid */
    uint32_t count;     /* directives, where valid */
    uint32_t at;        /* where the bad term begins */
};

/* clang-format off */
static const struct syntax_case syntax_cases[] = {
    {"v=spf1", NULL, 0, 0},
    {"V=SpF1", NULL, 0, 0}, /* SP-7 */
    {"v=spf1    ", NULL, 0, 0},
    {"v=spf1 a  mx -all  ", NULL, 3, 0}, /* SP-10: one or more SP */
    {"v=spf1\ta", "bad_version", 0, 0},
    {"v=spf1 a\tmx", "unexpected_argument", 0, 7}, /* SP-10: no HTAB */
    {"v=spf1 A MX PTR ALL IP4:192.0.2.1 Exists:A.Example INCLUDE:b.example", NULL, 7, 0},
    {"v=spf1 -all moo", "unknown_mechanism", 0, 12}, /* SP-9: behind a matching term */
    {"v=spf1 moo=a moo=a Moo=b", NULL, 0, 0},        /* SP-10: unknown modifiers may repeat */
    {"v=spf1 moo.cow-far_out=man:dog/cat", NULL, 0, 0},
    {"v=spf1 moo=", NULL, 0, 0},
    {"v=spf1 moo=%abc", "bad_macro", 0, 7},
    {"v=spf1 moo=%{c}%{r}%{t}", NULL, 0, 0}, /* the grammar's letters; only exp text shows them */
    {"v=spf1 moo=\x01", "bad_macro", 0, 7},
    {"v=spf1 1up=foo", "bad_modifier_name", 0, 7},
    {"v=spf1 =foo", "bad_modifier_name", 0, 7},
    {"v=spf1 -moo=foo", "qualifier_on_modifier", 0, 7}, /* SP-15 */
    {"v=spf1 -redirect=b.example", "qualifier_on_modifier", 0, 7},
    {"v=spf1 redirect=b.example redirect=b.example", "duplicate_redirect", 0, 26}, /* SP-11 */
    {"v=spf1 exp=b.example all EXP=b.example", "duplicate_exp", 0, 25},
    {"v=spf1 redirect=", "bad_domain_spec", 0, 7},
    {"v=spf1 exp=", "bad_domain_spec", 0, 7},
    {"v=spf1 redirect=b.example/24", "bad_domain_spec", 0, 7},
    {"v=spf1 redirect:b.example", "unknown_mechanism", 0, 7},
    {"v=spf1 --all", "unknown_mechanism", 0, 7},
    {"v=spf1 -", "unknown_mechanism", 0, 7},
    {"v=spf1 all.", "unknown_mechanism", 0, 7},
    {"v=spf1 all:", "unexpected_argument", 0, 7},
    {"v=spf1 all/8", "unexpected_argument", 0, 7},
    /* SP-13 */
    {"v=spf1 include", "missing_argument", 0, 7},
    {"v=spf1 include:", "bad_domain_spec", 0, 7},
    {"v=spf1 include:b.example/24", "bad_domain_spec", 0, 7},
    {"v=spf1 include:b.example.", NULL, 1, 0},
    {"v=spf1 include:b.example..", "bad_domain_spec", 0, 7},
    {"v=spf1 exists", "missing_argument", 0, 7},
    {"v=spf1 exists/24", "unexpected_argument", 0, 7},
    {"v=spf1 a:", "bad_domain_spec", 0, 7},
    {"v=spf1 a:/24", "bad_domain_spec", 0, 7},
    {"v=spf1 a:museum", "bad_domain_spec", 0, 7},
    {"v=spf1 a:museum.", "bad_domain_spec", 0, 7},
    {"v=spf1 a:.museum", NULL, 1, 0}, /* the grammar has it; no such name when it is looked up */
    {"v=spf1 a:b.123", "bad_domain_spec", 0, 7},
    {"v=spf1 a:b.1-3", NULL, 1, 0},
    {"v=spf1 a:b.-c", "bad_domain_spec", 0, 7},
    {"v=spf1 a:b.c-", "bad_domain_spec", 0, 7},
    {"v=spf1 a:b.c_d", "bad_domain_spec", 0, 7},
    {"v=spf1 a:b.example:8080", "bad_domain_spec", 0, 7},
    {"v=spf1 a:foo:bar/baz.example", NULL, 1, 0},
    {"v=spf1 a:192.0.2.1", "address_as_domain", 0, 7},
    {"v=spf1 mx:192.0.2.1/24", "address_as_domain", 0, 7},
    {"v=spf1 a:%{d}", NULL, 1, 0},
    {"v=spf1 a:%{d}.", "bad_domain_spec", 0, 7},
    {"v=spf1 a:b.%%", NULL, 1, 0},
    {"v=spf1 a:b.%-", NULL, 1, 0},
    {"v=spf1 a:%-.example", NULL, 1, 0},
    {"v=spf1 a:b.%-c", "bad_domain_spec", 0, 7},
    {"v=spf1 a:%{d}example", "bad_domain_spec", 0, 7},
    {"v=spf1 a:%{d}.example", NULL, 1, 0},
    {"v=spf1 a:%{d/}/24", NULL, 1, 0},
    {"v=spf1 a:%{c}.example", "bad_domain_spec", 0, 7}, /* SP-28 */
    {"v=spf1 a:\xc3\xa4.example", "bad_domain_spec", 0, 7},
    {"v=spf1 \xe2\x80\x8b" "all", "unknown_mechanism", 0, 7},
    {"v=spf1 ptr", NULL, 1, 0},
    {"v=spf1 ptr:", "bad_domain_spec", 0, 7},
    {"v=spf1 ptr/0", "unexpected_argument", 0, 7},
    /* SP-14, E09 */
    {"v=spf1 a/0 a/32 a//0 a//128 a/24//64 mx:b.example/24//64", NULL, 6, 0},
    {"v=spf1 a/", "bad_prefix", 0, 7},
    {"v=spf1 a//", "bad_prefix", 0, 7},
    {"v=spf1 a/24//", "bad_prefix", 0, 7},
    {"v=spf1 a/24/64", "bad_prefix", 0, 7},
    {"v=spf1 a///64", "bad_prefix", 0, 7},
    {"v=spf1 a//64/24", "bad_prefix", 0, 7},
    {"v=spf1 a//64//64", "bad_prefix", 0, 7},
    {"v=spf1 a/33", "bad_prefix", 0, 7},
    {"v=spf1 a//129", "bad_prefix", 0, 7},
    {"v=spf1 a/024", "bad_prefix", 0, 7},
    {"v=spf1 a/00", "bad_prefix", 0, 7},
    {"v=spf1 a//064", "bad_prefix", 0, 7},
    {"v=spf1 a/+4", "unexpected_argument", 0, 7},
    {"v=spf1 a/9999999999999999999999", "bad_prefix", 0, 7},
    {"v=spf1 ip4", "missing_argument", 0, 7},
    {"v=spf1 ip4:", "bad_ip4", 0, 7},
    {"v=spf1 ip4:0.0.0.0/0 ip4:255.255.255.255/32", NULL, 2, 0},
    {"v=spf1 ip4:1.2.3.4/33", "bad_prefix", 0, 7},
    {"v=spf1 ip4:1.2.3.4/", "bad_prefix", 0, 7},
    {"v=spf1 ip4:1.2.3.4//32", "bad_prefix", 0, 7},
    {"v=spf1 ip4:1.2.3", "bad_ip4", 0, 7},
    {"v=spf1 ip4:1.2.3.04", "bad_ip4", 0, 7},
    {"v=spf1 ip4:1.2.3.256", "bad_ip4", 0, 7},
    {"v=spf1 ip4:1.2.3.4.5", "bad_ip4", 0, 7},
    {"v=spf1 ip4:1.2.3.4:25", "bad_ip4", 0, 7},
    {"v=spf1 ip4:2001:db8::1", "bad_ip4", 0, 7},
    {"v=spf1 ip6", "missing_argument", 0, 7},
    {"v=spf1 ip6:::/0 ip6:2001:db8::1/128 ip6:::ffff:192.0.2.1", NULL, 3, 0},
    {"v=spf1 ip6:::/129", "bad_prefix", 0, 7},
    {"v=spf1 ip6:::1//33", "bad_prefix", 0, 7},
    {"v=spf1 ip6:192.0.2.1", "bad_ip6", 0, 7},
    {"v=spf1 ip6:fe80::1%eth0", "bad_ip6", 0, 7},
    {"v=spf1 ip6::CAFE::BABE", "bad_ip6", 0, 7},
    /* E08: not this version */
    {"v=spf10", "bad_version", 0, 0},
    {"v=spf2.0/mfrom all", "bad_version", 0, 0},
    {"v=spf", "bad_version", 0, 0},
    {" v=spf1", "bad_version", 0, 0},
    {"", "bad_version", 0, 0},
};
/* clang-format on */

static uint32_t terms_count(const struct spf_record *record)
{
    struct spf_term term;
    size_t at = 0;
    uint32_t count = 0;
    while (spf_record_next(record, &at, &term))
        count++;
    return count;
}

Test(spf_record, whole_record_is_validated)
{
    for (size_t i = 0; i < COUNT_OF(syntax_cases); i++) {
        const struct syntax_case *c = &syntax_cases[i];
        struct spf_record record = {.count = 77};
        struct spf_syntax_error error = {"", 0};
        struct span text = guard_copy(span_from_string(c->text));
        bool ok = spf_record_parse(text, &hits, &record, &error);
        cr_expect(ok == !c->reason, "\"%s\": got %s, want %s", c->text, ok ? "valid" : error.reason,
                  c->reason ? c->reason : "valid");
        if (ok) {
            cr_expect(record.count == c->count && terms_count(&record) == c->count,
                      "\"%s\": got %u directives, want %u", c->text, record.count, c->count);
            continue;
        }
        cr_expect(strcmp(error.reason, c->reason ? c->reason : "") == 0,
                  "\"%s\": got \"%s\", want \"%s\"", c->text, error.reason, c->reason);
        cr_expect(error.at == c->at, "\"%s\": got offset %u, want %u", c->text, error.at, c->at);
        cr_expect(record.count == 77, "\"%s\": the record was touched", c->text);
    }
}

/* SP-13: NUL bytes are not the end of the text. */
Test(spf_record, nul_bytes_are_bytes)
{
    struct spf_record record;
    struct spf_syntax_error error;
    cr_expect(!spf_record_parse(SPAN("v=spf1 a:foo.example\0"), &hits, &record, &error));
    cr_expect(!spf_record_parse(SPAN("v=spf1 all\0 -all"), &hits, &record, &error));
    cr_expect(!spf_is_record(SPAN("v=spf1\0")));
}

struct term_case
{
    const char *text;
    enum spf_mechanism mechanism;
    char qualifier;
    const char *domain_spec;
    const char *network;
    uint8_t prefix4, prefix6;
};

static const struct term_case term_cases[] = {
    {"all", SPF_ALL, '+', "", "", 32, 128},
    {"-ALL", SPF_ALL, '-', "", "", 32, 128},
    {"~include:b.example", SPF_INCLUDE, '~', "b.example", "", 32, 128},
    {"?a", SPF_A, '?', "", "", 32, 128},
    {"+a/8//16", SPF_A, '+', "", "", 8, 16},
    {"a://24.example/24", SPF_A, '+', "//24.example", "", 24, 128},
    {"mx:b.example//0", SPF_MX, '+', "b.example", "", 32, 0},
    {"ptr:b.example", SPF_PTR, '+', "b.example", "", 32, 128},
    {"exists:%{ir}.b.example", SPF_EXISTS, '+', "%{ir}.b.example", "", 32, 128},
    {"ip4:192.0.2.0/24", SPF_IP4, '+', "", "192.0.2.0", 24, 128},
    {"ip6:2001:db8::/32", SPF_IP6, '+', "", "2001:db8::", 32, 32},
};

/* SP-14, SP-15: what a directive is read as; modifiers are passed over. */
Test(spf_record, directives)
{
    for (size_t i = 0; i < COUNT_OF(term_cases); i++) {
        const struct term_case *c = &term_cases[i];
        char text[128];
        char network[IP_TEXT_MAX];
        struct spf_record record;
        struct spf_syntax_error error;
        struct spf_term term;
        size_t at = 0;
        snprintf(text, sizeof text, "v=spf1  x=y %s z=", c->text);
        cr_assert(spf_record_parse(span_from_string(text), &hits, &record, &error), "%s", text);
        cr_assert(spf_record_next(&record, &at, &term));
        cr_expect(span_equal(term.text, span_from_string(c->text)));
        cr_expect(term.mechanism == c->mechanism && term.qualifier == c->qualifier, "%s", text);
        cr_expect(span_equal(term.domain_spec, span_from_string(c->domain_spec)), "%s: \"%.*s\"",
                  text, (int)term.domain_spec.n, (const char *)term.domain_spec.p);
        cr_expect(strcmp(ip_text(&term.network, network), c->network) == 0, "%s: %s", text,
                  network);
        cr_expect(term.prefix4 == c->prefix4 && term.prefix6 == c->prefix6, "%s: /%u//%u", text,
                  term.prefix4, term.prefix6);
        cr_expect(!spf_record_next(&record, &at, &term));
    }
}

Test(spf_record, modifiers_stand_anywhere)
{
    struct spf_record record;
    struct spf_syntax_error error;
    cr_assert(spf_record_parse(SPAN("v=spf1 exp=e.%{d2} a Redirect=r.example -all"), &hits, &record,
                               &error));
    cr_expect(span_equal(record.exp, SPAN("e.%{d2}")));
    cr_expect(span_equal(record.redirect, SPAN("r.example")));
    cr_expect(span_equal(record.redirect_text, SPAN("Redirect=r.example")));
    cr_expect(record.has_all); /* SP-12 */
}

/* E08 and the limits table: MAX_SPF_TERMS - 1, as many, one more; modifiers count too. */
Test(spf_record, limit_terms)
{
    for (uint32_t n = MAX_SPF_TERMS - 1; n <= MAX_SPF_TERMS + 1; n++) {
        struct buffer text;
        struct limit_hits counted = {.set = 0};
        struct spf_record record;
        struct spf_syntax_error error = {NULL, 0};
        buffer_init(&text, MAX_SPF_RECORD_BYTES);
        buffer_append_string(&text, "v=spf1");
        for (uint32_t i = 0; i < n; i++)
            buffer_append_string(&text, i % 2 ? " x=y" : " a");
        bool ok = spf_record_parse(buffer_span(&text), &counted, &record, &error);
        cr_expect(ok == (n <= MAX_SPF_TERMS), "%u terms", n);
        cr_expect(counted.n[LIMIT_SPF_TERMS] == (n > MAX_SPF_TERMS));
        cr_expect(ok || strcmp(error.reason, "too_many_terms") == 0);
        buffer_fini(&text);
    }
}

Test(spf_record, limit_bytes)
{
    for (size_t n = MAX_SPF_RECORD_BYTES - 1; n <= MAX_SPF_RECORD_BYTES + 1; n++) {
        uint8_t *text = malloc(n);
        struct limit_hits counted = {.set = 0};
        struct spf_record record;
        struct spf_syntax_error error = {NULL, 0};
        cr_assert(text != NULL);
        memset(text, ' ', n);
        memcpy(text, "v=spf1", 6);
        memcpy(text + n - 4, "-all", 4);
        bool ok = spf_record_parse(span_of(text, n), &counted, &record, &error);
        cr_expect(ok == (n <= MAX_SPF_RECORD_BYTES), "%zu bytes", n);
        cr_expect(counted.n[LIMIT_SPF_RECORD_BYTES] == (n > MAX_SPF_RECORD_BYTES));
        cr_expect(ok || strcmp(error.reason, "spf_record_too_long") == 0);
        free(text);
    }
}

static const char *const long_records[] = {
    "v=spf1 a mx ptr ip4:192.0.2.0/24 ip6:2001:db8::/32 include:_spf.%{d2} exists:%{ir}.x.example "
    "a:b.example/24//64 ~mx/8 ?all exp=e.%{o} redirect=%{d}.r.example. x=%{T3r.-+,/_=}%%%_%-",
    "V=SPF1 a://24.x//64 moo.cow-far_out=man:dog/cat",
};

/* Every prefix of a record ends at an inaccessible page: no byte behind the text is read. */
Test(spf_record, every_prefix_at_a_guard_page)
{
    for (size_t i = 0; i < COUNT_OF(long_records); i++) {
        struct span whole = span_from_string(long_records[i]);
        for (size_t n = 0; n <= whole.n; n++) {
            struct span text = guard_copy(span_slice(whole, 0, n));
            struct spf_record record;
            struct spf_syntax_error error;
            bool ok = spf_record_parse(text, &hits, &record, &error);
            cr_expect(!ok || terms_count(&record) == record.count);
            cr_expect(ok || error.at <= n);
        }
    }
}
