/*
 * Frames from the server. What cannot be (lengths over the limit, types that are not known, ids
 * that are not open, a second answer, TLVs that overrun) ends the connection: behind such a frame
 * nothing can be trusted, and no answer is made up.
 */
#include "client/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum
{
    IN_FIRST = 64 * 1024,
    IN_MAX = FRAME_HEADER + FRAME_PAYLOAD_MAX,
    READS = 16, /* in one call of process */
    ROOM_MIN = 16 * 1024,
    RESULT_FIXED = 8,
};

/* NULL: all is well; else what is wrong, a static text. */
typedef const char *frame_handler(struct assay_client *client, const struct frame *frame);

void client_answer(struct assay_client *client, struct client_request *request,
                   struct assay_client_answer *answer)
{
    answer->size = sizeof *answer;
    answer->id = request->id;
    answer->user = request->user;
    client_requests_remove(&client->requests, request);
    client->answers++;
    client->in_callback = true;
    client->options.done(client->options.context, answer);
    client->in_callback = false;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void copy_name(char name[CLIENT_NAME_MAX], const struct frame_tlv *tlv)
{
    size_t n = smaller(tlv->length, CLIENT_NAME_MAX - 1);
    for (size_t i = 0; i < n; i++)
        name[i] = (char)(tlv->value[i] >= ' ' && tlv->value[i] < 0x7f ? tlv->value[i] : '?');
    name[n] = '\0';
}

static const char *read_hello_tlv(struct assay_client *client, const struct frame_tlv *tlv)
{
    if (tlv->tag == TAG_PROGRAM)
        copy_name(client->server, tlv);
    if (tlv->tag == TAG_FEATURES && tlv->length >= 4)
        client->features = frame_get32(tlv->value);
    if (tlv->tag != TAG_LIMITS)
        return NULL;
    if (tlv->length < 16)
        return "HELLO with short limits";
    client->message_limit = frame_get64(tlv->value);
    client->credit += frame_get32(tlv->value + 8);
    client->frame_limit = smaller(frame_get32(tlv->value + 12), FRAME_PAYLOAD_MAX);
    return client->frame_limit ? NULL : "HELLO that allows no frame";
}

static const char *handle_hello(struct assay_client *client, const struct frame *frame)
{
    uint32_t offset = 4;
    struct frame_tlv tlv;
    enum frame_next next;
    if (client->state != ASSAY_CLIENT_CONNECTING || client->ring_asked)
        return "a second HELLO";
    if (frame->length < 4)
        return "a short HELLO";
    if (frame->payload[0] != FRAME_MAJOR)
        return "the server speaks another version of the protocol";
    client->server[0] = '\0';
    while ((next = frame_next_tlv(frame, &offset, &tlv)) == FRAME_TLV) {
        const char *wrong = read_hello_tlv(client, &tlv);
        if (wrong)
            return wrong;
    }
    if (next == FRAME_BAD_TLV)
        return "HELLO with a TLV that overruns it";
    client->backoff_ms = client->options.backoff_min_ms;
    client->trouble[0] = '\0';
    bool ring = client->options.ring_bytes && (client->features & FEATURE_RING);
    if (!ring || !client_ask_ring(client))
        client_set_state(client, ASSAY_CLIENT_READY);
    return NULL;
}

/* The last frame of the stream, or the word that it stays one. */
static const char *handle_ring(struct assay_client *client, const struct frame *frame)
{
    if (!client->ring_asked)
        return "RING that nobody asked for";
    client->ring_asked = false;
    client->ring_on = !(frame->flags & FRAME_FLAG_REFUSED);
    if (client->ring_on)
        client->in_begin = client->in_end; /* what is behind it are doorbells */
    else
        client_ring_drop(&client->ring);
    if (client->state == ASSAY_CLIENT_CONNECTING)
        client_set_state(client, ASSAY_CLIENT_READY);
    return NULL;
}

/* Bytes that are no result of this protocol are no verdict. */
static enum assay_client_result result_of(uint8_t byte)
{
    bool known =
        (byte >= ASSAY_CLIENT_NONE && byte <= ASSAY_CLIENT_PERMERROR) || byte == ASSAY_CLIENT_PASS;
    return known ? (enum assay_client_result)byte : ASSAY_CLIENT_UNSET;
}

static enum assay_client_disposition disposition_of(uint8_t byte)
{
    return byte <= ASSAY_CLIENT_DISPOSE_REJECT ? (enum assay_client_disposition)byte
                                               : ASSAY_CLIENT_DISPOSE_UNSET;
}

static const char *handle_result(struct assay_client *client, const struct frame *frame)
{
    struct client_request *request = client_requests_find(&client->requests, frame->id);
    const uint8_t *p = frame->payload;
    uint32_t offset = RESULT_FIXED;
    struct frame_tlv tlv;
    enum frame_next next;
    if (!request)
        return "RESULT for a request that is not open";
    if (frame->length < RESULT_FIXED)
        return "a short RESULT";
    struct assay_client_answer answer = {
        .outcome = request->query ? ASSAY_CLIENT_REPLY : ASSAY_CLIENT_VERDICT,
        .spf = result_of(p[0]),
        .dkim = result_of(p[1]),
        .arc = result_of(p[2]),
        .dmarc = result_of(p[3]),
        .disposition = disposition_of(p[4]),
    };
    while ((next = frame_next_tlv(frame, &offset, &tlv)) == FRAME_TLV) {
        const char *text = (const char *)tlv.value;
        if (tlv.tag == TAG_JSON)
            answer.json = text, answer.json_bytes = tlv.length;
        if (tlv.tag == TAG_RESULTS)
            answer.results = text, answer.results_bytes = tlv.length;
    }
    if (next == FRAME_BAD_TLV)
        return "RESULT with a TLV that overruns it";
    client->credit++;
    client_answer(client, request, &answer);
    return NULL;
}

static const char *handle_partial(struct assay_client *client, const struct frame *frame)
{
    const struct client_request *request = client_requests_find(&client->requests, frame->id);
    if (!request)
        return "PARTIAL for a request that is not open";
    if (frame->length < RESULT_FIXED)
        return "a short PARTIAL";
    if (!client->options.partial)
        return NULL;
    struct assay_client_partial partial = {
        .size = sizeof partial,
        .id = frame->id,
        .user = request->user,
        .spf = result_of(frame->payload[0]),
    };
    client->in_callback = true;
    client->options.partial(client->options.context, &partial);
    client->in_callback = false;
    return NULL;
}

/* Id 0: why the connection will end. What it says outlives the connection. */
static const char *handle_farewell(struct assay_client *client, const struct frame *frame,
                                   unsigned code)
{
    char text[CLIENT_NAME_MAX];
    struct frame_tlv rest = {0, frame->length - 2, frame->payload + 2};
    copy_name(text, &rest);
    snprintf(client->trouble, sizeof client->trouble, "the server says %s%s%s",
             client_error_word(code), *text ? ": " : "", text);
    client->credit = 0;
    client_set_state(client, ASSAY_CLIENT_DRAINING);
    return NULL;
}

static const char *handle_error(struct assay_client *client, const struct frame *frame)
{
    if (frame->length < 2)
        return "a short ERROR";
    unsigned code = (unsigned)frame->payload[0] << 8 | frame->payload[1];
    if (frame->id == 0)
        return handle_farewell(client, frame, code);
    struct client_request *request = client_requests_find(&client->requests, frame->id);
    if (!request)
        return "ERROR for a request that is not open";
    if (code == 0)
        return "ERROR without a code";
    client->credit++;
    client_answer(client, request,
                  &(struct assay_client_answer){
                      .outcome = ASSAY_CLIENT_REFUSED,
                      .error = code,
                      .word = client_error_word(code),
                      .text = frame->length > 2 ? (const char *)frame->payload + 2 : NULL,
                      .text_bytes = frame->length - 2,
                  });
    return NULL;
}

static const char *handle_credit(struct assay_client *client, const struct frame *frame)
{
    if (frame->length < 4)
        return "a short CREDIT";
    client->credit += frame_get32(frame->payload);
    return NULL;
}

static const char *handle_pong(struct assay_client *client, const struct frame *frame)
{
    (void)frame;
    client->pinged = false;
    return NULL;
}

static const char *handle_goaway(struct assay_client *client, const struct frame *frame)
{
    (void)frame; /* whom it will not answer it refuses one by one */
    client_set_state(client, ASSAY_CLIENT_DRAINING);
    return NULL;
}

static frame_handler *handler_of(const struct assay_client *client, uint8_t type)
{
    static frame_handler *const handlers[] = {
        [FRAME_HELLO] = handle_hello,     [FRAME_RESULT] = handle_result,
        [FRAME_PARTIAL] = handle_partial, [FRAME_ERROR] = handle_error,
        [FRAME_CREDIT] = handle_credit,   [FRAME_PONG] = handle_pong,
        [FRAME_GOAWAY] = handle_goaway,   [FRAME_RING] = handle_ring,
    };
    if (client->state == ASSAY_CLIENT_CONNECTING && !client->ring_asked && type != FRAME_HELLO &&
        type != FRAME_ERROR)
        return NULL;
    return type < sizeof handlers / sizeof *handlers ? handlers[type] : NULL;
}

/* All whole frames that are there. Returns what is wrong with the first bad one, or NULL. */
static const char *handle_frames(struct assay_client *client)
{
    while (client->in_end - client->in_begin >= FRAME_HEADER) {
        struct frame frame = frame_read(client->in + client->in_begin);
        if (frame.length > FRAME_PAYLOAD_MAX)
            return "a frame over the limit";
        frame_handler *handle = handler_of(client, frame.type);
        if (!handle)
            return "a frame that does not belong there";
        if (client->in_end - client->in_begin < FRAME_HEADER + frame.length)
            return NULL;
        client->in_begin += FRAME_HEADER + frame.length;
        const char *wrong = handle(client, &frame);
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* Moves what is left to the front and sees to room for the frame that has begun. */
static bool make_room(struct assay_client *client)
{
    size_t left = client->in_end - client->in_begin;
    if (left && client->in_begin)
        memmove(client->in, client->in + client->in_begin, left);
    client->in_begin = 0;
    client->in_end = left;
    if (client->in_capacity >= left + ROOM_MIN || client->in_capacity == IN_MAX)
        return true;
    size_t capacity = client->in_capacity ? client->in_capacity * 4 : IN_FIRST;
    capacity = capacity < IN_MAX ? capacity : IN_MAX;
    uint8_t *in = realloc(client->in, capacity);
    if (!in)
        return false;
    client->in = in;
    client->in_capacity = capacity;
    return true;
}

enum received
{
    RECEIVED_SOME,
    RECEIVED_NOTHING, /* there is no more now */
    RECEIVED_END,     /* the connection is over; errno is 0 where the server closed it */
    RECEIVED_BROKEN,  /* an index in the ring */
};

/* Takes doorbells; END where the socket is over, SOME else. */
static enum received take_bells(const struct assay_client *client)
{
    uint8_t bells[256];
    ssize_t n;
    do
        n = recv(client->fd, bells, sizeof bells, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? RECEIVED_SOME : RECEIVED_END;
    errno = 0;
    return n == 0 ? RECEIVED_END : RECEIVED_SOME;
}

static enum received receive_ring(struct assay_client *client)
{
    size_t n;
    if (!client_ring_read(&client->ring, client->in + client->in_end,
                          client->in_capacity - client->in_end, &n))
        return RECEIVED_BROKEN;
    if (n == 0)
        return RECEIVED_NOTHING;
    client->in_end += n;
    client->heard_ms = client_now_ms();
    client->pinged = false;
    return RECEIVED_SOME;
}

static enum received receive_stream(struct assay_client *client)
{
    ssize_t n;
    do
        n = recv(client->fd, client->in + client->in_end, client->in_capacity - client->in_end,
                 MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? RECEIVED_NOTHING : RECEIVED_END;
    errno = 0;
    if (n == 0)
        return RECEIVED_END;
    client->in_end += (size_t)n;
    client->heard_ms = client_now_ms();
    client->pinged = false;
    return RECEIVED_SOME;
}

static void lose_at_end(struct assay_client *client)
{
    bool cut = client->in_end != client->in_begin;
    if (errno)
        client_lose(client, "connection", strerror(errno));
    else
        client_lose(client, cut ? "protocol" : "connection",
                    cut ? "the server closed the connection within a frame"
                        : "the server closed the connection");
}

/* Nothing is open and nothing will be: no need to wait for the server to close. */
static bool drained(const struct assay_client *client)
{
    return client->state == ASSAY_CLIENT_DRAINING && client->requests.count == 0;
}

static uint32_t ring_wants(const struct assay_client *client)
{
    return CLIENT_WANTS_BYTES | (client->out.bytes ? (uint32_t)CLIENT_WANTS_ROOM : 0);
}

/* What is in the ring comes before the end that the socket tells of. NOTHING: we sleep. */
static enum received receive_once(struct assay_client *client, bool ended)
{
    if (!client->ring_on)
        return receive_stream(client);
    enum received received = receive_ring(client);
    if (received != RECEIVED_NOTHING)
        return received;
    errno = 0;
    if (ended)
        return RECEIVED_END;
    if (client_ring_sleep(&client->ring, ring_wants(client)))
        return RECEIVED_NOTHING;
    return receive_ring(client); /* nothing still: there is room, and process writes next */
}

void client_receive(struct assay_client *client)
{
    bool ended = false;
    client->ring_more = false;
    if (client->ring_on) {
        client_ring_sleep(&client->ring, 0);
        ended = take_bells(client) == RECEIVED_END;
    }
    for (unsigned reads = 0;; reads++) {
        if (reads == READS) {
            client->ring_more = client->ring_on;
            break;
        }
        if (!make_room(client)) {
            client_lose(client, "connection", "no memory");
            return;
        }
        enum received received = receive_once(client, ended);
        if (received == RECEIVED_END) {
            lose_at_end(client);
            return;
        }
        if (received == RECEIVED_BROKEN) {
            client_lose(client, "protocol", "a broken index in the ring");
            return;
        }
        if (received == RECEIVED_NOTHING && client->broken) {
            client_lose(client, "connection", "the connection cannot be written to");
            return;
        }
        if (received == RECEIVED_NOTHING)
            break;
        const char *wrong = handle_frames(client);
        if (wrong) {
            client->trouble[0] = '\0';
            client_lose(client, "protocol", wrong);
            return;
        }
    }
    if (drained(client))
        client_lose(client, "connection", "the server stops");
}
