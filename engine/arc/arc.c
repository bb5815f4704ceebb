/*
 * RFC 8617 5.2 steps 4 to 6, in the four steps that the judges share.
 *
 * Everything that can fail without public-key work is looked at first: a chain whose newest AMS has
 * another body hash, or one of whose keys is missing, costs no signature check at all. What is left
 * is verified in one batch.
 *
 * BUGS: older AMS are looked at for the oldest-pass only as far as the newest that fails without
 * public-key work; one with l= counts as failed there.
 */
#include "arc/arc.h"

#include "arc/chain.h"
#include "arc/seal_hash.h"

static struct arc_set *newest_set(const struct arc_judgement *judgement)
{
    return &judgement->sets[judgement->count - 1];
}

/* AMS follow DKIM's rules on time (AV-10); RFC 8617 has none for seals. */
static void check_times(struct arc_judgement *judgement, int64_t now)
{
    for (uint32_t i = 0; i < judgement->count; i++)
        dkim_signature_check_time(&judgement->sets[i].ams, now, judgement->hits);
    const struct dkim_signature *newest = &newest_set(judgement)->ams;
    if (newest->result != RESULT_UNSET)
        arc_fail_set(judgement, "ams_invalid", judgement->count, newest->reason);
}

static void want_body_hash(struct arc_set *set, struct body_hasher *hasher)
{
    uint64_t limit = set->ams.has_l ? set->ams.l : BODY_WHOLE;
    set->body_hash = body_hasher_want(hasher, set->ams.body_canon, limit);
}

/* Older sets wish for no l= of their own: a long chain would use up the hashes (BODY_HASHES). */
static void want_body_hashes(struct arc_judgement *judgement, struct body_hasher *hasher)
{
    struct arc_set *newest = newest_set(judgement);
    want_body_hash(newest, hasher);
    if (newest->body_hash < 0)
        arc_fail_set(judgement, "ams_invalid", judgement->count, limit_word(LIMIT_BODY_HASHES));
    for (uint32_t i = 0; i + 1 < judgement->count; i++) {
        struct arc_set *set = &judgement->sets[i];
        if (set->ams.result == RESULT_UNSET && !set->ams.has_l)
            want_body_hash(set, hasher);
    }
}

bool arc_begin(struct arc_judgement *judgement, const struct mail_header *header,
               const char *refused, const struct arc_options *options, struct body_hasher *hasher,
               struct arena *arena, struct limit_hits *hits)
{
    *judgement = (struct arc_judgement){.arena = arena, .hits = hits, .oldest_pass = -1};
    if (refused)
        arc_fail(judgement, refused, 0);
    else if (!arc_chain_read(judgement, header))
        return false;
    if (arc_is_open(judgement))
        check_times(judgement, options->now);
    if (arc_is_open(judgement))
        want_body_hashes(judgement, hasher);
    judgement->structure_failed = judgement->result == RESULT_FAIL;
    return true;
}

/* True while the answer is awaited. */
static bool fetch_keys(struct arc_judgement *judgement, const struct dkim_signature *signature,
                       struct dns_answers *answers, struct dkim_keys *keys)
{
    if (keys->usable > 0 || keys->result != RESULT_UNSET)
        return false;
    uint32_t before = answers->count;
    uint32_t ceiling = answers->ceiling;
    answers->ceiling = before + MAX_DNS_QUESTIONS_ARC - judgement->questions;
    enum judge said = dkim_keys_fetch(signature, answers, judgement->hits, keys);
    judgement->questions += answers->count - before;
    answers->ceiling = ceiling + (answers->count - before);
    return said == JUDGE_WAITING;
}

/*
 * The keys that decide first, then those of the older AMS. Questions that nobody had asked before
 * count against DNS_QUESTIONS_ARC and raise the ceiling by as many: a long chain takes no question
 * from DMARC, whose failure for want of an answer would help the sender (AV-19, I08).
 */
enum judge arc_fetch(struct arc_judgement *judgement, struct dns_answers *answers)
{
    bool waiting = false;
    if (!arc_is_open(judgement))
        return JUDGE_DONE;
    struct arc_set *newest = newest_set(judgement);
    waiting |= fetch_keys(judgement, &newest->ams, answers, &newest->ams_keys);
    for (uint32_t i = judgement->count; i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        waiting |= fetch_keys(judgement, &set->seal, answers, &set->seal_keys);
    }
    for (uint32_t i = judgement->count - 1; i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        if (set->ams.result == RESULT_UNSET)
            waiting |= fetch_keys(judgement, &set->ams, answers, &set->ams_keys);
    }
    return waiting ? JUDGE_WAITING : JUDGE_DONE;
}

uint32_t arc_job_ceiling(const struct arc_judgement *judgement)
{
    uint32_t jobs = 0;
    if (!arc_is_open(judgement))
        return 0;
    for (uint32_t i = 0; i < judgement->count; i++)
        jobs += judgement->sets[i].ams_keys.usable + judgement->sets[i].seal_keys.usable;
    return jobs;
}

/* Nothing that was measured over the message speaks against this AMS, yet. NULL, or the reason. */
static const char *ams_fault(const struct arc_set *set, const struct body_hasher *hasher,
                             const struct arc_options *options, const char **class)
{
    const struct dkim_signature *ams = &set->ams;
    const struct body_hash *hash = set->body_hash < 0 ? NULL : &hasher->hashes[set->body_hash];
    *class = "ams_invalid";
    if (ams->result != RESULT_UNSET)
        return ams->reason;
    *class = "ams_body_length";
    if (!hash)
        return "body_length";
    *class = "ams_key";
    if (set->ams_keys.usable == 0)
        return set->ams_keys.reason ? set->ams_keys.reason : "key_not_fetched";
    *class = "ams_body_length";
    if (!hash->known)
        return "length_beyond_body"; /* DV-16 */
    *class = "ams_body_hash";
    if (memcmp(hash->sha256, ams->bh, SHA256_BYTES) != 0)
        return "body_hash"; /* I10 */
    *class = "ams_unsigned_body";
    if (hash->hashed < body_hasher_octets(hasher, hash->canon) && !options->allow_unsigned_body)
        return "unsigned_body"; /* AV-14, DV-27 */
    return NULL;
}

/* 13.32: what another time may give. Our own limit on questions will be no other. */
static bool is_temporary(const struct dkim_keys *keys)
{
    return keys->usable == 0 && keys->result == RESULT_TEMPERROR &&
           strcmp(keys->reason, limit_word(LIMIT_DNS_QUESTIONS_ARC)) != 0;
}

static void fail_internally(struct arc_judgement *judgement)
{
    judgement->temporary |= arc_is_open(judgement);
    arc_fail(judgement, "internal_error", 0);
}

/* Step 4 as far as it needs no public-key work. */
static void check_newest(struct arc_judgement *judgement, const struct body_hasher *hasher,
                         const struct arc_options *options)
{
    struct arc_set *newest = newest_set(judgement);
    const char *class;
    const char *fault = ams_fault(newest, hasher, options, &class);
    if (!fault)
        return;
    newest->ams_result = RESULT_FAIL;
    judgement->temporary |= arc_is_open(judgement) && is_temporary(&newest->ams_keys);
    arc_fail_set(judgement, class, judgement->count, fault);
}

/* Step 6 likewise: every seal has a key. */
static void check_seals(struct arc_judgement *judgement)
{
    for (uint32_t i = judgement->count; i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        const struct dkim_keys *keys = &set->seal_keys;
        if (keys->usable > 0)
            continue;
        set->seal_result = RESULT_FAIL;
        judgement->temporary |= arc_is_open(judgement) && is_temporary(keys);
        arc_fail_set(judgement, "seal_key", i, keys->reason ? keys->reason : "key_not_fetched");
    }
}

/* One job per key that may verify it (DV-31). Returns the first, and how many. */
static struct verify_job *add_jobs(const struct dkim_signature *signature,
                                   const struct dkim_keys *keys, const uint8_t digest[SHA256_BYTES],
                                   struct verify_list *list, uint32_t *count)
{
    struct verify_job *first = &list->jobs[list->count];
    for (uint32_t i = 0; i < keys->count; i++) {
        if (keys->records[i].reason)
            continue;
        assert(list->count < list->capacity);
        struct verify_job *job = &list->jobs[list->count++];
        *job = (struct verify_job){.key = keys->records[i].key, .signature = signature->signature};
        memcpy(job->digest, digest, SHA256_BYTES);
        (*count)++;
    }
    return first;
}

static bool every_seal_has_a_key(const struct arc_judgement *judgement)
{
    for (uint32_t i = 0; i < judgement->count; i++)
        if (judgement->sets[i].seal_keys.usable == 0)
            return false;
    return true;
}

bool arc_queue_hashes(struct arc_judgement *judgement, const struct mail_header *header,
                      struct hash_queue *queue)
{
    if (!arc_is_open(judgement) || newest_set(judgement)->ams_keys.usable == 0 ||
        !every_seal_has_a_key(judgement))
        return false;
    bool queued = false;
    if (!judgement->seals_queued)
        queued = judgement->seals_queued =
            arc_seal_hash_queue(judgement->sets, judgement->count, judgement->arena, queue);
    for (uint32_t i = judgement->count; i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        if (set->ams_keys.usable == 0 || set->ams_queued)
            continue;
        set->ams_queued =
            dkim_header_hash_queue(header, &set->ams, judgement->arena, queue, set->ams_hash);
        queued = queued || set->ams_queued;
    }
    return queued;
}

static bool hash_ams(struct arc_judgement *judgement, const struct arc_set *set,
                     const struct mail_header *header, struct buffer *scratch,
                     uint8_t digest[SHA256_BYTES])
{
    if (!set->ams_queued)
        return dkim_header_hash(header, &set->ams, judgement->arena, scratch, digest);
    memcpy(digest, set->ams_hash, SHA256_BYTES);
    return true;
}

static bool add_ams_jobs(struct arc_judgement *judgement, struct arc_set *set,
                         const struct mail_header *header, struct buffer *scratch,
                         struct verify_list *list)
{
    uint8_t digest[SHA256_BYTES];
    if (set->ams_job_count)
        return true; /* verified before arc_renew */
    if (!hash_ams(judgement, set, header, scratch, digest))
        return false;
    set->ams_jobs = add_jobs(&set->ams, &set->ams_keys, digest, list, &set->ams_job_count);
    return true;
}

/* What every seal signs, unless a queue has told. */
static bool hash_seals(struct arc_judgement *judgement, struct buffer *scratch)
{
    struct arc_seal_hash hash;
    bool known = true;
    if (judgement->seals_queued)
        return true;
    arc_seal_hash_init(&hash, scratch);
    for (uint32_t i = 0; known && i < judgement->count; i++)
        known = arc_seal_hash_next(&hash, &judgement->sets[i], judgement->sets[i].seal_hash);
    return known;
}

static bool add_seal_jobs(struct arc_judgement *judgement, struct buffer *scratch,
                          struct verify_list *list)
{
    if (!hash_seals(judgement, scratch))
        return false;
    for (uint32_t i = 0; i < judgement->count; i++) {
        struct arc_set *set = &judgement->sets[i];
        if (set->seal_job_count == 0)
            set->seal_jobs =
                add_jobs(&set->seal, &set->seal_keys, set->seal_hash, list, &set->seal_job_count);
    }
    return true;
}

/* AV-7: from the newest but one down, until one is lost. Never a reason for the chain to fail. */
static void add_older_jobs(struct arc_judgement *judgement, const struct mail_header *header,
                           const struct body_hasher *hasher, const struct arc_options *options,
                           struct buffer *scratch, struct verify_list *list)
{
    for (uint32_t i = judgement->count - 1; i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        const char *class;
        set->reason = ams_fault(set, hasher, options, &class);
        if (!set->reason && !add_ams_jobs(judgement, set, header, scratch, list))
            set->reason = "internal_error";
        if (!set->reason)
            continue;
        set->ams_result = RESULT_FAIL;
        return;
    }
}

void arc_jobs(struct arc_judgement *judgement, const struct mail_header *header,
              const struct body_hasher *hasher, const struct arc_options *options,
              struct buffer *scratch, struct verify_list *list)
{
    if (arc_is_open(judgement) && hasher->failed)
        fail_internally(judgement);
    if (arc_is_open(judgement))
        check_newest(judgement, hasher, options);
    if (arc_is_open(judgement))
        check_seals(judgement);
    if (!arc_is_open(judgement))
        return;
    if (!add_ams_jobs(judgement, newest_set(judgement), header, scratch, list) ||
        !add_seal_jobs(judgement, scratch, list)) {
        fail_internally(judgement);
        return;
    }
    add_older_jobs(judgement, header, hasher, options, scratch, list);
}

/* One key that verifies is enough; without one, an error is not a failure. */
static enum result settle(const struct verify_job *jobs, uint32_t count)
{
    bool error = count == 0;
    for (uint32_t i = 0; i < count; i++) {
        if (jobs[i].result == VERIFY_PASS)
            return RESULT_PASS;
        error |= jobs[i].result != VERIFY_FAIL;
    }
    return error ? RESULT_TEMPERROR : RESULT_FAIL;
}

static void conclude(struct arc_judgement *judgement, enum result result, const char *reason,
                     uint32_t instance)
{
    if (result == RESULT_FAIL)
        arc_fail_set(judgement, reason, instance, "signature");
    else if (result != RESULT_PASS)
        fail_internally(judgement);
}

/* True where the key is asked for once more: the jobs are then forgotten, to be made again. */
static bool renew(const struct verify_job *jobs, uint32_t *count,
                  const struct dkim_signature *signature, struct dkim_keys *keys,
                  struct dns_answers *answers)
{
    if (settle(jobs, *count) != RESULT_FAIL ||
        !dns_answers_renew(answers, &signature->key_name, DNS_TXT))
        return false;
    dkim_keys_forget(keys);
    *count = 0;
    return true;
}

bool arc_renew(struct arc_judgement *judgement, struct dns_answers *answers)
{
    bool renewed = false;
    for (uint32_t i = judgement->count; arc_is_open(judgement) && i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        renewed |= renew(set->ams_jobs, &set->ams_job_count, &set->ams, &set->ams_keys, answers);
        renewed |=
            renew(set->seal_jobs, &set->seal_job_count, &set->seal, &set->seal_keys, answers);
    }
    return renewed;
}

/* Steps 4 and 6: the newest AMS, then the seals from N down; all results are told. */
static void settle_chain(struct arc_judgement *judgement)
{
    struct arc_set *newest = newest_set(judgement);
    newest->ams_result = settle(newest->ams_jobs, newest->ams_job_count);
    conclude(judgement, newest->ams_result, "ams_signature", judgement->count);
    for (uint32_t i = judgement->count; i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        set->seal_result = settle(set->seal_jobs, set->seal_job_count);
        conclude(judgement, set->seal_result, "seal_signature", i);
    }
}

/* AV-7: below M + 1 nothing is known. */
static void settle_older(struct arc_judgement *judgement)
{
    for (uint32_t i = judgement->count - 1; i >= 1; i--) {
        struct arc_set *set = &judgement->sets[i - 1];
        if (set->ams_result == RESULT_UNSET)
            set->ams_result = settle(set->ams_jobs, set->ams_job_count);
        if (set->ams_result == RESULT_PASS)
            continue;
        if (!set->reason)
            set->reason = "signature";
        judgement->oldest_pass = (int)i + 1;
        return;
    }
    judgement->oldest_pass = 0;
}

static bool is_trusted(const struct dns_name *domain, const struct arc_options *options)
{
    for (uint32_t i = 0; i < options->trusted_count; i++)
        if (dns_name_equal(domain, &options->trusted_sealers[i]))
            return true;
    return false;
}

static void find_trusted(struct arc_judgement *judgement, const struct arc_options *options)
{
    for (uint32_t i = 1; i <= judgement->count; i++) {
        struct arc_set *set = &judgement->sets[i - 1];
        set->trusted = is_trusted(&set->seal.domain, options);
        if (set->trusted && set->ams_result == RESULT_PASS)
            judgement->trusted_sealer = i;
    }
}

void arc_finish(struct arc_judgement *judgement, const struct arc_options *options,
                bool forbid_pass)
{
    if (!arc_is_open(judgement))
        return;
    settle_chain(judgement);
    if (forbid_pass)
        arc_fail(judgement, "message_malformed", 0);
    if (!arc_is_open(judgement))
        return;
    judgement->result = RESULT_PASS;
    settle_older(judgement);
    find_trusted(judgement, options);
}

/* Keys of a chain that is decided, or of an AMS that is left out, are no longer needed. */
static bool park_keys(struct dkim_keys *keys, bool is_open)
{
    if (!keys->borrowed)
        return false;
    if (is_open)
        dkim_keys_forget(keys);
    else
        dkim_keys_fini(keys);
    return is_open;
}

bool arc_park(struct arc_judgement *judgement)
{
    bool forgotten = false;
    bool is_open = arc_is_open(judgement);
    for (uint32_t i = 0; judgement->sets && i < judgement->count; i++) {
        struct arc_set *set = &judgement->sets[i];
        forgotten |= park_keys(&set->ams_keys, is_open);
        forgotten |= park_keys(&set->seal_keys, is_open);
    }
    return forgotten;
}

void arc_hold_keys(struct arc_judgement *judgement)
{
    for (uint32_t i = 0; judgement->sets && i < judgement->count; i++) {
        dkim_keys_hold(&judgement->sets[i].ams_keys);
        dkim_keys_hold(&judgement->sets[i].seal_keys);
    }
}

void arc_fini(struct arc_judgement *judgement)
{
    for (uint32_t i = 0; judgement->sets && i < judgement->count; i++) {
        dkim_keys_fini(&judgement->sets[i].ams_keys);
        dkim_keys_fini(&judgement->sets[i].seal_keys);
    }
}
