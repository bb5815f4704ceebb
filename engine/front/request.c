/*
 * Requests, and the worker's side of an answer: RESULT payload or JSON line, built from the
 * message while it still lives.
 *
 * An answer that has no memory is sent as ERROR internal by the front; nothing is made up.
 */
#include "front/request.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "front/front.h"
#include "front/log.h"
#include "front/query.h"

enum
{
    SPARE_TEXT_BYTES = 64, /* a request whose texts take more is not kept for another use */
    SPARE_MOST = 256,
    ANSWER_USUAL_BYTES = 3072, /* what JSON or results take: memory is taken once */
};

/* AddressSanitizer is to see who touches a request that is over. */
#ifdef __SANITIZE_ADDRESS__
static const bool spares_are_kept = false;
#else
static const bool spares_are_kept = true;
#endif

/* Cleared, with room for the texts. A request's memory is used again by the front. */
static struct request *take_memory(struct front *front, size_t texts)
{
    struct request *request = front->spare;
    bool may_be_spare = texts <= SPARE_TEXT_BYTES;
    if (may_be_spare && request) {
        front->spare = request->next;
        front->spare_count--;
        memset(request, 0, sizeof *request);
    } else {
        request = calloc(1, sizeof *request + (may_be_spare ? SPARE_TEXT_BYTES : texts));
    }
    if (request)
        request->may_be_spare = may_be_spare;
    return request;
}

struct request *request_new(struct front *front, const struct demand *demand)
{
    size_t texts = demand->id.n + demand->path.n + 1;
    struct request *request = take_memory(front, texts);
    if (!request)
        return NULL;
    uint8_t *text = (uint8_t *)(request + 1);
    request->front = front;
    atomic_init(&request->holders, 1);
    request->op = demand->op;
    request->wishes = demand->wishes;
    request->message_bytes = front->limits.message_bytes;
    if (demand->id.n)
        memcpy(text, demand->id.p, demand->id.n);
    request->id_text = span_of(text, demand->id.n);
    if (demand->path.p) {
        memcpy(text + demand->id.n, demand->path.p, demand->path.n);
        text[demand->id.n + demand->path.n] = '\0';
        request->path = span_of(text + demand->id.n, demand->path.n); /* a NUL stands behind it */
    }
    request->partial.request = request->reply.request = request;
    request->reply.final = true;
    request->begun_ms = request->touched_ms = front->now_ms;
    buffer_init(&request->partial.big, REPLY_BYTES_MAX);
    buffer_init(&request->reply.big, REPLY_BYTES_MAX);
    front->live_requests++;
    return request;
}

/* True for the last holder. */
static bool let_go(struct request *request)
{
    if (atomic_fetch_sub_explicit(&request->holders, 1, memory_order_acq_rel) != 1)
        return false;
    chunk_unref(&request->line_chunk);
    query_free(&request->query);
    buffer_fini(&request->partial.big);
    buffer_fini(&request->reply.big);
    return true;
}

void request_release(struct request *request)
{
    if (let_go(request))
        free(request);
}

static void keep_memory(struct front *front, struct request *request)
{
    if (!spares_are_kept || !request->may_be_spare || front->spare_count == SPARE_MOST) {
        free(request);
        return;
    }
    request->next = front->spare;
    front->spare = request;
    front->spare_count++;
}

void request_free_spares(struct front *front)
{
    while (front->spare) {
        struct request *request = front->spare;
        front->spare = request->next;
        free(request);
    }
    front->spare_count = 0;
}

void request_retire(struct request **request)
{
    struct request *gone = *request;
    *request = NULL;
    if (gone->receiving) /* the pool ended it, for want of memory: its task still waits for us */
        gone->front->backend.cancel(gone->task);
    gone->receiving = false;
    gone->front->live_requests--;
    if (let_go(gone))
        keep_memory(gone->front, gone);
}

void request_refuse(struct request *request, enum front_error error, const char *detail)
{
    uint32_t none = FRONT_OK;
    /* `detail` before `why`: who sees the reason sees its text. */
    if (atomic_load_explicit(&request->why, memory_order_relaxed) != FRONT_OK)
        return;
    atomic_store_explicit(&request->detail, detail, memory_order_relaxed);
    atomic_compare_exchange_strong_explicit(&request->why, &none, error, memory_order_release,
                                            memory_order_relaxed);
}

/* Writers ----------------------------------------------------------------------------------------
 */

static void write_error_line(struct buffer *out, struct span id_text, enum front_error error,
                             const char *detail)
{
    buffer_append_string(out, "{");
    if (id_text.n) {
        buffer_append_string(out, "\"id\":");
        buffer_append(out, id_text);
        buffer_append_string(out, ",");
    }
    buffer_printf(out, "\"error\":\"%s\",\"detail\":\"%s\"}\n", front_error_word(error), detail);
}

void reply_write_error(struct buffer *out, bool lines, uint64_t id, struct span id_text,
                       enum front_error error, const char *detail)
{
    if (lines) {
        write_error_line(out, id_text, error, detail);
        return;
    }
    size_t at = frame_open(out, FRAME_ERROR, 0, id);
    put_u16(out, (uint16_t)error);
    buffer_append_string(out, detail);
    frame_close(out, at);
}

void reply_write_object(struct buffer *out, struct span id_text, struct span object)
{
    bool is_object = object.n > 2 && object.p[0] == '{';
    if (id_text.n && is_object) {
        buffer_append_string(out, "{\"id\":");
        buffer_append(out, id_text);
        buffer_append_string(out, ",");
        object = span_skip(object, 1);
    }
    buffer_append(out, object);
    buffer_append_string(out, "\n");
}

void reply_write_query(struct buffer *out, bool lines, uint64_t id, struct span id_text,
                       struct span object)
{
    if (lines) {
        reply_write_object(out, id_text, object);
        return;
    }
    size_t at = frame_open(out, FRAME_RESULT, 0, id);
    put_u64(out, 0);
    tlv_write(out, TAG_JSON, object);
    frame_close(out, at);
}

/* On the worker ----------------------------------------------------------------------------------
 */

static void summarize(const struct message *message, struct reply_summary *summary)
{
    summary->spf =
        (uint8_t)(message->verdict.spf_checked ? message->spf.checked.result : RESULT_NONE);
    summary->dkim = (uint8_t)engine_dkim_result(&message->dkim);
    summary->arc = (uint8_t)message->arc.result;
    summary->dmarc = (uint8_t)message->dmarc.result;
    summary->disposition = (uint8_t)message->dmarc.disposition;
}

static void summarize_from(const struct message *message, struct reply_summary *summary)
{
    char text[DNS_NAME_TEXT_MAX];
    if (message->authors.count)
        snprintf(summary->from, sizeof summary->from, "%.*s", FROM_TEXT_MAX - 1,
                 dns_name_text(&message->authors.names[0], text));
}

static void write_tlv(struct buffer *out, enum frame_tag tag, const struct verdict *verdict,
                      void (*write)(const struct verdict *, struct buffer *))
{
    size_t at = out->n;
    put_u32(out, 0);
    write(verdict, out);
    if (out->failed)
        return;
    size_t length = out->n - at - 4; /* below 16 MiB: the buffer's ceiling is 1 MiB */
    struct buffer head = {.p = out->p + at, .capacity = 4, .ceiling = 4};
    put_u32(&head, (uint32_t)tag << 24 | (uint32_t)length);
}

static void write_result(const struct request *request, const struct verdict *verdict,
                         struct buffer *out)
{
    const struct reply_summary *s = &request->summary;
    uint8_t results[8] = {s->spf, s->dkim, s->arc, s->dmarc, s->disposition};
    size_t at = frame_open(out, FRAME_RESULT, 0, request->id);
    buffer_append(out, span_of(results, sizeof results));
    if (request->wishes & WISH_JSON)
        write_tlv(out, TAG_JSON, verdict, verdict_write_json);
    if (request->wishes & WISH_RESULTS)
        write_tlv(out, TAG_RESULTS, verdict, verdict_write_results);
    frame_close(out, at);
}

/* The object with "id" in front: its own "{" becomes the comma behind the id. */
static void write_verdict_line(const struct request *request, const struct verdict *verdict,
                               struct buffer *out)
{
    if (request->id_text.n) {
        buffer_append_string(out, "{\"id\":");
        buffer_append(out, request->id_text);
    }
    size_t at = out->n;
    verdict_write_json(verdict, out);
    if (request->id_text.n && !out->failed)
        out->p[at] = ',';
    buffer_append_string(out, "\n");
}

static void write_verdict(struct request *request, const struct message *message,
                          struct buffer *out)
{
    struct verdict verdict = message->verdict;
    if (request->path.p)
        verdict.file = request->path;
    summarize(message, &request->summary);
    if (log_is_on(LOG_LEVEL_INFO))
        summarize_from(message, &request->summary);
    if (request->lines)
        write_verdict_line(request, &verdict, out);
    else
        write_result(request, &verdict, out);
}

/* A short answer needs no memory of its own: it is built in the reply. */
static struct buffer small_buffer(struct reply *reply)
{
    return (struct buffer){
        .p = reply->small,
        .capacity = sizeof reply->small,
        .ceiling = sizeof reply->small,
    };
}

static bool is_short(const struct request *request)
{
    return !request->lines && !(request->wishes & (WISH_JSON | WISH_RESULTS));
}

static void build_verdict(struct request *request, const struct message *message)
{
    struct reply *reply = &request->reply;
    if (is_short(request)) {
        struct buffer out = small_buffer(reply);
        write_verdict(request, message, &out);
        reply->small_bytes = out.failed ? 0 : (uint8_t)out.n;
        return;
    }
    if (buffer_reserve(&reply->big, ANSWER_USUAL_BYTES))
        write_verdict(request, message, &reply->big);
}

static enum front_error why_not(const struct request *request, enum task_outcome outcome)
{
    uint32_t why = atomic_load_explicit(&request->why, memory_order_acquire);
    if (why != FRONT_OK)
        return (enum front_error)why;
    if (outcome == TASK_JUDGED)
        return FRONT_OK;
    return outcome == TASK_CANCELLED ? FRONT_GOING_AWAY : FRONT_INTERNAL; /* pool_stop cancels */
}

void request_done(void *context, enum task_outcome outcome, const struct message *message)
{
    struct request *request = context;
    request->summary.error = why_not(request, outcome);
    if (request->summary.error == FRONT_OK) {
        build_verdict(request, message);
        if (request->reply.big.failed || (!request->reply.big.n && !request->reply.small_bytes))
            request->summary.error = FRONT_INTERNAL;
    }
    outbox_put(&request->front->outbox, &request->reply.node); /* it is the front's now */
}

void request_early(void *context, const struct message *message)
{
    struct request *request = context;
    struct reply *reply = &request->partial;
    uint8_t payload[8] = {(uint8_t)message->spf.checked.result};
    struct buffer out = small_buffer(reply);
    if (message->envelope.client.family == IP_NONE || reply->small_bytes)
        return;
    size_t at = frame_open(&out, FRAME_PARTIAL, 0, request->id);
    buffer_append(&out, span_of(payload, sizeof payload));
    frame_close(&out, at);
    reply->small_bytes = (uint8_t)out.n;
    outbox_put(&request->front->outbox, &reply->node);
}
