/*
 * The linter: what is wrong with a domain's mail authentication records, where, and what to write
 * instead. It reads records with the parsers that the judges use and counts with their limits, so
 * that what is valid here is valid on the wire; an error is what makes a receiver refuse a record
 * or leave out a part of it, a warning what works and does harm, a note what is worth knowing.
 *
 * Pure like the judges: no input or output, no clock. lint_record looks at one text and needs no
 * DNS; lint_domain asks dns_lookup() and runs again from the start until it has its answers.
 */
#ifndef LINT_LINT_H
#define LINT_LINT_H

#include "dmarc/dmarc.h"
#include "dmarc/report.h"
#include "dns/answer.h"
#include "dns/name.h"

/* Bounds of one run: what a linted domain can make us do. They are no limits of a message, so they
 * do not stand in base/limit.h. */
enum
{
    LINT_FINDINGS_MAX = 500,    /* the rest is left out: error "too_many_findings" */
    LINT_QUESTIONS_MAX = 600,   /* DNS questions: error "dns_failure", "too_many_questions" */
    LINT_SPF_ROWS_MAX = 256,    /* terms in a tree: error "spf_tree_too_large" */
    LINT_SPF_DEPTH_MAX = 20,    /* records in each other: the same */
    LINT_KEYS_MAX = 64,         /* key records of one run */
    LINT_DESTINATIONS_MAX = 32, /* report addresses of one record */
};

enum lint_severity
{
    LINT_NOTE = 1,
    LINT_WARNING,
    LINT_ERROR,
    LINT_SEVERITIES, /* not one: size of arrays */
};

enum lint_kind
{
    LINT_KIND_UNKNOWN = 0,
    LINT_SPF,
    LINT_DKIM,
    LINT_DMARC,
};

/* All pointers and spans are static, in the findings' arena, or parts of the linted text. */
struct lint_finding
{
    enum lint_severity severity;
    enum lint_kind kind;
    const char *code;     /* static, stable snake_case; where the engine has a word for it, that */
    struct dns_name name; /* of the record; cleared where nobody said it */
    struct span text;     /* the record; empty where the finding is about none */
    size_t at, length;    /* bytes of `text` at fault; length 0: all of it */
    struct span what;     /* one sentence; may hold bytes of the record: escape it */
    struct span instead;  /* what to write or do; empty where there is nothing to say */
    struct lint_finding *next;
};

struct lint_findings
{
    struct arena *arena; /* borrowed */
    struct lint_finding *first;
    struct lint_finding **last;
    uint32_t counts[LINT_SEVERITIES]; /* by severity */
    uint32_t total;
    bool failed; /* without memory: some are missing; the caller must not say "clean" */
};

/* `arena` and whatever is linted outlive the findings. */
void lint_findings_init(struct lint_findings *findings, struct arena *arena);

/*
 * Lints one record's text, the strings of its TXT record joined. `name` is where it is or will be
 * published; NULL: not known. Findings are appended. Kind UNKNOWN is told by the text
 * (lint_kind_of); a text that is nothing known gives the error "unknown_record".
 */
void lint_record(enum lint_kind kind, const struct dns_name *name, struct span text,
                 struct lint_findings *findings);
/*
 * The same for a text as a person pastes it: where it is quoted strings as in a zone file
 * ("v=spf1 a" " -all", with \" \\ \DDD), or a zone file's line, they are joined first, and looked
 * at as strings too: over 255 octets, a blank lost between two. *text becomes the record's text
 * (findings' arena).
 */
void lint_pasted_record(enum lint_kind kind, const struct dns_name *name, struct span *text,
                        struct lint_findings *findings);
/* What the text looks like, by its version or first tags; faults allowed. */
enum lint_kind lint_kind_of(struct span text);

/* "error" "warning" "note"; "spf" "dkim" "dmarc", NULL for UNKNOWN. Static. */
const char *lint_severity_word(enum lint_severity severity);
const char *lint_kind_word(enum lint_kind kind);

#endif
