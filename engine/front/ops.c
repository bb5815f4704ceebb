/*
 * Operations that the front answers itself, at once: stats, flush, ping.
 *
 * BUGS: flush walks the whole cache on the front thread; with a million entries that is some tens
 * of milliseconds in which no connection is served.
 */
#include "front/connection.h"

static void write_stats(struct front *front, struct buffer *out)
{
    char before = '{';
    buffer_reset(out);
#define FRONT_COUNTER_JSON(name)                                                                   \
    buffer_printf(out, "%c\"%s\":%llu", before, #name, (unsigned long long)front->counters.name);  \
    before = ',';
    FRONT_COUNTERS(FRONT_COUNTER_JSON)
#undef FRONT_COUNTER_JSON
    buffer_printf(out, ",\"live_connections\":%llu,\"live_requests\":%llu",
                  (unsigned long long)front->live_connections,
                  (unsigned long long)front->live_requests);
    if (front->backend.stats)
        front->backend.stats(front->backend.context, out);
    buffer_append_string(out, "}");
}

static enum front_error flush(struct connection *connection, const struct demand *demand,
                              struct buffer *out, const char **why)
{
    struct front *front = connection->front;
    struct dns_name name;
    bool all = !demand->domain.p;
    *why = "this peer may not flush";
    if (!connection->peer.may_control)
        return FRONT_FORBIDDEN;
    *why = "domain is no domain name";
    if (!all && dns_name_from_domain(&name, demand->domain) != DNS_NAME_OK)
        return FRONT_MALFORMED;
    size_t n = front->backend.flush(front->backend.context, all ? NULL : &name);
    buffer_reset(out);
    buffer_printf(out, "{\"flushed\":%zu}", n);
    return FRONT_OK;
}

void connection_answer_op(struct connection *connection, uint64_t id)
{
    struct front *front = connection->front;
    const struct demand *demand = &front->demand;
    struct span id_text = buffer_span(&demand->id);
    const char *why = NULL;
    enum front_error error = FRONT_OK;
    buffer_reset(&front->text);
    if (demand->op == DEMAND_STATS)
        write_stats(front, &front->text);
    else if (demand->op == DEMAND_FLUSH)
        error = flush(connection, demand, &front->text, &why);
    else
        buffer_append_string(&front->text, "{\"pong\":true}");
    if (error == FRONT_OK && front->text.failed) {
        error = FRONT_INTERNAL;
        why = "no memory";
    }
    front->counters.queries++;
    if (error != FRONT_OK) {
        connection_refuse(connection, id, id_text, error, why);
        return;
    }
    front->counters.answers++;
    reply_write_query(&connection->out.copied, connection->dialect == DIALECT_LINES, id, id_text,
                      buffer_span(&front->text));
    connection_note(connection);
}
