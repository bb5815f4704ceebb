/*
 * DMARC discovery for a domain (RFC 9989 4.10), step by step as a receiver goes, and what is wrong
 * on the way. The walk is the judge's own.
 */
#include "lint/parts.h"

static const struct span nothing = {NULL, 0};

static struct lint_place step_place(struct lint_run *run, const struct dmarc_step *step,
                                    struct dns_name *question)
{
    struct dns_name domain = dmarc_step_domain(&run->report->discovery.walk, step);
    struct lint_place place = {&run->report->findings, LINT_DMARC, question, nothing};
    if (dns_name_prepend(question, "_dmarc", &domain) != DNS_NAME_OK)
        *question = domain;
    return place;
}

static bool is_start(const struct lint_run *run, const struct dmarc_step *step)
{
    return step == &run->report->discovery.walk.steps[0];
}

/* DP-11: all of them are thrown away. Higher up it is somebody else's fault. */
static void several_records(struct lint_run *run, const struct dmarc_step *step,
                            const struct lint_place *place)
{
    lint_instead(place,
                 lint_find(place, is_start(run, step) ? LINT_ERROR : LINT_WARNING,
                           "several_records", nothing,
                           "there are several DMARC records at this name: receivers take none"),
                 "one record");
}

static void near_misses(struct lint_run *run, const struct lint_place *place)
{
    const struct dns_answer *answer = dns_peek(run->answers, place->name, DNS_TXT);
    for (uint32_t i = 0; answer && answer->outcome == DNS_ANSWER && i < answer->count; i++)
        if (!dmarc_is_record(answer->records[i].text))
            lint_near_miss(place, answer->records[i].text);
}

static void check_step(struct lint_run *run, const struct dmarc_step *step)
{
    struct dns_name question;
    struct lint_place place = step_place(run, step, &question);
    struct dns_name domain = dmarc_step_domain(&run->report->discovery.walk, step);
    const char *reason = step->reason ? step->reason : "";
    if (step->outcome == DNS_TEMPFAIL) {
        const struct dns_answer *answer = dns_peek(run->answers, &question, DNS_TXT);
        if (answer)
            lint_dns_failure(&place, nothing, &question, answer);
        return;
    }
    if (strcmp(reason, "several_records") == 0)
        several_records(run, step, &place);
    else if (step->unknown)
        (void)lint_find(&place, LINT_ERROR, reason, nothing,
                        "what stands here is more than anybody reads");
    if (is_start(run, step) || dns_name_equal(&domain, &run->report->discovery.org_domain))
        near_misses(run, &place);
}

static void no_policy(struct lint_run *run, const struct dns_name *question)
{
    char text[DNS_NAME_TEXT_MAX];
    struct lint_place place = {&run->report->findings, LINT_DMARC, question, nothing};
    lint_instead(&place,
                 lint_find(&place, LINT_ERROR, "no_record", nothing,
                           "there is no DMARC record here or above: nothing protects the domain "
                           "in From, and large receivers refuse bulk mail of it"),
                 "%s TXT \"v=DMARC1; p=none; rua=mailto:...\" to begin with",
                 dns_name_text(question, text));
}

/* A policy that was published for another name (DP-21 to DP-23). */
static void inherited(struct lint_run *run, const struct lint_place *place)
{
    const struct dmarc_discovery *d = &run->report->discovery;
    char from[DNS_NAME_TEXT_MAX];
    const char *policy = dmarc_policy_word(d->policy);
    (void)lint_find(place, LINT_NOTE, "inherited", nothing,
                    "%s has no record of its own: %s= of this one applies, policy %s",
                    dns_name_text(&d->from_domain, from), d->policy_tag ? d->policy_tag : "p",
                    policy ? policy : "none");
    if (d->policy_domain.labels == 1 && d->record->psd != DMARC_PSD_YES)
        (void)lint_find(place, LINT_WARNING, "suffix_record", nothing,
                        "this record of a top-level domain without psd=y makes all domains below "
                        "it one organization");
}

/* Where the record's sp= and np= are never used. */
static void check_scope(struct lint_run *run, const struct lint_place *place)
{
    const struct dmarc_discovery *d = &run->report->discovery;
    if (dns_name_equal(&d->policy_domain, &d->org_domain) || d->org_domain.length == 0 ||
        d->record->psd == DMARC_PSD_YES)
        return;
    if (d->record->sp != DMARC_POLICY_UNSET || d->record->np != DMARC_POLICY_UNSET)
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "sp_without_effect", nothing,
                               "sp= and np= count in the record of the Organizational Domain only"),
                     "leave them out here");
}

static void check_policy(struct lint_run *run)
{
    struct dmarc_discovery *d = &run->report->discovery;
    struct dns_name question;
    if (dns_name_prepend(&question, "_dmarc", &d->from_domain) != DNS_NAME_OK)
        question = d->from_domain;
    if (d->existence_known && !d->author_exists) {
        struct lint_place place = {&run->report->findings, LINT_DMARC, &d->from_domain, nothing};
        (void)lint_find(&place, LINT_WARNING, "no_such_domain", nothing,
                        "the domain itself does not exist in the DNS");
    }
    if (!d->record) {
        if (d->result == RESULT_NONE)
            no_policy(run, &question);
        return;
    }
    if (dns_name_prepend(&question, "_dmarc", &d->policy_domain) != DNS_NAME_OK)
        question = d->policy_domain;
    struct lint_place place = {&run->report->findings, LINT_DMARC, &question, d->record->text};
    lint_dmarc_record(&place);
    if (dns_name_equal(&d->from_domain, &d->policy_domain))
        check_scope(run, &place);
    else
        inherited(run, &place);
}

void lint_dmarc_policy(struct lint_run *run)
{
    struct dmarc_discovery *d = &run->report->discovery;
    struct limit_hits hits = {.set = 0};
    if (dmarc_discover(&run->request->domain, run->request->dmarc_options, run->answers, run->arena,
                       &hits, d) == JUDGE_WAITING) {
        run->waiting = true;
        return;
    }
    for (uint32_t i = 0; i < d->walk.count; i++)
        check_step(run, &d->walk.steps[i]);
    if (d->from_domain.labels > MAX_DMARC_WALK) {
        struct lint_place place = {&run->report->findings, LINT_DMARC, &d->from_domain, nothing};
        (void)lint_find(&place, LINT_NOTE, "walk_skips", nothing,
                        "over %d labels: receivers go from this name to its last seven labels, and "
                        "records between are never asked for",
                        MAX_DMARC_WALK);
    }
    check_policy(run);
}
