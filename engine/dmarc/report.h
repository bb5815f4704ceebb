/*
 * May reports for a policy domain go to this destination? (RFC 9990 4; AG-25 to AG-30, H01)
 */
#ifndef DMARC_REPORT_H
#define DMARC_REPORT_H

#include "dmarc/dmarc.h"

enum dmarc_report_verdict
{
    DMARC_REPORT_UNSET = 0,
    DMARC_REPORT_REFUSED = 0x21,
    DMARC_REPORT_TEMPERROR = 0x22, /* the DNS did not tell: may be tried later (AG-26) */
    DMARC_REPORT_AUTHORIZED = 0x5a,
};

struct dmarc_report_check
{
    enum dmarc_report_verdict verdict;
    const char *reason;   /* static word for anything but AUTHORIZED; NULL else */
    bool external;        /* the two have different Organizational Domains: the DNS was asked */
    struct span override; /* URI that replaces the destination (AG-28); arena or cached; empty */
};

/* <policy-domain>._report._dmarc.<host>, where the destination says so (AG-26). False where that is
 * too long for a name. */
bool dmarc_report_name(const struct dns_name *policy_domain, const struct dns_name *host,
                       struct dns_name *name) MUST_CHECK;

/*
 * `policy_domain` is where the record with the rua= or ruf= was found, `host` the part behind "@"
 * of the destination (struct dmarc_uri). Pure like the judges: asks dns_lookup, runs again.
 */
enum judge dmarc_report_authorized(const struct dns_name *policy_domain,
                                   const struct dns_name *host, const struct dmarc_options *options,
                                   struct dns_answers *answers, struct arena *arena,
                                   struct limit_hits *hits,
                                   struct dmarc_report_check *check) MUST_CHECK;

#endif
