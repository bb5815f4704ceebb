/*
 * The open requests of a connection: a list, and a table by id; opening, feeding, giving up.
 *
 * Limits: in_flight and message_bytes (FRONT_LIMITS, front.h).
 */
#include <stdlib.h>
#include <time.h>

#include "front/connection.h"
#include "front/query.h"

static struct request **bucket(const struct connection *connection, uint64_t id)
{
    uint64_t mixed = id * 0x9e3779b97f4a7c15u; /* a client that collides slows itself */
    return &connection->table[(mixed >> 32) & (connection->table_size - 1)];
}

struct request *connection_find(const struct connection *connection, uint64_t id)
{
    struct request *found = connection->table ? *bucket(connection, id) : NULL;
    while (found && found->id != id)
        found = found->table_next;
    return found;
}

static bool grow_table(struct connection *connection)
{
    if (connection->open < connection->table_size)
        return true;
    uint32_t size = connection->table_size ? connection->table_size * 2 : REQUEST_TABLE_MIN;
    struct request **table = calloc(size, sizeof *table);
    if (!table)
        return false;
    free(connection->table);
    connection->table = table;
    connection->table_size = size;
    for (struct request *r = connection->requests; r; r = r->next) {
        struct request **head = bucket(connection, r->id);
        r->table_next = *head;
        *head = r;
    }
    return true;
}

static void link_request(struct connection *connection, struct request *request)
{
    request->connection = connection;
    request->next = connection->requests;
    request->previous = &connection->requests;
    if (request->next)
        request->next->previous = &request->next;
    connection->requests = request;
    connection->open++;
    struct request **head = bucket(connection, request->id);
    request->table_next = *head;
    *head = request;
}

void connection_unlink(struct request *request)
{
    struct connection *connection = request->connection;
    struct request **at = bucket(connection, request->id);
    while (*at != request)
        at = &(*at)->table_next;
    *at = request->table_next;
    *request->previous = request->next;
    if (request->next)
        request->next->previous = request->previous;
    if (connection->data == request)
        connection->data = NULL;
    connection->open--;
    request->connection = NULL;
}

static unsigned deadline_of(const struct front *front, const struct demand *demand)
{
    return demand->deadline_ms && demand->deadline_ms < front->timeout_ms ? demand->deadline_ms
                                                                          : front->timeout_ms;
}

static enum front_error submit_message(struct request *request, const struct demand *demand)
{
    const struct front *front = request->front;
    struct task_request task = {
        .envelope = demand->envelope,
        .authserv_id = demand->authserv_id.p ? demand->authserv_id : front->authserv_id,
        .deadline_ms = deadline_of(front, demand),
        .without_evidence = !request->lines && !(request->wishes & WISH_JSON),
        .early_spf = !request->lines && (request->wishes & WISH_PARTIAL),
        .done = request_done,
        .early = request_early,
        .round_done = front_round_done,
        .round_context = request->front,
        .context = request,
    };
    request->task = front->backend.submit(front->backend.context, &task);
    request->receiving = request->task != NULL;
    return request->receiving ? FRONT_OK : FRONT_BUSY;
}

static enum front_error submit(struct request *request, struct demand *demand)
{
    demand->why = "the server has no room";
    if (demand->op == DEMAND_CHECK)
        return submit_message(request, demand);
    enum front_error error = query_begin(request, demand);
    return error != FRONT_OK ? error : query_submit(request, deadline_of(request->front, demand));
}

/* Why it cannot be opened at all; FRONT_OK where it can. */
static enum front_error may_open(struct connection *connection, struct demand *demand)
{
    if (connection->draining) {
        demand->why = "the server stops";
        return FRONT_GOING_AWAY;
    }
    if (connection->open >= connection->in_flight) {
        demand->why = "more requests than credit";
        return FRONT_BUSY;
    }
    if (demand->path.p && !connection->front->may_path) {
        demand->why = "no path may be read";
        return FRONT_FORBIDDEN;
    }
    demand->why = "no memory";
    return grow_table(connection) ? FRONT_OK : FRONT_INTERNAL;
}

struct request *connection_open(struct connection *connection, uint64_t id)
{
    struct front *front = connection->front;
    struct demand *demand = &front->demand;
    struct request *request = NULL;
    if (!demand->has_now)
        demand->envelope.now = (int64_t)time(NULL);
    enum front_error error = may_open(connection, demand);
    if (error == FRONT_OK) {
        request = request_new(front, demand);
        error = request ? FRONT_OK : FRONT_INTERNAL;
    }
    if (request) {
        request->id = id;
        request->lines = connection->dialect == DIALECT_LINES;
        error = submit(request, demand);
    }
    if (error != FRONT_OK) {
        if (request)
            request_retire(&request);
        connection_refuse(connection, id, buffer_span(&demand->id), error, demand->why);
        return NULL;
    }
    link_request(connection, request);
    connection->last_id = id;
    if (demand->op == DEMAND_CHECK)
        front->counters.requests++;
    else
        front->counters.queries++;
    return request;
}

void connection_cancel(struct request *request, enum front_error error, const char *detail)
{
    const struct front_backend *backend = &request->front->backend;
    request_refuse(request, error, detail);
    if (!request->receiving)
        return; /* judged, or read by the reader of files: they see the reason */
    request->receiving = false;
    backend->cancel(request->task);
}

/* Nobody will read their answers. */
void connection_orphan_all(struct connection *connection)
{
    while (connection->requests) {
        struct request *request = connection->requests;
        connection_unlink(request);
        connection_cancel(request, FRONT_CANCELLED, "the connection has gone");
    }
}

void connection_feed(struct connection *connection, struct request *request, struct chunk *chunk,
                     struct span bytes)
{
    request->touched_ms = connection->front->now_ms;
    if (!request_feed(request, chunk, bytes))
        connection_cancel(request, FRONT_INTERNAL, "no memory");
}

void connection_end(struct request *request)
{
    request->receiving = false; /* before the call: the answer may be there when it returns */
    request_end(request);
}
