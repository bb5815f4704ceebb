/*
 * Timers of a connection (security.md L01, L03): partial frames and lines, the least rate of a
 * message, idle connections, messages that stop coming, answers that nobody takes.
 *
 * There is no timer per connection: the server calls connection_tick for all of them, some times
 * within the shortest of the limits, so each may take that much longer than it says.
 */
#include "front/connection.h"

/* A message for which nothing came; time in which we did not read does not count. */
static void tick_requests(struct connection *connection, int64_t now_ms)
{
    int64_t oldest = now_ms - connection->front->limits.idle_ms;
    if (connection->waited_ms > oldest)
        return;
    for (struct request *r = connection->requests; r; r = r->next)
        if (r->receiving && r->touched_ms <= oldest)
            connection_cancel(r, FRONT_IDLE, "the message stopped coming");
}

static void tick_window(struct connection *connection, int64_t now_ms)
{
    const struct front_limits *limits = &connection->front->limits;
    if (!connection->window_ms || now_ms - connection->window_ms < limits->rate_ms)
        return;
    if (connection->window_bytes < limits->rate_bytes) {
        if (connection->data)
            connection_cancel(connection->data, FRONT_IDLE, "the message comes too slowly");
        connection_fail(connection, FRONT_IDLE, "the message comes too slowly");
        return;
    }
    connection->window_ms = now_ms;
    connection->window_bytes = 0;
}

static bool is_idle(const struct connection *connection, int64_t now_ms)
{
    int64_t last_ms =
        connection->input_ms > connection->output_ms ? connection->input_ms : connection->output_ms;
    return !connection->closing && !connection->open && !connection->draining &&
           connection_unsent(connection) == 0 &&
           now_ms - last_ms >= connection->front->limits.idle_ms;
}

static void tick_input(struct connection *connection, int64_t now_ms)
{
    const struct front_limits *limits = &connection->front->limits;
    if (connection->begun_ms && now_ms - connection->begun_ms >= limits->partial_ms)
        connection_fail(connection, FRONT_IDLE, "a frame or line is not complete in time");
    tick_window(connection, now_ms);
    tick_requests(connection, now_ms);
    if (is_idle(connection, now_ms))
        connection_fail(connection, FRONT_IDLE, "nothing came");
}

/* Nobody takes the answers: an error frame would not be read either. */
static void tick_output(struct connection *connection, int64_t now_ms)
{
    if (connection_unsent(connection) == 0)
        connection->stuck_ms = 0;
    else if (!connection->stuck_ms)
        connection->stuck_ms = now_ms;
    else if (now_ms - connection->stuck_ms >= connection->front->limits.idle_ms) {
        connection->front->counters.idle++;
        connection->dead = true;
        connection_note(connection);
    }
}

void connection_tick(struct connection *connection)
{
    int64_t now_ms = connection->front->now_ms;
    tick_output(connection, now_ms);
    if (connection_must_wait(connection) || connection->held) {
        connection->waited_ms = connection->input_ms = now_ms;
        connection->window_ms = connection->window_ms ? now_ms : 0;
        connection->begun_ms = connection->begun_ms ? now_ms : 0;
        connection_resume(connection); /* queues of the pool drain without telling us */
        connection_note(connection);
        return;
    }
    if (!connection->eof)
        tick_input(connection, now_ms);
}
