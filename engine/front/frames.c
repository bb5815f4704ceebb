/*
 * The frames dialect of a connection: what each frame of a client does.
 */
#include <unistd.h>

#include "front/connection.h"
#include "front/files.h"

static void write_limits(const struct connection *connection, struct buffer *out)
{
    put_u32(out, (uint32_t)TAG_LIMITS << 24 | 16);
    put_u64(out, connection->front->limits.message_bytes);
    put_u32(out, connection->in_flight);
    put_u32(out, FRAME_BYTES_MAX);
}

void frames_write_hello(struct connection *connection)
{
    struct buffer *out = &connection->out.copied;
    uint8_t version[4] = {FRAME_MAJOR, FRAME_MINOR};
    size_t at = frame_open(out, FRAME_HELLO, 0, 0);
    buffer_append(out, span_of(version, sizeof version));
    tlv_write(out, TAG_NAME, span_from_string("assayd " ASSAY_VERSION));
    tlv_write_u32(out, TAG_FEATURES,
                  FEATURE_EARLY_SPF | FEATURE_DESCRIPTORS | FEATURE_LINES |
                      (connection->front->limits.ring_bytes ? FEATURE_RING : 0));
    write_limits(connection, out);
    frame_close(out, at);
    connection_note(connection);
}

static void take_hello(struct connection *connection, struct span payload)
{
    if (payload.p[0] != FRAME_MAJOR) {
        connection_fail(connection, FRONT_VERSION, "this server speaks version 1");
        return;
    }
    connection->hello = true;
    frames_write_hello(connection);
    if (connection->draining) {
        size_t at = frame_open(&connection->out.copied, FRAME_GOAWAY, 0, 0);
        put_u64(&connection->out.copied, 0);
        frame_close(&connection->out.copied, at);
    }
}

static void take_request(struct connection *connection, uint64_t id, struct span payload)
{
    struct demand *demand = &connection->front->demand;
    if (connection_find(connection, id)) {
        connection_fail(connection, FRONT_MALFORMED, "a request with this id is open");
        return;
    }
    enum front_error error = demand_from_tlvs(demand, payload);
    if (error != FRONT_OK) {
        connection_refuse(connection, id, (struct span){NULL, 0}, error, demand->why);
        return;
    }
    struct request *request = connection_open(connection, id);
    (void)request; /* refused: the client has been told */
}

static void take_query(struct connection *connection, uint64_t id, struct span payload)
{
    struct demand *demand = &connection->front->demand;
    if (connection_find(connection, id)) {
        connection_fail(connection, FRONT_MALFORMED, "a request with this id is open");
        return;
    }
    enum front_error error = demand_from_json(demand, payload, true);
    if (error != FRONT_OK) {
        connection_refuse(connection, id, (struct span){NULL, 0}, error, demand->why);
        return;
    }
    if (demand->op != DEMAND_SPF && demand->op != DEMAND_DMARC) {
        connection_answer_op(connection, id);
        return;
    }
    struct request *request = connection_open(connection, id);
    (void)request;
}

/* Whether the id has a message open; a frame for one that has not may have crossed its ERROR. */
static struct request *find_message(const struct connection *connection, uint64_t id)
{
    struct request *request = connection_find(connection, id);
    return request && request->receiving ? request : NULL;
}

static void take_descriptor(struct connection *connection, uint64_t id, struct span payload)
{
    struct request *request = find_message(connection, id);
    int fd = connection->descriptor;
    connection->descriptor = -1;
    if (fd == -1) {
        connection_fail(connection, FRONT_MALFORMED,
                        connection->has_ring ? "FD in a ring" : "FD without a descriptor");
        return;
    }
    if (!request) {
        if (fd >= 0)
            close(fd);
        return;
    }
    if (request->bytes) {
        connection_cancel(request, FRONT_MALFORMED, "FD behind DATA");
        if (fd >= 0)
            close(fd);
        return;
    }
    files_take_descriptor(request, fd, get_u64(payload.p), get_u64(payload.p + 8));
}

void frames_write_ring(struct connection *connection, const char *refused)
{
    struct buffer *out = &connection->out.copied;
    size_t at = frame_open(out, FRAME_RING, refused ? FRAME_FLAG_REFUSED : 0, 0);
    if (refused)
        buffer_append(out, span_from_string(refused));
    frame_close(out, at);
    connection_note(connection);
}

/* The server maps it when these bytes have been looked at; nothing may stand behind it. */
static void take_ring(struct connection *connection)
{
    enum
    {
        UNITS_WITH_HELLO = 2,
    };
    int fd = connection->descriptor;
    connection->descriptor = -1;
    connection->ring_fd = fd >= 0 ? fd : -1;
    if (connection->units != UNITS_WITH_HELLO) {
        connection_fail(connection, FRONT_MALFORMED, "RING stands right behind HELLO, and once");
        return;
    }
    if (fd == -1) {
        connection_fail(connection, FRONT_MALFORMED, "RING without a descriptor");
        return;
    }
    connection->ring_asked = true;
}

static void take_cancel(struct connection *connection, uint64_t id)
{
    struct request *request = connection_find(connection, id);
    if (request)
        connection_cancel(request, FRONT_CANCELLED, "cancelled");
}

static void take_ping(struct connection *connection, uint64_t id, struct span payload)
{
    size_t at = frame_open(&connection->out.copied, FRAME_PONG, 0, id);
    buffer_append(&connection->out.copied, payload);
    frame_close(&connection->out.copied, at);
    connection_note(connection);
}

/* A control frame is complete. */
static void take_frame(struct connection *connection, struct span payload)
{
    const struct frame_header *header = &connection->reader.header;
    switch ((enum frame_type)header->type) {
    case FRAME_HELLO:
        take_hello(connection, payload);
        return;
    case FRAME_REQUEST:
        take_request(connection, header->id, payload);
        return;
    case FRAME_QUERY:
        take_query(connection, header->id, payload);
        return;
    case FRAME_FD:
        take_descriptor(connection, header->id, payload);
        return;
    case FRAME_CANCEL:
        take_cancel(connection, header->id);
        return;
    case FRAME_PING:
        take_ping(connection, header->id, payload);
        return;
    case FRAME_RING:
        take_ring(connection);
        return;
    case FRAME_DATA:
    case FRAME_RESULT:
    case FRAME_PARTIAL:
    case FRAME_ERROR:
    case FRAME_CREDIT:
    case FRAME_PONG:
    case FRAME_GOAWAY:
        return; /* frame_check lets none of these come here */
    }
}

static void begin(struct connection *connection)
{
    const struct frame_header *header = &connection->reader.header;
    if (connection->hello == (header->type == FRAME_HELLO)) {
        connection_fail(connection, FRONT_MALFORMED, "HELLO is the first frame and stands once");
        return;
    }
    if (header->type == FRAME_DATA)
        connection->data = find_message(connection, header->id);
}

static void payload(struct connection *connection, struct chunk *chunk, struct span piece)
{
    const struct frame_header *header = &connection->reader.header;
    if (header->type != FRAME_DATA && piece.n == header->length) {
        connection->whole = piece; /* looked at before its chunk is let go */
        return;
    }
    if (header->type != FRAME_DATA) {
        buffer_append(&connection->gather, piece);
        return;
    }
    if (connection->data && connection->data->receiving)
        connection_feed(connection, connection->data, chunk, piece);
}

/* The DATA frame is complete. */
static void end_data(struct connection *connection)
{
    struct request *request = connection->data;
    connection->data = NULL;
    if (!request || !request->receiving)
        return;
    request->touched_ms = connection->front->now_ms;
    if (connection->reader.header.flags & FRAME_FLAG_END)
        connection_end(request);
}

static void end(struct connection *connection)
{
    connection->units++;
    if (connection->reader.header.type == FRAME_DATA) {
        end_data(connection);
        return;
    }
    if (connection->gather.failed)
        connection_fail(connection, FRONT_INTERNAL, "no memory");
    else
        take_frame(connection,
                   connection->whole.n ? connection->whole : buffer_span(&connection->gather));
    connection->whole = (struct span){NULL, 0};
    buffer_fini(&connection->gather);
}

/*
 * The same at once, for a frame that the input has as a whole: the rule with messages that are not
 * large. False: take it in steps, between which it may have to wait (begin may be called twice).
 */
static bool take_whole(struct connection *connection, struct chunk *chunk, struct span *bytes)
{
    struct span whole;
    if (!frame_whole(&connection->reader, *bytes, &whole))
        return false;
    begin(connection);
    if (connection->closing || (connection->data && connection_must_wait(connection)))
        return false;
    *bytes = span_skip(*bytes, FRAME_HEADER_BYTES + whole.n);
    connection->units++;
    if (connection->reader.header.type != FRAME_DATA) {
        take_frame(connection, whole);
        return true;
    }
    if (whole.n && connection->data)
        connection_feed(connection, connection->data, chunk, whole);
    end_data(connection);
    return true;
}

static void step(struct connection *connection, struct chunk *chunk, enum frame_event event,
                 struct span piece)
{
    switch (event) {
    case FRAME_BEGIN:
        begin(connection);
        break;
    case FRAME_PAYLOAD:
        payload(connection, chunk, piece);
        break;
    case FRAME_END:
        end(connection);
        break;
    case FRAME_BAD:
        connection_fail(connection, connection->reader.error, connection->reader.why);
        break;
    case FRAME_MORE:
        break;
    }
}

/*
 * A descriptor came with these bytes: its FD frame must have begun in them. (The kernel may put
 * bytes that were sent before in front of it, never bytes that were sent behind it.)
 */
static bool is_unclaimed(const struct connection *connection)
{
    const struct frame_reader *reader = &connection->reader;
    return connection->descriptor != -1 &&
           !(reader->in_payload ? reader->header.type == FRAME_FD : reader->have > 0);
}

bool frames_input(struct connection *connection, struct chunk *chunk, struct span *bytes)
{
    enum frame_event event = FRAME_END;
    do {
        struct span piece = {NULL, 0};
        if (connection_must_wait(connection))
            return true;
        if (connection->ring_asked && bytes->n) {
            connection_fail(connection, FRONT_MALFORMED, "a frame before RING was answered");
            return false;
        }
        if (take_whole(connection, chunk, bytes))
            continue;
        event = frame_next(&connection->reader, bytes, &piece);
        step(connection, chunk, event, piece);
    } while (event != FRAME_MORE);
    if (is_unclaimed(connection))
        connection_fail(connection, FRONT_MALFORMED, "a descriptor that no FD frame claims");
    return false;
}
