#include "front/query.h"

#include <stdlib.h>

#include "engine.h"
#include "front/front.h"

/* Everything the judge needs, for the worker alone once it is submitted. */
struct record_query
{
    struct arena arena; /* texts of the demand */
    struct spf_request spf;
    struct mail_path path;
    struct spf_judgement spf_judgement;
    struct dns_name domain;
    struct dmarc_options dmarc;
    struct dmarc_discovery discovery;
};

enum
{
    QUERY_ARENA_BYTES = FRAME_CONTROL_MAX * 2,
};

void query_free(struct record_query **query)
{
    if (!*query)
        return;
    arena_fini(&(*query)->arena);
    free(*query);
    *query = NULL;
}

static enum front_error begin_spf(struct record_query *query, const struct front *front,
                                  const struct demand *demand)
{
    struct limit_hits hits = {.set = 0};
    const struct message_envelope *envelope = &demand->envelope;
    query->path.kind = MAIL_PATH_ABSENT;
    query->spf = (struct spf_request){
        .client = envelope->client,
        .path = &query->path,
        .receiver = front->options->receiver,
        .now = envelope->now,
        .void_limit = front->options->spf_void_limit,
        .want_explanation = true, /* as `assay spf` */
    };
    if (envelope->helo.p)
        query->spf.helo = arena_copy(&query->arena, envelope->helo);
    if (envelope->mail_from.p)
        engine_spf_sender(arena_copy(&query->arena, envelope->mail_from), &query->arena, &hits,
                          &query->path);
    return query->arena.failed ? FRONT_INTERNAL : FRONT_OK;
}

static enum front_error begin_dmarc(struct record_query *query, const struct front *front,
                                    struct demand *demand)
{
    if (dns_name_from_domain(&query->domain, demand->domain) != DNS_NAME_OK) {
        demand->why = "domain is no domain name";
        return FRONT_MALFORMED;
    }
    query->dmarc = front->options->dmarc;
    query->dmarc.always_ask_existence = true; /* as `assay dmarc` */
    return FRONT_OK;
}

enum front_error query_begin(struct request *request, struct demand *demand)
{
    struct record_query *query = calloc(1, sizeof *query);
    if (!query)
        return FRONT_INTERNAL;
    arena_init(&query->arena, QUERY_ARENA_BYTES);
    request->query = query;
    return demand->op == DEMAND_SPF ? begin_spf(query, request->front, demand)
                                    : begin_dmarc(query, request->front, demand);
}

/* On the worker ----------------------------------------------------------------------------------
 */

static enum judge judge(void *context, struct dns_answers *answers, struct arena *arena,
                        struct limit_hits *hits)
{
    struct request *request = context;
    struct record_query *query = request->query;
    if (request->op == DEMAND_SPF)
        return spf_judge(&query->spf, answers, arena, hits, &query->spf_judgement);
    return dmarc_discover(&query->domain, &query->dmarc, answers, arena, hits, &query->discovery);
}

static void write_answer(struct request *request)
{
    struct buffer object;
    buffer_init(&object, REPLY_BYTES_MAX);
    if (request->op == DEMAND_SPF)
        verdict_write_spf_json(&request->query->spf_judgement, &object);
    else
        verdict_write_discovery_json(&request->query->discovery, &object);
    if (object.failed)
        request->reply.big.failed = true;
    else
        reply_write_query(&request->reply.big, request->lines, request->id, request->id_text,
                          buffer_span(&object));
    buffer_fini(&object);
}

static void done(void *context, enum task_outcome outcome)
{
    struct request *request = context;
    uint32_t why = atomic_load_explicit(&request->why, memory_order_acquire);
    request->summary.error = (enum front_error)why;
    if (why == FRONT_OK && outcome != TASK_JUDGED)
        request->summary.error = outcome == TASK_CANCELLED ? FRONT_GOING_AWAY : FRONT_INTERNAL;
    if (request->summary.error == FRONT_OK) {
        write_answer(request);
        if (request->reply.big.failed)
            request->summary.error = FRONT_INTERNAL;
    }
    outbox_put(&request->front->outbox, &request->reply.node);
}

enum front_error query_submit(struct request *request, unsigned deadline_ms)
{
    const struct front_backend *backend = &request->front->backend;
    struct query_request query = {
        .judge = judge,
        .done = done,
        .round_done = front_round_done,
        .round_context = request->front,
        .context = request,
        .deadline_ms = deadline_ms,
    };
    return backend->query(backend->context, &query) ? FRONT_OK : FRONT_BUSY;
}
