/*
 * The lines dialect of a connection: JSON objects, and behind some of them the bytes of a message.
 */
#include "front/connection.h"
#include "front/files.h"

static void begin_body(struct connection *connection, struct request *request, uint64_t size)
{
    connection->in_body = true;
    connection->body_left = size;
    connection->data = request;
}

/* Framing is lost, or would cost more than it is worth: the last answer, and those still due. */
static void refuse_and_close(struct connection *connection, enum front_error error, const char *why)
{
    const struct demand *demand = &connection->front->demand;
    connection_refuse(connection, 0, buffer_span(&demand->id), error, why);
    connection->closing = true;
}

static void take_check(struct connection *connection)
{
    const struct demand *demand = &connection->front->demand;
    bool has_size = demand->has_size;
    uint64_t size = demand->size;
    if (has_size && size > connection->front->limits.message_bytes) {
        refuse_and_close(connection, FRONT_TOO_LARGE, "message over the limit");
        return;
    }
    struct request *request = connection_open(connection, 0);
    if (has_size)
        begin_body(connection, request, size);
    else if (request)
        files_take_path(request);
}

static void take_line(struct connection *connection, struct span line)
{
    struct demand *demand = &connection->front->demand;
    enum front_error error = demand_from_json(demand, line, false);
    if (error != FRONT_OK) {
        refuse_and_close(connection, error, demand->why);
        return;
    }
    if (demand->op == DEMAND_CHECK) {
        take_check(connection);
        return;
    }
    if (demand->op != DEMAND_SPF && demand->op != DEMAND_DMARC) {
        connection_answer_op(connection, 0);
        return;
    }
    struct request *request = connection_open(connection, 0);
    (void)request; /* refused: the client has been told */
}

static void end_body(struct connection *connection)
{
    struct request *request = connection->data;
    connection->in_body = false;
    connection->data = NULL;
    connection->units++;
    if (request && request->receiving)
        connection_end(request);
}

static void take_body(struct connection *connection, struct chunk *chunk, struct span *bytes)
{
    size_t n = bytes->n < connection->body_left ? bytes->n : (size_t)connection->body_left;
    struct request *request = connection->data;
    if (request && request->receiving && n)
        connection_feed(connection, request, chunk, span_slice(*bytes, 0, n));
    *bytes = span_skip(*bytes, n);
    connection->body_left -= n;
    if (connection->body_left == 0)
        end_body(connection);
}

static bool is_blank(struct span line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

static void line_complete(struct connection *connection, struct span line)
{
    connection->units++;
    if (line.n > FRAME_CONTROL_MAX)
        connection_fail(connection, FRONT_TOO_LARGE, "line over 256 KiB");
    else if (!is_blank(line))
        take_line(connection, line);
}

/* The input ends within a line: keep what is there, at most FRAME_CONTROL_MAX of it. */
static void gather(struct connection *connection, struct span part)
{
    buffer_append(&connection->gather, part);
    if (connection->gather.failed && connection->gather.n + part.n > FRAME_CONTROL_MAX)
        connection_fail(connection, FRONT_TOO_LARGE, "line over 256 KiB");
    else if (connection->gather.failed)
        connection_fail(connection, FRONT_INTERNAL, "no memory");
}

static void read_line(struct connection *connection, struct span *bytes)
{
    size_t lf = span_find(*bytes, '\n');
    bool complete = lf < bytes->n;
    struct span line = span_slice(*bytes, 0, lf);
    *bytes = span_skip(*bytes, lf + complete);
    if (complete && connection->gather.n == 0) {
        line_complete(connection, line);
        return;
    }
    gather(connection, line);
    if (!complete || connection->closing)
        return;
    line_complete(connection, buffer_span(&connection->gather));
    buffer_fini(&connection->gather);
}

bool lines_input(struct connection *connection, struct chunk *chunk, struct span *bytes)
{
    if (connection->descriptor != -1)
        connection_fail(connection, FRONT_MALFORMED, "lines carry no descriptors");
    while (!connection_must_wait(connection)) {
        if (connection->in_body && (bytes->n || connection->body_left == 0))
            take_body(connection, chunk, bytes);
        else if (bytes->n)
            read_line(connection, bytes);
        else
            return false;
    }
    return true;
}
