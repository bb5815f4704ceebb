/*
 * Checks of a profile that ask the DNS: the client's name, and whether domains exist.
 *
 * A name that resolves back to the address is enough; which name HELO said does not matter. Of a
 * PTR answer the first NAMES_MAX names are looked at.
 */
#include "profile_look.h"

enum
{
    NAMES_MAX = 10,
};

/* NULL without memory. */
static const struct dns_answer *ask(struct profile_judging *judging, const struct dns_name *name,
                                    enum dns_type type)
{
    struct assay_engine *engine = judging->e->engine;
    const struct dns_answer *answer = dns_lookup(&judging->answers, name, type);
    if (answer)
        return answer;
    dns_source_resolve(engine->source, &judging->answers, engine_clock_ms() + engine->timeout_ms);
    return dns_lookup(&judging->answers, name, type);
}

static bool reverse_name(const struct ip *ip, struct dns_name *name)
{
    char text[80];
    size_t n = 0;
    if (ip->family == IP_V4)
        snprintf(text, sizeof text, "%u.%u.%u.%u.in-addr.arpa", ip->bytes[3], ip->bytes[2],
                 ip->bytes[1], ip->bytes[0]);
    for (int i = 15; ip->family == IP_V6 && i >= 0; i--)
        n += (size_t)snprintf(text + n, sizeof text - n, "%x.%x.", ip->bytes[i] & 15U,
                              ip->bytes[i] >> 4);
    if (ip->family == IP_V6)
        snprintf(text + n, sizeof text - n, "ip6.arpa");
    return dns_name_from_domain(name, span_from_string(text)) == DNS_NAME_OK;
}

static bool has_address(const struct dns_answer *answer, const struct ip *ip)
{
    for (uint32_t i = 0; answer->outcome == DNS_ANSWER && i < answer->count; i++)
        if (ip_equal(ip, &answer->records[i].address))
            return true;
    return false;
}

static enum profile_state compare_names(struct profile_judging *judging, const struct ip *ip,
                                        const struct dns_answer *names)
{
    char ip_shown[IP_TEXT_MAX], shown[DNS_NAME_TEXT_MAX];
    enum dns_type type = ip->family == IP_V4 ? DNS_A : DNS_AAAA;
    ip_text(ip, ip_shown);
    for (uint32_t i = 0; i < names->count && i < NAMES_MAX; i++) {
        const struct dns_answer *answer = ask(judging, &names->records[i].name, type);
        judging->trouble |= !answer || answer->outcome == DNS_TEMPFAIL;
        if (!answer || !has_address(answer, ip))
            continue;
        judging->trouble = false;
        return profile_say(judging, PROFILE_MET, "%s is %.255s, and that name has the address.",
                           ip_shown, dns_name_text(&names->records[i].name, shown));
    }
    if (judging->trouble)
        return profile_trouble(judging, "The DNS did not tell the addresses of the server's name.");
    return profile_say(judging, PROFILE_NOT_MET,
                       "%s is called %.255s, but that name does not have the address.", ip_shown,
                       dns_name_text(&names->records[0].name, shown));
}

enum profile_state profile_reverse_dns(struct profile_judging *judging, const char *argument)
{
    (void)argument;
    struct ip ip = {.family = IP_NONE};
    struct dns_name name;
    const char *client = explain_at(judging->e->document, "verdict.client");
    if (!ip_parse(span_from_string(client), &ip) || !reverse_name(&ip, &name))
        return profile_say(judging, PROFILE_UNKNOWN,
                           "The address of the sending server is not known (--ip).");
    const struct dns_answer *names = ask(judging, &name, DNS_PTR);
    if (!names || names->outcome == DNS_TEMPFAIL)
        return profile_trouble(judging, "The DNS did not tell the name of the sending address.");
    if (names->outcome != DNS_ANSWER || names->count == 0)
        return profile_say(judging, PROFILE_NOT_MET, "%s has no name in the DNS (no PTR record).",
                           client);
    return compare_names(judging, &ip, names);
}

enum profile_state profile_domain_exists(struct profile_judging *judging, const char *argument)
{
    static const char *const paths[] = {"verdict.spf.domain", "verdict.dmarc.from_domain"};
    (void)argument;
    unsigned known = 0;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct dns_name name;
        const char *domain = explain_at(judging->e->document, paths[i]);
        if (!*domain || dns_name_from_domain(&name, span_from_string(domain)) != DNS_NAME_OK)
            continue;
        const struct dns_answer *answer = ask(judging, &name, DNS_A);
        if (!answer || answer->outcome == DNS_TEMPFAIL)
            return profile_trouble(judging, "The DNS did not tell whether the domain exists.");
        if (answer->outcome == DNS_NXDOMAIN)
            return profile_say(judging, PROFILE_NOT_MET, "%.255s does not exist in the DNS.",
                               domain);
        known++;
    }
    if (known)
        return profile_say(judging, PROFILE_MET, "The DNS knows %s.",
                           known > 1 ? "both domains" : "the domain");
    return profile_say(judging, PROFILE_UNKNOWN, "The message names no domain that can be read.");
}
