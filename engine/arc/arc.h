/*
 * The ARC judge: chain validation of RFC 8617 5.2 (AV-1 to AV-22). Same four steps as DKIM.
 * A valid chain is evidence only; using it needs a list of trusted sealers (I01, I09).
 */
#ifndef ARC_ARC_H
#define ARC_ARC_H

#include "dkim/dkim.h"

struct arc_options
{
    int64_t now;
    const struct dns_name
        *trusted_sealers; /* d= of ARC-Seals whose word may override; default none */
    uint32_t trusted_count;
};

struct arc_set
{
    const struct mail_field *aar; /* borrowed; ARC-Authentication-Results */
    struct span aar_payload;      /* behind "i=N;" */
    struct dkim_signature ams;
    struct dkim_signature seal;
    struct dkim_keys ams_keys;
    struct dkim_keys seal_keys;
    enum result ams_result; /* over the present message; UNSET where not needed */
    enum result seal_result;
    const char *reason; /* static, of this set's first fault */
    int body_hash;
    bool trusted; /* d= of the seal is listed and the chain passed */
    struct verify_job *ams_jobs, *seal_jobs;
    uint32_t ams_job_count, seal_job_count;
};

struct arc_judgement
{
    enum result result;      /* none, pass, fail */
    const char *reason;      /* static word: "cv_fail", "missing_set", "ams_body_hash" ... */
    uint32_t fault_instance; /* set that failed first, 0 */
    bool temporary;          /* fail was caused by DNS trouble (13.32) */
    struct arc_set *sets;    /* arena; sets[0] is i=1 */
    uint32_t count;          /* N: highest instance, also for failed chains */
    int oldest_pass;         /* AV-7: 0 all pass, M; -1 unknown */
    bool has_ar_in_ams;      /* 13.30: counted only */
    uint32_t trusted_sealer; /* highest trusted instance of a passing chain, 0 */
    struct arena *arena;
    struct limit_hits *hits;
    bool structure_failed; /* failed before any crypto */
};

bool arc_begin(struct arc_judgement *judgement, const struct mail_header *header,
               const char *refused, const struct arc_options *options, struct body_hasher *hasher,
               struct arena *arena, struct limit_hits *hits) MUST_CHECK;
enum judge arc_fetch(struct arc_judgement *judgement, struct dns_answers *answers) MUST_CHECK;
uint32_t arc_job_ceiling(const struct arc_judgement *judgement);
void arc_jobs(struct arc_judgement *judgement, const struct mail_header *header,
              const struct body_hasher *hasher, const struct arc_options *options,
              struct buffer *scratch, struct verify_list *list);
void arc_finish(struct arc_judgement *judgement, const struct arc_options *options,
                bool forbid_pass);
void arc_fini(struct arc_judgement *judgement);

#endif
