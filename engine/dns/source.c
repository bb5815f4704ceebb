/* What all sources share: after dns_source_resolve no question is left without an answer. */
#include "dns/source.h"

void dns_source_resolve(struct dns_source *source, struct dns_answers *answers, int64_t deadline_ms)
{
    static const struct dns_answer timeout = {.outcome = DNS_TEMPFAIL, .reason = "timeout"};
    if (answers->waiting)
        source->ops->resolve(source, answers, deadline_ms);
    for (struct dns_question *q = answers->first; q && answers->waiting; q = q->next)
        if (!q->answer.outcome)
            dns_answers_put(answers, q, &timeout);
}

void dns_source_free(struct dns_source **source)
{
    if (*source)
        (*source)->ops->free(*source);
    *source = NULL;
}
