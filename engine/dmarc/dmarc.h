/*
 * The DMARC judge (RFC 9989, DP-1 to DP-43): discovery, alignment, result, policy.
 */
#ifndef DMARC_DMARC_H
#define DMARC_DMARC_H

#include "dmarc/psl.h"
#include "dmarc/walk.h"
#include "mail/address.h"

enum dmarc_mode
{
    DMARC_TREE_WALK = 0, /* RFC 9989 */
    DMARC_PSL,           /* Organizational Domain by the Public Suffix List (libpsl) */
    DMARC_COMPARE,       /* tree walk decides; where the PSL differs is reported */
};

enum dmarc_disposition
{
    DMARC_DISPOSE_UNSET = 0,
    DMARC_DISPOSE_NONE,
    DMARC_DISPOSE_QUARANTINE,
    DMARC_DISPOSE_REJECT,
};

struct dmarc_options
{
    enum dmarc_mode mode;
    bool reject; /* operator's switch: p=reject rejects; default quarantines (DP-38) */
    bool strictest_of_several; /* DP-3: evaluate up to MAX_AUTHOR_DOMAINS From domains, strictest
                                  failing wins */
    const struct dns_name *psd_names; /* names to treat as psd=y (DP-19); may be NULL */
    uint32_t psd_count;
    bool always_ask_existence;   /* ask whether the author domain exists also where nothing hangs on
                                    it: what `assay dmarc` shows */
    const struct dmarc_psl *psl; /* for PSL and COMPARE; NULL: libpsl's built-in list */
};

enum
{
    MAX_AUTHOR_DOMAINS = 4,
};

/* The author domains: dmarc_authors_read (dmarc/author.h). */
struct dmarc_authors
{
    const char *error; /* static: permerror for this reason; NULL where all is well */
    bool too_many;
    uint32_t count;
    struct dns_name *names; /* distinct, in order of appearance */
};

/* What the message has shown: passing identifiers. */
struct dmarc_identifiers
{
    bool known;         /* false: only discovery (header is there, signatures are not judged yet) */
    bool spf_pass;      /* MAIL FROM identity (or null sender's HELO) passed (DP-29) */
    bool spf_temperror; /* SPF had no answer: no pass without it means temperror, if it could align
                         */
    const struct dns_name *dkim; /* d= of each signature usable for DMARC */
    uint32_t dkim_count;
    const struct dns_name *dkim_temperror; /* d= of signatures whose key could not be had */
    uint32_t dkim_temperror_count;
    struct dns_name spf_domain; /* where one of the two is set */
};

struct dmarc_discovery
{
    enum result result;   /* RESULT_UNSET: a policy was found; NONE; TEMPERROR; PERMERROR */
    const char *reason;   /* static word, or NULL */
    bool author_exists;   /* by its own query; true where the question was not needed */
    bool existence_known; /* false: not asked, or the DNS failed */
    const struct dmarc_record *record; /* of a level of `walk`, or NULL */
    enum dmarc_policy
        published; /* p, sp or np that applies, before t (INVALID/absent resolved: DP-26) */
    enum dmarc_policy policy; /* after t */
    const char *policy_tag;   /* "p", "sp", "np"; NULL where none applies */
    bool used_psl;            /* org_domain came from the PSL */
    bool psl_differs;         /* COMPARE: policy or Organizational Domain would differ */
    uint32_t spared; /* questions that were not asked since another message's discovery was taken */
    const char *psl_difference; /* static: "org_domain", "policy_domain", "policy"; NULL */
    struct dns_name from_domain;
    struct dns_name org_domain;     /* cleared where an error hides it */
    struct dns_name policy_domain;  /* where the record was found; cleared for none */
    struct dns_name psl_org_domain; /* PSL and COMPARE modes */
    struct dmarc_walk walk;
};

struct dmarc_judgement
{
    enum result result; /* none, pass, fail, temperror, permerror */
    const char *reason;
    enum dmarc_policy policy; /* policy.dmarc: after t; UNSET where DMARC does not apply */
    enum dmarc_disposition disposition;
    bool spf_aligned, dkim_aligned;
    bool spf_strict, dkim_strict; /* modes used */
    bool *dkim_alignment;         /* arena: per identifiers.dkim */
    uint32_t dkim_count;
    const char *override; /* static: "local_policy", "policy_test_mode", "trusted_forwarder" or NULL
                             (DP-41) */
    bool discovered;      /* `discovery` is final: dmarc_judge_discovered may go on from it */
    struct dmarc_discovery
        discovery; /* of the author domain (of the one that decided, with several) */
};

/* Nothing judged. `discovery` is as good as cleared: what is not set in it is not to be read. */
void dmarc_judgement_init(struct dmarc_judgement *judgement);

/* Policy discovery alone, as `assay dmarc DOMAIN` shows it (no message). */
enum judge dmarc_discover(const struct dns_name *author, const struct dmarc_options *options,
                          struct dns_answers *answers, struct arena *arena, struct limit_hits *hits,
                          struct dmarc_discovery *discovery) MUST_CHECK;

/*
 * The whole judgement. With identifiers->known false it asks what it will need (prefetch) and its
 * result is not to be used.
 */
enum judge dmarc_judge(const struct mail_from *from, const struct dmarc_identifiers *identifiers,
                       const struct dmarc_options *options, struct dns_answers *answers,
                       struct arena *arena, struct limit_hits *hits,
                       struct dmarc_judgement *judgement) MUST_CHECK;

/* The same for who has read the author domains, with the same options. */
enum judge dmarc_judge_authors(const struct dmarc_authors *authors,
                               const struct dmarc_identifiers *identifiers,
                               const struct dmarc_options *options, struct dns_answers *answers,
                               struct arena *arena, struct limit_hits *hits,
                               struct dmarc_judgement *judgement) MUST_CHECK;

/*
 * The same for a judgement with `discovered` set, by dmarc_judge with the same options and answers
 * and nothing parked since: the rest of it, without another discovery.
 */
enum judge dmarc_judge_discovered(const struct dmarc_identifiers *identifiers,
                                  const struct dmarc_options *options, struct dns_answers *answers,
                                  struct arena *arena, struct limit_hits *hits,
                                  struct dmarc_judgement *judgement) MUST_CHECK;

/*
 * Copies into `arena` what a finished judgement borrows from answers, for when it outlives them.
 * False without memory: its records are then gone.
 */
bool dmarc_judgement_keep(struct dmarc_judgement *judgement, struct arena *arena) MUST_CHECK;

const char *dmarc_disposition_word(enum dmarc_disposition disposition);

#endif
