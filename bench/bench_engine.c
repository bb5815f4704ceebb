/* assay's side of the benchmark: batches of a set, verdicts checked. */
#include "bench/bench_engine.h"

#include <stdlib.h>

#include "base/limit.h"
#include "bench/load.h"
#include "cache/tsan.h"
#include "dkim/header_hash.h"
#include "dns/zone.h"
#include "engine.h"

enum
{
    HANDED_BYTES = 1024 * 1024, /* of messages handed over at once, about ... */
    HANDED_LEAST = 8,
    HANDED_MOST = 512,
    BATCH_BYTES =
        4 * 1024 * 1024, /* of one timed batch: the others' traces in the caches are few */
    SINGLES = 64,
};

void bench_engine_open(struct bench_engine *engine, struct span zone)
{
    struct cache_config config = cache_config_default();
    struct cache_error wrong = {""};
    struct dns_error error = {""};
    *engine = (struct bench_engine){
        .options = {.authserv_id = SPAN("mx.receiver.example"),
                    .spf_void_limit = MAX_SPF_VOID_LOOKUPS},
    };
    cache_thread_register();
    engine->cache = cache_new(&config, &wrong);
    engine->source = dns_zone_parse(zone, "zone", &error);
    if (!engine->cache || !engine->source)
        load_stop("%s%s", wrong.text, error.text);
    struct batch_config batch = {
        .options = &engine->options, .cache = engine->cache, .source = engine->source};
    engine->batch = batch_open(&batch);
    if (!engine->batch)
        load_stop("no memory");
}

void bench_engine_close(struct bench_engine *engine)
{
    batch_close(&engine->batch);
    dns_source_free(&engine->source);
    cache_free(&engine->cache);
    cache_thread_unregister();
}

/* --- verdicts --- */

struct checked /* an item's context */
{
    struct bench_judging *judging;
    const struct mail_set_message *message;
};

static void check(const struct message *message, const struct mail_set_message *want)
{
    if (!message)
        load_stop("no memory for a message");
    enum result dkim = engine_dkim_result(&message->dkim);
    if (message->spf.checked.result == RESULT_PASS && dkim == want->dkim &&
        message->arc.result == want->arc && message->dmarc.result == RESULT_PASS)
        return;
    load_stop("a wrong verdict: spf=%s dkim=%s (want %s) arc=%s (want %s) dmarc=%s",
              result_word(message->spf.checked.result), result_word(dkim), result_word(want->dkim),
              result_word(message->arc.result), result_word(want->arc),
              result_word(message->dmarc.result));
}

static void done(void *context, const struct message *message)
{
    const struct checked *checked = context;
    check(message, checked->message);
    checked->judging->judged++;
}

/* --- what of a message has to be hashed --- */

/* Of a DKIM signature or an AMS that went to verification: what its h= takes, and itself. */
static double signed_header_bytes(const struct message *message,
                                  const struct dkim_signature *signature, struct arena *arena,
                                  struct buffer *scratch)
{
    uint8_t hash[SHA256_BYTES];
    if (!dkim_header_hash(&message->reader.header, signature, arena, scratch, hash))
        load_stop("no memory to count a header");
    return (double)scratch->n;
}

/* Of a set in a chain: its three fields, once, since one running hash serves all seals (AV-9). */
static double seal_bytes(const struct arc_set *set, struct buffer *scratch)
{
    static const struct span nothing = {NULL, 0};
    const struct mail_field *fields[] = {set->aar, set->ams.field, set->seal.field};
    buffer_reset(scratch);
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i])
            canon_field(CANON_RELAXED, fields[i], nothing, scratch);
    return (double)scratch->n;
}

static double header_bytes(const struct message *message, struct arena *arena,
                           struct buffer *scratch)
{
    double bytes = 0;
    for (uint32_t i = 0; i < message->dkim.count; i++)
        bytes += signed_header_bytes(message, &message->dkim.verified[i].signature, arena, scratch);
    for (uint32_t i = 0; i < message->arc.count; i++) {
        const struct arc_set *set = &message->arc.sets[i];
        bytes += seal_bytes(set, scratch);
        if (set->ams_job_count)
            bytes += signed_header_bytes(message, &set->ams, arena, scratch);
    }
    return bytes;
}

/* A verdict of the first pass: canonical octets under its hashes are added up. */
static void count_work(void *context, const struct message *message)
{
    const struct checked *checked = context;
    struct bench_judging *judging = checked->judging;
    struct arena arena;
    struct buffer scratch;
    done(context, message);
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&scratch, MAX_HEADER_BYTES + 1024);
    for (unsigned c = 0; c < 2; c++)
        if (message->body.streams[c].wanted)
            judging->body_bytes += (double)body_hasher_octets(&message->body, (enum canon)c);
    judging->header_bytes += header_bytes(message, &arena, &scratch);
    buffer_fini(&scratch);
    arena_fini(&arena);
}

/* --- batches --- */

static void make_item(struct bench_judging *judging, unsigned i)
{
    const struct mail_set_message *message = &judging->set->messages[i];
    struct batch_item *item = &judging->items[i];
    struct checked *checked = malloc(sizeof *checked);
    if (!checked)
        load_stop("no memory");
    *checked = (struct checked){judging, message};
    *item = (struct batch_item){
        .envelope = {.helo = SPAN(MAIL_SET_HELO),
                     .mail_from = span_from_string(message->mail_from),
                     .now = MAIL_SET_NOW},
        .text = span_of(message->text, message->bytes),
        .without_evidence = true, /* as a request that wants results, not JSON */
        .context = checked,
    };
    if (!ip_parse(SPAN(MAIL_SET_CLIENT), &item->envelope.client))
        load_stop("no address");
}

void bench_judging_open(struct bench_judging *judging, struct bench_engine *engine,
                        const struct mail_set *set)
{
    unsigned share = (unsigned)(HANDED_BYTES / (set->bytes / set->count + 1)) + 1;
    *judging = (struct bench_judging){.engine = engine, .set = set, .batch = share};
    share = share < HANDED_LEAST ? HANDED_LEAST : share; /* large ones too come beside others */
    judging->batch = share > HANDED_MOST ? HANDED_MOST : share;
    judging->batch = judging->batch > set->count ? set->count : judging->batch;
    judging->items = calloc(set->count, sizeof *judging->items);
    if (!judging->items)
        load_stop("no memory");
    for (unsigned i = 0; i < set->count; i++)
        make_item(judging, i);
    uint64_t jobs = batch_counts(engine->batch).verify_jobs;
    batch_judge(engine->batch, judging->items, set->count, count_work);
    judging->verifications =
        (double)(batch_counts(engine->batch).verify_jobs - jobs) / (double)set->count;
    judging->body_bytes /= set->count;
    judging->header_bytes /= set->count;
}

void bench_judging_close(struct bench_judging *judging)
{
    for (unsigned i = 0; i < judging->set->count; i++)
        free(judging->items[i].context);
    free(judging->items);
}

static void judge(struct bench_judging *judging, unsigned n)
{
    if (judging->next + n > judging->set->count)
        judging->next = 0;
    uint64_t before = judging->judged;
    batch_judge(judging->engine->batch, judging->items + judging->next, n, done);
    if (judging->judged != before + n)
        load_stop("a message is missing");
    judging->next += n;
}

uint64_t bench_judging_batch(void *context)
{
    struct bench_judging *judging = context;
    uint64_t messages = 0;
    while (messages * (judging->set->bytes / judging->set->count) < BATCH_BYTES) {
        judge(judging, judging->batch);
        messages += judging->batch;
    }
    return messages;
}

uint64_t bench_judging_single(void *context)
{
    for (unsigned i = 0; i < SINGLES; i++)
        judge(context, 1);
    return SINGLES;
}
