/*
 * The domain's own words after a fail (RFC 7208 section 6.2, SP-37, security.md E13).
 *
 * A third party wrote this text: it is shown only when it is whole and plain. Any trouble, a failed
 * lookup, several records, bad syntax, a byte that is not printable ASCII (CR and LF among them),
 * more than MAX_SPF_EXPLANATION_BYTES, is treated as if there were no exp=.
 */
#include "base/chars.h"
#include "spf/run.h"

static bool is_printable(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!char_is(text.p[i], CHAR_VCHAR) && text.p[i] != ' ')
            return false;
    return true;
}

/* The one TXT record at the name of exp=. Its lookup is no term and never void. */
static enum spf_step text_fetch(struct spf_run *run, struct span domain_spec, struct span *text)
{
    struct dns_name name;
    enum spf_step step = spf_target(run, domain_spec, NULL, &name);
    if (step != SPF_YES)
        return step;
    const struct dns_answer *answer = spf_ask(run, &name, DNS_TXT);
    if (!answer)
        return SPF_WAITING;
    if (answer->outcome != DNS_ANSWER || answer->count != 1 || answer->cut)
        return SPF_NO;
    *text = answer->records[0].text;
    return spf_macro_check(*text, SPF_MACRO_EXPLANATION) ? SPF_YES : SPF_NO;
}

static enum spf_step explanation_make(struct spf_run *run, struct span domain_spec)
{
    struct span text;
    struct span expanded;
    enum spf_step step = text_fetch(run, domain_spec, &text);
    if (step == SPF_YES)
        step =
            spf_expand_explanation(run, text, run->explanation, sizeof run->explanation, &expanded);
    if (step == SPF_YES && is_printable(expanded))
        run->explanation_begin = (uint32_t)(expanded.p - run->explanation);
    return step;
}

bool spf_explain(struct spf_run *run)
{
    struct span exp = run->frames[run->decider].record.exp;
    if (run->result != RESULT_FAIL || !run->want_explanation || exp.n == 0)
        return true;
    /* %{d} is the domain whose record has the exp=; trouble here does not touch the verdict. */
    uint32_t depth = run->depth;
    uint32_t way = run->way;
    bool uses_local_part = run->uses_local_part;
    run->depth = run->decider;
    bool waiting = explanation_make(run, exp) == SPF_WAITING;
    run->depth = depth;
    run->way = way;
    run->uses_local_part = uses_local_part;
    run->result = RESULT_FAIL;
    run->reason = NULL;
    return !waiting;
}
