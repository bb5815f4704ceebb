/*
 * The linter against the engine's parsers over other people's records and over records that are
 * cut, doubled and altered byte by byte: what a parser refuses has an error, what it takes has none
 * but those that are about what the record says.
 */
#include "lint/lint.h"

#include <criterion/criterion.h>

#include "dkim/key_record.h"
#include "spf/record.h"
#include "support/corpora.h"
#include "support/guard.h"
#include "support/yaml.h"

static struct arena arena;
static struct limit_hits hits;

static void setup(void)
{
    arena_init(&arena, MAX_ARENA_BYTES);
}

/* Errors of a text that is valid and says what it should not, or is not heard. */
static bool is_advice(const char *code)
{
    static const char *const advice[] = {
        "pass_all",          "whole_internet", "mechanism_with_equals", "bad_target",
        "key_hash",          "bad_uri",        "bad_policy_tag",        "duplicate_tag",
        "escaped_semicolon", "no_policy_tag"};
    for (size_t i = 0; i < COUNT_OF(advice); i++)
        if (strcmp(advice[i], code) == 0)
            return true;
    return false;
}

/* The first error that is none of those, or NULL; every finding is inside of the text. */
static const char *fault_of(enum lint_kind kind, struct span text)
{
    struct lint_findings findings;
    const char *fault = NULL;
    arena_reset(&arena);
    lint_findings_init(&findings, &arena);
    lint_record(kind, NULL, text, &findings);
    cr_assert(!findings.failed);
    for (const struct lint_finding *f = findings.first; f; f = f->next) {
        cr_assert(f->at + f->length <= text.n && f->what.n > 0, "%s", f->code);
        if (!fault && f->severity == LINT_ERROR && !is_advice(f->code))
            fault = f->code;
    }
    return fault;
}

static void expect_fault(const char *fault, const char *reason, struct span text)
{
    cr_expect((fault != NULL) == (reason != NULL), "%.*s\n  the linter: %s, the parser: %s",
              (int)text.n, (const char *)text.p, fault ? fault : "good", reason ? reason : "good");
}

static void compare_spf(struct span text)
{
    struct spf_record record;
    struct spf_syntax_error error = {.reason = NULL};
    bool good = spf_record_parse(text, &hits, &record, &error);
    expect_fault(fault_of(LINT_SPF, text), good ? NULL : error.reason, text);
}

static void compare_dkim(struct span text)
{
    struct dkim_key_record record;
    dkim_key_record_parse(text, &hits, &record);
    bool revoked = record.reason && strcmp(record.reason, "revoked") == 0;
    const char *reason = revoked ? NULL : record.reason;
    dkim_key_record_fini(&record);
    /* What makes the list no list is "advice" above only for DMARC. */
    struct lint_findings findings;
    const char *fault = fault_of(LINT_DKIM, text);
    if (!fault && reason) {
        arena_reset(&arena);
        lint_findings_init(&findings, &arena);
        lint_record(LINT_DKIM, NULL, text, &findings);
        fault = findings.counts[LINT_ERROR] ? "an error" : NULL;
    }
    expect_fault(fault, reason, text);
}

static void compare_dmarc(struct span text)
{
    struct dmarc_record record;
    const char *reason;
    const char *fault = fault_of(LINT_DMARC, text);
    bool good = dmarc_record_parse(text, &arena, &hits, &record, &reason);
    expect_fault(fault, good ? NULL : reason, text);
}

/* Every cut, every byte left out, doubled, and replaced by what grammars care for. */
static void alter(const char *record, void (*compare)(struct span))
{
    static const char others[] = " ;=:/\"\\%+-?~,.0aZ\t\n\x01\xff";
    size_t n = strlen(record);
    uint8_t text[1024];
    cr_assert(n + 2 < sizeof text);
    for (size_t i = 0; i < n; i++) {
        compare(guard_copy(span_of(record, i)));
        memcpy(text, record, i);
        memcpy(text + i, record + i + 1, n - i - 1);
        compare(span_of(text, n - 1));
        memcpy(text, record, i + 1);
        memcpy(text + i + 1, record + i, n - i);
        compare(span_of(text, n + 1));
        memcpy(text, record, n);
        for (size_t k = 0; k < sizeof others - 1; k++) {
            text[i] = (uint8_t)others[k];
            compare(span_of(text, n));
        }
    }
}

Test(lint_agreement, altered_spf, .init = setup)
{
    alter("v=spf1 a:b.example/24//64 mx ip4:192.0.2.0/24 ip6:2001:db8::/32 ?exists:%{ir}.c.example "
          "-include:d.example redirect=e.example exp=f.example",
          compare_spf);
}

Test(lint_agreement, altered_dkim, .init = setup)
{
    alter("v=DKIM1; k=ed25519; h=sha256; s=email:*; t=y:s; n=note; "
          "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=;",
          compare_dkim);
}

Test(lint_agreement, altered_dmarc, .init = setup)
{
    alter("v=DMARC1; p=reject; sp=none; np=none; psd=n; t=y; adkim=s; aspf=r; fo=d:s; "
          "rua=mailto:a@b.example,mailto:c@d.example!10m; ruf=mailto:e@f.example;",
          compare_dmarc);
}

/* All texts of a suite's zones that could be SPF. */
static size_t compare_texts(struct yaml value)
{
    size_t count = 0;
    if (yaml_kind(value) == YAML_KIND_SCALAR) {
        struct span text = yaml_bytes(value);
        if (!span_starts_fold(text, SPAN("v=spf1")))
            return 0;
        compare_spf(guard_copy(text));
        return 1;
    }
    for (size_t i = 0; i < yaml_count(value); i++)
        count += compare_texts(yaml_item(value, i));
    return count;
}

Test(lint_agreement, openspf_records, .init = setup)
{
    struct yaml_file file = yaml_read(corpora_require("spf/openspf/rfc7208-tests.yml"));
    size_t count = 0;
    for (size_t i = 0; i < file.count; i++)
        count += compare_texts(yaml_get(file.documents[i], "zonedata"));
    cr_expect(count > 100, "%zu records", count);
}

Test(lint_agreement, published_keys, .init = setup)
{
    static const char *const files[] = {"dkim/go-dkim/keys.tsv", "dkim/go-msgauth/keys.tsv",
                                        "dkim/ocaml-dkim/keys.tsv"};
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct span rest = file_read(corpora_require(files[i])), line, cells[4];
        while (line_next(&rest, &line)) {
            if (line_cells(line, cells, 4) < 3 || !span_equal(cells[1], SPAN("TXT")))
                continue;
            compare_dkim(guard_copy(cells[2]));
            count++;
        }
    }
    cr_expect(count > 5, "%zu keys", count);
}
