/*
 * The order of things, design.md "A message's way": envelope, header, first run of the judges,
 * body, judges again, public-key jobs, DMARC from the parts, verdict. Coordinates; decides nothing
 * that a judge decides.
 *
 * Trouble of our own (no memory) ends every judge in temperror; trouble of the message (limits,
 * bare CR or LF in the header, NUL) takes away passes, never adds one (security.md B02, B03, B10).
 */
#include "message.h"

#include "dmarc/author.h"

enum
{
    SCRATCH_CEILING = 4 * 1024 * 1024, /* canonical header text of one signature */
};

static void read_envelope(struct message *message)
{
    if (message->envelope.mail_from.p)
        mail_path_parse(message->envelope.mail_from, &message->arena, &message->anomalies,
                        &message->hits, &message->path);
    message->envelope.client = ip_unmap(message->envelope.client);
}

static void judge_spf(struct message *message)
{
    if (message->spf_done || message->envelope.client.family == IP_NONE)
        return;
    struct spf_request request = {
        .client = message->envelope.client,
        .helo = message->envelope.helo,
        .path = &message->path,
        .receiver = message->options->receiver,
        .now = message->envelope.now,
        .void_limit = message->options->spf_void_limit,
        .want_explanation = message->options->spf_explanation,
    };
    enum judge state =
        spf_judge(&request, &message->answers, &message->arena, &message->hits, &message->spf);
    message->spf_done = state == JUDGE_DONE;
}

static bool spf_waits(const struct message *message)
{
    return !message->spf_done && message->envelope.client.family != IP_NONE;
}

/*
 * Questions are limited, and a message that took the results of others has asked fewer than it
 * would have. Before what comes (at most so many questions) could reach the ceiling it asks them
 * after all, so that the ceiling means the same for every message.
 */
static void ask_what_was_spared(struct message *message, uint32_t to_come)
{
    struct dns_answers *answers = &message->answers;
    uint32_t by_dmarc = message->dmarc.discovery.spared;
    uint32_t spared = message->spf.spared + by_dmarc;
    if (spared == 0 || answers->count + spared + to_come <= answers->ceiling)
        return;
    answers->results.spf = answers->results.dmarc = NULL;
    if (message->spf.spared)
        message->spf_done = message->spf_kept = false;
    if (by_dmarc)
        dmarc_judgement_init(&message->dmarc); /* as after message_park */
    judge_spf(message);
}

/* Questions of a domain's own DMARC walk; the list (COMPARE) and the domain's existence besides. */
static uint32_t walk_ceiling(const struct dns_name *domain)
{
    return domain->labels < MAX_DMARC_WALK ? domain->labels : MAX_DMARC_WALK;
}

static uint32_t discovery_ceiling(const struct message *message)
{
    return message->authors.count * (MAX_DMARC_WALK + 3);
}

/* Discovery, and a walk for each identifier that there may be. */
static uint32_t dmarc_ceiling(const struct message *message)
{
    uint32_t questions = discovery_ceiling(message) + walk_ceiling(&message->spf.checked.domain);
    for (uint32_t i = 0; i < message->dkim.count; i++)
        questions += walk_ceiling(&message->dkim.verified[i].signature.domain);
    return questions;
}

/* The arena is there, and empty. */
static void begin(struct message *message, const struct message_options *options,
                  const struct message_envelope *envelope, const struct dns_near *near)
{
    memset(message, 0, offsetof(struct message, arena));
    message->stage = MESSAGE_READING;
    buffer_init(&message->scratch, SCRATCH_CEILING);
    dns_answers_init(&message->answers, &message->arena, &message->hits);
    message->options = options;
    message->envelope = *envelope;
    message->answers.near = near;
    if (near)
        message->answers.results = near->results;
    mail_reader_init(&message->reader, &message->arena, &message->hits, &message->anomalies);
    body_hasher_init(&message->body, &message->anomalies, &message->hits);
    spf_judgement_init(&message->spf);
    dmarc_judgement_init(&message->dmarc);
    read_envelope(message);
    judge_spf(message);
}

void message_init(struct message *message, const struct message_options *options,
                  const struct message_envelope *envelope, const struct dns_near *near)
{
    arena_init(&message->arena, MAX_ARENA_BYTES);
    begin(message, options, envelope, near);
}

void message_init_again(struct message *message, const struct message_options *options,
                        const struct message_envelope *envelope, const struct dns_near *near)
{
    begin(message, options, envelope, near);
}

void message_lend_queue(struct message *message, struct hash_queue *queue)
{
    message->queue = queue;
    body_hasher_lend_queue(&message->body, queue);
}

static void read_from(struct message *message)
{
    if (message->reader.refused) {
        message->from = (struct mail_from){
            .state = MAIL_FROM_BAD,
            .reason = message->reader.refused,
        };
        return;
    }
    mail_from_read(&message->reader.header, &message->arena, &message->anomalies, &message->hits,
                   &message->from);
}

/* The From domains as names: for DMARC, which reports what cannot be a name, and for ranking
 * signatures. */
static void read_authors(struct message *message)
{
    uint32_t most = dmarc_authors_most(&message->from);
    struct dns_name *names = NULL;
    if (most)
        names = arena_alloc_raw(&message->arena, most * sizeof *names);
    message->failed |= most && !names;
    if (message->failed)
        return;
    dmarc_authors_read(&message->from, &message->options->dmarc, names, &message->authors);
}

static void identifiers_begin(struct dmarc_identifiers *identifiers, bool known)
{
    memset(identifiers, 0, offsetof(struct dmarc_identifiers, spf_domain));
    identifiers->known = known;
    identifiers->spf_domain.length = identifiers->spf_domain.labels = 0;
}

static void discover_policy(struct message *message)
{
    struct limit_hits uncounted;
    if (message->policy_asked)
        return;
    limit_hits_begin(&uncounted);
    struct dmarc_identifiers unknown;
    identifiers_begin(&unknown, false);
    enum judge state =
        dmarc_judge_authors(&message->authors, &unknown, &message->options->dmarc,
                            &message->answers, &message->arena, &uncounted, &message->dmarc);
    /* A prefetch: what is missing then is asked for, and what is over a limit counted, when the
     * identifiers are known. */
    message->policy_asked = state == JUDGE_DONE;
}

static void fetch_keys(struct message *message)
{
    if (!message->dkim_done)
        message->dkim_done = dkim_fetch(&message->dkim, &message->answers) == JUDGE_DONE;
    if (!message->arc_done)
        message->arc_done = arc_fetch(&message->arc, &message->answers) == JUDGE_DONE;
}

static void judge_header(struct message *message)
{
    const struct mail_header *header = &message->reader.header;
    const char *refused = message->reader.refused;
    read_from(message);
    read_authors(message);
    message->dkim_options = (struct dkim_options){
        .now = message->envelope.now,
        .allow_unsigned_body = message->options->dkim_allow_unsigned_body,
        .testing_as_unsigned = message->options->dkim_testing_as_unsigned,
        .author_domains = message->authors.names,
        .author_count = message->authors.count,
        .lists = message->answers.results.lists,
    };
    message->arc_options = (struct arc_options){
        .now = message->envelope.now,
        .trusted_sealers = message->options->trusted_sealers,
        .trusted_count = message->options->trusted_count,
    };
    if (!dkim_begin(&message->dkim, header, refused, &message->dkim_options, &message->body,
                    &message->arena, &message->hits) ||
        !arc_begin(&message->arc, header, refused, &message->arc_options, &message->body,
                   &message->arena, &message->hits))
        message->failed = true;
    message->header_judged = true;
    if (message->failed)
        return;
    ask_what_was_spared(message, message->dkim.count + discovery_ceiling(message));
    discover_policy(message);
    fetch_keys(message);
}

static void note_too_large(struct message *message)
{
    if (message->too_large)
        return;
    message->too_large = true;
    limit_hit(&message->hits, LIMIT_MESSAGE_BYTES);
    mail_anomaly_note(&message->anomalies, ANOMALY_TOO_LARGE);
}

static uint64_t max_bytes(const struct message *message)
{
    return message->options->max_bytes ? message->options->max_bytes : MAX_MESSAGE_BYTES;
}

bool message_feed(struct message *message, struct span bytes)
{
    assert(message->stage == MESSAGE_READING);
    uint64_t room = max_bytes(message) - message->bytes;
    if (bytes.n > room) {
        note_too_large(message);
        bytes = span_slice(bytes, 0, room);
    }
    message->bytes += bytes.n;
    bool was_done = message->reader.done;
    if (!was_done)
        bytes = span_skip(bytes, mail_reader_feed(&message->reader, bytes));
    bool header_ended = !was_done && message->reader.done;
    if (header_ended)
        judge_header(message);
    if (message->reader.done)
        body_hasher_feed(&message->body, bytes);
    return header_ended;
}

void message_advance(struct message *message)
{
    assert(message->stage == MESSAGE_READING);
    if (message->failed)
        return;
    judge_spf(message);
    if (!message->header_judged)
        return;
    fetch_keys(message);
    discover_policy(message);
}

static void end_header(struct message *message)
{
    assert(message->stage == MESSAGE_READING);
    if (!message->reader.done)
        mail_reader_end(&message->reader);
    if (!message->header_judged)
        judge_header(message);
}

void message_end(struct message *message)
{
    end_header(message);
    body_hasher_end(&message->body);
    message->stage = MESSAGE_JUDGING;
}

void message_end_recorded(struct message *message, const struct body_facts *facts, bool too_large)
{
    end_header(message);
    body_hasher_end_with(&message->body, facts);
    if (too_large)
        note_too_large(message);
    message->stage = MESSAGE_JUDGING;
}

/* Bytes past a limit were not looked at, or the header can be read in two ways: nothing may pass.
 */
static bool forbid_pass(const struct message *message)
{
    return message->too_large || mail_anomalies_forbid_pass(&message->anomalies);
}

static bool collect_jobs(struct message *message)
{
    uint32_t ceiling = dkim_job_ceiling(&message->dkim) + arc_job_ceiling(&message->arc);
    message->jobs = (struct verify_list){
        .jobs = ARENA_ARRAY(&message->arena, ceiling ? ceiling : 1, struct verify_job),
        .capacity = ceiling,
    };
    if (!message->jobs.jobs)
        return false;
    dkim_jobs(&message->dkim, &message->reader.header, &message->body, &message->dkim_options,
              &message->scratch, &message->jobs);
    arc_jobs(&message->arc, &message->reader.header, &message->body, &message->arc_options,
             &message->scratch, &message->jobs);
    buffer_fini(&message->scratch); /* may be as large as the header */
    return true;
}

/* DP-29: MAIL FROM passed, or the null sender's HELO. A HELO that was checked alone never counts.
 */
static void identify_spf(const struct message *message, struct dmarc_identifiers *identifiers)
{
    const struct spf_check *check = &message->spf.checked;
    bool usable = message->path.kind == MAIL_PATH_ADDRESS || message->path.kind == MAIL_PATH_NULL;
    if (!usable || message->spf.mail_from_malformed || check->domain.length == 0)
        return;
    dns_name_copy(&identifiers->spf_domain, &check->domain);
    identifiers->spf_pass = check->result == RESULT_PASS && !forbid_pass(message);
    identifiers->spf_temperror = check->result == RESULT_TEMPERROR;
}

static bool identify_dkim(struct message *message, struct dmarc_identifiers *identifiers)
{
    struct dns_name *names = arena_alloc_raw(&message->arena, message->dkim.count * sizeof *names);
    if (!names)
        return false;
    for (uint32_t i = 0; i < message->dkim.count; i++) {
        struct dkim_verified *verified = &message->dkim.verified[i];
        verified->dmarc_identifier = 0;
        if (verified->result == RESULT_PASS && verified->usable_for_dmarc) {
            dns_name_copy(&names[identifiers->dkim_count++], &verified->signature.domain);
            verified->dmarc_identifier = identifiers->dkim_count;
        }
    }
    struct dns_name *unknown = names + identifiers->dkim_count;
    for (uint32_t i = 0; i < message->dkim.count; i++) {
        const struct dkim_verified *verified = &message->dkim.verified[i];
        if (verified->result == RESULT_TEMPERROR && verified->signature.domain.length)
            dns_name_copy(&unknown[identifiers->dkim_temperror_count++],
                          &verified->signature.domain);
    }
    identifiers->dkim = names;
    identifiers->dkim_temperror = unknown;
    return true;
}

static enum judge judge_dmarc(struct message *message)
{
    struct dmarc_identifiers identifiers;
    identifiers_begin(&identifiers, true);
    identify_spf(message, &identifiers);
    if (!identify_dkim(message, &identifiers)) {
        message->failed = true;
        return JUDGE_DONE;
    }
    if (message->dmarc.discovered)
        return dmarc_judge_discovered(&identifiers, &message->options->dmarc, &message->answers,
                                      &message->arena, &message->hits, &message->dmarc);
    return dmarc_judge_authors(&message->authors, &identifiers, &message->options->dmarc,
                               &message->answers, &message->arena, &message->hits, &message->dmarc);
}

static void fill_verdict(struct message *message)
{
    message->verdict = (struct verdict){
        .authserv_id = message->options->authserv_id,
        .client = message->envelope.client,
        .spf_checked = message->envelope.client.family != IP_NONE,
        .path = &message->path,
        .spf = &message->spf,
        .dkim = &message->dkim,
        .arc = &message->arc,
        .dmarc = &message->dmarc,
        .from = &message->from,
        .anomalies = &message->anomalies,
        .answers = &message->answers,
        .hits = &message->hits,
    };
    mail_recipients_read(&message->reader.header, message->envelope.recipients,
                         message->envelope.recipient_count, &message->arena,
                         &message->verdict.recipients);
}

/* No memory for a whole judge: all four say temperror, whatever they said before. */
static void fail_all(struct message *message)
{
    static const char *const reason = "no_memory";
    message->spf.checked.result = RESULT_TEMPERROR;
    message->spf.checked.reason = reason;
    for (uint32_t i = 0; message->dkim.verified && i < message->dkim.count; i++) {
        message->dkim.verified[i].result = RESULT_TEMPERROR;
        message->dkim.verified[i].reason = reason;
        message->dkim.verified[i].usable_for_dmarc = false;
    }
    if (message->arc.result != RESULT_NONE) {
        message->arc.result = RESULT_FAIL; /* AV-17: there is no arc=temperror */
        message->arc.reason = reason;
        message->arc.temporary = true;
    }
    message->dmarc.result = RESULT_TEMPERROR;
    message->dmarc.reason = reason;
    message->dmarc.disposition = DMARC_DISPOSE_NONE;
}

static enum message_step finish(struct message *message)
{
    if (message->arena.failed) {
        limit_hit(&message->hits, LIMIT_ARENA_BYTES);
        message->failed = true;
    }
    if (message->failed)
        fail_all(message);
    body_hasher_settle(&message->body);
    fill_verdict(message);
    message->stage = MESSAGE_JUDGED;
    return MESSAGE_DONE;
}

/* Something of this message waits for the queue to run. */
static bool hash_is_due(const struct message *message)
{
    return message->queue &&
           (message->queued_at == message->queue->runs || body_hasher_is_queued(&message->body));
}

/* Once: what is signed does not change with the keys. */
static void queue_headers(struct message *message)
{
    const struct mail_header *header = &message->reader.header;
    if (!message->queue || message->headers_queued)
        return;
    message->headers_queued = true;
    bool dkim = dkim_queue_hashes(&message->dkim, header, message->queue);
    bool arc = arc_queue_hashes(&message->arc, header, message->queue);
    if (dkim || arc)
        message->queued_at = message->queue->runs;
}

static enum message_step step_judging(struct message *message)
{
    judge_spf(message);
    fetch_keys(message);
    discover_policy(message);
    if (spf_waits(message) || !message->dkim_done || !message->arc_done)
        return MESSAGE_NEEDS_ANSWERS;
    queue_headers(message);
    if (hash_is_due(message))
        return MESSAGE_NEEDS_HASH;
    body_hasher_settle(&message->body);
    if (!collect_jobs(message)) {
        message->failed = true;
        return finish(message);
    }
    message->stage = MESSAGE_VERIFYING;
    return MESSAGE_NEEDS_VERIFY;
}

static enum message_step step_aligning(struct message *message)
{
    ask_what_was_spared(message, dmarc_ceiling(message));
    judge_spf(message);
    if (spf_waits(message) || judge_dmarc(message) == JUDGE_WAITING)
        return MESSAGE_NEEDS_ANSWERS;
    if (message->dmarc.result == RESULT_FAIL && forbid_pass(message))
        message->dmarc.reason = "message_malformed";
    return finish(message);
}

/*
 * L09: signatures failed although the body hash is right, with keys that may be out of date. The
 * cache says which may be asked for once more; the message then waits, and is verified again.
 */
static bool renew_keys(struct message *message)
{
    if (forbid_pass(message))
        return false; /* no key could make it pass */
    bool dkim = dkim_renew(&message->dkim, &message->answers);
    bool arc = arc_renew(&message->arc, &message->answers);
    message->dkim_done = !dkim;
    message->arc_done = !arc;
    return dkim || arc;
}

static enum message_step step_verifying(struct message *message)
{
    if (renew_keys(message)) {
        message->stage = MESSAGE_JUDGING;
        return step_judging(message);
    }
    dkim_finish(&message->dkim, &message->dkim_options, forbid_pass(message));
    arc_finish(&message->arc, &message->arc_options, forbid_pass(message));
    message->stage = MESSAGE_ALIGNING;
    return step_aligning(message);
}

enum message_step message_step(struct message *message)
{
    assert(message->stage != MESSAGE_READING);
    if (message->stage == MESSAGE_JUDGED)
        return MESSAGE_DONE;
    if (message->failed)
        return hash_is_due(message) ? MESSAGE_NEEDS_HASH : finish(message);
    if (message->stage == MESSAGE_JUDGING)
        return step_judging(message);
    if (message->stage == MESSAGE_VERIFYING)
        return step_verifying(message);
    return step_aligning(message);
}

bool message_is_message(const struct message *message)
{
    return message->reader.refused || mail_header_is_message(&message->reader.header);
}

/* Before the jobs keys can be had again, during them the jobs need them, afterwards nobody. */
static void park_keys(struct message *message)
{
    switch (message->stage) {
    case MESSAGE_READING:
    case MESSAGE_JUDGING:
        if (dkim_park(&message->dkim))
            message->dkim_done = false;
        if (arc_park(&message->arc))
            message->arc_done = false;
        break;
    case MESSAGE_VERIFYING:
        dkim_hold_keys(&message->dkim);
        arc_hold_keys(&message->arc);
        break;
    case MESSAGE_ALIGNING:
    case MESSAGE_JUDGED:
        dkim_fini(&message->dkim);
        arc_fini(&message->arc);
        break;
    }
}

static void park_spf(struct message *message)
{
    if (!message->spf_done || message->spf_kept)
        return;
    spf_judgement_keep(&message->spf, &message->arena);
    message->spf_kept = true;
}

/* Before the verdict it is judged anew by the next step that needs it. */
static void park_dmarc(struct message *message)
{
    if (message->dmarc_kept)
        return;
    if (message->stage != MESSAGE_JUDGED) {
        dmarc_judgement_init(&message->dmarc);
        return;
    }
    message->dmarc_kept = true;
    if (!dmarc_judgement_keep(&message->dmarc, &message->arena)) {
        message->failed = true;
        fail_all(message);
    }
}

void message_park(struct message *message)
{
    if (!message->answers.near)
        return;
    dns_answers_park(&message->answers);
    park_spf(message);
    if (message->header_judged)
        park_keys(message);
    park_dmarc(message);
}

void message_move(struct message *message, const struct dns_near *near)
{
    assert(message->stage != MESSAGE_READING && !hash_is_due(message));
    body_hasher_settle(&message->body);
    message->body.queue = NULL;
    message->queue = NULL;
    message->answers.near = near;
    message->answers.results = (struct shared_results){.spf = NULL}; /* another thread's */
}

static void let_go(struct message *message)
{
    if (hash_is_due(message))
        hash_queue_run(message->queue); /* it knows what is now released */
    if (message->header_judged) {
        dkim_fini(&message->dkim);
        arc_fini(&message->arc);
    }
    body_hasher_fini(&message->body);
    buffer_fini(&message->scratch);
}

void message_fini(struct message *message)
{
    let_go(message);
    arena_fini(&message->arena);
}

void message_recycle(struct message *message, size_t keep_bytes)
{
    let_go(message);
    arena_recycle(&message->arena, keep_bytes);
}
