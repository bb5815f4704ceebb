/*
 * Findings, and lint_record. Texts are put together in the findings' arena; one is cut at
 * TEXT_BYTES_MAX, which no sentence of ours reaches unless a record's own bytes are in it.
 */
#include "lint/finding.h"

#include <stdarg.h>
#include <stdio.h>

enum
{
    TEXT_BYTES_MAX = 2048,
};

void lint_findings_init(struct lint_findings *findings, struct arena *arena)
{
    *findings = (struct lint_findings){.arena = arena};
    findings->last = &findings->first;
}

PRINTF_LIKE(2, 0)
static struct span text_format(struct lint_findings *findings, const char *format, va_list args)
{
    char text[TEXT_BYTES_MAX];
    int n = vsnprintf(text, sizeof text, format, args);
    size_t length = n < 0 ? 0 : (size_t)n;
    if (length >= sizeof text)
        length = sizeof text - 1;
    struct span copy = arena_copy(findings->arena, span_of(text, length));
    if (length && !copy.p)
        findings->failed = true;
    return copy;
}

static struct lint_finding *append(struct lint_findings *findings)
{
    struct lint_finding *finding = ARENA_NEW(findings->arena, struct lint_finding);
    if (!finding) {
        findings->failed = true;
        return NULL;
    }
    *findings->last = finding;
    findings->last = &finding->next;
    findings->total++;
    return finding;
}

/* The last one that there is room for says so, and is an error: nothing is clean behind it. */
static struct lint_finding *room(const struct lint_place *place)
{
    struct lint_findings *findings = place->findings;
    if (findings->total >= LINT_FINDINGS_MAX)
        return NULL;
    struct lint_finding *finding = append(findings);
    if (!finding || findings->total < LINT_FINDINGS_MAX)
        return finding;
    finding->severity = LINT_ERROR;
    finding->kind = place->kind;
    finding->code = "too_many_findings";
    finding->what = SPAN("more faults than anybody would read: the rest is left out");
    findings->counts[LINT_ERROR]++;
    return NULL;
}

struct lint_finding *lint_find(const struct lint_place *place, enum lint_severity severity,
                               const char *code, struct span part, const char *format, ...)
{
    struct lint_finding *finding = room(place);
    if (!finding)
        return NULL;
    finding->severity = severity;
    finding->kind = place->kind;
    finding->code = code;
    finding->text = place->text;
    if (place->name)
        finding->name = *place->name;
    if (part.n && place->text.n) {
        assert(part.p >= place->text.p && span_end(part) <= span_end(place->text));
        finding->at = (size_t)(part.p - place->text.p);
        finding->length = part.n;
    }
    va_list args;
    va_start(args, format);
    finding->what = text_format(place->findings, format, args);
    va_end(args);
    place->findings->counts[severity]++;
    return finding;
}

void lint_instead(const struct lint_place *place, struct lint_finding *finding, const char *format,
                  ...)
{
    va_list args;
    if (!finding)
        return;
    va_start(args, format);
    finding->instead = text_format(place->findings, format, args);
    va_end(args);
}

static bool holds(struct span text, struct span word)
{
    for (size_t i = 0; i + word.n <= text.n; i++)
        if (span_equal_fold(span_slice(text, i, i + word.n), word))
            return true;
    return false;
}

enum lint_kind lint_kind_of(struct span text)
{
    struct span head = span_slice(text, 0, text.n < 64 ? text.n : 64);
    if (holds(head, SPAN("spf1")) || holds(head, SPAN("v=spf")) || holds(head, SPAN("spf2.0")))
        return LINT_SPF;
    if (holds(head, SPAN("dmarc")))
        return LINT_DMARC;
    if (holds(head, SPAN("dkim")) || span_starts_fold(head, SPAN("k=")) ||
        holds(text, SPAN("p=MI")) || holds(head, SPAN("k=rsa")) || holds(head, SPAN("k=ed25519")))
        return LINT_DKIM;
    return LINT_KIND_UNKNOWN;
}

void lint_text(const struct lint_place *place)
{
    switch (place->kind) {
    case LINT_SPF:
        lint_spf_record(place, false);
        if (place->name)
            lint_spf_loop(place);
        return;
    case LINT_DKIM:
        lint_dkim_record(place);
        return;
    case LINT_DMARC:
        lint_dmarc_record(place);
        return;
    case LINT_KIND_UNKNOWN:
        break;
    }
    lint_instead(place,
                 lint_find(place, LINT_ERROR, "unknown_record", (struct span){NULL, 0},
                           "this is no record of SPF, DKIM or DMARC"),
                 "begin with \"v=spf1 \", \"v=DKIM1;\" or \"v=DMARC1;\"");
}

void lint_record(enum lint_kind kind, const struct dns_name *name, struct span text,
                 struct lint_findings *findings)
{
    struct lint_place place = {findings, kind ? kind : lint_kind_of(text), name, text};
    lint_text(&place);
    lint_strings(&place);
}

const char *lint_severity_word(enum lint_severity severity)
{
    switch (severity) {
    case LINT_NOTE:
        return "note";
    case LINT_WARNING:
        return "warning";
    case LINT_ERROR:
    case LINT_SEVERITIES:
        break;
    }
    return "error";
}

const char *lint_kind_word(enum lint_kind kind)
{
    switch (kind) {
    case LINT_SPF:
        return "spf";
    case LINT_DKIM:
        return "dkim";
    case LINT_DMARC:
        return "dmarc";
    case LINT_KIND_UNKNOWN:
        break;
    }
    return NULL;
}
