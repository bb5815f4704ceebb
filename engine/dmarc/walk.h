/*
 * The DNS Tree Walk (RFC 9989 4.10; procedure of standards.md 4.3, 4.4), used for the policy, for
 * the Organizational Domain of each identifier, and for report destinations.
 */
#ifndef DMARC_WALK_H
#define DMARC_WALK_H

#include "base/result.h"
#include "dmarc/record.h"
#include "dns/answer.h"

struct dmarc_step
{
    struct dns_name domain; /* the level; the question was _dmarc.<domain> TXT */
    enum dns_outcome outcome;
    const char *reason; /* static: "servfail", "several_records", "not_dmarc" ... or NULL */
    struct dmarc_record *record; /* arena; NULL where there is no single valid record */
};

struct dmarc_walk
{
    struct dns_name start;
    struct dmarc_step steps[MAX_DMARC_WALK]; /* longest name first */
    uint32_t count;
    bool tempfail; /* a level had DNS_TEMPFAIL: see `steps` */
    bool complete; /* false: waiting */
};

/* Walks up from `start`; stops behind a record with psd=y or psd=n. */
enum judge dmarc_walk(const struct dns_name *start, struct dns_answers *answers,
                      struct arena *arena, struct limit_hits *hits,
                      struct dmarc_walk *walk) MUST_CHECK;
/* Organizational Domain by rules 1 to 3 of 4.10.2 (DP-16 to DP-20). Requires walk->complete. */
struct dns_name dmarc_walk_org(const struct dmarc_walk *walk);
/* The level's record, or NULL. */
const struct dmarc_record *dmarc_walk_record(const struct dmarc_walk *walk,
                                             const struct dns_name *domain);

#endif
