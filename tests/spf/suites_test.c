/* The OpenSPF suite of RFC 7208, and blitiri's cases and fuzz seeds. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/attributes.h"
#include "harness.h"
#include "support/corpora.h"
#include "support/fake_dns.h"
#include "support/yaml.h"

struct tally
{
    size_t cases, passed, deviating;
    struct deviations deviations;
};

static const struct type_row
{
    const char *key;
    enum dns_type type;
} types[] = {{"A", DNS_A},     {"AAAA", DNS_AAAA},   {"MX", DNS_MX},  {"PTR", DNS_PTR},
             {"TXT", DNS_TXT}, {"CNAME", DNS_CNAME}, {"SPF", DNS_TXT}};

/* The root for "" (a null MX), which dns_name_from_raw does not read. */
static struct dns_name name_value(struct span text)
{
    struct dns_name name = {.length = 1};
    if (text.n)
        cr_assert(dns_name_from_raw(&name, text) == DNS_NAME_OK, "%.*s", (int)text.n,
                  (const char *)text.p);
    return name;
}

/* A list is several character strings of one TXT record. */
static struct span text_value(struct yaml value)
{
    struct buffer joined;
    if (yaml_kind(value) != YAML_KIND_SEQUENCE)
        return yaml_bytes(value);
    buffer_init(&joined, 65536);
    for (size_t i = 0; i < yaml_count(value); i++)
        buffer_append(&joined, yaml_bytes(yaml_item(value, i)));
    return buffer_span(&joined);
}

static struct dns_record record_value(enum dns_type type, struct yaml value)
{
    struct dns_record record = {.preference = 0};
    struct ip ip;
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        cr_assert(type == DNS_A ? ip_parse_v4(yaml_text(value), &ip)
                                : ip_parse_v6(yaml_text(value), &ip));
        record.address = ip;
        break;
    case DNS_MX:
        record.name = name_value(yaml_bytes(yaml_item(value, 1)));
        break;
    case DNS_PTR:
    case DNS_CNAME:
        record.name = name_value(yaml_bytes(value));
        break;
    case DNS_TXT:
        record.text = text_value(value);
        break;
    }
    return record;
}

static bool has_key(struct yaml items, const char *key)
{
    for (size_t i = 0; i < yaml_count(items); i++)
        if (yaml_kind(yaml_get(yaml_item(items, i), key)))
            return true;
    return false;
}

/* "TIMEOUT", or as blitiri writes it "TIMEOUT: true". */
static const char *failure_of(struct yaml item)
{
    if (span_equal(yaml_text(item), SPAN("TIMEOUT")) || yaml_kind(yaml_get(item, "TIMEOUT")))
        return "timeout";
    return yaml_kind(yaml_get(item, "SERVFAIL")) ? "servfail" : NULL;
}

static void zone_add_item(struct dns_source *source, struct span owner, struct yaml item,
                          bool own_txt)
{
    const char *failure = failure_of(item);
    if (failure) {
        fake_dns_add_failure(source, owner, failure);
        return;
    }
    struct span key = yaml_text(yaml_key(item, 0));
    struct yaml value = yaml_item(item, 0);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!span_equal(key, span_from_string(types[i].key)))
            continue;
        bool is_spf = span_equal(key, SPAN("SPF"));
        bool none = span_equal(yaml_text(value), SPAN("NONE"));
        if (none || (is_spf && own_txt))
            return;
        struct dns_record record = record_value(types[i].type, value);
        fake_dns_add(source, owner, types[i].type, &record);
        return;
    }
    cr_assert_fail("unknown record type %.*s", (int)key.n, (const char *)key.p);
}

static struct dns_source *zone_of(struct yaml zonedata)
{
    struct dns_source *source = fake_dns_new();
    for (size_t i = 0; i < yaml_count(zonedata); i++) {
        struct span owner = yaml_bytes(yaml_key(zonedata, i));
        struct yaml items = yaml_item(zonedata, i);
        fake_dns_add_name(source, owner);
        for (size_t j = 0; j < yaml_count(items); j++)
            zone_add_item(source, owner, yaml_item(items, j), has_key(items, "TXT"));
    }
    return source;
}

/* A result, or a list of those that the RFC leaves open. */
static bool result_is_allowed(struct yaml expected, const char *got)
{
    if (yaml_kind(expected) == YAML_KIND_SCALAR)
        return span_equal(yaml_text(expected), span_from_string(got));
    for (size_t i = 0; i < yaml_count(expected); i++)
        if (span_equal(yaml_text(yaml_item(expected, i)), span_from_string(got)))
            return true;
    return false;
}

/* DEFAULT is the checker's own text; assay has none. */
static bool explanation_is_expected(struct yaml expected, struct span got)
{
    if (!yaml_kind(expected))
        return true;
    struct span want = yaml_bytes(expected);
    return span_equal(want, SPAN("DEFAULT")) ? got.n == 0 : span_equal(want, got);
}

static bool asks_for_ptr(const struct dns_answers *answers)
{
    for (const struct dns_question *q = answers->first; q; q = q->next)
        if (q->type == DNS_PTR)
            return true;
    return false;
}

/* Judges with question number `failing` answered by a time-out. */
static enum result result_with_fault(const struct spf_request *request, struct dns_source *source,
                                     uint32_t failing)
{
    static const struct dns_answer timeout = {.outcome = DNS_TEMPFAIL, .reason = "timeout"};
    struct arena arena;
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct spf_judgement judgement;
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    while (spf_judge(request, &answers, &arena, &hits, &judgement) == JUDGE_WAITING) {
        uint32_t n = 0;
        for (struct dns_question *q = answers.first; q; q = q->next)
            if (n++ == failing)
                dns_answers_put(&answers, q, &timeout);
        dns_source_resolve(source, &answers, INT64_MAX);
    }
    arena_fini(&arena);
    return judgement.checked.result;
}

/* R2: with any one answer gone, a pass is still a pass that the full answers give. "ptr" is left
 * out: RFC 7208 5.5 itself has its errors read as no match. */
static void no_fault_makes_a_pass(const struct spf_request *request, struct dns_source *source,
                                  const struct spf_trial *trial, struct span name)
{
    if (asks_for_ptr(&trial->answers))
        return;
    for (uint32_t i = 0; i < trial->answers.count; i++) {
        enum result result = result_with_fault(request, source, i);
        cr_expect(result != RESULT_PASS || trial->judgement.checked.result == RESULT_PASS,
                  "%.*s: pass when question %u times out", (int)name.n, (const char *)name.p, i);
    }
}

static void case_run(struct tally *tally, const char *suite, struct span name, struct yaml test,
                     struct dns_source *source)
{
    struct spf_trial trial;
    char ip[64];
    struct span host = yaml_text(yaml_get(test, "host"));
    snprintf(ip, sizeof ip, "%.*s", (int)host.n, (const char *)host.p);
    const struct spf_request *request = spf_request_of(ip, yaml_bytes(yaml_get(test, "helo")),
                                                       yaml_bytes(yaml_get(test, "mailfrom")));
    spf_trial_run(&trial, request, source);
    no_fault_makes_a_pass(request, source, &trial, name);
    const struct spf_check *check = &trial.judgement.checked;
    const char *got = result_word(check->result);
    const struct deviation *row = deviation_find(&tally->deviations, suite, name);
    bool good = result_is_allowed(yaml_get(test, "result"), got) &&
                explanation_is_expected(yaml_get(test, "explanation"), check->explanation);
    struct span want = row ? row->ours : yaml_text(yaml_get(test, "result"));
    tally->cases++;
    tally->passed += good;
    tally->deviating += !good && row;
    cr_expect(row ? span_equal(span_from_string(got), want) : good,
              "%s line %zu %.*s: got %s (%s), path \"%.*s\", explanation \"%.*s\"; want %.*s",
              suite, yaml_line(test), (int)name.n, (const char *)name.p, got,
              check->reason ? check->reason : "-", (int)check->path.n, (const char *)check->path.p,
              (int)check->explanation.n, (const char *)check->explanation.p, (int)want.n,
              (const char *)want.p);
    cr_expect(!(row && good), "%s %.*s is listed as deviating but passes", suite, (int)name.n,
              (const char *)name.p);
    spf_trial_end(&trial);
}

static void suite_run(const char *suite, const char *path, size_t cases)
{
    static struct tally tally;
    tally = (struct tally){.cases = 0};
    struct yaml_file file = yaml_read(corpora_require(path));
    deviations_read(&tally.deviations, "tests/spf/deviations.tsv");
    for (size_t i = 0; i < file.count; i++) {
        struct yaml tests = yaml_get(file.documents[i], "tests");
        struct dns_source *source = zone_of(yaml_get(file.documents[i], "zonedata"));
        for (size_t j = 0; j < yaml_count(tests); j++)
            case_run(&tally, suite, yaml_text(yaml_key(tests, j)), yaml_item(tests, j), source);
        dns_source_free(&source);
    }
    suite_report(suite, tally.cases, tally.passed, tally.deviating);
    cr_expect(tally.cases == cases, "got %zu cases, want %zu", tally.cases, cases);
}

Test(spf_suites, openspf_rfc7208)
{
    suite_run("openspf", "spf/openspf/rfc7208-tests.yml", 200);
}

Test(spf_suites, blitiri)
{
    suite_run("blitiri", "spf/blitiri/blitirispf-tests.yml", 21);
}
