/*
 * lint_domain over zones: the tree and its counts, keys, discovery, destinations. What the judge
 * counts and refuses for a client that nothing matches, the linter counts and names.
 */
#include "lint/domain.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "dns/source.h"
#include "spf/spf.h"

enum
{
    KEYS_MAX = 4,
    NEVER = 1000, /* runs after which a judge that still waits is at fault */
};

static struct arena answers_arena, arena;
static struct dns_answers answers;
static struct limit_hits hits;

static void setup(void)
{
    arena_init(&answers_arena, MAX_ARENA_BYTES);
    arena_init(&arena, MAX_ARENA_BYTES);
}

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    cr_assert(dns_name_from_domain(&name, span_from_string(text)) == DNS_NAME_OK, "%s", text);
    return name;
}

static struct dns_source *zone_of(const char *zone)
{
    struct dns_error error;
    struct dns_source *source = dns_zone_parse(span_from_string(zone), "zone", &error);
    cr_assert(source != NULL, "%s", error.text);
    return source;
}

static void lint(const struct lint_request *request, const char *zone, struct lint_report *report)
{
    struct dns_source *source = zone_of(zone);
    arena_reset(&answers_arena);
    arena_reset(&arena);
    lint_answers_init(&answers, &answers_arena, &hits);
    for (unsigned runs = 0; lint_domain(request, &answers, &arena, report) == JUDGE_WAITING;
         runs++) {
        cr_assert(runs < NEVER, "it waits for ever");
        dns_source_resolve(source, &answers, 0);
        arena_reset(&arena);
    }
    cr_expect(!report->findings.failed);
    dns_source_free(&source);
}

static const struct dmarc_options dmarc_options = {.mode = DMARC_TREE_WALK,
                                                   .always_ask_existence = true};

static struct lint_request request_for(const char *domain)
{
    return (struct lint_request){.domain = name_of(domain),
                                 .dmarc_options = &dmarc_options,
                                 .void_limit = MAX_SPF_VOID_LOOKUPS};
}

/* "error:loop(b.example) ..." in the order of the findings; malloc'd. */
static char *codes_of(const struct lint_report *report)
{
    char *line = NULL, text[DNS_NAME_TEXT_MAX];
    size_t n;
    FILE *out = open_memstream(&line, &n);
    for (const struct lint_finding *f = report->findings.first; f; f = f->next) {
        fprintf(out, "%s%s:%s(%s)", f == report->findings.first ? "" : " ",
                lint_severity_word(f->severity), f->code, dns_name_text(&f->name, text));
        if (f->length)
            fprintf(out, "=%.*s", (int)f->length, (const char *)f->text.p + f->at);
        cr_expect(f->what.n > 0 && f->at + f->length <= f->text.n, "%s", f->code);
    }
    fclose(out);
    return line;
}

struct domain_case
{
    const char *name;
    const char *zone;
    const char *codes;
    unsigned lookups, voids4, voids6;
};

static void expect_codes(const struct domain_case *c, const struct lint_report *report)
{
    char *got = codes_of(report);
    cr_expect(strcmp(got, c->codes) == 0, "%s\n  got  %s\n  want %s", c->name, got, c->codes);
    free(got);
}

#define SPF "a.example. TXT "
#define HOST(n) #n ".x.example. A 192.0.2.1\n" #n ".x.example. AAAA 2001:db8::1\n"
#define HOSTS                                                                                      \
    HOST(1)                                                                                        \
    HOST(2) HOST(3) HOST(4) HOST(5) HOST(6) HOST(7) HOST(8) HOST(9) HOST(10) HOST(11)
#define NINE_TERMS                                                                                 \
    "a:1.x.example a:2.x.example a:3.x.example a:4.x.example "                                     \
    "a:5.x.example a:6.x.example a:7.x.example a:8.x.example "                                     \
    "a:9.x.example "
/* An MX host; both families. */
#define MX(n)                                                                                      \
    "a.example. MX 10 m" #n ".x.example\nm" #n ".x.example. A 192.0.2.1\nm" #n                     \
    ".x.example. AAAA 2001:db8::1\n"
#define TEN_MX MX(1) MX(2) MX(3) MX(4) MX(5) MX(6) MX(7) MX(8) MX(9) MX(10)

/* clang-format off */
static const struct domain_case spf_cases[] = {
    {"nothing to say", SPF "\"v=spf1 ip4:192.0.2.0/24 -all\"\n", "", 0, 0, 0},
    {"no such name (SP-4)", "b.example. A 192.0.2.1\n", "error:no_record(a.example)", 0, 0, 0},
    {"no record", "a.example. A 192.0.2.1\n", "error:no_record(a.example)", 0, 0, 0},
    {"other texts only", SPF "\"hello\"\n", "error:no_record(a.example)", 0, 0, 0},
    {"almost a record (SP-7)", SPF "\"v=spf10 -all\"\n",
     "error:bad_version(a.example)=v=spf10 error:no_record(a.example)", 0, 0, 0},
    {"several (SP-7)", SPF "\"v=spf1 -all\"\n" SPF "\"v=spf1 mx -all\"\n",
     "error:several_records(a.example)", 0, 0, 0},
    {"no answer (SP-6)", SPF "!servfail\n", "error:dns_failure(a.example)", 0, 0, 0},
    {"syntax (SP-9)", SPF "\"v=spf1 mxx -all\"\n", "error:unknown_mechanism(a.example)=mxx", 0, 0, 0},
    {"counts of include (SP-24)",
     SPF "\"v=spf1 include:b.example -all\"\n"
     "b.example. TXT \"v=spf1 include:c.example a:1.x.example ?all\"\n"
     "c.example. TXT \"v=spf1 a:2.x.example\"\n" HOSTS, "", 4, 0, 0},
    {"redirect (SP-18)", SPF "\"v=spf1 redirect=b.example\"\nb.example. TXT \"v=spf1 ?all\"\n",
     "warning:neutral_all(b.example)=?all", 1, 0, 0},
    {"redirect is ignored beside all (SP-12)", SPF "\"v=spf1 -all redirect=b.example\"\n",
     "warning:redirect_with_all(a.example)=redirect=b.example", 0, 0, 0},
    {"terms behind all are not counted", SPF "\"v=spf1 -all mx\"\n",
     "warning:after_all(a.example)=mx", 0, 0, 0},
    {"include without a record (SP-17)", SPF "\"v=spf1 include:b.example -all\"\n",
     "error:include_no_record(a.example)=include:b.example", 1, 0, 0},
    {"redirect without a record (SP-18)", SPF "\"v=spf1 redirect=b.example\"\n",
     "error:redirect_no_record(a.example)=redirect=b.example", 1, 0, 0},
    {"redirect without a record inside of an include",
     SPF "\"v=spf1 include:b.example -all\"\nb.example. TXT \"v=spf1 redirect=c.example\"\n",
     "error:redirect_no_record(b.example)=redirect=c.example", 2, 0, 0},
    {"include that does not answer", SPF "\"v=spf1 include:b.example -all\"\nb.example. TXT !timeout\n",
     "error:dns_failure(a.example)=include:b.example", 1, 0, 0},
    {"include with several records",
     SPF "\"v=spf1 include:b.example -all\"\nb.example. TXT \"v=spf1 -all\"\nb.example. TXT \"v=spf1\"\n",
     "error:several_records(b.example)", 1, 0, 0},
    {"include with a fault", SPF "\"v=spf1 include:b.example -all\"\nb.example. TXT \"v=spf1 ip4:x\"\n",
     "error:bad_ip4(b.example)=x", 1, 0, 0},
    {"include that lets all pass", SPF "\"v=spf1 include:b.example -all\"\nb.example. TXT \"v=spf1 +all\"\n",
     "error:pass_all(b.example)=+all", 1, 0, 0},
    {"itself", SPF "\"v=spf1 include:a.example -all\"\n",
     "error:loop(a.example)=include:a.example", 1, 0, 0},
    {"loop", SPF "\"v=spf1 include:b.example -all\"\nb.example. TXT \"v=spf1 redirect=a.example\"\n",
     "error:loop(b.example)=redirect=a.example", 2, 0, 0},
    {"the same include twice counts twice",
     SPF "\"v=spf1 include:b.example include:c.example -all\"\n"
     "b.example. TXT \"v=spf1 include:c.example ?all\"\n"
     "c.example. TXT \"v=spf1 ptr ?all\"\n",
     "warning:ptr_used(c.example)=ptr warning:duplicate_include(a.example)=include:c.example", 5, 0, 0},
    {"lookups: limit - 1", SPF "\"v=spf1 " NINE_TERMS "-all\"\n" HOSTS, "", 9, 0, 0},
    {"lookups: limit", SPF "\"v=spf1 " NINE_TERMS "a:10.x.example -all\"\n" HOSTS,
     "note:at_lookup_limit(a.example)", 10, 0, 0},
    {"lookups: limit + 1",
     SPF "\"v=spf1 " NINE_TERMS "a:10.x.example a:11.x.example -all\"\n" HOSTS,
     "error:too_many_lookups(a.example)=a:11.x.example", 11, 0, 0},
    {"lookups: the eleventh is in an include",
     SPF "\"v=spf1 " NINE_TERMS "include:b.example a:11.x.example -all\"\n"
     "b.example. TXT \"v=spf1 a:10.x.example\"\n" HOSTS,
     "error:too_many_lookups(b.example)=a:10.x.example", 12, 0, 0},
    {"voids: limit (SP-25)", SPF "\"v=spf1 exists:1.y.example exists:2.y.example -all\"\n",
     "warning:void_lookup(a.example)=exists:1.y.example "
     "warning:void_lookup(a.example)=exists:2.y.example", 2, 2, 2},
    {"voids: limit + 1 (SP-25)", SPF "\"v=spf1 mx a:y.example exists:2.y.example -all\"\n",
     "warning:void_lookup(a.example)=mx warning:void_lookup(a.example)=a:y.example "
     "warning:void_lookup(a.example)=exists:2.y.example "
     "error:too_many_void_lookups(a.example)=exists:2.y.example", 3, 3, 3},
    {"voids of one family",
     SPF "\"v=spf1 a a:b.example mx -all\"\na.example. A 192.0.2.1\nb.example. A 192.0.2.1\n"
     "a.example. MX 10 b.example\n",
     "warning:too_many_void_lookups_ipv6(a.example)=mx", 3, 0, 3},
    {"MX names: limit (SP-20)", SPF "\"v=spf1 mx -all\"\n" TEN_MX, "", 1, 0, 0},
    {"MX names: limit + 1 (SP-20)", SPF "\"v=spf1 mx -all\"\n" TEN_MX MX(11),
     "error:too_many_mx_names(a.example)=mx", 1, 0, 0},
    {"null MX", SPF "\"v=spf1 mx -all\"\na.example. MX 0 .\n",
     "warning:void_lookup(a.example)=mx", 1, 1, 1},
    {"an MX host that does not answer", SPF "\"v=spf1 mx -all\"\na.example. MX 10 b.example\n"
     "b.example. A !timeout\nb.example. AAAA 2001:db8::1\n",
     "error:dns_failure(a.example)=mx", 1, 0, 0},
    {"macros that the domain tells", SPF "\"v=spf1 exists:%{d}.y.example -all\"\n"
     "a.example.y.example. A 127.0.0.2\n", "", 1, 0, 0},
    {"macros that a message tells", SPF "\"v=spf1 exists:%{i}.y.example include:%{l}.z.example -all\"\n",
     "", 2, 0, 0},
    {"single label (SP-4)", SPF "\"v=spf1 include:%{d1} -all\"\n",
     "error:include_no_record(a.example)=include:%{d1}", 1, 0, 0},
    {"voids that a message makes: limit (SP-25)", SPF "\"v=spf1 exists:%{i}.y.example exists:%{i}.z.example -all\"\n",
     "", 2, 0, 0},
    {"voids that a message makes: limit + 1 (SP-25)",
     SPF "\"v=spf1 exists:%{i}.y.example exists:2.y.example a:%{h} -all\"\n",
     "warning:void_lookup(a.example)=exists:2.y.example warning:void_lookups_possible(a.example)=a:%{h}", 3, 1, 1},
    {"exp= without a text (SP-37)", SPF "\"v=spf1 -all exp=e.example\"\n",
     "warning:exp_unusable(a.example)=e.example", 0, 0, 0},
    {"exp= with a text", SPF "\"v=spf1 -all exp=e.example\"\ne.example. TXT \"no %{i}\"\n", "", 0, 0, 0},
};
/* clang-format on */

Test(lint_domain, spf, .init = setup)
{
    for (size_t i = 0; i < COUNT_OF(spf_cases); i++) {
        const struct domain_case *c = &spf_cases[i];
        struct lint_request request = request_for("a.example");
        struct lint_report report;
        request.spf = true;
        lint(&request, c->zone, &report);
        expect_codes(c, &report);
        const struct lint_spf_row *root = report.rows;
        cr_expect(root->lookups == c->lookups && root->voids4 == c->voids4 &&
                      root->voids6 == c->voids6,
                  "%s: got %u lookups, voids %u and %u", c->name, root->lookups, root->voids4,
                  root->voids6);
    }
}

/* What the judge says for a client that nothing matches. */
static struct spf_check judged(const char *zone, const char *client)
{
    struct dns_source *source = zone_of(zone);
    struct spf_judgement judgement;
    struct mail_path path = {
        .kind = MAIL_PATH_ADDRESS, .local = SPAN("u"), .domain = SPAN("a.example")};
    struct spf_request request = {.path = &path, .void_limit = MAX_SPF_VOID_LOOKUPS};
    cr_assert(ip_parse(span_from_string(client), &request.client));
    arena_reset(&answers_arena);
    dns_answers_init(&answers, &answers_arena, &hits);
    while (spf_judge(&request, &answers, &answers_arena, &hits, &judgement) == JUDGE_WAITING)
        dns_source_resolve(source, &answers, 0);
    dns_source_free(&source);
    return judgement.checked;
}

static bool is_error(const struct spf_check *check)
{
    return check->result == RESULT_PERMERROR || check->result == RESULT_TEMPERROR ||
           check->result == RESULT_NONE;
}

/* Of the names whose lookup the cases leave to the message, none exists. */
Test(lint_domain, agrees_with_the_judge, .init = setup)
{
    for (size_t i = 0; i < COUNT_OF(spf_cases); i++) {
        const struct domain_case *c = &spf_cases[i];
        struct spf_check v4 = judged(c->zone, "203.0.113.9"), v6 = judged(c->zone, "2001:db9::9");
        bool weak = strstr(c->codes, "pass_all") != NULL; /* works, and should not */
        bool error = strstr(c->codes, "error:") && !weak;
        bool macro = strstr(c->name, "message ") || strstr(c->zone, "ptr");
        if (macro)
            continue;
        bool only6 = strstr(c->codes, "_ipv6(") != NULL;
        bool half = strstr(c->name, "an MX host that does not") != NULL;
        cr_expect(is_error(&v4) == error, "%s: IPv4 %s %s", c->name, result_word(v4.result),
                  v4.reason ? v4.reason : "");
        cr_expect(half || is_error(&v6) == (error || only6), "%s: IPv6 %s %s", c->name,
                  result_word(v6.result), v6.reason ? v6.reason : "");
        cr_expect(error || v4.lookups == c->lookups || weak, "%s: the judge counts %u", c->name,
                  v4.lookups);
        cr_expect(error || v4.voids == c->voids4, "%s: the judge has %u voids", c->name, v4.voids);
    }
}

/* The record comes from an include which is in the tree at the far end of the limits. */
Test(lint_domain, tree_bounds, .init = setup)
{
    enum
    {
        RECORDS = 30
    };
    char *zone = NULL;
    size_t n;
    FILE *out = open_memstream(&zone, &n);
    fputs("a.example. TXT \"v=spf1 include:d0.example -all\"\n", out);
    for (int i = 0; i < RECORDS; i++)
        fprintf(out, "d%d.example. TXT \"v=spf1 include:d%d.example ?all\"\n", i, i + 1);
    fclose(out);
    struct lint_request request = request_for("a.example");
    struct lint_report report;
    request.spf = true;
    lint(&request, zone, &report);
    char *codes = codes_of(&report);
    cr_expect(strstr(codes, "error:spf_tree_too_large") && strstr(codes, "error:too_many_lookups"),
              "%s", codes);
    cr_expect(report.rows[0].lookups >= MAX_SPF_LOOKUPS);
    cr_expect(report.row_count <= LINT_SPF_DEPTH_MAX + 1);
    free(codes);
    free(zone);
}

/* Two records that include each other's neighbours twice: 2^20 paths, which nobody walks. */
Test(lint_domain, tree_that_doubles, .init = setup)
{
    char *zone = NULL;
    size_t n;
    FILE *out = open_memstream(&zone, &n);
    fputs("a.example. TXT \"v=spf1 include:d0.example -all\"\n", out);
    for (int i = 0; i < 15; i++)
        fprintf(out, "d%d.example. TXT \"v=spf1 include:d%d.example include:d%d.example ?all\"\n",
                i, i + 1, i + 1);
    fputs("d15.example. TXT \"v=spf1 ?all\"\n", out);
    fclose(out);
    struct lint_request request = request_for("a.example");
    struct lint_report report;
    request.spf = true;
    lint(&request, zone, &report);
    char *codes = codes_of(&report);
    cr_expect(strstr(codes, "error:spf_tree_too_large"), "%s", codes);
    cr_expect(report.row_count == LINT_SPF_ROWS_MAX, "%u rows", report.row_count);
    free(codes);
    free(zone);
}

#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY "s1._domainkey.a.example. TXT "

static const struct domain_case key_cases[] = {
    {"good", KEY "\"v=DKIM1; k=ed25519; p=" ED25519 "\"\n",
     "note:ed25519(s1._domainkey.a.example)=" ED25519, 0, 0, 0},
    {"no such name (DV-30)", "a.example. A 192.0.2.1\n", "error:no_record(s1._domainkey.a.example)",
     0, 0, 0},
    {"empty (DV-30)", "s1._domainkey.a.example. A 192.0.2.1\n",
     "error:no_record(s1._domainkey.a.example)", 0, 0, 0},
    {"no answer (DV-30)", KEY "!timeout\n", "error:dns_failure(s1._domainkey.a.example)", 0, 0, 0},
    {"revoked (DV-33)", KEY "\"v=DKIM1; p=\"\n", "warning:revoked(s1._domainkey.a.example)=p=", 0,
     0, 0},
    {"several (DV-31)", KEY "\"v=DKIM1; p=\"\n" KEY "\"v=DKIM1; p=\"\n",
     "warning:revoked(s1._domainkey.a.example)=p= warning:revoked(s1._domainkey.a.example)=p= "
     "warning:several_records(s1._domainkey.a.example)",
     0, 0, 0},
    {"a wildcard's SPF text (DV-32)", "*.a.example. TXT \"v=spf1 -all\"\n",
     "error:unknown_key_version(s1._domainkey.a.example)=v=spf1 -all "
     "error:no_key_data(s1._domainkey.a.example)",
     0, 0, 0},
};

Test(lint_domain, keys, .init = setup)
{
    for (size_t i = 0; i < COUNT_OF(key_cases); i++) {
        struct lint_request request = request_for("a.example");
        struct lint_report report;
        struct dns_name key = name_of("s1._domainkey.a.example");
        request.keys = &key;
        request.key_count = 1;
        lint(&request, key_cases[i].zone, &report);
        expect_codes(&key_cases[i], &report);
        cr_expect(report.key_count == 1 && (report.keys[0].bits == 256) == (i == 0), "%s: %u bits",
                  key_cases[i].name, report.keys[0].bits);
    }
}

#define D "_dmarc.a.example. TXT "
#define HERE "a.example. A 192.0.2.1\nm.a.example. A 192.0.2.1\n"
#define GOOD "\"v=DMARC1; p=reject; rua=mailto:d@a.example\"\n"

static const struct domain_case dmarc_cases[] = {
    {"good", HERE D GOOD, "", 0, 0, 0},
    {"none (DP-27)", HERE, "error:no_record(_dmarc.m.a.example)", 0, 0, 0},
    {"inherited (DP-23)", HERE D GOOD, "note:inherited(_dmarc.a.example)", 1, 0, 0},
    {"several (DP-11)", HERE D GOOD D GOOD,
     "error:several_records(_dmarc.a.example) error:no_record(_dmarc.a.example)", 0, 0, 0},
    {"no answer (DP-28)", HERE D "!timeout\n", "error:dns_failure(_dmarc.a.example)", 0, 0, 0},
    {"almost a record (DP-7)", HERE D "\"v=DMARC1 p=reject\"\n",
     "error:bad_version(_dmarc.a.example)=v=DMARC1 p=reject error:no_record(_dmarc.a.example)", 0,
     0, 0},
    {"the domain does not exist", D GOOD,
     "warning:no_such_domain(m.a.example) note:inherited(_dmarc.a.example)", 1, 0, 0},
    {"a record of a top-level domain (DP-19)",
     HERE "_dmarc.example. TXT \"v=DMARC1; p=reject; rua=mailto:d@example\"\n",
     "note:inherited(_dmarc.example) warning:suffix_record(_dmarc.example)", 1, 0, 0},
    {"sp= below the Organizational Domain",
     HERE D GOOD "_dmarc.m.a.example. TXT \"v=DMARC1; p=reject; sp=reject; "
                 "rua=mailto:d@a.example\"\n",
     "note:sp_without_effect(_dmarc.m.a.example)", 1, 0, 0},
    {"external, not wanted (AG-25, AG-29)", HERE D "\"v=DMARC1; p=reject; rua=mailto:d@b.test\"\n",
     "error:report_refused(_dmarc.a.example)=mailto:d@b.test", 0, 0, 0},
    {"external, wanted (AG-27)",
     HERE D "\"v=DMARC1; p=reject; rua=mailto:d@b.test\"\n"
            "a.example._report._dmarc.b.test. TXT \"v=DMARC1\"\n",
     "", 0, 0, 0},
    {"external, by a wildcard (AG-30)",
     HERE D "\"v=DMARC1; p=reject; rua=mailto:d@a.example; ruf=mailto:d@b.test\"\n"
            "*._report._dmarc.b.test. TXT \"v=DMARC1;\"\n",
     "", 0, 0, 0},
    {"external, sent elsewhere (AG-28)",
     HERE D "\"v=DMARC1; p=reject; rua=mailto:d@b.test\"\n"
            "a.example._report._dmarc.b.test. TXT \"v=DMARC1; rua=mailto:x@b.test\"\n",
     "note:report_override(_dmarc.a.example)=mailto:d@b.test", 0, 0, 0},
    {"external, sent to another host (AG-28)",
     HERE D "\"v=DMARC1; p=reject; rua=mailto:d@b.test\"\n"
            "a.example._report._dmarc.b.test. TXT \"v=DMARC1; rua=mailto:x@c.test\"\n",
     "error:report_refused(_dmarc.a.example)=mailto:d@b.test", 0, 0, 0},
    {"external, no answer (AG-26)",
     HERE D "\"v=DMARC1; p=reject; rua=mailto:d@b.test\"\n"
            "a.example._report._dmarc.b.test. TXT !timeout\n",
     "warning:report_unknown(_dmarc.a.example)=mailto:d@b.test", 0, 0, 0},
    {"below the same Organizational Domain (AG-25)",
     HERE D "\"v=DMARC1; p=reject; rua=mailto:d@m.a.example\"\n", "", 0, 0, 0},
};

/* `lookups` 1: of m.a.example, and so is the case without any record. */
Test(lint_domain, dmarc, .init = setup)
{
    for (size_t i = 0; i < COUNT_OF(dmarc_cases); i++) {
        const struct domain_case *c = &dmarc_cases[i];
        bool below = c->lookups || strstr(c->codes, "(_dmarc.m.a.example)");
        struct lint_request request = request_for(below ? "m.a.example" : "a.example");
        struct lint_report report;
        request.dmarc = true;
        lint(&request, c->zone, &report);
        expect_codes(c, &report);
        unsigned levels = below ? 3 : 2;
        cr_expect(report.discovery.walk.count == levels, "%s: %u steps", c->name,
                  report.discovery.walk.count);
    }
}

/* DP-14 */
Test(lint_domain, names_of_many_labels, .init = setup)
{
    static const char *const domains[] = {"a.b.c.d.e.f.g.example", "a.b.c.d.e.f.g.h.example"};
    for (size_t i = 0; i < COUNT_OF(domains); i++) {
        struct lint_request request = request_for(domains[i]);
        struct lint_report report;
        request.dmarc = true;
        lint(&request, HERE, &report);
        char *codes = codes_of(&report);
        cr_expect((strstr(codes, "note:walk_skips") != NULL) == (i == 1), "%s: %s", domains[i],
                  codes);
        free(codes);
    }
}

/* Findings stop at their limit, and say so as an error. */
Test(lint_domain, findings_bound, .init = setup)
{
    struct lint_findings findings;
    char text[2048] = "v=DMARC1; p=reject; rua=mailto:d@a.example";
    size_t n = strlen(text);
    /* Two findings more are about the record's length. */
    for (unsigned extra = LINT_FINDINGS_MAX - 3; extra < LINT_FINDINGS_MAX; extra++) {
        memset(text + n, ';', extra + 1); /* one ";" ends the last tag */
        text[n + extra + 1] = '\0';
        arena_reset(&arena);
        lint_findings_init(&findings, &arena);
        lint_record(LINT_DMARC, NULL, span_from_string(text), &findings);
        bool over = findings.counts[LINT_ERROR] == 1;
        cr_expect(findings.total <= LINT_FINDINGS_MAX && !findings.failed);
        cr_expect(over == (extra + 2 >= LINT_FINDINGS_MAX), "%u faults: %u findings, %u errors",
                  extra, findings.total, findings.counts[LINT_ERROR]);
    }
}
