/*
 * Names validated from the client's address (RFC 7208 section 5.5), for "ptr" and %{p}. Limit: the
 * first MAX_SPF_PTR_NAMES names are looked at, the rest is ignored without an error (SP-21).
 *
 * The address belongs to whoever sends, not to the domain's owner: an error of the DNS, or names
 * without addresses, are no error and no void lookup of the domain. Our own limits are (E14).
 */
#include "spf/run.h"

static enum spf_step reverse_question(struct spf_run *run, const struct dns_answer **answer)
{
    struct dns_name name;
    spf_reverse_name(run, &name);
    *answer = spf_ask(run, &name, DNS_PTR);
    if (!*answer)
        return SPF_WAITING;
    if (spf_is_own_limit(*answer))
        return spf_dns_fail(run, *answer);
    return (*answer)->outcome == DNS_ANSWER ? SPF_YES : SPF_NO;
}

/* A label of the PTR answer that has a dot in it would read as two in %{p}. */
static bool name_is_plain(const struct dns_name *name)
{
    for (size_t at = 0; at < name->length && name->wire[at]; at += 1U + name->wire[at])
        if (memchr(name->wire + at + 1, '.', name->wire[at]))
            return false;
    return name->labels > 0;
}

static bool answer_has_client(const struct spf_run *run, const struct dns_answer *answer)
{
    if (answer->outcome != DNS_ANSWER)
        return false;
    for (uint32_t i = 0; i < answer->count; i++)
        if (ip_equal(&run->client, &answer->records[i].address))
            return true;
    return false;
}

enum spf_step spf_ptr_names(struct spf_run *run, const struct dns_name *below, struct spf_ptr *ptr)
{
    bool waiting = false;
    *ptr = (struct spf_ptr){0};
    enum spf_step step = reverse_question(run, &ptr->answer);
    if (step != SPF_YES)
        return step;
    ptr->count = ptr->answer->count;
    if (ptr->count > MAX_SPF_PTR_NAMES) {
        limit_hit(run->hits, LIMIT_SPF_PTR_NAMES);
        ptr->count = MAX_SPF_PTR_NAMES;
    }
    for (uint32_t i = 0; i < ptr->count; i++) {
        const struct dns_name *name = &ptr->answer->records[i].name;
        if (!name_is_plain(name) || (below && !dns_name_is_at_or_below(name, below)))
            continue;
        const struct dns_answer *answer = spf_ask(run, name, spf_address_type(run));
        if (answer && spf_is_own_limit(answer))
            return spf_dns_fail(run, answer);
        waiting |= !answer;
        if (answer && answer_has_client(run, answer))
            ptr->validated |= 1u << i;
    }
    return waiting ? SPF_WAITING : SPF_YES;
}

enum spf_step spf_ptr_best(struct spf_run *run, struct dns_name *name)
{
    const struct dns_name *domain = &run->frames[run->depth].domain;
    const struct dns_name *any = NULL;
    const struct dns_name *below = NULL;
    struct spf_ptr ptr;
    enum spf_step step = spf_ptr_names(run, NULL, &ptr);
    if (step != SPF_YES)
        return step;
    for (uint32_t i = ptr.count; i-- > 0;) { /* backwards: the first of a kind wins */
        const struct dns_name *candidate = &ptr.answer->records[i].name;
        if (!(ptr.validated & 1u << i))
            continue;
        any = candidate;
        if (dns_name_is_at_or_below(candidate, domain) && !(below && dns_name_equal(below, domain)))
            below = candidate;
    }
    if (!any)
        return SPF_NO;
    *name = below ? *below : *any;
    return SPF_YES;
}
