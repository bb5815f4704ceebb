#include "front/front.h"

#include "front/connection.h"
#include "front/log.h"

enum
{
    TEXT_CEILING = 64 * 1024,
};

const struct front_limits front_limits_default = {
#define FRONT_LIMIT_DEFAULT(name, value, least, most) .name = (value),
    FRONT_LIMITS(FRONT_LIMIT_DEFAULT)
#undef FRONT_LIMIT_DEFAULT
};

bool front_init(struct front *front)
{
    demand_init(&front->demand);
    buffer_init(&front->text, TEXT_CEILING);
    return outbox_open(&front->outbox);
}

void front_fini(struct front *front)
{
    assert(front->live_connections == 0 && front->live_requests == 0);
    outbox_close(&front->outbox);
    request_free_spares(front);
    demand_fini(&front->demand);
    buffer_fini(&front->text);
}

void front_count_error(struct front *front, enum front_error error)
{
    struct front_counters *counters = &front->counters;
    uint64_t *const by_error[] = {
        [FRONT_MALFORMED] = &counters->malformed,
        [FRONT_TOO_LARGE] = &counters->too_large,
        [FRONT_BUSY] = &counters->busy,
        [FRONT_CANCELLED] = &counters->cancelled,
        [FRONT_GOING_AWAY] = &counters->going_away,
        [FRONT_FORBIDDEN] = &counters->forbidden,
        [FRONT_NO_FILE] = &counters->no_file,
        [FRONT_IDLE] = &counters->idle,
    };
    counters->errors++;
    if (error < COUNT_OF(by_error) && by_error[error])
        (*by_error[error])++;
}

static void log_results(struct log_line *line, const struct reply_summary *summary)
{
    log_text(line, "spf", result_word((enum result)summary->spf));
    log_text(line, "dkim", result_word((enum result)summary->dkim));
    log_text(line, "arc", result_word((enum result)summary->arc));
    log_text(line, "dmarc", result_word((enum result)summary->dmarc));
    log_text(line, "action", dmarc_disposition_word((enum dmarc_disposition)summary->disposition));
    log_text(line, "from", summary->from);
}

/* One line a message. */
static void log_answer(const struct front *front, const struct request *request)
{
    struct log_line line;
    if (!log_is_on(LOG_LEVEL_INFO) || request->op != DEMAND_CHECK)
        return;
    log_begin(&line, LOG_LEVEL_INFO, "verdict");
    if (request->connection)
        log_uint(&line, "uid", request->connection->peer.uid);
    if (request->id_text.n)
        log_span(&line, "id", request->id_text);
    else
        log_uint(&line, "id", request->id);
    if (request->summary.error == FRONT_OK)
        log_results(&line, &request->summary);
    else
        log_text(&line, "error", front_error_word(request->summary.error));
    log_uint(&line, "bytes", request->bytes);
    log_uint(&line, "ms", (uint64_t)(front->now_ms - request->begun_ms));
    log_end(&line);
}

static void deliver(struct front *front, struct reply *reply)
{
    struct request *request = reply->request;
    if (reply->final)
        log_answer(front, request);
    if (request->connection) {
        connection_reply(request->connection, reply);
        return;
    }
    front->counters.orphans += reply->final;
    if (reply->final)
        request_retire(&request);
}

static void deliver_all(struct front *front, struct outbox_node *node)
{
    while (node) {
        struct outbox_node *next = node->next; /* the request goes with its last reply */
        deliver(front, (struct reply *)node);
        node = next;
    }
}

void front_collect(struct front *front)
{
    deliver_all(front, outbox_take(&front->outbox));
}

void front_collect_early(struct front *front)
{
    if (outbox_has(&front->outbox))
        deliver_all(front, outbox_take_early(&front->outbox));
}

/* The front that this thread runs. */
static _Thread_local const struct front *here;

void front_set_here(const struct front *front)
{
    here = front;
}

void front_round_done(void *context)
{
    struct front *front = context;
    if (front == here)
        return;
    outbox_kick(&front->outbox);
}
