/*
 * Does a directive match the client (RFC 7208 section 5)? One function per mechanism; include is
 * evaluation, not matching, and lives in check.c.
 *
 * Void lookups (SP-25): RFC 7208 4.6.4 counts "terms" whose queries found nothing, so a term counts
 * once. An "mx" is void when there is no MX, or when all its hosts together have no address of the
 * client's family. Counting each host, as some do, makes a domain with three IPv4-only mail servers
 * a permerror for every IPv6 client.
 *
 * BUGS: where one host of an "mx" matches and the lookup of another failed, it matches: the failure
 * could not have changed that.
 */
#include "spf/run.h"

/* A term without a result: more than `void_limit` of them are an error. */
static enum spf_step count_void(struct spf_run *run)
{
    run->voids++;
    if (run->voids > run->request->void_limit)
        return spf_limit(run, LIMIT_SPF_VOID_LOOKUPS);
    return SPF_NO;
}

static bool is_void(const struct dns_answer *answer)
{
    return answer->outcome == DNS_NXDOMAIN || answer->outcome == DNS_EMPTY;
}

/* Is the client in the network of one of the answer's addresses? Sets run->prefix. */
static bool addresses_match(struct spf_run *run, const struct spf_term *term,
                            const struct dns_answer *answer)
{
    unsigned prefix = run->client.family == IP_V4 ? term->prefix4 : term->prefix6;
    for (uint32_t i = 0; i < answer->count; i++) {
        if (!ip_in_prefix(&run->client, &answer->records[i].address, prefix))
            continue;
        run->prefix = (int)prefix;
        return true;
    }
    return false;
}

/* What an answer that did not match means: the rest of a cut answer might have (E14). */
static enum spf_step no_match(struct spf_run *run, const struct dns_answer *answer)
{
    if (answer->cut)
        return spf_fail(run, RESULT_PERMERROR, limit_word(LIMIT_DNS_TEXT_BYTES));
    return SPF_NO;
}

/* "a": RFC 7208 5.3 */
static enum spf_step a_match(struct spf_run *run, const struct spf_term *term,
                             const struct dns_name *target)
{
    const struct dns_answer *answer = spf_ask(run, target, spf_address_type(run));
    if (!answer)
        return SPF_WAITING;
    if (answer->outcome == DNS_TEMPFAIL)
        return spf_dns_fail(run, answer);
    if (is_void(answer))
        return count_void(run);
    return addresses_match(run, term, answer) ? SPF_YES : no_match(run, answer);
}

/* The addresses of all hosts, asked for together. */
static enum spf_step mx_hosts_match(struct spf_run *run, const struct spf_term *term,
                                    const struct dns_answer *hosts)
{
    const struct dns_answer *failed = NULL;
    const struct dns_answer *cut = NULL;
    bool waiting = false;
    bool match = false;
    uint32_t found = 0;
    for (uint32_t i = 0; i < hosts->count; i++) {
        if (hosts->records[i].name.labels == 0) /* null MX: the root has no address (SP-40) */
            continue;
        const struct dns_answer *answer = spf_ask(run, &hosts->records[i].name, //
                                                  spf_address_type(run));
        waiting |= !answer;
        if (!answer || is_void(answer))
            continue;
        found++;
        if (answer->outcome == DNS_TEMPFAIL)
            failed = answer;
        else if (addresses_match(run, term, answer))
            match = true;
        else if (answer->cut)
            cut = answer;
    }
    if (waiting)
        return SPF_WAITING;
    if (match)
        return SPF_YES;
    if (failed)
        return spf_dns_fail(run, failed);
    if (cut)
        return no_match(run, cut);
    return found ? SPF_NO : count_void(run);
}

/* "mx": RFC 7208 5.4. No MX, no match: the domain itself is not tried (SP-20). */
static enum spf_step mx_match(struct spf_run *run, const struct spf_term *term,
                              const struct dns_name *target)
{
    const struct dns_answer *answer = spf_ask(run, target, DNS_MX);
    if (!answer)
        return SPF_WAITING;
    if (answer->outcome == DNS_TEMPFAIL)
        return spf_dns_fail(run, answer);
    if (is_void(answer))
        return count_void(run);
    if (answer->count > MAX_SPF_MX_NAMES || answer->cut)
        return spf_limit(run, LIMIT_SPF_MX_NAMES);
    return mx_hosts_match(run, term, answer);
}

/* "ptr": RFC 7208 5.5, as the text before its closing bullets has it. */
static enum spf_step ptr_match(struct spf_run *run, const struct spf_term *term,
                               const struct dns_name *target)
{
    struct spf_ptr ptr;
    (void)term;
    enum spf_step step = spf_ptr_names(run, target, &ptr);
    if (step == SPF_NO)
        return is_void(ptr.answer) ? count_void(run) : SPF_NO;
    if (step != SPF_YES)
        return step;
    return ptr.validated ? SPF_YES : SPF_NO;
}

/* "exists": RFC 7208 5.7. Always A, whatever the client's family (SP-19). */
static enum spf_step exists_match(struct spf_run *run, const struct spf_term *term,
                                  const struct dns_name *target)
{
    const struct dns_answer *answer = spf_ask(run, target, DNS_A);
    (void)term;
    if (!answer)
        return SPF_WAITING;
    if (answer->outcome == DNS_TEMPFAIL)
        return spf_dns_fail(run, answer);
    return is_void(answer) ? count_void(run) : SPF_YES;
}

/* "ip4", "ip6": RFC 7208 5.6. Families never match each other (SP-22). */
static enum spf_step network_match(struct spf_run *run, const struct spf_term *term)
{
    unsigned prefix = term->mechanism == SPF_IP4 ? term->prefix4 : term->prefix6;
    if (!ip_in_prefix(&run->client, &term->network, prefix))
        return SPF_NO;
    run->prefix = (int)prefix;
    return SPF_YES;
}

/* Mechanisms that ask the DNS: SP-24 counts them before anything is asked. */
static enum spf_step counted_match(struct spf_run *run, const struct spf_term *term,
                                   enum spf_step (*match)(struct spf_run *, const struct spf_term *,
                                                          const struct dns_name *))
{
    struct dns_name target;
    if (run->lookups == MAX_SPF_LOOKUPS)
        return spf_limit(run, LIMIT_SPF_LOOKUPS);
    run->lookups++;
    enum spf_step step = spf_target(run, term->domain_spec, &term->literal, &target);
    return step == SPF_YES ? match(run, term, &target) : step;
}

enum spf_step spf_mechanism_match(struct spf_run *run, const struct spf_term *term)
{
    switch (term->mechanism) {
    case SPF_ALL:
        return SPF_YES;
    case SPF_A:
        return counted_match(run, term, a_match);
    case SPF_MX:
        return counted_match(run, term, mx_match);
    case SPF_PTR:
        return counted_match(run, term, ptr_match);
    case SPF_EXISTS:
        return counted_match(run, term, exists_match);
    case SPF_IP4:
    case SPF_IP6:
        return network_match(run, term);
    case SPF_INCLUDE:
        break;
    }
    assert(!"include is check.c's");
    return spf_fail(run, RESULT_PERMERROR, "unknown_mechanism");
}
