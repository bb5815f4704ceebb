/* How the checks of engine/lint report. Internal to the folder. */
#ifndef LINT_FINDING_H
#define LINT_FINDING_H

#include "base/taglist.h"
#include "lint/lint.h"

/* The record that is being linted; all borrowed. */
struct lint_place
{
    struct lint_findings *findings;
    enum lint_kind kind;
    const struct dns_name *name; /* NULL: not known */
    struct span text;            /* empty: there is no record */
};

/* For "%.*s" of a span. */
#define SPAN_ARGS(span) (int)((span).n), (const char *)((span).p)

/*
 * Appends a finding about `part`, a part of place->text, or with an empty one about all of it.
 * Never fails as a call: without memory or over LINT_FINDINGS_MAX it returns NULL, which the next
 * call takes.
 */
struct lint_finding *lint_find(const struct lint_place *place, enum lint_severity severity,
                               const char *code, struct span part, const char *format, ...)
    PRINTF_LIKE(5, 6);
/* What to write instead. */
void lint_instead(const struct lint_place *place, struct lint_finding *finding, const char *format,
                  ...) PRINTF_LIKE(3, 4);

enum
{
    LINT_STRING_BYTES_MAX = 255, /* of a TXT record: RFC 1035 3.3 */
};

/* A text of place->kind, which may be UNKNOWN, and its shares, one file each. */
void lint_text(const struct lint_place *place);
void lint_spf_record(const struct lint_place *place, bool included);
/* A text that is or will be at place->name: does it lead back to itself at once? */
void lint_spf_loop(const struct lint_place *place);
void lint_dkim_record(const struct lint_place *place);
void lint_dmarc_record(const struct lint_place *place);

/*
 * tags.c: every fault of a tag list, each at its place: a spec that is none is an error or, where
 * receivers only leave it out, a warning. *list gets the good tags (faults left out).
 */
void lint_tags(const struct lint_place *place, enum lint_severity severity, struct taglist *list);
/* The tag as a whole, from its name to the end of its value. */
struct span lint_tag_text(const struct lint_place *place, const struct tag *tag);
/* "\;": a backslash that a zone file's writer put in front of ";" and that was published. */
void lint_escaped_semicolons(const struct lint_place *place);

/* size.c: octets of an answer's packet but for its records, and of one TXT record in it. */
size_t lint_question_bytes(const struct dns_name *name);
size_t lint_text_bytes(struct span text);
/* Over 512 octets: what that costs (RFC 7208 3.4). */
void lint_size(const struct lint_place *place, enum lint_severity severity);
/* Over one string: for a text that is still to be published. */
void lint_strings(const struct lint_place *place);

#endif
