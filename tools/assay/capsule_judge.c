/*
 * Judges a capsule with the engine as it is, but for two things: the DNS is what was recorded, and
 * a body that was not recorded is what it came to (mail/body_facts.h). Opens nothing.
 */
#include <stdlib.h>

#include "capsule.h"
#include "dns/zone.h"

const char capsule_not_recorded[] = "not_recorded";

/* The recorded answers. A question that nobody asked then has none: it fails, so that what was
 * changed in a capsule cannot pass for a name that does not exist. */
struct recorded
{
    struct dns_source source; /* first: a struct dns_source * is a struct recorded * */
    struct dns_source *zone;  /* owned */
};

static void recorded_resolve(struct dns_source *source, struct dns_answers *answers,
                             int64_t deadline_ms)
{
    static const struct dns_answer none = {.outcome = DNS_TEMPFAIL, .reason = capsule_not_recorded};
    struct recorded *recorded = (struct recorded *)source;
    for (struct dns_question *q = answers->first; q; q = q->next)
        if (!q->answer.outcome && !dns_zone_has(recorded->zone, &q->name, q->type))
            dns_answers_put(answers, q, &none);
    dns_source_resolve(recorded->zone, answers, deadline_ms);
}

static void recorded_free(struct dns_source *source)
{
    struct recorded *recorded = (struct recorded *)source;
    dns_source_free(&recorded->zone);
    free(recorded);
}

static const struct dns_source_ops recorded_ops = {recorded_resolve, recorded_free};

static struct dns_source *open_recorded(struct span zone, char *error)
{
    struct dns_error wrong = {""};
    struct recorded *recorded = calloc(1, sizeof *recorded);
    if (recorded)
        recorded->zone = dns_zone_parse(zone, "dns", &wrong);
    if (recorded && recorded->zone) {
        recorded->source.ops = &recorded_ops;
        return &recorded->source;
    }
    engine_say(error, "this is no capsule: %.200s", recorded ? wrong.text : "no memory");
    free(recorded);
    return NULL;
}

/* The list of the day is none of the replay's business, so it is opened without one. */
static bool open_engine(const struct capsule *capsule, struct assay_engine *engine, char *error)
{
    struct assay_config config = capsule->config;
    struct dmarc_options *dmarc = &engine->options.dmarc;
    config.dmarc_mode = ASSAY_DMARC_TREE_WALK;
    if (!engine_options_open(&engine->options, &engine->psl, &engine->arena, &config, error))
        return false;
    dmarc->mode = (enum dmarc_mode)capsule->config.dmarc_mode;
    engine->psl = dmarc_psl_recorded(capsule->psl, capsule->psl_count);
    dmarc->psl = engine->psl;
    if (!engine->psl)
        engine_say(error, "no memory");
    else
        engine->source = open_recorded(capsule->dns, error);
    return engine->source != NULL;
}

/* The header: nothing of it is taken for a body. */
static bool feed_header(const struct capsule *capsule, struct assay_message *message, char *error)
{
    enum assay_status status = assay_message_feed(message, capsule->header.p, capsule->header.n);
    if (status == ASSAY_TOO_LARGE ||
        assay_message_internal(message)->reader.total == capsule->header.n)
        return true;
    engine_say(error, "this is no capsule: there is a body in its header");
    return false;
}

static enum assay_status feed_body(const struct capsule *capsule, struct assay_message *message)
{
    enum assay_status status;
    if (!capsule->body.p)
        return engine_message_end_recorded(message, &capsule->facts, capsule->too_large);
    status = assay_message_feed(message, capsule->body.p, capsule->body.n);
    if (capsule->too_large && assay_message_internal(message)->bytes == MAX_MESSAGE_BYTES)
        status = assay_message_feed(message, " ", 1); /* the first that was not looked at */
    (void)status;                                     /* too large shows again at the end */
    return assay_message_end(message);
}

bool capsule_judge(const struct capsule *capsule, struct capsule_replay *replay,
                   char error[ASSAY_ERROR_MAX])
{
    *replay = (struct capsule_replay){.message = NULL};
    arena_init(&replay->engine.arena, CAPSULE_BYTES_MAX);
    if (!open_engine(capsule, &replay->engine, error))
        return false;
    replay->message = assay_message_begin(&replay->engine, &capsule->envelope, error);
    if (!replay->message)
        return false;
    assay_message_set_file(replay->message, capsule->file);
    if (!feed_header(capsule, replay->message, error))
        return false;
    enum assay_status status = feed_body(capsule, replay->message);
    if (status == ASSAY_NO_MESSAGE)
        engine_say(error, "this is no capsule: its header has not one field");
    else if (status == ASSAY_NO_MEMORY || !assay_message_json(replay->message))
        engine_say(error, "no memory");
    else
        return true;
    return false;
}

void capsule_replay_free(struct capsule_replay *replay)
{
    assay_message_free(&replay->message);
    if (replay->engine.psl)
        dmarc_psl_free(&replay->engine.psl);
    if (replay->engine.source)
        dns_source_free(&replay->engine.source);
    arena_fini(&replay->engine.arena);
}
