/*
 * The DNS Tree Walk (RFC 9989 4.10; procedure of standards.md 4.3, 4.4), used for the policy, for
 * the Organizational Domain of each identifier, and for report destinations.
 */
#ifndef DMARC_WALK_H
#define DMARC_WALK_H

#include "base/result.h"
#include "dmarc/record.h"
#include "dns/answer.h"

/* What a discovery hangs on, for those who share it. */
struct dmarc_asked
{
    uint32_t questions;
    int64_t shared_until_ms; /* the earliest of all answers; 0: one that stands for this message
                                alone, a failure, or one that was cut */
};

/* What every part of the judge needs to ask and to remember; all borrowed. */
struct dmarc_context
{
    struct dns_answers *answers;
    struct arena *arena;
    struct limit_hits *hits;
    const struct dns_name *psd_names; /* records there count as psd=y unless they say psd=n (DP-19)
                                       */
    uint32_t psd_count;
    struct result_cache *results; /* other messages' discoveries; NULL: none are taken */
    struct dmarc_asked *asked;    /* counts what is asked; NULL: nobody wants to know */
};

struct dmarc_step
{
    uint8_t labels; /* the level: the last so many labels of the start (dmarc_step_domain) */
    enum dns_outcome outcome;
    const char *reason; /* static: "servfail", "several_records", "not_dmarc" ... or NULL */
    bool unknown;       /* a DNS error or a limit: whether a record stands here cannot be said */
    const struct dmarc_record
        *record; /* arena or cached; NULL where there is no single valid record */
};

struct dmarc_walk
{
    struct dns_name start;
    struct dmarc_step steps[MAX_DMARC_WALK]; /* longest name first */
    uint32_t count;
    bool tempfail; /* a level is unknown because of the DNS, or for want of memory */
    bool permfail; /* a level is unknown because of a limit */
    bool complete; /* false: waiting */
};

/* The level's name; the question was _dmarc.<name> TXT. */
static inline struct dns_name dmarc_step_domain(const struct dmarc_walk *walk,
                                                const struct dmarc_step *step)
{
    return dns_name_ancestor(&walk->start, (unsigned)(walk->start.labels - step->labels));
}

/* dns_lookup(), counted. */
const struct dns_answer *dmarc_ask(const struct dmarc_context *context, const struct dns_name *name,
                                   enum dns_type type) MUST_CHECK;
/* Walks up from `start`; ends with a record that has psd=y or psd=n. */
enum judge dmarc_walk(const struct dns_name *start, const struct dmarc_context *context,
                      struct dmarc_walk *walk) MUST_CHECK;
/*
 * A walk of one or two levels, for discovery by the Public Suffix List: `start`, and `org`, which
 * is at or above it, where it is another name. psd= ends nothing here.
 */
enum judge dmarc_walk_levels(const struct dns_name *start, const struct dns_name *org,
                             const struct dmarc_context *context,
                             struct dmarc_walk *walk) MUST_CHECK;

/*
 * Organizational Domain by rules 1 to 3 of 4.10.2 (DP-16 to DP-20). Requires walk->complete;
 * unknown levels count as empty, so look at tempfail and permfail first.
 */
struct dns_name dmarc_walk_org(const struct dmarc_walk *walk);
/* The level's record, or NULL. */
const struct dmarc_record *dmarc_walk_record(const struct dmarc_walk *walk,
                                             const struct dns_name *domain);
/* The first unknown level, or NULL. */
const struct dmarc_step *dmarc_walk_unknown(const struct dmarc_walk *walk);

#endif
