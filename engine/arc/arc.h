/*
 * The ARC judge: chain validation of RFC 8617 5.2 (AV-1 to AV-22). Same four steps as DKIM.
 * A valid chain is evidence only; using it needs a list of trusted sealers (I01, I09).
 */
#ifndef ARC_ARC_H
#define ARC_ARC_H

#include "dkim/dkim.h"

struct arc_options
{
    int64_t now;              /* seconds since the epoch: receive time */
    bool allow_unsigned_body; /* l= of an AMS smaller than the body may pass (AV-14, DV-27) */
    const struct dns_name
        *trusted_sealers; /* d= of ARC-Seals whose word may override; default none */
    uint32_t trusted_count;
};

struct arc_set
{
    const struct mail_field *aar; /* borrowed; ARC-Authentication-Results, NULL where missing */
    struct span aar_payload;      /* borrowed: behind "i=N;"; anything may stand there (AV-12) */
    struct dkim_signature ams;    /* .field is NULL where missing */
    struct dkim_signature seal;   /* likewise */
    struct dkim_keys ams_keys;
    struct dkim_keys seal_keys;
    enum result ams_result;  /* over the present message; UNSET where not looked at */
    enum result seal_result; /* likewise */
    const char *reason;      /* static: first fault of this set, in the terms of DKIM ("no_key",
                                "body_hash" ...); of an older AMS also in a chain that passes */
    int body_hash;           /* of the AMS: index in the body hasher, -1 */
    bool trusted;            /* d= of the seal is listed and the chain passed */
    struct verify_job *ams_jobs, *seal_jobs; /* arena */
    uint32_t ams_job_count, seal_job_count;
    bool ams_queued; /* ams_hash is known as soon as the queue has run */
    uint8_t ams_hash[SHA256_BYTES], seal_hash[SHA256_BYTES];
};

/*
 * Reasons of a failed chain, in the order in which they are looked for:
 *
 *   a limit's word             the header was refused, or "too_many_arc_sets": no set was read
 *   cv_fail                    the last sealer says so (AV-3)
 *   bad_instance, missing_tag_i, or the tag list's own word: a field without a place (AV-2)
 *   duplicate_instance, missing_set, missing_results, missing_message_signature, missing_seal
 *                              (AV-4)
 *   bad_cv                     not "none" at 1 and "pass" above (AV-5)
 *   ams_invalid, seal_invalid  its tags: the set's reason says which (AV-10, AV-11)
 *   ams_key, seal_key          no key that may verify it
 *   ams_body_hash, ams_body_length, ams_unsigned_body (AV-6, AV-14)
 *   ams_signature, seal_signature
 *   message_malformed          everything verifies, the message must not pass (B02, B03, B10)
 *   internal_error             no memory, a failing library: never a pass
 */
struct arc_judgement
{
    enum result result;      /* none, pass, fail: there is no temperror in ARC (AV-17) */
    const char *reason;      /* static word, see above; NULL for none and pass */
    uint32_t fault_instance; /* set that failed first, 0 */
    bool temporary;          /* fail was caused by DNS trouble or want of memory (13.32) */
    struct arc_set *sets; /* arena; sets[0] is i=1. Of a failed chain parts may be missing (I04) */
    uint32_t count;       /* N: highest instance that was read, also for failed chains */
    int oldest_pass;      /* AV-7: 0 all pass, M; -1 unknown or no pass */
    bool has_ar_in_ams;   /* 13.30: an AMS signs A-R or ARC fields; counted only */
    /*
     * The set whose word may be used (AV-18, I09): the highest whose sealer is trusted and whose
     * AMS verifies over the present message, so that no later hop, trusted or not, has changed what
     * that sealer saw. 0: none.
     */
    uint32_t trusted_sealer;
    struct arena *arena;
    struct limit_hits *hits;
    bool seals_queued;     /* the sets' seal_hash is known as soon as the queue has run */
    bool structure_failed; /* failed before any key was asked for */
    uint32_t questions;    /* DNS questions that nobody had asked before: at most
                              MAX_DNS_QUESTIONS_ARC, apart from those of the other judges */
};

/*
 * `refused`: mail_reader's word, or NULL: the chain then fails with it. `hasher` gets its wishes
 * here, after those of DKIM so that a chain cannot use up the body hashes. False: no memory.
 */
bool arc_begin(struct arc_judgement *judgement, const struct mail_header *header,
               const char *refused, const struct arc_options *options, struct body_hasher *hasher,
               struct arena *arena, struct limit_hits *hits) MUST_CHECK;
enum judge arc_fetch(struct arc_judgement *judgement, struct dns_answers *answers) MUST_CHECK;
/* How many jobs arc_jobs may append at most. */
uint32_t arc_job_ceiling(const struct arc_judgement *judgement);
/* As dkim_queue_hashes. */
bool arc_queue_hashes(struct arc_judgement *judgement, const struct mail_header *header,
                      struct hash_queue *queue) MUST_CHECK;
/* As dkim_jobs. A chain that is lost without public-key work appends nothing. */
void arc_jobs(struct arc_judgement *judgement, const struct mail_header *header,
              const struct body_hasher *hasher, const struct arc_options *options,
              struct buffer *scratch, struct verify_list *list);
/* As dkim_renew, for every AMS and seal that had jobs. What verified is not verified again. */
bool arc_renew(struct arc_judgement *judgement, struct dns_answers *answers) MUST_CHECK;
void arc_finish(struct arc_judgement *judgement, const struct arc_options *options,
                bool forbid_pass);
/* As those of DKIM. */
bool arc_park(struct arc_judgement *judgement) MUST_CHECK;
void arc_hold_keys(struct arc_judgement *judgement);
void arc_fini(struct arc_judgement *judgement);

#endif
