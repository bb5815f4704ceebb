/*
 * assay lint: what is wrong with a domain's records, or with one record that somebody pastes.
 */
#include "lint.h"

#include "flags.h"
#include "private_keys.h"

struct lint
{
    const char *record, *kind, *name, *message;
    struct flag_texts selectors;
    bool strict;
    struct options shared; /* dns, resolver, timeout, json */
};

#define AT(member) offsetof(struct lint, member)

const struct flag lint_flags[] = {
    {"record", 0, FLAG_TEXT, "TEXT",
     "this record instead of a domain's; no DNS. Bare, in quoted\nstrings, or as a line of a zone file", AT(record), 0},
    {"kind", 0, FLAG_WORD, "spf|dkim|dmarc",
     "what the record is; default: what it looks like. With a domain: only this", AT(kind), 0},
    {"name", 0, FLAG_TEXT, "NAME", "where the record is or will be published", AT(name), 0},
    {"selector", 's', FLAG_TEXTS, "NAME", "look at this DKIM key; may stand several times",
     AT(selectors), 0},
    {"message", 0, FLAG_TEXT, "FILE",
     "look at the keys that this message is signed with;\nwithout DOMAIN: at its From domain",
     AT(message), 0},
    {"strict", 0, FLAG_SET, NULL, "warnings count as errors", AT(strict), 0},
    DNS_FLAGS(lint, shared),
    {"zone", 0, FLAG_TEXT, "FILE", "the same as --dns", AT(shared.dns), 0},
    {"json", 0, FLAG_SET, NULL, "one JSON object", AT(shared.json), 0},
    {0},
};

static enum lint_kind kind_of(const struct lint *l)
{
    static const enum lint_kind kinds[] = {LINT_SPF, LINT_DKIM, LINT_DMARC};
    for (size_t i = 0; l->kind && i < COUNT_OF(kinds); i++)
        if (strcmp(l->kind, lint_kind_word(kinds[i])) == 0)
            return kinds[i];
    return LINT_KIND_UNKNOWN;
}

static bool read_name(const char *text, struct dns_name *name)
{
    enum dns_name_error wrong = dns_name_from_domain(name, span_from_string(text));
    if (!wrong)
        return true;
    complain("\"%s\" is no domain name: %s", text, dns_name_error_word(wrong));
    return false;
}

static int report_print(const struct lint *l, const struct lint_subject *subject,
                        const struct lint_report *report)
{
    const uint32_t *counts = report->findings.counts;
    int status = STATUS_OK;
    if (report->findings.failed) {
        complain("no memory for all findings");
        return STATUS_SOFTWARE;
    }
    if (l->shared.json)
        status = lint_print_json(subject, report);
    else
        lint_print(subject, report, lint_columns());
    if (status)
        return status;
    return counts[LINT_ERROR] || (l->strict && counts[LINT_WARNING]) ? STATUS_PROBLEM : STATUS_OK;
}

/* --- one record --- */

static int lint_one(const struct lint *l, struct arena *arena)
{
    struct lint_report report = {0};
    const struct lint_subject subject = {0};
    struct span text = span_from_string(l->record);
    struct dns_name name;
    lint_findings_init(&report.findings, arena);
    if (l->name && !read_name(l->name, &name))
        return STATUS_USAGE;
    lint_pasted_record(kind_of(l), l->name ? &name : NULL, &text, &report.findings);
    return report_print(l, &subject, &report);
}

/* --- a domain --- */

struct work
{
    const struct lint *options;
    struct lint_subject subject;
    struct lint_request request;
    struct lint_message message; /* its keys are those of --selector, too */
    char domain[DNS_NAME_TEXT_MAX];
};

/* SELECTOR._domainkey.DOMAIN */
static bool add_selector(struct work *work, const char *selector)
{
    struct lint_message *m = &work->message;
    struct dns_name first, below, name;
    if (!read_name(selector, &first))
        return false;
    if (m->key_count == LINT_KEYS_MAX) {
        complain("over %d keys", LINT_KEYS_MAX);
        return false;
    }
    if (dns_name_prepend(&below, "_domainkey", &work->request.domain) ||
        dns_name_join(&name, &first, &below)) {
        complain("%s: too long for a name in the DNS", selector);
        return false;
    }
    m->keys[m->key_count++] = name;
    return true;
}

static bool find_domain(struct work *work, const struct operands *operands)
{
    if (operands->count)
        return read_name(operands->texts[0], &work->request.domain);
    work->request.domain = work->message.from;
    if (work->message.from.length)
        return true;
    complain("%s: no single domain in From; name the DOMAIN to look at", work->options->message);
    return false;
}

static int work_begin(struct work *work, const struct operands *operands)
{
    const struct lint *l = work->options;
    enum lint_kind only = kind_of(l);
    if (l->message) {
        int status = lint_message_read(l->message, &work->message);
        if (status)
            return status;
        work->subject.signatures_missing = work->message.key_count == 0;
    }
    if (!find_domain(work, operands))
        return l->message && !operands->count ? STATUS_BAD_INPUT : STATUS_USAGE;
    for (size_t i = 0; i < l->selectors.count; i++)
        if (!add_selector(work, l->selectors.texts[i]))
            return STATUS_USAGE;
    work->subject.domain = dns_name_text(&work->request.domain, work->domain);
    work->subject.dkim = !only || only == LINT_DKIM;
    work->request.spf = !only || only == LINT_SPF;
    work->request.dmarc = !only || only == LINT_DMARC;
    work->request.keys = work->message.keys;
    work->request.key_count = work->subject.dkim ? work->message.key_count : 0;
    return STATUS_OK;
}

static int look(struct work *work, struct assay_engine *engine, struct arena *arena,
                struct arena *answers_arena)
{
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct lint_report report;
    struct reachability reachability = {0};
    int64_t deadline_ms = engine_clock_ms() + engine->timeout_ms;
    engine->options.dmarc.always_ask_existence = true;
    work->request.dmarc_options = &engine->options.dmarc;
    work->request.void_limit = engine->options.spf_void_limit;
    lint_answers_init(&answers, answers_arena, &hits);
    while (lint_domain(&work->request, &answers, arena, &report) == JUDGE_WAITING) {
        dns_source_resolve(engine->source, &answers, deadline_ms);
        arena_reset(arena);
    }
    reachability_count(&reachability, &answers);
    int status = report_print(work->options, &work->subject, &report);
    int reached = reachability_status(&reachability, &work->options->shared);
    return reached ? reached : status;
}

static int lint_a_domain(const struct lint *l, const struct operands *operands, struct arena *arena)
{
    static struct work work; /* large; a process runs one command */
    struct arena answers_arena;
    work.options = l;
    int status = work_begin(&work, operands);
    if (status)
        return status;
    struct assay_engine *engine = options_open_engine(&l->shared, &status);
    if (!engine)
        return status;
    arena_init(&answers_arena, MAX_ARENA_BYTES);
    status = look(&work, engine, arena, &answers_arena);
    arena_fini(&answers_arena);
    assay_engine_close(&engine);
    return status;
}

static bool is_complete(const struct lint *l, const struct operands *operands)
{
    if (l->record && (operands->count || l->message || l->selectors.count || l->shared.dns ||
                      l->shared.resolver)) {
        complain("--record is looked at by itself: --kind, --name, --strict and --json go with it");
        return false;
    }
    if (!l->record && l->name) {
        complain("--name goes with --record");
        return false;
    }
    if (l->record || operands->count == 1 || (l->message && !operands->count))
        return true;
    complain("lint wants one DOMAIN, --message or --record; `assay help lint` tells");
    return false;
}

int command_lint(int argc, char **argv)
{
    static struct lint l;
    struct operands operands;
    struct arena arena;
    if (!flags_read(argc, argv, lint_flags, &l, &operands) || !is_complete(&l, &operands) ||
        !options_check_source(&l.shared))
        return STATUS_USAGE;
    arena_init(&arena, MAX_ARENA_BYTES);
    int status = l.record ? lint_one(&l, &arena) : lint_a_domain(&l, &operands, &arena);
    arena_fini(&arena);
    return status;
}
