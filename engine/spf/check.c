/*
 * check_host() of RFC 7208 section 4: records, their terms from left to right, include and
 * redirect. Iterative: include and redirect put a frame on a stack, a record's result takes it off
 * again. Limits: MAX_SPF_LOOKUPS, the void limit (mechanism.c), MAX_SPF_DEPTH. Any limit and any
 * error ends the whole evaluation at once (security.md E14).
 */
#include "spf/run.h"

/* What a step of the evaluation led to. */
enum event
{
    EVENT_WAITING, /* an answer is missing */
    EVENT_GO_ON,   /* evaluate the next term of the frame on top */
    EVENT_RESULT,  /* run->result is the result of the record on top */
};

static void way_set(struct spf_run *run)
{
    run->way = run->depth + 1;
}

enum spf_step spf_fail(struct spf_run *run, enum result result, const char *reason)
{
    run->result = result;
    run->reason = reason;
    way_set(run);
    return SPF_ERROR;
}

enum spf_step spf_limit(struct spf_run *run, enum limit limit)
{
    limit_hit(run->hits, limit);
    return spf_fail(run, RESULT_PERMERROR, limit_word(limit));
}

bool spf_is_own_limit(const struct dns_answer *answer)
{
    return answer->outcome == DNS_TEMPFAIL && (strcmp(answer->reason, "too_many_questions") == 0 ||
                                               strcmp(answer->reason, "no_memory") == 0);
}

enum spf_step spf_dns_fail(struct spf_run *run, const struct dns_answer *answer)
{
    static const struct
    {
        const char *dns, *ours;
    } words[] = {
        {"timeout", "dns_timeout"},
        {"servfail", "dns_servfail"},
        {"refused", "dns_refused"},
        {"formerr", "dns_formerr"},
        {"notimp", "dns_notimp"},
        {"bogus", "dns_bogus"},
        {"cname_loop", "dns_cname_loop"},
        {"malformed", "dns_malformed"},
        {"truncated", "dns_truncated"},
        {"cname_chain_too_long", "cname_chain_too_long"},
        {"dns_answer_too_large", "dns_answer_too_large"},
    };
    if (spf_is_own_limit(answer))
        return spf_fail(run, RESULT_TEMPERROR, answer->reason);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(answer->reason, words[i].dns) == 0)
            return spf_fail(run, RESULT_TEMPERROR, words[i].ours);
    return spf_fail(run, RESULT_TEMPERROR, "dns_error");
}

/* What follows from a failure, or from an answer over a limit, is for one message alone. */
static void note_shared(struct spf_run *run, const struct dns_answer *answer)
{
    bool whole = answer->outcome != DNS_TEMPFAIL && !answer->cut;
    int64_t until_ms = whole ? answer->shared_until_ms : 0;
    if (until_ms < run->shared_until_ms)
        run->shared_until_ms = until_ms;
}

const struct dns_answer *spf_ask(struct spf_run *run, const struct dns_name *name,
                                 enum dns_type type)
{
    static const struct dns_answer too_many = {.outcome = DNS_TEMPFAIL,
                                               .reason = "too_many_questions"};
    if (run->questions_left == 0) {
        limit_hit(run->hits, LIMIT_SPF_HELO_QUESTIONS);
        note_shared(run, &too_many);
        return &too_many;
    }
    run->questions_left--;
    const struct dns_answer *answer = dns_lookup(run->answers, name, type);
    if (answer)
        note_shared(run, answer);
    return answer;
}

enum dns_type spf_address_type(const struct spf_run *run)
{
    return run->client.family == IP_V4 ? DNS_A : DNS_AAAA;
}

static enum event event_of(enum spf_step step)
{
    if (step == SPF_WAITING)
        return EVENT_WAITING;
    return step == SPF_ERROR ? EVENT_RESULT : EVENT_GO_ON;
}

static enum event result_set(struct spf_run *run, enum result result, const char *reason)
{
    run->result = result;
    run->reason = reason;
    return EVENT_RESULT;
}

/* RFC 7208 4.3 to 4.5 for the frame on top. Looking a record up is neither a term nor void. */
static enum event record_load(struct spf_run *run)
{
    struct spf_frame *frame = &run->frames[run->depth];
    struct spf_found found;
    if (frame->domain.labels < 2) /* SP-4; the judge looked at the first one */
        return result_set(run, RESULT_NONE, "single_label_domain");
    const struct dns_answer *answer = spf_ask(run, &frame->domain, DNS_TXT);
    if (!answer)
        return EVENT_WAITING;
    if (answer->outcome == DNS_TEMPFAIL) /* SP-6, F08 */
        return event_of(spf_dns_fail(run, answer));
    if (answer->outcome != DNS_ANSWER)
        return result_set(run, RESULT_NONE,
                          answer->outcome == DNS_NXDOMAIN ? "no_such_domain" : "no_record");
    if (answer->cut) /* F09: what was left out might be a record too */
        return event_of(spf_fail(run, RESULT_PERMERROR, limit_word(LIMIT_DNS_TEXT_BYTES)));
    spf_answer_read(answer, run->hits, &found);
    if (found.count == 0)
        return result_set(run, RESULT_NONE, "no_record");
    if (found.count > 1)
        return event_of(spf_fail(run, RESULT_PERMERROR, "multiple_records"));
    frame->record = found.record;
    if (found.reason)
        return event_of(spf_fail(run, RESULT_PERMERROR, found.reason));
    return EVENT_GO_ON;
}

/* SP-24 and the depth, before anything is asked. */
static enum spf_step descent_check(struct spf_run *run)
{
    if (run->lookups == MAX_SPF_LOOKUPS)
        return spf_limit(run, LIMIT_SPF_LOOKUPS);
    run->lookups++;
    /* Maintainer proofing: every frame costs a lookup, so today the check above comes first. */
    if (run->depth == MAX_SPF_DEPTH)
        return spf_limit(run, LIMIT_SPF_DEPTH);
    return SPF_YES;
}
STATIC_ASSERT((int)MAX_SPF_LOOKUPS <= (int)MAX_SPF_DEPTH);

static enum event descend(struct spf_run *run, const struct dns_name *domain, bool redirected)
{
    spf_frame_begin(&run->frames[++run->depth], domain, redirected);
    return record_load(run);
}

/* "include": RFC 7208 5.2 */
static enum event include_enter(struct spf_run *run, const struct spf_term *term)
{
    struct dns_name target;
    enum spf_step step = descent_check(run);
    if (step == SPF_YES)
        step = spf_target(run, term->domain_spec, &term->literal, &target);
    return step == SPF_YES ? descend(run, &target, false) : event_of(step);
}

/* "redirect": RFC 7208 6.1, SP-18 */
static enum event redirect_enter(struct spf_run *run)
{
    struct spf_frame *frame = &run->frames[run->depth];
    struct dns_name target;
    frame->step = frame->record.redirect_text;
    enum spf_step step = descent_check(run);
    if (step == SPF_YES)
        step = spf_target(run, frame->record.redirect, NULL, &target);
    if (step == SPF_NO)
        return event_of(spf_fail(run, RESULT_PERMERROR, "redirect_bad_target"));
    return step == SPF_YES ? descend(run, &target, true) : event_of(step);
}

/* No directive is left (SP-16). A record with "all" never comes here (SP-12). */
static enum event record_end(struct spf_run *run)
{
    const struct spf_frame *frame = &run->frames[run->depth];
    if (frame->record.redirect.n)
        return redirect_enter(run);
    return result_set(run, RESULT_NEUTRAL, "no_match");
}

static enum result qualifier_result(char qualifier)
{
    switch (qualifier) {
    case '+':
        return RESULT_PASS;
    case '-':
        return RESULT_FAIL;
    case '~':
        return RESULT_SOFTFAIL;
    case '?':
        return RESULT_NEUTRAL;
    default:
        assert(!"a qualifier");
        return RESULT_PERMERROR;
    }
}

/* The directive that the frame on top is at has matched. */
static enum event frame_match(struct spf_run *run)
{
    run->decider = run->depth;
    return result_set(run, qualifier_result(run->frames[run->depth].qualifier), NULL);
}

static enum event term_evaluate(struct spf_run *run)
{
    struct spf_frame *frame = &run->frames[run->depth];
    struct spf_term term;
    if (!spf_record_next(&frame->record, &frame->at, &term))
        return record_end(run);
    frame->step = term.text;
    frame->qualifier = term.qualifier;
    if (term.mechanism == SPF_INCLUDE)
        return include_enter(run, &term);
    enum spf_step step = spf_mechanism_match(run, &term);
    if (step != SPF_YES)
        return event_of(step);
    way_set(run);
    return frame_match(run);
}

/*
 * Hands the result of the record on top down to where it was included from or redirected to.
 * EVENT_GO_ON: an include did not match, its record goes on; EVENT_RESULT: this is the end.
 *
 *   include, the target's result:  pass: match;  fail, softfail, neutral: no match;
 *                                  none: permerror;  errors: the same   RFC 7208 5.2, SP-17
 *   redirect:                      none: permerror;  else the same      RFC 7208 6.1, SP-18
 */
static enum event result_return(struct spf_run *run)
{
    while (run->depth > 0 && run->result != RESULT_TEMPERROR && run->result != RESULT_PERMERROR) {
        bool redirected = run->frames[run->depth].redirected;
        run->depth--;
        if (run->result == RESULT_NONE)
            return event_of(spf_fail(run, RESULT_PERMERROR,
                                     redirected ? "redirect_no_record" : "include_no_record"));
        if (redirected)
            continue;
        if (run->result != RESULT_PASS) {
            run->way = 0;
            run->prefix = -1;
            return EVENT_GO_ON;
        }
        frame_match(run);
    }
    return EVENT_RESULT;
}

enum judge spf_check_host(struct spf_run *run)
{
    enum event event = record_load(run);
    while (true) {
        if (event == EVENT_RESULT)
            event = result_return(run);
        if (event != EVENT_GO_ON)
            break;
        event = term_evaluate(run);
    }
    if (event == EVENT_WAITING || !spf_explain(run))
        return JUDGE_WAITING;
    return JUDGE_DONE;
}
