/*
 * libassay: the public calls of assay.h, and the driver that gives a message what its steps ask
 * for.
 *
 * The driver blocks: it is made for one message at a time (command line, embedding). The verdict
 * text is written when it is first asked for.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "simd/kernel.h"

enum
{
    DEFAULT_TIMEOUT_MS = 25 * 1000,
    ENGINE_ARENA_BYTES = 1024 * 1024,
    JSON_CEILING = 16 * 1024 * 1024,
};

STATIC_ASSERT((int)ASSAY_RESULT_PASS == (int)RESULT_PASS);
STATIC_ASSERT((int)ASSAY_RESULT_NONE == (int)RESULT_NONE);
STATIC_ASSERT((int)ASSAY_RESULT_NEUTRAL == (int)RESULT_NEUTRAL);
STATIC_ASSERT((int)ASSAY_RESULT_SOFTFAIL == (int)RESULT_SOFTFAIL);
STATIC_ASSERT((int)ASSAY_RESULT_FAIL == (int)RESULT_FAIL);
STATIC_ASSERT((int)ASSAY_RESULT_POLICY == (int)RESULT_POLICY);
STATIC_ASSERT((int)ASSAY_RESULT_TEMPERROR == (int)RESULT_TEMPERROR);
STATIC_ASSERT((int)ASSAY_RESULT_PERMERROR == (int)RESULT_PERMERROR);
STATIC_ASSERT((int)ASSAY_DISPOSITION_REJECT == (int)DMARC_DISPOSE_REJECT);
STATIC_ASSERT((int)ASSAY_DMARC_COMPARE == (int)DMARC_COMPARE);

struct assay_message
{
    struct assay_engine *engine; /* borrowed */
    struct arena arena;          /* the envelope's copies */
    struct message message;
    struct span file;
    bool ended;
    struct buffer results, results_field, json;
};

const char *assay_version(void)
{
    return ASSAY_VERSION;
}

const char *assay_kernel(void)
{
    return kernel_level_name(kernel_level());
}

const char *assay_kernel_problem(void)
{
    char text[KERNEL_TEXT_MAX];
    return kernel_problem(text) ? "ASSAY_KERNEL names no kernel level of this machine" : NULL;
}

int64_t engine_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The caller's struct, or as much of it as its program knew of when it was built. */
static void copy_sized(void *to, size_t to_size, const void *from, size_t from_size)
{
    memset(to, 0, to_size);
    if (from)
        memcpy(to, from, from_size < to_size ? from_size : to_size);
}

static bool open_source(struct assay_engine *engine, const struct assay_config *config, char *error)
{
    struct dns_error wrong = {""};
    if (config->zone_file)
        engine->source = dns_zone_open(config->zone_file, &wrong);
    else
        engine->source = dns_unbound_open(config->resolver, &wrong);
    if (!engine->source)
        engine_say(error, "%s", wrong.text);
    return engine->source != NULL;
}

/* Without memory for it there is none. */
static struct hash_queue *new_queue(void)
{
    struct hash_queue *queue = malloc(sizeof *queue);
    if (queue)
        hash_queue_init(queue);
    return queue;
}

static bool open_engine(struct assay_engine *engine, const struct assay_config *config, char *error)
{
    engine->timeout_ms = config->timeout_ms ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
    return engine_options_open(&engine->options, &engine->psl, &engine->arena, config, error) &&
           open_source(engine, config, error);
}

struct assay_engine *assay_engine_open(const struct assay_config *config,
                                       char error[ASSAY_ERROR_MAX])
{
    struct assay_config copy;
    copy_sized(&copy, sizeof copy, config, config ? config->size : 0);
    struct assay_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        engine_say(error, "no memory");
        return NULL;
    }
    arena_init(&engine->arena, ENGINE_ARENA_BYTES);
    engine->hashes = new_queue();
    if (!open_engine(engine, &copy, error))
        assay_engine_close(&engine);
    return engine;
}

void assay_engine_close(struct assay_engine **engine)
{
    if (!*engine)
        return;
    if ((*engine)->psl)
        dmarc_psl_free(&(*engine)->psl);
    if ((*engine)->source)
        dns_source_free(&(*engine)->source);
    arena_fini(&(*engine)->arena);
    if ((*engine)->hashes)
        hash_queue_fini((*engine)->hashes);
    free((*engine)->hashes);
    free(*engine);
    *engine = NULL;
}

int assay_engine_limit(const struct assay_engine *engine, unsigned limit, const char **name,
                       uint64_t *hits)
{
    if (limit >= LIMIT_COUNT)
        return 0;
    *name = limit_name((enum limit)limit);
    *hits = engine->hits[limit];
    return 1;
}

static void count_hits(struct assay_engine *engine, const struct limit_hits *hits)
{
    for (uint64_t set = hits->set; set; set &= set - 1) {
        int limit = __builtin_ctzll(set);
        engine->hits[limit] += hits->n[limit];
    }
}

/* A copy in the message's arena; p == NULL stays p == NULL. False without memory. */
static bool keep(struct arena *arena, const char *text, struct span *kept)
{
    *kept = (struct span){NULL, 0};
    if (!text)
        return true;
    *kept = arena_copy(arena, span_from_string(text));
    return kept->p != NULL;
}

static bool keep_recipients(struct arena *arena, const struct assay_envelope *from,
                            struct message_envelope *to)
{
    struct span *recipients = ARENA_ARRAY(arena, from->rcpt_count, struct span);
    for (size_t i = 0; recipients && i < from->rcpt_count; i++)
        if (!keep(arena, from->rcpt_to[i], &recipients[i]))
            return false;
    to->recipients = recipients;
    to->recipient_count = (uint32_t)from->rcpt_count;
    return recipients != NULL;
}

static bool keep_envelope(struct arena *arena, const struct assay_envelope *from,
                          struct message_envelope *to, char *error)
{
    *to = (struct message_envelope){.now = from->received_at ? from->received_at : time(NULL)};
    if (from->client_ip && !ip_parse(span_from_string(from->client_ip), &to->client)) {
        engine_say(error, "\"%.100s\" is no IP address", from->client_ip);
        return false;
    }
    if (from->rcpt_count > MAX_RECIPIENTS) {
        engine_say(error, "%zu recipients, the limit is %d", from->rcpt_count, MAX_RECIPIENTS);
        return false;
    }
    if (keep(arena, from->helo, &to->helo) && keep(arena, from->mail_from, &to->mail_from) &&
        keep(arena, from->tls_version, &to->tls_version) &&
        keep(arena, from->tls_cipher, &to->tls_cipher) && keep_recipients(arena, from, to))
        return true;
    engine_say(error, "no memory");
    return false;
}

struct assay_message *assay_message_begin(struct assay_engine *engine,
                                          const struct assay_envelope *envelope,
                                          char error[ASSAY_ERROR_MAX])
{
    struct assay_envelope copy;
    copy_sized(&copy, sizeof copy, envelope, envelope ? envelope->size : 0);
    struct assay_message *message = calloc(1, sizeof *message);
    if (!message) {
        engine_say(error, "no memory");
        return NULL;
    }
    message->engine = engine;
    arena_init(&message->arena, MAX_ARENA_BYTES);
    buffer_init(&message->results, JSON_CEILING);
    buffer_init(&message->results_field, JSON_CEILING);
    buffer_init(&message->json, JSON_CEILING);
    struct message_envelope kept;
    if (!keep_envelope(&message->arena, &copy, &kept, error)) {
        arena_fini(&message->arena);
        free(message);
        return NULL;
    }
    message_init(&message->message, &engine->options, &kept, NULL);
    message_lend_queue(&message->message, engine->hashes);
    return message;
}

enum assay_status assay_message_feed(struct assay_message *message, const void *bytes, size_t n)
{
    if (message->ended)
        return ASSAY_BAD_CALL;
    bool header_ended = message_feed(&message->message, span_of(bytes, n));
    (void)header_ended; /* a blocking driver asks everything at the end */
    if (message->message.queue)
        hash_queue_run(message->message.queue); /* the bytes are the caller's */
    return message->message.too_large ? ASSAY_TOO_LARGE : ASSAY_OK;
}

static void drive(struct assay_engine *engine, struct message *message)
{
    int64_t deadline_ms = engine_clock_ms() + engine->timeout_ms;
    for (;;) {
        switch (message_step(message)) {
        case MESSAGE_NEEDS_ANSWERS:
            dns_source_resolve(engine->source, &message->answers, deadline_ms);
            break;
        case MESSAGE_NEEDS_HASH:
            hash_queue_run(message->queue);
            break;
        case MESSAGE_NEEDS_VERIFY:
            verify_many(message->jobs.jobs, message->jobs.count);
            break;
        case MESSAGE_DONE:
            return;
        }
    }
}

/* All has been read. */
static enum assay_status judge(struct assay_message *message)
{
    drive(message->engine, &message->message);
    message->ended = true;
    message->message.verdict.file = message->file;
    count_hits(message->engine, &message->message.hits);
    if (message->message.failed)
        return ASSAY_NO_MEMORY;
    if (!message_is_message(&message->message))
        return ASSAY_NO_MESSAGE;
    return message->message.too_large ? ASSAY_TOO_LARGE : ASSAY_OK;
}

enum assay_status assay_message_end(struct assay_message *message)
{
    if (message->ended)
        return ASSAY_BAD_CALL;
    message_end(&message->message);
    return judge(message);
}

enum assay_status engine_message_end_recorded(struct assay_message *message,
                                              const struct body_facts *facts, bool too_large)
{
    if (message->ended)
        return ASSAY_BAD_CALL;
    message_end_recorded(&message->message, facts, too_large);
    return judge(message);
}

void assay_message_free(struct assay_message **message)
{
    if (!*message)
        return;
    message_fini(&(*message)->message);
    buffer_fini(&(*message)->results);
    buffer_fini(&(*message)->results_field);
    buffer_fini(&(*message)->json);
    arena_fini(&(*message)->arena);
    free(*message);
    *message = NULL;
}

struct message *assay_message_internal(struct assay_message *message)
{
    return &message->message;
}

void assay_message_set_file(struct assay_message *message, struct span file)
{
    message->file = file;
}

enum assay_result assay_message_spf(const struct assay_message *message)
{
    if (!message->ended)
        return ASSAY_RESULT_UNSET;
    if (!message->message.verdict.spf_checked)
        return ASSAY_RESULT_NONE;
    return (enum assay_result)message->message.spf.checked.result;
}

/* pass, then what may still be repaired, then the rest: RFC 6376 6.1, one good signature is enough.
 */
static unsigned dkim_order(enum result result)
{
    static const enum result order[] = {RESULT_PASS, RESULT_TEMPERROR, RESULT_POLICY,
                                        RESULT_FAIL, RESULT_PERMERROR, RESULT_NEUTRAL,
                                        RESULT_NONE};
    unsigned at = 0;
    while (at < COUNT_OF(order) && order[at] != result)
        at++;
    return at;
}

enum result engine_dkim_result(const struct dkim_judgement *dkim)
{
    enum result best = dkim->refused ? RESULT_PERMERROR : RESULT_NONE;
    for (uint32_t i = 0; i < dkim->count; i++)
        if (dkim_order(dkim->verified[i].result) < dkim_order(best))
            best = dkim->verified[i].result;
    return best;
}

enum assay_result assay_message_dkim(const struct assay_message *message)
{
    if (!message->ended)
        return ASSAY_RESULT_UNSET;
    return (enum assay_result)engine_dkim_result(&message->message.dkim);
}

enum assay_result assay_message_arc(const struct assay_message *message)
{
    return message->ended ? (enum assay_result)message->message.arc.result : ASSAY_RESULT_UNSET;
}

enum assay_result assay_message_dmarc(const struct assay_message *message)
{
    return message->ended ? (enum assay_result)message->message.dmarc.result : ASSAY_RESULT_UNSET;
}

enum assay_disposition assay_message_disposition(const struct assay_message *message)
{
    if (!message->ended)
        return ASSAY_DISPOSITION_UNSET;
    return (enum assay_disposition)message->message.dmarc.disposition;
}

/* The text that `write` makes, once; NULL without memory. */
static const char *text_of(struct assay_message *message, struct buffer *text,
                           void (*write)(const struct verdict *, struct buffer *))
{
    if (!message->ended)
        return NULL;
    if (text->n == 0) {
        write(&message->message.verdict, text);
        buffer_append_byte(text, '\0');
    }
    return text->failed ? NULL : (const char *)text->p;
}

const char *assay_message_results(struct assay_message *message)
{
    return text_of(message, &message->results, verdict_write_results);
}

const char *assay_message_results_field(struct assay_message *message)
{
    return text_of(message, &message->results_field, verdict_write_results_field);
}

const char *assay_message_json(struct assay_message *message)
{
    return text_of(message, &message->json, verdict_write_json);
}

const char *assay_result_word(enum assay_result result)
{
    return result_word((enum result)result);
}

const char *assay_disposition_word(enum assay_disposition disposition)
{
    return dmarc_disposition_word((enum dmarc_disposition)disposition);
}

void engine_discover(struct assay_engine *engine, const struct dns_name *domain,
                     struct dns_answers *answers, struct arena *arena, struct limit_hits *hits,
                     struct dmarc_discovery *discovery)
{
    int64_t deadline_ms = engine_clock_ms() + engine->timeout_ms;
    while (dmarc_discover(domain, &engine->options.dmarc, answers, arena, hits, discovery) ==
           JUDGE_WAITING)
        dns_source_resolve(engine->source, answers, deadline_ms);
    count_hits(engine, hits);
}

void engine_spf(struct assay_engine *engine, const struct spf_request *request,
                struct dns_answers *answers, struct arena *arena, struct limit_hits *hits,
                struct spf_judgement *judgement)
{
    int64_t deadline_ms = engine_clock_ms() + engine->timeout_ms;
    while (spf_judge(request, answers, arena, hits, judgement) == JUDGE_WAITING)
        dns_source_resolve(engine->source, answers, deadline_ms);
    count_hits(engine, hits);
}

void engine_spf_sender(struct span text, struct arena *arena, struct limit_hits *hits,
                       struct mail_path *path)
{
    struct mail_anomalies anomalies = {0};
    mail_path_parse(text, arena, &anomalies, hits, path);
    bool bracketed = span_find(text, '<') < text.n || span_find(text, '>') < text.n;
    if (path->kind != MAIL_PATH_MALFORMED || bracketed || text.n > MAX_PATH_BYTES)
        return;
    size_t at = span_find_last(text, '@');
    path->kind = MAIL_PATH_ADDRESS;
    path->local = at < text.n ? span_slice(text, 0, at) : (struct span){NULL, 0};
    path->domain = at < text.n ? span_skip(text, at + 1) : text;
}
