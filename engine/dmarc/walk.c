/*
 * The DNS Tree Walk of RFC 9989 4.10.
 *
 * All levels of a walk are asked at once, although the RFC words the walk as a loop that a psd= tag
 * ends: the answers are then there after one round trip instead of eight. The price is the levels
 * above a psd= tag, at most seven small questions that every message of the domain and of its
 * neighbours shares (_dmarc.com is always cached). The result is that of the loop: levels above a
 * record with psd=y or psd=n are left out of the walk, answered or not, and so are their errors.
 *
 * A level is unknown where the DNS failed, and also where a limit stops us from reading what
 * stands there: an answer cut at MAX_DNS_RECORDS, a record over MAX_DMARC_RECORD_BYTES or MAX_TAGS.
 * Taking such a level for empty would fall through to a parent's weaker policy or to "none", a
 * downgrade that nobody asked for; so it is an error wherever it could change the result.
 *
 * Limits: MAX_DMARC_WALK questions a name. A name of nine and more labels has levels that are never
 * asked (DP-14); each such walk counts a hit of the limit.
 */
#include "dmarc/walk.h"

static bool is_listed_psd(const struct dmarc_context *context, const struct dmarc_walk *walk,
                          const struct dmarc_step *step)
{
    if (context->psd_count == 0)
        return false;
    struct dns_name domain = dmarc_step_domain(walk, step);
    for (uint32_t i = 0; i < context->psd_count; i++)
        if (dns_name_equal(&context->psd_names[i], &domain))
            return true;
    return false;
}

static void level_unknown(struct dmarc_step *step, const char *reason, bool *kind)
{
    step->unknown = true;
    step->reason = reason;
    *kind = true;
}

/* DP-19. The record may belong to a cache: what is listed is a copy's. */
static void take_record(struct dmarc_walk *walk, struct dmarc_step *step,
                        const struct dmarc_record *record, const struct dmarc_context *context)
{
    step->record = record;
    if (record->psd != DMARC_PSD_UNKNOWN || !is_listed_psd(context, walk, step))
        return;
    struct dmarc_record *listed = ARENA_NEW(context->arena, struct dmarc_record);
    step->record = listed;
    if (!listed) {
        level_unknown(step, "no_memory", &walk->tempfail);
        return;
    }
    *listed = *record;
    listed->psd = DMARC_PSD_YES;
}

static void parse_record(struct dmarc_walk *walk, struct dmarc_step *step, struct span text,
                         const struct dmarc_context *context)
{
    const char *reason;
    struct dmarc_record *record = ARENA_NEW(context->arena, struct dmarc_record);
    if (!record) {
        level_unknown(step, "no_memory", &walk->tempfail);
        return;
    }
    if (!dmarc_record_parse(text, context->arena, context->hits, record, &reason))
        level_unknown(step, reason, context->arena->failed ? &walk->tempfail : &walk->permfail);
    else
        take_record(walk, step, record, context);
}

static void take_prepared(struct dmarc_walk *walk, struct dmarc_step *step,
                          const struct dmarc_prepared *prepared,
                          const struct dmarc_context *context)
{
    limit_hit_over(context->hits, prepared->over);
    if (prepared->reason)
        level_unknown(step, prepared->reason, &walk->permfail);
    else
        take_record(walk, step, &prepared->record, context);
}

static void read_answer(struct dmarc_walk *walk, struct dmarc_step *step,
                        const struct dns_answer *answer, const struct dmarc_context *context)
{
    step->outcome = answer->outcome;
    if (answer->outcome == DNS_TEMPFAIL) {
        level_unknown(step, answer->reason, &walk->tempfail);
        return;
    }
    if (answer->outcome != DNS_ANSWER)
        return;
    uint32_t found = 0;
    const struct dmarc_prepared *prepared = dmarc_prepared_of(answer);
    unsigned count = prepared ? prepared->count : dmarc_records_count(answer, &found); /* F10 */
    if (count > 1)
        step->reason = "several_records"; /* DP-11: discard all, go on */
    else if (answer->cut)
        level_unknown(step, limit_word(LIMIT_DNS_TEXT_BYTES), &walk->permfail);
    else if (count == 0)
        step->reason = "not_dmarc";
    else if (prepared)
        take_prepared(walk, step, prepared, context);
    else
        parse_record(walk, step, answer->records[found].text, context);
}

const struct dns_answer *dmarc_ask(const struct dmarc_context *context, const struct dns_name *name,
                                   enum dns_type type)
{
    const struct dns_answer *answer = dns_lookup(context->answers, name, type);
    struct dmarc_asked *asked = context->asked;
    if (!asked || !answer)
        return answer;
    bool whole = answer->outcome != DNS_TEMPFAIL && !answer->cut;
    int64_t until_ms = whole ? answer->shared_until_ms : 0;
    asked->questions++;
    if (until_ms < asked->shared_until_ms)
        asked->shared_until_ms = until_ms;
    return answer;
}

/* Adds one level; false where its answer is not there yet. */
static bool walk_level(struct dmarc_walk *walk, const struct dns_name *domain,
                       const struct dmarc_context *context)
{
    struct dns_name question;
    assert(walk->count < MAX_DMARC_WALK);
    struct dmarc_step *step = &walk->steps[walk->count++];
    assert(dns_name_is_at_or_below(&walk->start, domain));
    *step = (struct dmarc_step){.labels = domain->labels};
    if (dns_name_prepend(&question, "_dmarc", domain) != DNS_NAME_OK) {
        step->outcome = DNS_NXDOMAIN; /* a name that does not fit has no record */
        step->reason = "name_too_long";
        return true;
    }
    const struct dns_answer *answer = dmarc_ask(context, &question, DNS_TXT);
    if (!answer)
        return false;
    read_answer(walk, step, answer, context);
    return true;
}

static bool ends_walk(const struct dmarc_walk *walk)
{
    const struct dmarc_record *record = walk->steps[walk->count - 1].record;
    return record && record->psd != DMARC_PSD_UNKNOWN;
}

/* Labels to take off for the next level: one, or so many that seven stay (RFC 9989 4.10 step 4). */
static unsigned next_level(unsigned labels, unsigned off)
{
    return off == 0 && labels > 8 ? labels - 7u : off + 1;
}

static void walk_begin(struct dmarc_walk *walk, const struct dns_name *start)
{
    dns_name_copy(&walk->start, start);
    walk->count = 0;
    walk->tempfail = walk->permfail = walk->complete = false;
}

/* Standards.md 4.3, DP-14. */
enum judge dmarc_walk(const struct dns_name *start, const struct dmarc_context *context,
                      struct dmarc_walk *walk)
{
    bool waiting = false;
    walk_begin(walk, start);
    if (start->labels > MAX_DMARC_WALK)
        limit_hit(context->hits, LIMIT_DMARC_WALK);
    for (unsigned off = 0; off < start->labels; off = next_level(start->labels, off)) {
        struct dns_name above;
        if (off)
            above = dns_name_ancestor(start, off);
        if (!walk_level(walk, off ? &above : start, context))
            waiting = true;
        if (ends_walk(walk))
            break;
    }
    walk->complete = !waiting;
    return waiting ? JUDGE_WAITING : JUDGE_DONE;
}

enum judge dmarc_walk_levels(const struct dns_name *start, const struct dns_name *org,
                             const struct dmarc_context *context, struct dmarc_walk *walk)
{
    walk_begin(walk, start);
    bool answered = walk_level(walk, start, context);
    if (!dns_name_equal(start, org) && !walk_level(walk, org, context))
        answered = false;
    walk->complete = answered;
    return answered ? JUDGE_DONE : JUDGE_WAITING;
}

/* Standards.md 4.4: at most the last record of a walk has psd=y or psd=n. */
struct dns_name dmarc_walk_org(const struct dmarc_walk *walk)
{
    const struct dmarc_step *shortest = NULL;
    assert(walk->complete);
    for (uint32_t i = 0; i < walk->count; i++) {
        const struct dmarc_step *step = &walk->steps[i];
        if (!step->record)
            continue;
        if (step->record->psd == DMARC_PSD_NO)
            return dmarc_step_domain(walk, step); /* rule 1, DP-20 */
        if (step->record->psd == DMARC_PSD_YES && i == 0)
            return walk->start; /* rule 2 excepts the start, rule 3 takes it: DP-18 */
        if (step->record->psd == DMARC_PSD_YES)
            return dns_name_ancestor(&walk->start, /* rule 2, DP-17 */
                                     walk->start.labels - step->labels - 1u);
        shortest = step;
    }
    return shortest ? dmarc_step_domain(walk, shortest)
                    : walk->start; /* rule 3, DP-16; or the start itself */
}

const struct dmarc_record *dmarc_walk_record(const struct dmarc_walk *walk,
                                             const struct dns_name *domain)
{
    for (uint32_t i = 0; i < walk->count; i++) {
        if (walk->steps[i].labels != domain->labels)
            continue;
        struct dns_name level = dmarc_step_domain(walk, &walk->steps[i]);
        return dns_name_equal(&level, domain) ? walk->steps[i].record : NULL;
    }
    return NULL;
}

const struct dmarc_step *dmarc_walk_unknown(const struct dmarc_walk *walk)
{
    for (uint32_t i = 0; i < walk->count; i++)
        if (walk->steps[i].unknown)
            return &walk->steps[i];
    return NULL;
}
