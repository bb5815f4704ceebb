/* The parts of lint_domain. Internal to the folder. */
#ifndef LINT_PARTS_H
#define LINT_PARTS_H

#include "lint/domain.h"
#include "lint/finding.h"

struct lint_run
{
    const struct lint_request *request; /* borrowed */
    struct dns_answers *answers;        /* borrowed */
    struct arena *arena;                /* borrowed */
    struct lint_report *report;         /* borrowed */
    bool waiting;                       /* an answer is missing */
};

void lint_spf_tree(struct lint_run *run);
void lint_keys(struct lint_run *run);
void lint_dmarc_policy(struct lint_run *run);
void lint_dmarc_reports(struct lint_run *run);

/* dns_lookup; NULL and run->waiting where the answer is missing. */
const struct dns_answer *lint_ask(struct lint_run *run, const struct dns_name *name,
                                  enum dns_type type) MUST_CHECK;
/* The error "dns_failure" for a DNS_TEMPFAIL, about `part` of the record that led to the question.
 */
void lint_dns_failure(const struct lint_place *place, struct span part, const struct dns_name *name,
                      const struct dns_answer *answer);
/* A text at `name` that is none of the records looked for, though it was meant to be one. */
void lint_near_miss(const struct lint_place *place, struct span text);

#endif
