/*
 * The DKIM judge: all signatures of a message (RFC 6376 section 6, DV-1 to DV-48).
 *
 *   dkim_begin    header complete: parse, rank, ask for body hashes
 *   dkim_fetch    keys (asks the DNS; run again until JUDGE_DONE)
 *   dkim_jobs     body complete: cheap failures first, then public-key jobs
 *   dkim_finish   results of the jobs to results of the signatures
 *
 * Between jobs and finish the caller verifies the jobs, alone or with those of other messages. Then
 * dkim_renew may send some signatures back to fetch (L09).
 */
#ifndef DKIM_DKIM_H
#define DKIM_DKIM_H

#include "crypto/verify.h"
#include "dkim/header_hash.h"
#include "dkim/key_record.h"
#include "dkim/signature.h"
#include "mail/body.h"

struct dkim_options
{
    int64_t now;              /* seconds since the epoch: receive time */
    bool allow_unsigned_body; /* l= smaller than the body may pass (default false: policy, DV-27) */
    /* t=y keys: the result is told with its flag, DMARC does not use it. RFC 6376 3.6.1 wants such
     * mail treated like unsigned mail, so callers set it unless told otherwise (DV-40, 13.18). */
    bool testing_as_unsigned;
    const struct dns_name *author_domains; /* for ranking: From's domains; may be NULL */
    uint32_t author_count;
    struct name_lists *lists; /* of this thread, for dkim_begin alone; may be NULL */
};

struct dkim_verified
{
    enum result result;
    const char *reason; /* static word or NULL */
    int body_hash;      /* index in the body hasher, -1 */
    bool body_hash_matches;
    uint64_t body_signed;         /* canonical octets under the hash */
    uint64_t body_total;          /* canonical octets of the body */
    bool skipped;                 /* over MAX_SIGNATURES_VERIFIED: policy "signature_skipped" */
    bool usable_for_dmarc;        /* pass, nothing held against it (l=, t=y by option) */
    uint32_t dmarc_identifier;    /* 1 + its index in dmarc_identifiers.dkim, set by whoever fills
                                     those; 0: not among them */
    struct verify_job *first_job; /* arena */
    uint32_t job_count;
    uint32_t rank;      /* 0 is tried first */
    bool header_queued; /* header_hash is known as soon as the queue has run */
    uint8_t header_hash[SHA256_BYTES];
    const char *const
        *unsigned_fields; /* arena: critical fields present and not covered (C02), names static */
    uint32_t unsigned_field_count;
    /* Large; they have beginnings of their own. */
    struct dkim_keys keys;
    struct dkim_signature signature;
};

struct dkim_judgement
{
    struct dkim_verified
        *verified; /* arena; in message order, top first; MAX_SIGNATURES_PARSED at most */
    uint32_t count;
    uint32_t total;      /* signature fields in the message, counted also beyond the limit */
    const char *refused; /* static word: the header was over a limit; all is permerror */
    bool waiting;
    struct arena *arena;
    struct limit_hits *hits;
};

/* `refused`: mail_reader's word, or NULL. `hasher` gets its wishes here. False: no memory. */
bool dkim_begin(struct dkim_judgement *judgement, const struct mail_header *header,
                const char *refused, const struct dkim_options *options, struct body_hasher *hasher,
                struct arena *arena, struct limit_hits *hits) MUST_CHECK;
enum judge dkim_fetch(struct dkim_judgement *judgement, struct dns_answers *answers) MUST_CHECK;

/* A list of jobs that judges append to. */
struct verify_list
{
    struct verify_job *jobs; /* arena; stable: allocated once with room for all */
    uint32_t count;
    uint32_t capacity;
};

/*
 * Before dkim_jobs, where there is a queue: header hashes of the signatures that have keys go into
 * it, to be hashed together with whatever else is in it. True where something was queued: it has to
 * run before dkim_jobs. What is not queued dkim_jobs hashes by itself.
 */
bool dkim_queue_hashes(struct dkim_judgement *judgement, const struct mail_header *header,
                       struct hash_queue *queue) MUST_CHECK;
/*
 * Checks what is cheap (body hash, length), hashes the headers, appends jobs. `list->jobs` must
 * stay where it is until dkim_finish. `hasher` has ended.
 */
void dkim_jobs(struct dkim_judgement *judgement, const struct mail_header *header,
               const struct body_hasher *hasher, const struct dkim_options *options,
               struct buffer *scratch, struct verify_list *list);
/* How many jobs dkim_jobs may append at most. */
uint32_t dkim_job_ceiling(const struct dkim_judgement *judgement);
/*
 * The jobs are verified. A signature whose jobs all failed, though its body hash is right, may have
 * a key that changed since we asked: where the answers may be renewed its keys are forgotten and it
 * goes through dkim_fetch and dkim_jobs once more. The others are settled for good. True where
 * there is one to be fetched.
 */
bool dkim_renew(struct dkim_judgement *judgement, struct dns_answers *answers) MUST_CHECK;
/* `forbid_pass`: mail_anomalies_forbid_pass(); a pass becomes policy "message_malformed". */
void dkim_finish(struct dkim_judgement *judgement, const struct dkim_options *options,
                 bool forbid_pass);
/*
 * When the message is set aside and cached keys would outlive their round. Before dkim_jobs: they
 * are forgotten; true where dkim_fetch has to run again.
 */
bool dkim_park(struct dkim_judgement *judgement) MUST_CHECK;
/* After it: references keep them until dkim_fini. */
void dkim_hold_keys(struct dkim_judgement *judgement);
/* Lets go of the keys; what was told of them stays. More than once is fine. */
void dkim_fini(struct dkim_judgement *judgement);

#endif
