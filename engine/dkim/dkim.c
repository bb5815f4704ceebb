/*
 * The four steps of the DKIM judge. A signature's result is set once, at the first step that knows
 * it, and no later step changes it but for taking a pass away: a message without errors leaves
 * here with "pass" only through settle_jobs().
 *
 * Order of the reasons, where several hold: syntax, time, the cap on signatures, key, l=, body
 * hash, signature, then what makes a good signature unusable (forbidden message, unsigned body).
 */
#include "dkim/dkim.h"

#include "dkim/choice.h"
#include "dkim/coverage.h"

static void conclude(struct dkim_verified *verified, enum result result, const char *reason)
{
    verified->result = result;
    verified->reason = reason;
}

static bool is_open(const struct dkim_verified *verified)
{
    return verified->result == RESULT_UNSET;
}

/* Sets all of *verified. */
static void read_field(struct dkim_judgement *judgement, const struct mail_field *field,
                       const struct dkim_options *options, struct dkim_verified *verified)
{
    struct dkim_signature *signature = &verified->signature;
    memset(verified, 0, offsetof(struct dkim_verified, keys));
    dkim_keys_begin(&verified->keys);
    dkim_signature_parse(field, DKIM_SIGNATURE, judgement->arena, judgement->hits, options->lists,
                         signature);
    dkim_signature_check_time(signature, options->now, judgement->hits);
    verified->result = signature->result;
    verified->reason = signature->reason;
    verified->body_hash = -1;
}

/* Aligned ones first, those that are lost already last (C05). */
static void rank_all(struct dkim_judgement *judgement, struct dkim_authors authors)
{
    uint8_t closeness[MAX_SIGNATURES_PARSED];
    uint32_t next = 0;
    for (uint32_t i = 0; i < judgement->count; i++) {
        const struct dkim_verified *verified = &judgement->verified[i];
        closeness[i] = DKIM_NO_DOMAIN;
        if (is_open(verified))
            closeness[i] = (uint8_t)dkim_closeness(&verified->signature.domain, authors);
    }
    for (int wanted = 0; wanted < DKIM_CLOSENESS_COUNT; wanted++)
        for (uint32_t i = 0; i < judgement->count; i++)
            if (closeness[i] == wanted)
                judgement->verified[i].rank = next++;
}

static void skip(struct dkim_judgement *judgement, struct dkim_verified *verified)
{
    limit_hit(judgement->hits, LIMIT_SIGNATURES_VERIFIED);
    verified->skipped = true;
    conclude(verified, RESULT_POLICY, limit_word(LIMIT_SIGNATURES_VERIFIED));
}

static void want_body_hash(struct dkim_verified *verified, struct body_hasher *hasher)
{
    const struct dkim_signature *signature = &verified->signature;
    uint64_t limit = signature->has_l ? signature->l : BODY_WHOLE;
    verified->body_hash = body_hasher_want(hasher, signature->body_canon, limit);
    if (verified->body_hash < 0)
        conclude(verified, RESULT_PERMERROR, limit_word(LIMIT_BODY_HASHES));
}

static struct dkim_verified *at_rank(const struct dkim_judgement *judgement, uint32_t rank)
{
    for (uint32_t i = 0; i < judgement->count; i++)
        if (judgement->verified[i].rank == rank)
            return &judgement->verified[i];
    return NULL;
}

bool dkim_begin(struct dkim_judgement *judgement, const struct mail_header *header,
                const char *refused, const struct dkim_options *options, struct body_hasher *hasher,
                struct arena *arena, struct limit_hits *hits)
{
    struct dkim_authors authors = {options->author_domains, options->author_count};
    struct dkim_choice choice;
    *judgement = (struct dkim_judgement){.refused = refused, .arena = arena, .hits = hits};
    if (refused)
        return true; /* no field is indexed */
    if (!dkim_choose(header, authors, arena, hits, &choice))
        return false;
    judgement->verified = arena_alloc_raw(arena, choice.count * sizeof *judgement->verified);
    if (!judgement->verified)
        return false;
    judgement->count = choice.count;
    judgement->total = choice.total;
    for (uint32_t i = 0; i < choice.count; i++)
        read_field(judgement, choice.fields[i], options, &judgement->verified[i]);
    rank_all(judgement, authors);
    for (uint32_t rank = 0; rank < judgement->count; rank++) {
        struct dkim_verified *verified = at_rank(judgement, rank);
        if (!is_open(verified))
            continue;
        if (rank < MAX_SIGNATURES_VERIFIED)
            want_body_hash(verified, hasher);
        else
            skip(judgement, verified);
    }
    return true;
}

static bool has_keys(const struct dkim_verified *verified)
{
    return verified->keys.usable > 0 || verified->keys.result != RESULT_UNSET;
}

/* By rank, so that the questions of the aligned ones are first when questions run out. */
enum judge dkim_fetch(struct dkim_judgement *judgement, struct dns_answers *answers)
{
    judgement->waiting = false;
    for (uint32_t rank = 0; rank < judgement->count; rank++) {
        struct dkim_verified *verified = at_rank(judgement, rank);
        if (!is_open(verified) || has_keys(verified))
            continue;
        enum judge said =
            dkim_keys_fetch(&verified->signature, answers, judgement->hits, &verified->keys);
        judgement->waiting = judgement->waiting || said == JUDGE_WAITING;
    }
    return judgement->waiting ? JUDGE_WAITING : JUDGE_DONE;
}

/* What the body hasher knows, as evidence also for signatures that are lost already. */
static void note_body(struct dkim_verified *verified, const struct body_hasher *hasher)
{
    if (verified->body_hash < 0 || hasher->failed)
        return;
    const struct body_hash *hash = &hasher->hashes[verified->body_hash];
    verified->body_signed = hash->hashed;
    verified->body_total = body_hasher_octets(hasher, hash->canon);
    verified->body_hash_matches =
        hash->known && memcmp(hash->sha256, verified->signature.bh, SHA256_BYTES) == 0;
}

/* Keys, length and body hash: all that needs no public-key work. False: the signature is lost. */
static bool passes_cheap_checks(struct dkim_verified *verified, const struct body_hasher *hasher)
{
    if (verified->keys.usable == 0 && verified->keys.result == RESULT_UNSET)
        conclude(verified, RESULT_TEMPERROR, "key_not_fetched");
    else if (verified->keys.usable == 0)
        conclude(verified, verified->keys.result, verified->keys.reason);
    else if (hasher->failed)
        conclude(verified, RESULT_TEMPERROR, "body_hash_unknown");
    else if (!hasher->hashes[verified->body_hash].known)
        conclude(verified, RESULT_PERMERROR, "length_beyond_body"); /* DV-16 */
    else if (!verified->body_hash_matches)
        conclude(verified, RESULT_FAIL, "body_hash");
    return is_open(verified);
}

/* One job per key that may verify it (DV-31). */
static void add_jobs(struct dkim_verified *verified, const uint8_t digest[SHA256_BYTES],
                     struct verify_list *list)
{
    verified->first_job = &list->jobs[list->count];
    verified->job_count = 0;
    for (uint32_t i = 0; i < verified->keys.count; i++) {
        const struct dkim_key_record *record = &verified->keys.records[i];
        if (record->reason)
            continue;
        assert(list->count < list->capacity);
        struct verify_job *job = &list->jobs[list->count++];
        *job = (struct verify_job){.key = record->key, .signature = verified->signature.signature};
        memcpy(job->digest, digest, SHA256_BYTES);
        verified->job_count++;
    }
}

bool dkim_queue_hashes(struct dkim_judgement *judgement, const struct mail_header *header,
                       struct hash_queue *queue)
{
    bool queued = false;
    for (uint32_t i = 0; i < judgement->count; i++) {
        struct dkim_verified *verified = &judgement->verified[i];
        if (!is_open(verified) || verified->keys.usable == 0 || verified->header_queued)
            continue;
        verified->header_queued = dkim_header_hash_queue(
            header, &verified->signature, judgement->arena, queue, verified->header_hash);
        queued = queued || verified->header_queued;
    }
    return queued;
}

static bool hash_header(struct dkim_judgement *judgement, const struct mail_header *header,
                        struct dkim_verified *verified, struct buffer *scratch,
                        uint8_t digest[SHA256_BYTES])
{
    if (!verified->header_queued)
        return dkim_header_hash(header, &verified->signature, judgement->arena, scratch, digest);
    memcpy(digest, verified->header_hash, SHA256_BYTES);
    return true;
}

void dkim_jobs(struct dkim_judgement *judgement, const struct mail_header *header,
               const struct body_hasher *hasher, const struct dkim_options *options,
               struct buffer *scratch, struct verify_list *list)
{
    (void)options;
    for (uint32_t i = 0; i < judgement->count; i++) {
        struct dkim_verified *verified = &judgement->verified[i];
        const struct dkim_signature *signature = &verified->signature;
        uint8_t digest[SHA256_BYTES];
        note_body(verified, hasher);
        if (!is_open(verified) || !passes_cheap_checks(verified, hasher))
            continue;
        verified->unsigned_fields = dkim_unsigned_fields(header, signature, judgement->arena,
                                                         &verified->unsigned_field_count);
        if (hash_header(judgement, header, verified, scratch, digest))
            add_jobs(verified, digest, list);
        else
            conclude(verified, RESULT_TEMPERROR, "header_hash_unknown");
    }
}

uint32_t dkim_job_ceiling(const struct dkim_judgement *judgement)
{
    uint32_t jobs = 0;
    for (uint32_t i = 0; i < judgement->count; i++)
        jobs += judgement->verified[i].keys.usable;
    return jobs;
}

/* The record behind a job: the jobs follow the usable records. */
static const struct dkim_key_record *record_of_job(const struct dkim_keys *keys, uint32_t job)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (!keys->records[i].reason && job-- == 0)
            return &keys->records[i];
    return NULL;
}

/* One key that verifies is enough; without one, an error is not a failure. */
static void settle_jobs(struct dkim_verified *verified)
{
    bool error = verified->job_count == 0;
    for (uint32_t i = 0; i < verified->job_count; i++) {
        enum verify result = verified->first_job[i].result;
        if (result == VERIFY_PASS) {
            const struct dkim_key_record *record = record_of_job(&verified->keys, i);
            assert(record);
            verified->keys.testing = record->testing;
            verified->keys.bits = record->bits;
            conclude(verified, RESULT_PASS, NULL);
            return;
        }
        error = error || result != VERIFY_FAIL;
    }
    if (error)
        conclude(verified, RESULT_TEMPERROR, "verify_error");
    else
        conclude(verified, RESULT_FAIL, "signature");
}

/* Every key was tried, and none fits: the one case in which a newer key could help. */
static bool all_failed(const struct dkim_verified *verified)
{
    for (uint32_t i = 0; i < verified->job_count; i++)
        if (verified->first_job[i].result != VERIFY_FAIL)
            return false;
    return verified->job_count > 0;
}

static bool renew_keys(struct dkim_verified *verified, struct dns_answers *answers)
{
    if (!dns_answers_renew(answers, &verified->signature.key_name, DNS_TXT))
        return false;
    dkim_keys_forget(&verified->keys);
    return true;
}

bool dkim_renew(struct dkim_judgement *judgement, struct dns_answers *answers)
{
    bool renewed = false;
    for (uint32_t i = 0; i < judgement->count; i++) {
        struct dkim_verified *verified = &judgement->verified[i];
        if (!is_open(verified))
            continue;
        if (all_failed(verified) && renew_keys(verified, answers))
            renewed = true;
        else
            settle_jobs(verified);
    }
    return renewed;
}

/* A good signature that must not count (B02, B03, B10; DV-27, C01; DV-40, C10). */
static void hold_against(struct dkim_verified *verified, const struct dkim_options *options,
                         bool forbid_pass)
{
    bool unsigned_body = verified->body_signed < verified->body_total;
    if (forbid_pass)
        conclude(verified, RESULT_POLICY, "message_malformed");
    else if (unsigned_body && !options->allow_unsigned_body)
        conclude(verified, RESULT_POLICY, "unsigned_body");
    else
        verified->usable_for_dmarc = !(verified->keys.testing && options->testing_as_unsigned);
}

void dkim_finish(struct dkim_judgement *judgement, const struct dkim_options *options,
                 bool forbid_pass)
{
    for (uint32_t i = 0; i < judgement->count; i++) {
        struct dkim_verified *verified = &judgement->verified[i];
        if (is_open(verified))
            settle_jobs(verified);
        if (verified->result == RESULT_PASS)
            hold_against(verified, options, forbid_pass);
    }
}

bool dkim_park(struct dkim_judgement *judgement)
{
    bool forgotten = false;
    for (uint32_t i = 0; i < judgement->count; i++) {
        struct dkim_verified *verified = &judgement->verified[i];
        if (!verified->keys.borrowed)
            continue;
        if (is_open(verified)) {
            dkim_keys_forget(&verified->keys);
            forgotten = true;
        } else {
            dkim_keys_fini(&verified->keys);
        }
    }
    return forgotten;
}

void dkim_hold_keys(struct dkim_judgement *judgement)
{
    for (uint32_t i = 0; i < judgement->count; i++)
        dkim_keys_hold(&judgement->verified[i].keys);
}

void dkim_fini(struct dkim_judgement *judgement)
{
    for (uint32_t i = 0; i < judgement->count; i++)
        dkim_keys_fini(&judgement->verified[i].keys);
}
