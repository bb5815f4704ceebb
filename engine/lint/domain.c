/*
 * lint_domain. The parts are independent of each other: each asks what it needs, all questions of
 * a run leave together, and a part that waits has said nothing that is kept.
 */
#include "lint/parts.h"

void lint_answers_init(struct dns_answers *answers, struct arena *arena, struct limit_hits *hits)
{
    dns_answers_init(answers, arena, hits);
    answers->ceiling = LINT_QUESTIONS_MAX;
}

const struct dns_answer *lint_ask(struct lint_run *run, const struct dns_name *name,
                                  enum dns_type type)
{
    const struct dns_answer *answer = dns_lookup(run->answers, name, type);
    run->waiting |= !answer;
    return answer;
}

void lint_dns_failure(const struct lint_place *place, struct span part, const struct dns_name *name,
                      const struct dns_answer *answer)
{
    char text[DNS_NAME_TEXT_MAX];
    lint_instead(place,
                 lint_find(place, LINT_ERROR, "dns_failure", part,
                           "the DNS does not answer for %s: %s", dns_name_text(name, text),
                           answer->reason ? answer->reason : "dns_error"),
                 "ask once more; if it stays, look at the name servers of that domain");
}

void lint_near_miss(const struct lint_place *place, struct span text)
{
    struct lint_place miss = {place->findings, place->kind, place->name, text};
    if (lint_kind_of(text) == place->kind)
        lint_text(&miss);
}

enum judge lint_domain(const struct lint_request *request, struct dns_answers *answers,
                       struct arena *arena, struct lint_report *report)
{
    struct lint_run run = {request, answers, arena, report, false};
    *report = (struct lint_report){.dmarc = request->dmarc};
    lint_findings_init(&report->findings, arena);
    if (request->spf)
        lint_spf_tree(&run);
    lint_keys(&run);
    if (request->dmarc) {
        lint_dmarc_policy(&run);
        lint_dmarc_reports(&run);
    }
    report->findings.failed |= arena->failed;
    return run.waiting ? JUDGE_WAITING : JUDGE_DONE;
}
