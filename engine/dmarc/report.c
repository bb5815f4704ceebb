/*
 * External report destinations, RFC 9990 section 4: a destination under another Organizational
 * Domain must say in the DNS that it wants the reports, else anybody could have them sent anywhere
 * (H01). Both Organizational Domains are found the same way, by walks or by the list (AG-25).
 *
 * Anything unknown is not authorized: a failed walk or question is a temporary error, an answer or
 * record beyond a limit a refusal.
 */
#include "dmarc/report.h"

#include "dmarc/uri.h"

static void conclude(struct dmarc_report_check *check, enum dmarc_report_verdict verdict,
                     const char *reason)
{
    check->verdict = verdict;
    check->reason = reason;
}

/* Leaves the verdict unset where the destination is to be asked. */
static void compare_orgs(const struct dmarc_walk *domain, const struct dmarc_walk *host,
                         struct dmarc_report_check *check)
{
    const struct dmarc_step *unknown = dmarc_walk_unknown(domain);
    if (!unknown)
        unknown = dmarc_walk_unknown(host);
    if (unknown) {
        bool temporary = domain->tempfail || host->tempfail;
        conclude(check, temporary ? DMARC_REPORT_TEMPERROR : DMARC_REPORT_REFUSED, unknown->reason);
        return;
    }
    struct dns_name org_domain = dmarc_walk_org(domain), org_host = dmarc_walk_org(host);
    check->external = !dns_name_equal(&org_domain, &org_host);
    if (!check->external)
        conclude(check, DMARC_REPORT_AUTHORIZED, NULL);
}

static enum judge compare_by_walks(const struct dns_name *policy_domain,
                                   const struct dns_name *host, const struct dmarc_context *context,
                                   struct dmarc_report_check *check)
{
    struct dmarc_walk of_domain, of_host;
    enum judge first = dmarc_walk(policy_domain, context, &of_domain);
    enum judge second = dmarc_walk(host, context, &of_host);
    if (first == JUDGE_WAITING || second == JUDGE_WAITING)
        return JUDGE_WAITING;
    compare_orgs(&of_domain, &of_host, check);
    return JUDGE_DONE;
}

static void compare_by_list(const struct dns_name *policy_domain, const struct dns_name *host,
                            const struct dmarc_psl *psl, struct dmarc_report_check *check)
{
    struct dns_name org_domain = dmarc_psl_org(psl, policy_domain);
    struct dns_name org_host = dmarc_psl_org(psl, host);
    check->external = !dns_name_equal(&org_domain, &org_host);
    if (!check->external)
        conclude(check, DMARC_REPORT_AUTHORIZED, NULL);
}

bool dmarc_report_name(const struct dns_name *policy_domain, const struct dns_name *host,
                       struct dns_name *name)
{
    struct dns_name dmarc, report;
    return dns_name_prepend(&dmarc, "_dmarc", host) == DNS_NAME_OK &&
           dns_name_prepend(&report, "_report", &dmarc) == DNS_NAME_OK &&
           dns_name_join(name, policy_domain, &report) == DNS_NAME_OK;
}

/* A rua= here may replace the destination, on the same host only (AG-28). */
static bool read_override(const struct dmarc_record *record, const struct dns_name *host,
                          struct dmarc_report_check *check)
{
    struct span list = record->rua;
    struct dmarc_uri uri;
    while (dmarc_uri_next(&list, &uri)) {
        struct dns_name name;
        if (!uri.mailto)
            continue;
        if (dns_name_from_domain(&name, uri.host) != DNS_NAME_OK || !dns_name_equal(&name, host))
            return false;
        if (check->override.n == 0)
            check->override = uri.text;
    }
    return true;
}

static void read_answer(const struct dns_answer *answer, const struct dns_name *host,
                        const struct dmarc_context *context, struct dmarc_report_check *check)
{
    uint32_t found = 0; /* several are fine here: AG-27 */
    for (uint32_t i = 0; i < answer->count; i++) {
        struct dmarc_record record;
        const char *reason;
        if (!dmarc_record_parse(answer->records[i].text, context->arena, context->hits, &record,
                                &reason))
            continue;
        found++;
        if (read_override(&record, host, check))
            continue;
        check->override = (struct span){0};
        conclude(check, DMARC_REPORT_REFUSED, "override_of_other_host");
        return;
    }
    if (found == 0)
        conclude(check, DMARC_REPORT_REFUSED, "not_authorized"); /* AG-29 */
    else
        conclude(check, DMARC_REPORT_AUTHORIZED, NULL);
}

static enum judge ask_destination(const struct dns_name *policy_domain, const struct dns_name *host,
                                  const struct dmarc_context *context,
                                  struct dmarc_report_check *check)
{
    struct dns_name question;
    if (!dmarc_report_name(policy_domain, host, &question)) {
        conclude(check, DMARC_REPORT_REFUSED, "name_too_long");
        return JUDGE_DONE;
    }
    const struct dns_answer *answer = dns_lookup(context->answers, &question, DNS_TXT);
    if (!answer)
        return JUDGE_WAITING;
    if (answer->outcome == DNS_TEMPFAIL)
        conclude(check, DMARC_REPORT_TEMPERROR, answer->reason);
    else
        read_answer(answer, host, context, check);
    return JUDGE_DONE;
}

enum judge dmarc_report_authorized(const struct dns_name *policy_domain,
                                   const struct dns_name *host, const struct dmarc_options *options,
                                   struct dns_answers *answers, struct arena *arena,
                                   struct limit_hits *hits, struct dmarc_report_check *check)
{
    struct dmarc_context context = {.answers = answers,
                                    .arena = arena,
                                    .hits = hits,
                                    .psd_names = options->psd_names,
                                    .psd_count = options->psd_count};
    *check = (struct dmarc_report_check){.verdict = DMARC_REPORT_UNSET};
    if (dns_name_equal(policy_domain, host)) {
        conclude(check, DMARC_REPORT_AUTHORIZED, NULL);
        return JUDGE_DONE;
    }
    if (options->mode == DMARC_PSL)
        compare_by_list(policy_domain, host, options->psl, check);
    else if (compare_by_walks(policy_domain, host, &context, check) == JUDGE_WAITING)
        return JUDGE_WAITING;
    if (check->verdict != DMARC_REPORT_UNSET)
        return JUDGE_DONE;
    return ask_destination(policy_domain, host, &context, check);
}
