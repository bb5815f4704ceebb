/*
 * The DMARC judge of RFC 9989: author domain, discovery, alignment, result, disposition.
 *
 * It asks as much as it can in each run: the walk of the author domain (walk.c), then the walks of
 * all identifiers that need one, side by side. What was noted in earlier runs is in the memo, so a
 * run is a few lookups and comparisons, and needs no state of its own. Limit hits are added up when
 * it is done, once, however many runs that took.
 *
 * Limits: one author domain, MAX_AUTHOR_DOMAINS with strictest_of_several; eight questions a name
 * (MAX_DMARC_WALK); one question for existence.
 *
 * BUGS
 *   Results of ARC and other local knowledge are applied by the caller, who then sets `override`
 *   (DP-38); this judge knows of the published policy only.
 */
#include "dmarc/dmarc.h"

#include "dmarc/align.h"
#include "dmarc/author.h"
#include "dmarc/discover.h"
#include "dmarc/shared.h"

/* --- Alignment of all identifiers (DP-29 to DP-31) --- */

/* What the alignments of some identifiers come to. */
struct shown
{
    bool waiting;
    bool aligned;
    bool temperror; /* could not be told: the DNS */
    bool permerror; /* could not be told: a limit */
};

static bool show(struct shown *shown, enum dmarc_aligned aligned)
{
    shown->waiting |= aligned == DMARC_ALIGNED_WAITING;
    shown->aligned |= aligned == DMARC_ALIGNED_YES;
    shown->temperror |= aligned == DMARC_ALIGNED_TEMPERROR;
    shown->permerror |= aligned == DMARC_ALIGNED_PERMERROR;
    return aligned == DMARC_ALIGNED_YES;
}

static struct shown align_passing(const struct dmarc_identifiers *identifiers,
                                  const struct dmarc_options *options,
                                  const struct dmarc_context *context,
                                  struct dmarc_judgement *judgement)
{
    const struct dmarc_discovery *discovery = &judgement->discovery;
    struct shown shown = {.waiting = false};
    for (uint32_t i = 0; i < identifiers->dkim_count; i++) {
        judgement->dkim_alignment[i] =
            show(&shown, dmarc_align(discovery, &identifiers->dkim[i], judgement->dkim_strict,
                                     options, context));
        judgement->dkim_aligned |= judgement->dkim_alignment[i];
    }
    if (identifiers->spf_pass)
        judgement->spf_aligned = show(&shown, dmarc_align(discovery, &identifiers->spf_domain,
                                                          judgement->spf_strict, options, context));
    return shown;
}

/* Identifiers whose own check had no answer: had they passed, would they have been aligned? */
static struct shown align_failed_spf(const struct dmarc_identifiers *identifiers,
                                     const struct dmarc_options *options,
                                     const struct dmarc_context *context,
                                     const struct dmarc_judgement *judgement)
{
    struct shown shown = {.waiting = false};
    if (identifiers->spf_temperror)
        (void)show(&shown, dmarc_align(&judgement->discovery, &identifiers->spf_domain,
                                       judgement->spf_strict, options, context));
    return shown;
}

static struct shown align_failed_dkim(const struct dmarc_identifiers *identifiers,
                                      const struct dmarc_options *options,
                                      const struct dmarc_context *context,
                                      const struct dmarc_judgement *judgement)
{
    struct shown shown = {.waiting = false};
    for (uint32_t i = 0; i < identifiers->dkim_temperror_count; i++)
        (void)show(&shown, dmarc_align(&judgement->discovery, &identifiers->dkim_temperror[i],
                                       judgement->dkim_strict, options, context));
    return shown;
}

static bool might_align(const struct shown *shown)
{
    return shown->aligned || shown->temperror || shown->permerror;
}

/* --- Result and disposition (DP-36 to DP-41) --- */

static enum dmarc_disposition dispose(enum dmarc_policy policy, const struct dmarc_options *options)
{
    switch (policy) {
    case DMARC_POLICY_REJECT:
        return options->reject ? DMARC_DISPOSE_REJECT : DMARC_DISPOSE_QUARANTINE; /* DP-38 */
    case DMARC_POLICY_QUARANTINE:
        return DMARC_DISPOSE_QUARANTINE;
    case DMARC_POLICY_NONE:
    case DMARC_POLICY_UNSET:
    case DMARC_POLICY_INVALID:
        break;
    }
    return DMARC_DISPOSE_NONE; /* DP-37 */
}

/* Why less is done than was published (DP-25, DP-41). */
static const char *override_word(const struct dmarc_judgement *judgement)
{
    if (judgement->discovery.published != judgement->policy)
        return "policy_test_mode";
    bool softened =
        judgement->policy == DMARC_POLICY_REJECT && judgement->disposition != DMARC_DISPOSE_REJECT;
    return softened ? "local_policy" : NULL;
}

static void conclude(struct dmarc_judgement *judgement, enum result result, const char *reason)
{
    judgement->result = result;
    judgement->reason = reason;
    judgement->policy = judgement->discovery.policy;
    judgement->disposition = DMARC_DISPOSE_NONE;
}

static void conclude_fail(struct dmarc_judgement *judgement,
                          const struct dmarc_identifiers *identifiers,
                          const struct dmarc_options *options)
{
    bool none_passed = !identifiers->spf_pass && identifiers->dkim_count == 0;
    conclude(judgement, RESULT_FAIL, none_passed ? "no_identifier" : "not_aligned");
    judgement->disposition = dispose(judgement->policy, options);
    judgement->override = override_word(judgement);
}

/* No aligned identifier passed. An answer that is missing keeps it from being a fail (DP-28). */
static enum judge judge_unaligned(const struct shown *passing,
                                  const struct dmarc_identifiers *identifiers,
                                  const struct dmarc_options *options,
                                  const struct dmarc_context *context,
                                  struct dmarc_judgement *judgement)
{
    struct shown spf = align_failed_spf(identifiers, options, context, judgement);
    struct shown dkim = align_failed_dkim(identifiers, options, context, judgement);
    if (spf.waiting || dkim.waiting)
        return JUDGE_WAITING;
    if (passing->temperror)
        conclude(judgement, RESULT_TEMPERROR, "alignment_dns_error");
    else if (might_align(&dkim))
        conclude(judgement, RESULT_TEMPERROR, "dkim_temperror");
    else if (might_align(&spf))
        conclude(judgement, RESULT_TEMPERROR, "spf_temperror");
    else if (passing->permerror)
        conclude(judgement, RESULT_PERMERROR, "alignment_limit");
    else if (judgement->discovery.result == RESULT_TEMPERROR)
        conclude(judgement, RESULT_TEMPERROR, judgement->discovery.reason);
    else
        conclude_fail(judgement, identifiers, options);
    return JUDGE_DONE;
}

void dmarc_judgement_init(struct dmarc_judgement *judgement)
{
    memset(judgement, 0, offsetof(struct dmarc_judgement, discovery));
    dmarc_discovery_init(&judgement->discovery);
}

/* All but `discovery`. False without memory. */
static bool judgement_begin(struct dmarc_judgement *judgement,
                            const struct dmarc_identifiers *identifiers, struct arena *arena)
{
    memset(judgement, 0, offsetof(struct dmarc_judgement, discovery));
    judgement->dkim_count = identifiers->dkim_count;
    judgement->dkim_alignment = ARENA_ARRAY(arena, identifiers->dkim_count, bool);
    if (judgement->dkim_alignment)
        return true;
    judgement->dkim_count = 0;
    return false;
}

/* The discovery is done. */
static enum judge judge_identifiers(const struct dmarc_identifiers *identifiers,
                                    const struct dmarc_options *options,
                                    const struct dmarc_context *context,
                                    struct dmarc_judgement *judgement)
{
    const struct dmarc_discovery *discovery = &judgement->discovery;
    bool applies = discovery->record && discovery->result != RESULT_NONE;
    if (!applies) {
        conclude(judgement, discovery->result, discovery->reason);
        return JUDGE_DONE;
    }
    judgement->spf_strict = discovery->record->aspf_strict; /* DP-34 */
    judgement->dkim_strict = discovery->record->adkim_strict;
    struct shown passing = align_passing(identifiers, options, context, judgement);
    if (passing.waiting)
        return JUDGE_WAITING;
    if (!passing.aligned)
        return judge_unaligned(&passing, identifiers, options, context, judgement);
    conclude(judgement, RESULT_PASS, NULL); /* DP-31 */
    return JUDGE_DONE;
}

/* Another message's, or worked out, for others too where no limit was met. */
static enum judge discover(const struct dns_name *author, const struct dmarc_options *options,
                           const struct dmarc_context *context, struct dmarc_discovery *discovery)
{
    struct dmarc_asked asked = {.shared_until_ms = INT64_MAX};
    struct dmarc_context counting = *context;
    counting.asked = &asked;
    if (!context->results)
        return dmarc_policy_find(author, options, context, discovery);
    if (dmarc_shared_take(context->results, author, options, context->arena, discovery))
        return JUDGE_DONE;
    if (dmarc_policy_find(author, options, &counting, discovery) == JUDGE_WAITING)
        return JUDGE_WAITING;
    if (limit_over(context->hits) == 0)
        dmarc_shared_keep(context->results, options, discovery, &asked);
    return JUDGE_DONE;
}

static enum judge judge_author(const struct dns_name *author,
                               const struct dmarc_identifiers *identifiers,
                               const struct dmarc_options *options,
                               const struct dmarc_context *context,
                               struct dmarc_judgement *judgement)
{
    if (!judgement_begin(judgement, identifiers, context->arena)) {
        dmarc_discovery_init(&judgement->discovery);
        conclude(judgement, RESULT_TEMPERROR, "no_memory");
        return JUDGE_DONE;
    }
    if (discover(author, options, context, &judgement->discovery) == JUDGE_WAITING)
        return JUDGE_WAITING;
    if (!identifiers->known)
        return JUDGE_DONE;
    return judge_identifiers(identifiers, options, context, judgement);
}

/* --- Several author domains (DP-3) --- */

/*
 * Of several judgements the one with the highest rank stands: a failing author domain outweighs all
 * else, the strictest policy first; then errors; then a domain without DMARC; pass only if all
 * pass.
 */
static int rank(const struct dmarc_judgement *judgement)
{
    switch ((int)judgement->result) {
    case RESULT_FAIL:
        return 10 + (int)judgement->policy;
    case RESULT_TEMPERROR:
        return 4;
    case RESULT_PERMERROR:
        return 3;
    case RESULT_NONE:
        return 2;
    case RESULT_PASS:
        return 1;
    default:
        return 5;
    }
}

static enum judge judge_several(const struct dmarc_authors *authors,
                                const struct dmarc_identifiers *identifiers,
                                const struct dmarc_options *options,
                                const struct dmarc_context *context,
                                struct dmarc_judgement *judgement)
{
    bool waiting = false;
    struct dmarc_judgement *each =
        ARENA_ARRAY(context->arena, authors->count, struct dmarc_judgement);
    if (!each) {
        dmarc_judgement_init(judgement);
        conclude(judgement, RESULT_TEMPERROR, "no_memory");
        return JUDGE_DONE;
    }
    for (uint32_t i = 0; i < authors->count; i++)
        if (judge_author(&authors->names[i], identifiers, options, context, &each[i]) ==
            JUDGE_WAITING)
            waiting = true;
    if (waiting)
        return JUDGE_WAITING;
    uint32_t chosen = 0;
    for (uint32_t i = 1; i < authors->count; i++)
        if (rank(&each[i]) > rank(&each[chosen]))
            chosen = i;
    *judgement = each[chosen];
    return JUDGE_DONE;
}

/* --- The public calls --- */

static struct dmarc_context context_of(const struct dmarc_options *options,
                                       struct dns_answers *answers, struct arena *arena,
                                       struct limit_hits *hits)
{
    return (struct dmarc_context){.answers = answers,
                                  .arena = arena,
                                  .hits = hits,
                                  .psd_names = options->psd_names,
                                  .psd_count = options->psd_count};
}

enum judge dmarc_discover(const struct dns_name *author, const struct dmarc_options *options,
                          struct dns_answers *answers, struct arena *arena, struct limit_hits *hits,
                          struct dmarc_discovery *discovery)
{
    struct limit_hits of_run;
    limit_hits_begin(&of_run);
    struct dmarc_context context = context_of(options, answers, arena, &of_run);
    enum judge judge = dmarc_policy_find(author, options, &context, discovery);
    if (judge == JUDGE_DONE)
        limit_hits_add(hits, &of_run);
    return judge;
}

/* A discovery that counted nothing may stand for the one of a later run. */
static bool may_stand(const struct limit_hits *of_run)
{
    return limit_over(of_run) == 0;
}

enum judge dmarc_judge_authors(const struct dmarc_authors *authors,
                               const struct dmarc_identifiers *identifiers,
                               const struct dmarc_options *options, struct dns_answers *answers,
                               struct arena *arena, struct limit_hits *hits,
                               struct dmarc_judgement *judgement)
{
    struct limit_hits of_run;
    limit_hits_begin(&of_run);
    struct dmarc_context context = context_of(options, answers, arena, &of_run);
    if (authors->error) {
        dmarc_judgement_init(judgement);
        conclude(judgement, RESULT_PERMERROR, authors->error); /* DP-1 */
        return JUDGE_DONE;
    }
    bool one = authors->count == 1;
    if (one)
        context.results = answers->results.dmarc;
    enum judge judge =
        one ? judge_author(&authors->names[0], identifiers, options, &context, judgement)
            : judge_several(authors, identifiers, options, &context, judgement);
    if (judge == JUDGE_WAITING)
        return judge;
    limit_hits_add(hits, &of_run);
    judgement->discovered = one && !identifiers->known && may_stand(&of_run);
    return judge;
}

enum judge dmarc_judge(const struct mail_from *from, const struct dmarc_identifiers *identifiers,
                       const struct dmarc_options *options, struct dns_answers *answers,
                       struct arena *arena, struct limit_hits *hits,
                       struct dmarc_judgement *judgement)
{
    struct dns_name names[MAX_AUTHOR_DOMAINS];
    struct dmarc_authors authors;
    dmarc_authors_read(from, options, names, &authors);
    return dmarc_judge_authors(&authors, identifiers, options, answers, arena, hits, judgement);
}

enum judge dmarc_judge_discovered(const struct dmarc_identifiers *identifiers,
                                  const struct dmarc_options *options, struct dns_answers *answers,
                                  struct arena *arena, struct limit_hits *hits,
                                  struct dmarc_judgement *judgement)
{
    struct limit_hits of_run;
    limit_hits_begin(&of_run);
    struct dmarc_context context = context_of(options, answers, arena, &of_run);
    assert(judgement->discovered);
    if (!judgement_begin(judgement, identifiers, arena)) {
        conclude(judgement, RESULT_TEMPERROR, "no_memory");
        return JUDGE_DONE;
    }
    judgement->discovered = true;
    enum judge judge = judge_identifiers(identifiers, options, &context, judgement);
    if (judge == JUDGE_DONE)
        limit_hits_add(hits, &of_run);
    return judge;
}

/* discovery->record is the record of one of the levels. */
bool dmarc_judgement_keep(struct dmarc_judgement *judgement, struct arena *arena)
{
    struct dmarc_discovery *discovery = &judgement->discovery;
    const struct dmarc_record *deciding = discovery->record;
    bool complete = true;
    discovery->record = NULL;
    for (uint32_t i = 0; i < discovery->walk.count; i++) {
        struct dmarc_step *step = &discovery->walk.steps[i];
        const struct dmarc_record *record = step->record;
        if (!record)
            continue;
        step->record = dmarc_record_copy(record, arena);
        complete = complete && step->record;
        if (record == deciding)
            discovery->record = step->record;
    }
    return complete;
}

const char *dmarc_disposition_word(enum dmarc_disposition disposition)
{
    switch (disposition) {
    case DMARC_DISPOSE_NONE:
        return "none";
    case DMARC_DISPOSE_QUARANTINE:
        return "quarantine";
    case DMARC_DISPOSE_REJECT:
        return "reject";
    case DMARC_DISPOSE_UNSET:
        break;
    }
    return NULL;
}
