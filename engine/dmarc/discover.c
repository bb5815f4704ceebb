/*
 * Which record applies to an author domain, and which of its tags (RFC 9989 4.10.1, DP-21 to
 * DP-28).
 *
 * The record: the author domain's own, else its Organizational Domain's, else its Public Suffix
 * Domain's. Records between are none of the three. An unknown level (walk.h) matters unless the
 * author domain has a record of its own: then only the Organizational Domain stays unknown.
 *
 * By the Public Suffix List the same rules run over a walk of two levels, the author domain and
 * its registrable domain, as RFC 7489 6.6.3 had it; everything else is RFC 9989 there too.
 *
 * BUGS
 *   The author domain counts as non-existent also where it is a CNAME to a name that does not
 *   exist: an A question is asked, and its NXDOMAIN does not tell the two apart.
 */
#include "dmarc/discover.h"

/* What one way of finding the Organizational Domain leads to. */
struct finding
{
    const struct dmarc_record *record;
    bool own; /* the author domain's own record */
    enum dmarc_policy published, policy;
    const char *tag;
    enum result result;
    const char *reason;
    struct dns_name org; /* cleared where an error hides it */
    struct dns_name policy_domain;
};

static void name_clear(struct dns_name *name)
{
    name->length = name->labels = 0;
}

static void finding_begin(struct finding *finding)
{
    memset(finding, 0, offsetof(struct finding, org));
    name_clear(&finding->org);
    name_clear(&finding->policy_domain);
}

/* The author domain's existence, asked at most once a run. */
struct existence
{
    bool asked;
    enum dns_outcome outcome; /* DNS_UNANSWERED: waiting, or not asked */
};

static bool existence_ask(struct existence *existence, const struct dns_name *author,
                          const struct dmarc_context *context)
{
    const struct dns_answer *answer = dmarc_ask(context, author, DNS_A);
    existence->asked = true;
    existence->outcome = answer ? answer->outcome : DNS_UNANSWERED;
    return answer != NULL;
}

static void finding_error(struct finding *finding, const struct dmarc_walk *walk)
{
    /* Where both happened the transient one is named: the next try may go further. */
    finding->result = walk->tempfail ? RESULT_TEMPERROR : RESULT_PERMERROR;
    finding->reason = dmarc_walk_unknown(walk)->reason;
}

static void finding_take(struct finding *finding, const struct dns_name *domain,
                         const struct dmarc_record *record)
{
    finding->record = record;
    dns_name_copy(&finding->policy_domain, domain);
}

/* DP-21; `org` is what the walk or the list says, right only if `org_known`. */
static void find_record(struct finding *finding, const struct dmarc_walk *walk,
                        const struct dns_name *org, bool org_known)
{
    const struct dmarc_step *own = &walk->steps[0];
    const struct dmarc_step *last = &walk->steps[walk->count - 1];
    if (org_known)
        dns_name_copy(&finding->org, org);
    if (own->record) {
        finding->own = true;
        finding_take(finding, &walk->start, own->record);
        return;
    }
    if (walk->tempfail || walk->permfail) {
        finding_error(finding, walk); /* DP-28, G06 */
        return;
    }
    finding_take(finding, org, dmarc_walk_record(walk, org));
    if (!finding->record && last->record && last->record->psd == DMARC_PSD_YES) {
        struct dns_name domain = dmarc_step_domain(walk, last);
        finding_take(finding, &domain, last->record);
    }
    if (finding->record)
        return;
    name_clear(&finding->policy_domain);
    finding->result = RESULT_NONE; /* DP-27 */
    finding->reason = "no_record";
}

static bool is_policy(enum dmarc_policy policy)
{
    return policy != DMARC_POLICY_UNSET && policy != DMARC_POLICY_INVALID;
}

/* t=y: one level down (DP-25). */
static enum dmarc_policy lower_by_one(enum dmarc_policy policy)
{
    return policy == DMARC_POLICY_REJECT ? DMARC_POLICY_QUARANTINE : DMARC_POLICY_NONE;
}

static void take_policy(struct finding *finding, enum dmarc_policy policy, const char *tag)
{
    finding->published = policy;
    finding->policy = finding->record->testing ? lower_by_one(policy) : policy;
    finding->tag = tag;
}

/* An unusable p, sp or np, whichever would apply: p=none if reports are wanted, else no DMARC. */
static bool take_faulty(struct finding *finding) /* DP-26, G05 */
{
    const struct dmarc_record *record = finding->record;
    if (is_policy(record->p) && record->sp != DMARC_POLICY_INVALID &&
        record->np != DMARC_POLICY_INVALID)
        return false;
    finding->reason = record->p == DMARC_POLICY_UNSET ? "no_policy_tag" : "bad_policy_tag";
    if (record->has_usable_rua)
        take_policy(finding, DMARC_POLICY_NONE, "p");
    else
        finding->result = RESULT_NONE;
    return true;
}

/* DP-22 to DP-24: p of the own record; else by existence sp or np, with p behind them. */
static enum judge find_policy(struct finding *finding, struct existence *existence,
                              const struct dns_name *author, const struct dmarc_context *context)
{
    const struct dmarc_record *record = finding->record;
    if (!record || take_faulty(finding))
        return JUDGE_DONE;
    if (finding->own) {
        take_policy(finding, record->p, "p");
        return JUDGE_DONE;
    }
    bool has_sp = record->sp != DMARC_POLICY_UNSET, has_np = record->np != DMARC_POLICY_UNSET;
    enum dmarc_policy living = has_sp ? record->sp : record->p;
    if (has_np && record->np != living && !existence->asked &&
        !existence_ask(existence, author, context))
        return JUDGE_WAITING;
    if (has_np && record->np != living && existence->outcome == DNS_TEMPFAIL) {
        finding->result = RESULT_TEMPERROR;
        finding->reason = "existence_dns_error";
        return JUDGE_DONE;
    }
    if (has_np && existence->outcome == DNS_NXDOMAIN)
        take_policy(finding, record->np, "np");
    else
        take_policy(finding, living, has_sp ? "sp" : "p");
    return JUDGE_DONE;
}

static enum judge by_walk(const struct dns_name *author, const struct dmarc_context *context,
                          struct dmarc_walk *walk, struct finding *finding)
{
    if (dmarc_walk(author, context, walk) == JUDGE_WAITING)
        return JUDGE_WAITING;
    struct dns_name org = dmarc_walk_org(walk);
    find_record(finding, walk, &org, !walk->tempfail && !walk->permfail);
    return JUDGE_DONE;
}

static enum judge by_list(const struct dns_name *author, const struct dns_name *org,
                          const struct dmarc_context *context, struct dmarc_walk *walk,
                          struct finding *finding)
{
    if (dmarc_walk_levels(author, org, context, walk) == JUDGE_WAITING)
        return JUDGE_WAITING;
    find_record(finding, walk, org, true);
    return JUDGE_DONE;
}

/* The weightiest difference between the walk's and the list's findings, or NULL. */
static const char *difference(const struct finding *a, const struct finding *b)
{
    if (a->result != b->result || a->policy != b->policy)
        return "policy";
    if (!dns_name_equal(&a->policy_domain, &b->policy_domain))
        return "policy_domain";
    return dns_name_equal(&a->org, &b->org) ? NULL : "org_domain";
}

static bool has_error(const struct finding *finding)
{
    return finding->result == RESULT_TEMPERROR || finding->result == RESULT_PERMERROR ||
           finding->org.length == 0;
}

/* DMARC_COMPARE: what the list would have said. Errors on either side are no difference. */
static enum judge compare(const struct finding *walked, struct existence *existence,
                          const struct dmarc_context *context, struct dmarc_discovery *discovery)
{
    struct dmarc_walk walk;
    struct finding listed;
    finding_begin(&listed);
    if (by_list(&discovery->from_domain, &discovery->psl_org_domain, context, &walk, &listed) ==
            JUDGE_WAITING ||
        find_policy(&listed, existence, &discovery->from_domain, context) == JUDGE_WAITING)
        return JUDGE_WAITING;
    if (has_error(walked) || has_error(&listed))
        return JUDGE_DONE;
    discovery->psl_difference = difference(walked, &listed);
    discovery->psl_differs = discovery->psl_difference != NULL;
    return JUDGE_DONE;
}

static void report(const struct finding *finding, const struct existence *existence,
                   struct dmarc_discovery *discovery)
{
    discovery->result = finding->result;
    discovery->reason = finding->reason;
    dns_name_copy(&discovery->org_domain, &finding->org);
    dns_name_copy(&discovery->policy_domain, &finding->policy_domain);
    discovery->record = finding->record;
    discovery->published = finding->published;
    discovery->policy = finding->policy;
    discovery->policy_tag = finding->tag;
    discovery->existence_known = existence->asked && existence->outcome != DNS_TEMPFAIL;
    discovery->author_exists = !discovery->existence_known || existence->outcome != DNS_NXDOMAIN;
}

void dmarc_discovery_init(struct dmarc_discovery *discovery)
{
    memset(discovery, 0, offsetof(struct dmarc_discovery, from_domain));
    name_clear(&discovery->from_domain);
    name_clear(&discovery->org_domain);
    name_clear(&discovery->policy_domain);
    name_clear(&discovery->psl_org_domain);
    name_clear(&discovery->walk.start);
    discovery->walk.count = 0;
    discovery->walk.tempfail = discovery->walk.permfail = discovery->walk.complete = false;
}

enum judge dmarc_policy_find(const struct dns_name *author, const struct dmarc_options *options,
                             const struct dmarc_context *context, struct dmarc_discovery *discovery)
{
    struct finding finding;
    struct existence existence = {.asked = false};
    bool waiting = false;
    finding_begin(&finding);
    dmarc_discovery_init(discovery);
    dns_name_copy(&discovery->from_domain, author);
    assert(author->labels > 0);
    if (options->always_ask_existence && !existence_ask(&existence, author, context))
        waiting = true;
    if (options->mode != DMARC_TREE_WALK)
        discovery->psl_org_domain = dmarc_psl_org(options->psl, author);
    discovery->used_psl = options->mode == DMARC_PSL;
    enum judge found = discovery->used_psl ? by_list(author, &discovery->psl_org_domain, context,
                                                     &discovery->walk, &finding)
                                           : by_walk(author, context, &discovery->walk, &finding);
    if (waiting || found == JUDGE_WAITING)
        return JUDGE_WAITING;
    if (find_policy(&finding, &existence, author, context) == JUDGE_WAITING)
        return JUDGE_WAITING;
    if (options->mode == DMARC_COMPARE &&
        compare(&finding, &existence, context, discovery) == JUDGE_WAITING)
        return JUDGE_WAITING;
    report(&finding, &existence, discovery);
    return JUDGE_DONE;
}
