/*
 * lint_record: one record without the DNS, a row for each code, and agreement with the engine's own
 * parsers: what they refuse is an error here, what they take is none.
 */
#include "lint/lint.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "spf/record.h"
#include "support/guard.h"

/* Codes of a text's findings as "error:pass_all@7+4 note:host_bits@12+15"; malloc'd. */
static char *codes_of(enum lint_kind kind, struct span text, const struct dns_name *name)
{
    static struct arena arena; /* findings of one case at a time */
    static bool begun;
    struct lint_findings findings;
    char *line = NULL;
    size_t n;
    if (!begun)
        arena_init(&arena, MAX_ARENA_BYTES);
    begun = true;
    arena_reset(&arena);
    lint_findings_init(&findings, &arena);
    lint_record(kind, name, text, &findings);
    FILE *out = open_memstream(&line, &n);
    for (const struct lint_finding *f = findings.first; f; f = f->next) {
        fprintf(out, "%s%s:%s", f == findings.first ? "" : " ", lint_severity_word(f->severity),
                f->code);
        if (f->length)
            fprintf(out, "@%zu+%zu", f->at, f->length);
        cr_expect(f->at + f->length <= text.n, "%s: outside of the record", f->code);
        cr_expect(f->what.n > 0, "%s says nothing", f->code);
    }
    fclose(out);
    cr_expect(!findings.failed);
    return line;
}

struct record_case
{
    const char *text;
    const char *codes;
};

static void check_cases(enum lint_kind kind, const struct record_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *got = codes_of(kind, guard_copy(span_from_string(cases[i].text)), NULL);
        cr_expect(strcmp(got, cases[i].codes) == 0, "%s\n  got  %s\n  want %s", cases[i].text, got,
                  cases[i].codes);
        free(got);
    }
}

/* clang-format off */
static const struct record_case spf_cases[] = {
    {"v=spf1 mx ip4:192.0.2.0/24 -all", ""},
    {"v=spf1 -all", ""},
    {"v=spf1 include:b.example ~all", ""},
    {"v=spf1 redirect=b.example", ""},
    {"V=SPF1 MX -ALL", ""},
    /* the version: SP-7 */
    {"v=spf10 -all", "error:bad_version@0+7"},
    {" v=spf1 -all", "error:bad_version@0+1"},
    {"\"v=spf1 -all\"", "error:bad_version@0+1"},
    {"v=spf1; -all", "error:bad_version@0+7"},
    {"spf2.0/pra -all", "error:bad_version@0+10"},
    /* syntax, every fault at its place: SP-9 to SP-15 */
    {"v=spf1 ipv4:192.0.2.1 -all", "error:unknown_mechanism@7+4"},
    {"v=spf1 192.0.2.1 -all", "error:unknown_mechanism@7+9"},
    {"v=spf1 mx, -all", "error:unexpected_argument@7+3"},
    {"v=spf1 a\tmx -all", "error:unexpected_argument@7+4"},
    {"v=spf1 redirect:b.example", "error:unknown_mechanism@7+8"},
    {"v=spf1 include -all", "error:missing_argument@7+7"},
    {"v=spf1 include: -all", "error:bad_domain_spec@7+8"},
    {"v=spf1 include:b.example/24 -all", "error:bad_domain_spec@15+12"},
    {"v=spf1 a:192.0.2.1 -all", "error:address_as_domain@9+9"},
    {"v=spf1 ip4:192.0.2.1/33 -all", "error:bad_prefix@20+3"},
    {"v=spf1 a/024 -all", "error:bad_prefix@8+4"},
    {"v=spf1 ip4:192.0.2 -all", "error:bad_ip4@11+7"},
    {"v=spf1 ip4:2001:db8::1 -all", "error:bad_ip4@11+11"},
    {"v=spf1 ip6:192.0.2.1 -all", "error:bad_ip6@11+9"},
    {"v=spf1 exists:%i.b.example -all", "error:bad_domain_spec@14+12"},
    {"v=spf1 moo=%x -all", "error:bad_macro@11+2"},
    {"v=spf1 -redirect=b.example", "error:qualifier_on_modifier@7+19"},
    {"v=spf1 1a=b -all", "error:bad_modifier_name@7+4"},
    {"v=spf1 all:x -all", "error:unexpected_argument@7+5"},
    {"v=spf1 redirect=b.example redirect=c.example", "error:duplicate_redirect@26+18"},
    {"v=spf1 exp=b.example exp=b.example -all", "error:duplicate_exp@21+13"},
    {"v=spf1 ip:192.0.2.1 foo mx:a/99 -all",
     "error:unknown_mechanism@7+2 error:unknown_mechanism@20+3 error:bad_prefix@28+3"},
    /* names that cannot be: SP-34 */
    {"v=spf1 mx:a..b -all", "warning:bad_target@10+4"},
    {"v=spf1 redirect=a..b", "error:bad_target@16+4"},
    /* the end */
    {"v=spf1", "warning:no_all"},
    {"v=spf1 mx", "warning:no_all"},
    {"v=spf1 mx all", "error:pass_all@10+3"},
    {"v=spf1 mx +all", "error:pass_all@10+4"},
    {"v=spf1 mx ?all", "warning:neutral_all@10+4"},
    {"v=spf1 -all mx ip4:192.0.2.1", "warning:after_all@12+2 warning:after_all@15+13"},
    {"v=spf1 -all redirect=b.example", "warning:redirect_with_all@12+18"}, /* SP-12 */
    {"v=spf1 redirect=b.example -all", "warning:redirect_with_all@7+18"},
    /* ranges */
    {"v=spf1 ip4:0.0.0.0/0 -all", "error:whole_internet@7+13"},
    {"v=spf1 ip6:::/0 -all", "error:whole_internet@7+8"},
    {"v=spf1 a/0 -all", "error:whole_internet@7+3"},
    {"v=spf1 mx//0 -all", "error:whole_internet@7+5"},
    {"v=spf1 ip4:11.0.0.0/8 -all", "warning:wide_range@7+14"},
    {"v=spf1 ip4:11.0.0.0/9 -all", ""},
    {"v=spf1 a/8 -all", "warning:wide_range@7+3"},
    {"v=spf1 ip6:2000::/19 -all", "warning:wide_range@7+13"},
    {"v=spf1 ip6:2000::/20 -all", ""},
    {"v=spf1 -ip4:0.0.0.0/0 ~all", ""},
    {"v=spf1 ip4:10.1.0.0/16 -all", "warning:private_range@7+15"},
    {"v=spf1 ip6:fd00::/8 -all", "warning:private_range@7+12"},
    {"v=spf1 ip4:192.0.2.77/24 -all", "note:host_bits@7+17"},
    {"v=spf1 ip6:::ffff:192.0.2.1 -all", "warning:mapped_ip6@7+20"}, /* SP-5 */
    /* twice */
    {"v=spf1 a a -all", "warning:duplicate_term@9+1"},
    {"v=spf1 include:b.example ?include:B.example -all", "warning:duplicate_term@25+18"},
    {"v=spf1 ip4:192.0.2.1 ip4:192.0.2.1/32 -all", "warning:duplicate_term@21+16"},
    {"v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 -all", "warning:covered_term@24+13"},
    {"v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 -all", "warning:covered_term@7+13"},
    {"v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all", ""}, /* an exception */
    /* not to be used, ignored */
    {"v=spf1 ptr -all", "warning:ptr_used@7+3"},
    {"v=spf1 exists:%{p}.b.example -all", "warning:ptr_macro@14+14"},
    {"v=spf1 include=b.example -all", "error:mechanism_with_equals@7+17"},
    {"v=spf1 moo=cow -all", "note:unknown_modifier@7+7"}, /* SP-10 */
    {"v=spf1 mx v=spf1 -all", "warning:version_inside@10+6"},
};

static const struct record_case dmarc_cases[] = {
    {"v=DMARC1; p=reject; rua=mailto:d@a.example", ""},
    {"v=DMARC1;p=quarantine;rua=mailto:d@a.example;", ""},
    {"v=DMARC1; p=none; rua=mailto:d@a.example", "note:policy_none@10+6"},
    {"v = DMARC1 ; p = reject ; rua = mailto:d@a.example", ""}, /* DP-7 */
    /* DP-7: the version */
    {"v=DMARC1 p=reject", "error:bad_version@0+17"},
    {"v=dmarc1; p=reject", "error:bad_version@0+8"},
    {"p=reject; v=DMARC1", "error:bad_version@0+8"},
    {" v=DMARC1; p=reject", "error:bad_version@1+8"},
    {"v=DMARC1\\; p=reject", "error:escaped_semicolon@8+2 error:bad_version@0+9"},
    /* policies */
    {"v=DMARC1; rua=mailto:d@a.example", "warning:no_policy_tag"}, /* DP-26 */
    {"v=DMARC1", "error:no_policy_tag warning:no_rua"},
    {"v=DMARC1; p=rejct; rua=mailto:d@a.example", "error:bad_policy_tag@10+7"},
    {"v=DMARC1; p=; rua=mailto:d@a.example", "error:bad_policy_tag@10+2"},
    {"v=DMARC1; p=reject; sp=none; rua=mailto:d@a.example", "warning:weaker_sp@20+7"},
    {"v=DMARC1; p=reject; np=quarantine; rua=mailto:d@a.example", "warning:weaker_np@20+13"},
    {"v=DMARC1; p=none; sp=reject; rua=mailto:d@a.example", "note:policy_none@10+6"},
    {"v=DMARC1; p=reject; sp=x; rua=mailto:d@a.example", "error:bad_policy_tag@20+4"},
    /* removed, unknown, order, case */
    {"v=DMARC1; p=reject; pct=50; rua=mailto:d@a.example", "warning:removed_tag@20+6"},
    {"v=DMARC1; p=reject; pct=100; rua=mailto:d@a.example", "note:removed_tag@20+7"},
    {"v=DMARC1; p=reject; rf=afrf; ri=86400; rua=mailto:d@a.example",
     "note:removed_tag@20+7 note:removed_tag@29+8"},
    {"v=DMARC1; p=reject; rau=mailto:d@a.example", "warning:unknown_tag@20+22 warning:no_rua"},
    {"v=DMARC1; rua=mailto:d@a.example; p=reject", "warning:tag_order@34+8"},
    {"v=DMARC1; P=reject; rua=mailto:d@a.example", "warning:tag_case@10+1"},
    /* values */
    {"v=DMARC1; p=reject; adkim=strict; rua=mailto:d@a.example", "warning:bad_value@20+12"},
    {"v=DMARC1; p=reject; aspf=x; rua=mailto:d@a.example", "warning:bad_value@20+6"},
    {"v=DMARC1; p=reject; t=yes; rua=mailto:d@a.example", "warning:bad_value@20+5"},
    {"v=DMARC1; p=reject; psd=x; rua=mailto:d@a.example", "warning:bad_value@20+5"},
    {"v=DMARC1; p=reject; fo=0:1; ruf=mailto:d@a.example; rua=mailto:d@a.example",
     "warning:bad_value@20+6"}, /* DP-12 */
    {"v=DMARC1; p=reject; fo=1; rua=mailto:d@a.example", "note:fo_without_ruf@20+4"},
    {"v=DMARC1; p=reject; t=y; rua=mailto:d@a.example", "note:testing_mode@20+3"},
    {"v=DMARC1; p=reject; psd=y; rua=mailto:d@a.example", "note:public_suffix@20+5"},
    /* the tag list */
    {"v=DMARC1; p=reject; p=none; rua=mailto:d@a.example", "error:duplicate_tag@20+6"},
    {"v=DMARC1; p=reject; hello; rua=mailto:d@a.example", "warning:tag_without_equals@20+5"},
    {"v=DMARC1; p=reject;; rua=mailto:d@a.example", "warning:empty_tag@19+1"},
    {"v=DMARC1; p=reject; rua=mailto:d@a.example;mailto:e@a.example",
     "warning:tag_without_equals@43+18"},
    {"v=DMARC1; p=reject; 1=2; rua=mailto:d@a.example", "warning:bad_tag_name@20+3"},
    {"v=DMARC1; p=reject; x=\x01; rua=mailto:d@a.example", "warning:bad_tag_value@20+3"},
    /* addresses: DP-13 */
    {"v=DMARC1; p=reject; rua=d@a.example", "error:bad_uri@24+11"},
    {"v=DMARC1; p=reject; rua=mailto:d@a.example, e@a.example", "warning:bad_uri@44+11"},
    {"v=DMARC1; p=reject; rua=mailto:", "error:bad_uri@24+7"},
    {"v=DMARC1; p=reject; rua=mailto:d@a.example!10m", "note:uri_size@42+4"},
    {"v=DMARC1; p=reject; rua=https://a.example/r", "warning:uri_scheme@24+19"},
};

#define RSA1024 "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC" \
                "jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi" \
                "tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static const struct record_case dkim_cases[] = {
    {"v=DKIM1; k=rsa; p=" RSA1024, "warning:short_key@18+216"},
    {"v=DKIM1; k=ed25519; p=" ED25519, "note:ed25519@22+44"},
    {"p=" RSA1024, "note:no_version warning:short_key@2+216"},
    {"v=DKIM1; p=", "warning:revoked@9+2"}, /* DV-33 */
    /* DV-32 */
    {"k=rsa; v=DKIM1; p=" RSA1024, "error:unknown_key_version@7+7"},
    {"v=DKIM2; p=", "error:unknown_key_version@0+7 warning:revoked@9+2"},
    {"v=DKIM1; k=rsa", "error:no_key_data"},
    {"v=DKIM1; p=; p=", "error:duplicate_tag@13+2 warning:revoked@9+2"}, /* DV-6 */
    {"v=DKIM1;; p=", "error:empty_tag@8+1 warning:revoked@10+2"}, /* DV-7 */
    {"v=DKIM1; hello; p=", "error:tag_without_equals@9+5 warning:revoked@16+2"},
    {"v=DKIM1; 1=2; p=", "error:bad_tag_name@9+3 warning:revoked@14+2"},
    {"v=DKIM1; x=\x02; p=", "error:bad_tag_value@9+3 warning:revoked@14+2"},
    {"v=DKIM1\\; p=", "error:escaped_semicolon@7+2 error:unknown_key_version@0+8 "
                       "warning:revoked@10+2"},
    /* what the key is for */
    {"v=DKIM1; t=y; p=", "warning:testing@11+1 warning:revoked@14+2"}, /* DV-40 */
    {"v=DKIM1; t=y:s; p=", "warning:testing@11+1 note:no_subdomains@13+1 warning:revoked@16+2"},
    {"v=DKIM1; t=x; p=", "note:unknown_flag@11+1 warning:revoked@14+2"},
    {"v=DKIM1; h=sha1; p=", "warning:sha1_listed@11+4 error:key_hash@9+6 warning:revoked@17+2"},
    {"v=DKIM1; h=sha1:sha256; p=", "warning:sha1_listed@11+4 warning:revoked@24+2"},
    {"v=DKIM1; h=sha256:sha512; p=", "note:unknown_hash@18+6 warning:revoked@26+2"},
    {"v=DKIM1; s=tlsrpt; p=",
     "note:unknown_service@11+6 error:key_service@9+8 warning:revoked@19+2"}, /* DV-39 */
    {"v=DKIM1; s=email; p=", "warning:revoked@18+2"},
    {"v=DKIM1; k=dsa; p=", "error:unknown_key_type@9+5 warning:revoked@16+2"}, /* DV-34 */
    {"v=DKIM1; g=*; x=1; p=", "note:removed_tag@9+3 note:unknown_tag@14+3 warning:revoked@19+2"},
    {"v=DKIM1; T=y; p=", "warning:tag_case@9+1 warning:revoked@14+2"},
    {"v=DKIM1; P=" RSA1024, "warning:tag_case@9+1 error:no_key_data"},
    /* the key: DV-35 to DV-37 */
    {"v=DKIM1; p=MIGf!AAA", "error:bad_key_data@15+1"},
    {"v=DKIM1; p=MIGfA", "error:bad_key_data@11+5"},
    {"v=DKIM1; p=MIGfAAAA", "error:key_bad_encoding@11+8"},
    {"v=DKIM1; p=" ED25519, "error:key_bad_encoding@11+44"},
    {"v=DKIM1; k=ed25519; p=MIGfAAAA", "error:key_bad_encoding@22+8"},
    {"v=DKIM1; k=ed25519; p=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
     "error:key_small_order@22+44"},
    {"v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMEU"
     "GPHd6u9vMsG8iN1qh6zfYq0vN3cP4fY7v1cQe0eWcK2b5d6uE0h0l0c5J8Yw3L2n9x1m4KpV7sTq6Hr0AsMCAwEAAQ==",
     "error:key_too_small@11+128"},
};
/* clang-format on */

Test(lint_record, spf)
{
    check_cases(LINT_SPF, spf_cases, sizeof spf_cases / sizeof spf_cases[0]);
}

/* RFC 7208 4.6.4: include and redirect of the name that the record is at. */
Test(lint_record, spf_of_a_name)
{
    static const struct record_case cases[] = {
        {"v=spf1 include:a.example ~all", "error:loop@7+17"},
        {"v=spf1 ?include:A.Example. ~all", "error:loop@7+19"},
        {"v=spf1 redirect=a.example", "error:loop@7+18"},
        {"v=spf1 redirect=a.example -all", "warning:redirect_with_all@7+18"},
        {"v=spf1 include:b.example a:a.example exists:a.example include:%{d} -all", ""},
        {"v=spf1 include:a.example mxx", "error:unknown_mechanism@25+3"},
    };
    struct dns_name name;
    cr_assert(dns_name_from_domain(&name, SPAN("a.example")) == DNS_NAME_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = codes_of(LINT_SPF, span_from_string(cases[i].text), &name);
        cr_expect_str_eq(got, cases[i].codes, "%s: %s", cases[i].text, got);
        free(got);
    }
}

Test(lint_record, dmarc)
{
    check_cases(LINT_DMARC, dmarc_cases, sizeof dmarc_cases / sizeof dmarc_cases[0]);
}

Test(lint_record, dkim)
{
    check_cases(LINT_DKIM, dkim_cases, sizeof dkim_cases / sizeof dkim_cases[0]);
}
