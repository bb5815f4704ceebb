/*
 * What both dialects share: open requests, back-pressure, output, timers, the end.
 *
 * Limits: FRONT_LIMITS (front.h). Memory of an idle connection is this struct and
 * 512 octets at most.
 */
#include "front/connection.h"

#include <stdlib.h>
#include <unistd.h>

enum
{
    NO_DESCRIPTOR = -1,
};

void connection_init(struct connection *connection, struct front *front, const struct peer *peer)
{
    *connection = (struct connection){
        .front = front,
        .peer = *peer,
        .descriptor = NO_DESCRIPTOR,
        .ring_fd = NO_DESCRIPTOR,
        .in_flight = front->limits.in_flight,
        .input_ms = front->now_ms,
        .output_ms = front->now_ms,
    };
    frame_reader_init(&connection->reader);
    buffer_init(&connection->gather, FRAME_CONTROL_MAX);
    output_init(&connection->out);
    front->live_connections++;
}

/* Answers ----------------------------------------------------------------------------------------
 */

void connection_note(struct connection *connection)
{
    if (connection->in_dirty)
        return;
    connection->in_dirty = true;
    connection->dirty_next = connection->front->dirty;
    connection->front->dirty = connection;
}

void connection_refuse(struct connection *connection, uint64_t id, struct span id_text,
                       enum front_error error, const char *detail)
{
    front_count_error(connection->front, error);
    reply_write_error(&connection->out.copied, connection->dialect == DIALECT_LINES, id, id_text,
                      error, detail);
    connection_note(connection);
}

static void write_reply(struct connection *connection, struct reply *reply)
{
    const struct request *request = reply->request;
    if (reply->final && request->summary.error != FRONT_OK) {
        enum front_error error = request->summary.error;
        const char *detail = atomic_load_explicit(&request->detail, memory_order_relaxed);
        if (!detail)
            detail = error == FRONT_GOING_AWAY ? "the server stops" : "no memory for the answer";
        connection_refuse(connection, request->id, request->id_text, error, detail);
        return;
    }
    connection->front->counters.answers += reply->final;
    if (reply->small_bytes)
        buffer_append(&connection->out.copied, span_of(reply->small, reply->small_bytes));
    else
        output_take(&connection->out, &reply->big);
}

static void count_stall(struct connection *connection);

void connection_reply(struct connection *connection, struct reply *reply)
{
    struct request *request = reply->request;
    if (!connection->dead)
        write_reply(connection, reply);
    if (connection->out.copied.failed)
        connection->dead = true; /* an answer was lost: the connection must end */
    connection_note(connection);
    count_stall(connection);
    if (!reply->final)
        return;
    connection_unlink(request);
    request_retire(&request);
}

void connection_fail(struct connection *connection, enum front_error error, const char *detail)
{
    if (connection->closing)
        return;
    if (connection->dialect == DIALECT_FRAMES)
        connection_orphan_all(connection);
    connection_refuse(connection, 0, (struct span){NULL, 0}, error, detail);
    connection->closing = true;
}

/* Input ------------------------------------------------------------------------------------------
 */

static bool output_is_full(const struct connection *connection)
{
    return connection_unsent(connection) >= connection->front->limits.output_bytes;
}

static bool body_is_full(const struct connection *connection)
{
    const struct request *request = connection->data;
    const struct front *front = connection->front;
    return request && request->receiving &&
           front->backend.queued(request->task) >= front->limits.unhashed_bytes;
}

/* Lines have no credit: who has as many requests open as he may is not read from. */
static bool lines_are_full(const struct connection *connection)
{
    return connection->dialect == DIALECT_LINES && !connection->in_body && !connection->draining &&
           connection->open >= connection->in_flight;
}

bool connection_must_wait(const struct connection *connection)
{
    return connection->closing || connection->dead || output_is_full(connection) ||
           body_is_full(connection) || lines_are_full(connection);
}

bool connection_wants_input(const struct connection *connection)
{
    return !connection->eof && !connection->held && !connection_must_wait(connection);
}

bool connection_waits_for_workers(const struct connection *connection)
{
    if (connection->closing || connection->dead)
        return false;
    return body_is_full(connection) || (connection->held && !connection_must_wait(connection));
}

/*
 * Input that has to wait is copied, unless it waited before: a client that does not read must not
 * keep a chunk that all connections share.
 */
static void hold(struct connection *connection, struct chunk *chunk, struct span bytes, bool again)
{
    if (connection->closing || connection->dead)
        return;
    if (!again)
        chunk = chunk_new(bytes.n ? (uint32_t)bytes.n : 1);
    if (!chunk) {
        connection->dead = true; /* bytes are lost */
        return;
    }
    if (!again && bytes.n)
        memcpy(chunk->bytes, bytes.p, bytes.n);
    connection->held = again ? chunk_ref(chunk) : chunk;
    connection->held_bytes = again ? bytes : span_of(chunk->bytes, bytes.n);
}

/* A unit (frame header, control frame, line) that is incomplete has a time to live. */
static void note_progress(struct connection *connection)
{
    bool body = connection->in_body ||
                (connection->reader.in_payload && connection->reader.header.type == FRAME_DATA);
    bool partial = !body && (frame_is_partial(&connection->reader) || connection->gather.n > 0);
    if (!partial)
        connection->begun_ms = 0;
    else if (!connection->begun_ms || connection->begun_unit != connection->units)
        connection->begun_ms = connection->front->now_ms;
    connection->begun_unit = connection->units;
    if (!body)
        connection->window_ms = 0;
    else if (!connection->window_ms) {
        connection->window_ms = connection->front->now_ms;
        connection->window_bytes = 0;
    }
}

/* Each time that reading stops, by its reason. */
static void count_stall(struct connection *connection)
{
    bool waits = connection_must_wait(connection) && !connection->closing && !connection->dead;
    if (waits && !connection->stalled && output_is_full(connection))
        connection->front->counters.output_stalls++;
    else if (waits && !connection->stalled)
        connection->front->counters.input_stalls++;
    connection->stalled = waits;
}

static void run_input(struct connection *connection, struct chunk *chunk, struct span bytes,
                      bool again)
{
    if (connection->dialect == DIALECT_UNKNOWN && bytes.n)
        connection->dialect = bytes.p[0] == 0 ? DIALECT_FRAMES : DIALECT_LINES;
    /* They say themselves whether they stopped: workers hash meanwhile, a second look may differ */
    pool_hold(); /* all messages of these bytes may share a round */
    bool blocked = connection->dialect == DIALECT_FRAMES ? frames_input(connection, chunk, &bytes)
                                                         : lines_input(connection, chunk, &bytes);
    pool_let_go();
    if (blocked)
        hold(connection, chunk, bytes, again);
    note_progress(connection);
    count_stall(connection);
}

void connection_input(struct connection *connection, struct chunk *chunk, struct span bytes)
{
    assert(!connection->held);
    connection->input_ms = connection->front->now_ms;
    connection->window_bytes += bytes.n;
    connection->front->counters.bytes_in += bytes.n;
    if (bytes.n)
        run_input(connection, chunk, bytes, false);
}

/* Messages that will never be complete. */
static void end_incomplete(struct connection *connection)
{
    for (struct request *r = connection->requests; r; r = r->next)
        if (r->receiving)
            connection_cancel(r, FRONT_MALFORMED, "the message was cut short");
}

static void finish_input(struct connection *connection)
{
    bool cut = frame_is_partial(&connection->reader) || connection->gather.n > 0;
    if (connection->closing)
        return;
    end_incomplete(connection);
    if (cut && connection->dialect == DIALECT_LINES)
        connection_refuse(connection, 0, (struct span){NULL, 0}, FRONT_MALFORMED,
                          "the input ends in the middle");
    connection->closing = true;
    connection_note(connection);
}

void connection_resume(struct connection *connection)
{
    int64_t now_ms = connection->front->now_ms;
    if (connection->held && !connection_must_wait(connection)) {
        struct chunk *chunk = connection->held;
        connection->held = NULL;
        connection->input_ms = now_ms; /* the time that it waited was ours */
        connection->window_ms = connection->begun_ms = 0;
        run_input(connection, chunk, connection->held_bytes, true);
        chunk_unref(&chunk);
    }
    if (connection->eof && !connection->held)
        finish_input(connection);
}

void connection_eof(struct connection *connection)
{
    connection->eof = true;
    connection_resume(connection);
    connection_note(connection);
}

void connection_descriptor(struct connection *connection, int fd)
{
    connection->front->counters.descriptors++;
    if (connection->descriptor == NO_DESCRIPTOR && connection->dialect != DIALECT_LINES) {
        connection->descriptor = fd;
        return;
    }
    if (fd >= 0)
        close(fd);
    connection_fail(connection, FRONT_MALFORMED, "a descriptor that no FD frame claims");
}

/* Output -----------------------------------------------------------------------------------------
 */

size_t connection_output(const struct connection *connection, struct iovec *pieces, size_t most)
{
    return output_pieces(&connection->out, pieces, most);
}

void connection_sent(struct connection *connection, size_t n)
{
    output_sent(&connection->out, n);
    connection->output_ms = connection->front->now_ms;
    connection->stuck_ms = 0;
    connection->front->counters.bytes_out += n;
    count_stall(connection);
    if (connection->open == 0 && connection_unsent(connection) == 0)
        output_rest(&connection->out);
}

bool connection_is_over(const struct connection *connection)
{
    if (connection->dead || connection->out.copied.failed)
        return true;
    bool finished = connection->closing || (connection->draining && !connection->held);
    return finished && connection->open == 0 && connection_unsent(connection) == 0;
}

/* The end ----------------------------------------------------------------------------------------
 */

void connection_drain(struct connection *connection)
{
    if (connection->draining)
        return;
    connection->draining = true;
    if (connection->dialect == DIALECT_FRAMES && !connection->closing) {
        size_t at = frame_open(&connection->out.copied, FRAME_GOAWAY, 0, 0);
        put_u64(&connection->out.copied, connection->last_id);
        frame_close(&connection->out.copied, at);
    }
    connection_note(connection);
}

void connection_set_in_flight(struct connection *connection, uint32_t in_flight)
{
    if (connection->dialect == DIALECT_FRAMES && connection->hello &&
        in_flight > connection->in_flight && !connection->closing) {
        size_t at = frame_open(&connection->out.copied, FRAME_CREDIT, 0, 0);
        put_u32(&connection->out.copied, in_flight - connection->in_flight);
        frame_close(&connection->out.copied, at);
    }
    if (in_flight > connection->in_flight || !connection->hello)
        connection->in_flight = in_flight; /* credit that was given is not taken back */
    connection_note(connection);
}

void connection_fini(struct connection *connection)
{
    connection_orphan_all(connection);
    chunk_unref(&connection->held);
    buffer_fini(&connection->gather);
    output_fini(&connection->out);
    free(connection->table);
    connection->table = NULL;
    if (connection->descriptor >= 0)
        close(connection->descriptor);
    connection->descriptor = NO_DESCRIPTOR;
    if (connection->ring_fd >= 0)
        close(connection->ring_fd);
    connection->ring_fd = NO_DESCRIPTOR;
    connection->front->live_connections--;
}
