/* The SPF part of the linter. Internal to the folder. */
#ifndef LINT_SPF_H
#define LINT_SPF_H

#include "lint/finding.h"
#include "spf/record.h"

/* spf_syntax.c: the faults of a record that does not parse. */
void lint_spf_syntax(const struct lint_place *place, const struct spf_syntax_error *error);
/* The next word between spaces of a record's text; *at is where to begin. */
bool lint_spf_term(struct span text, size_t *at, struct span *term) MUST_CHECK;
/* spf_range.c: networks that are too wide, private, or stand twice. */
void lint_spf_ranges(const struct lint_place *place, const struct spf_record *record);

#endif
