/*
 * Messages: the envelope as TLVs, the bytes as DATA frames, or a descriptor.
 *
 * A request's frame is written into reserved room first and committed when nothing can fail any
 * more, so a call that does not say OK has left no trace. Large pieces go from the caller's memory
 * to the socket; only what it does not take is copied.
 */
#include "client/client.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum
{
    DIRECT_MIN = 32 * 1024, /* pieces from here on are not gathered */

};

/* --- the envelope --- */

struct text_tlv
{
    enum frame_tag tag;
    const char *text;
};

enum
{
    TEXTS = 6,
};

static void envelope_texts(const struct assay_client_envelope *e, struct text_tlv texts[TEXTS])
{
    texts[0] = (struct text_tlv){TAG_CLIENT_IP, e->client_ip};
    texts[1] = (struct text_tlv){TAG_HELO, e->helo};
    texts[2] = (struct text_tlv){TAG_MAIL_FROM, e->mail_from};
    texts[3] = (struct text_tlv){TAG_TLS_VERSION, e->tls_version};
    texts[4] = (struct text_tlv){TAG_TLS_CIPHER, e->tls_cipher};
    texts[5] = (struct text_tlv){TAG_AUTHSERV_ID, e->authserv_id};
}

static size_t text_bytes(const char *text)
{
    return text ? FRAME_TLV_HEADER + strlen(text) : 0;
}

/* What write_envelope writes; SIZE_MAX where that is far beyond a frame. */
static size_t envelope_bytes(const struct assay_client_envelope *e)
{
    struct text_tlv texts[TEXTS];
    size_t total = (e->deadline_ms ? 8 : 0) + (e->received_at ? 12 : 0) + (e->wishes ? 8 : 0);
    envelope_texts(e, texts);
    for (unsigned i = 0; i < TEXTS; i++) {
        size_t n = text_bytes(texts[i].text);
        if (n > FRAME_REQUEST_MAX)
            return SIZE_MAX;
        total += n;
    }
    for (size_t i = 0; i < e->rcpt_count; i++) {
        size_t n = text_bytes(e->rcpt_to[i]);
        total += n;
        if (n > FRAME_REQUEST_MAX || total > FRAME_REQUEST_MAX)
            return SIZE_MAX;
    }
    return total;
}

static uint8_t *write_text(uint8_t *p, enum frame_tag tag, const char *text)
{
    return text ? frame_put_tlv(p, tag, text, strlen(text)) : p;
}

static uint8_t *write_envelope(uint8_t *p, const struct assay_client_envelope *e)
{
    struct text_tlv texts[TEXTS];
    uint8_t number[8];
    envelope_texts(e, texts);
    for (unsigned i = 0; i < TEXTS; i++)
        p = write_text(p, texts[i].tag, texts[i].text);
    for (size_t i = 0; i < e->rcpt_count; i++)
        p = write_text(p, TAG_RCPT_TO, e->rcpt_to[i]);
    if (e->deadline_ms) {
        frame_put32(number, e->deadline_ms);
        p = frame_put_tlv(p, TAG_DEADLINE, number, 4);
    }
    if (e->received_at) {
        frame_put64(number, (uint64_t)e->received_at);
        p = frame_put_tlv(p, TAG_RECEIVED_AT, number, 8);
    }
    if (e->wishes) {
        frame_put32(number, e->wishes);
        p = frame_put_tlv(p, TAG_WISHES, number, 4);
    }
    return p;
}

/* A caller built against an older header has a shorter struct. */
static bool read_envelope(const struct assay_client_envelope *given,
                          struct assay_client_envelope *envelope)
{
    *envelope = (struct assay_client_envelope){0};
    if (!given)
        return true;
    if (given->size == 0 || given->size > sizeof *envelope)
        return false;
    memcpy(envelope, given, given->size);
    return envelope->rcpt_count == 0 || envelope->rcpt_to != NULL;
}

/* --- opening --- */

uint32_t assay_client_room(const struct assay_client *client)
{
    uint32_t most = client->options.max_open && client->options.max_open < REQUESTS_MAX
                        ? client->options.max_open
                        : REQUESTS_MAX;
    uint32_t open = client->requests.count;
    if (client->state != ASSAY_CLIENT_READY || client->broken || open >= most ||
        client->out.bytes >= client->options.queue_bytes)
        return 0;
    return client->credit < most - open ? (uint32_t)client->credit : most - open;
}

enum assay_client_status client_may_open(const struct assay_client *client)
{
    return assay_client_room(client) ? ASSAY_CLIENT_OK : ASSAY_CLIENT_WOULD_BLOCK;
}

struct client_request *client_open_request(struct assay_client *client, void *user, uint64_t *id)
{
    struct client_request *request = client_requests_add(&client->requests, user);
    if (!request)
        return NULL;
    client->credit--;
    if (id)
        *id = request->id;
    return request;
}

/*
 * The REQUEST frame, with `behind` more bytes of room behind it that the caller fills and commits.
 * *behind_it points there. The request is open when this says OK.
 */
static enum assay_client_status open_message(struct assay_client *client,
                                             const struct assay_client_envelope *given,
                                             size_t behind, void *user,
                                             struct client_request **request, uint8_t **behind_it)
{
    struct assay_client_envelope envelope;
    if (!read_envelope(given, &envelope))
        return ASSAY_CLIENT_BAD_CALL;
    size_t length = envelope_bytes(&envelope);
    if (length > FRAME_REQUEST_MAX ||
        (client->state == ASSAY_CLIENT_READY && length > client->frame_limit))
        return ASSAY_CLIENT_TOO_LARGE;
    if (client_may_open(client))
        return ASSAY_CLIENT_WOULD_BLOCK;
    uint8_t *frame = client_queue_reserve(&client->out, FRAME_HEADER + length + behind);
    *request = frame ? client_open_request(client, user, NULL) : NULL;
    if (!*request)
        return ASSAY_CLIENT_NO_MEMORY;
    uint8_t *end = write_envelope(frame + FRAME_HEADER, &envelope);
    frame_put_header(frame, (uint32_t)(end - frame - FRAME_HEADER), FRAME_REQUEST, 0,
                     (*request)->id);
    client_queue_commit(&client->out, (size_t)(end - frame));
    *behind_it = end;
    (*request)->sending = true;
    return ASSAY_CLIENT_OK;
}

static void give_id(uint64_t *id, const struct client_request *request)
{
    if (id)
        *id = request->id;
}

/* --- bytes --- */

static void put_data(struct client_queue *out, uint8_t *p, const void *bytes, size_t n,
                     uint8_t flags, uint64_t id)
{
    p = frame_put_header(p, (uint32_t)n, FRAME_DATA, flags, id);
    if (n)
        memcpy(p, bytes, n);
    client_queue_commit(out, FRAME_HEADER + n);
}

/* One DATA frame behind the queue, past it where the socket takes it. False: no memory for the rest
 * of a frame that has begun; the connection is broken then. */
static bool send_frame(struct assay_client *client, const uint8_t *bytes, size_t n, uint8_t flags,
                       uint64_t id)
{
    bool direct = n >= DIRECT_MIN;
    size_t taken = 0;
    uint8_t *p = client_queue_reserve(&client->out, FRAME_HEADER + (direct ? 0 : n));
    if (!p)
        return false;
    if (!direct) {
        put_data(&client->out, p, bytes, n, flags, id);
        return true;
    }
    frame_put_header(p, (uint32_t)n, FRAME_DATA, flags, id);
    client_queue_commit(&client->out, FRAME_HEADER);
    enum client_sent sent = client_send(client, bytes, n, &taken);
    client->broken |= sent == CLIENT_SENT_NONE;
    if (sent != CLIENT_SENT_PART)
        return true;
    p = client_queue_reserve(&client->out, n - taken);
    client->broken |= p == NULL;
    if (!p)
        return true; /* told as a loss, by process */
    memcpy(p, bytes + taken, n - taken);
    client_queue_commit(&client->out, n - taken);
    return true;
}

/* `last`: with END on the last frame, and one frame even for no bytes. */
static void send_message(struct assay_client *client, const uint8_t *bytes, size_t n, bool last,
                         uint64_t id)
{
    do {
        size_t piece = n < client->frame_limit ? n : client->frame_limit;
        uint8_t flags = last && piece == n ? FRAME_FLAG_END : 0;
        if (client->broken)
            return;
        if (!send_frame(client, bytes, piece, flags, id)) {
            client->broken = true; /* half a message: only losing it ends it truly */
            return;
        }
        bytes += piece;
        n -= piece;
    } while (n);
}

static bool over_limit(const struct assay_client *client, uint64_t bytes)
{
    return client->message_limit && bytes > client->message_limit;
}

enum assay_client_status assay_client_submit(struct assay_client *client,
                                             const struct assay_client_envelope *envelope,
                                             const void *message, size_t bytes, void *user,
                                             uint64_t *id)
{
    struct client_request *request = NULL;
    uint8_t *behind = NULL;
    bool small = bytes < DIRECT_MIN && bytes <= client->frame_limit;
    if (bytes && !message)
        return ASSAY_CLIENT_BAD_CALL;
    if (over_limit(client, bytes))
        return ASSAY_CLIENT_TOO_LARGE;
    enum assay_client_status status =
        open_message(client, envelope, small ? FRAME_HEADER + bytes : 0, user, &request, &behind);
    if (status)
        return status;
    request->sending = false;
    give_id(id, request);
    if (small)
        put_data(&client->out, behind, message, bytes, FRAME_FLAG_END, request->id);
    else
        send_message(client, message, bytes, true, request->id);
    client_queued(client);
    return ASSAY_CLIENT_OK;
}

enum assay_client_status assay_client_begin(struct assay_client *client,
                                            const struct assay_client_envelope *envelope,
                                            void *user, uint64_t *id)
{
    struct client_request *request = NULL;
    uint8_t *behind = NULL;
    enum assay_client_status status = open_message(client, envelope, 0, user, &request, &behind);
    if (status)
        return status;
    give_id(id, request);
    client_queued(client);
    return ASSAY_CLIENT_OK;
}

/* The open request that may be fed now. */
static enum assay_client_status find_fed(struct assay_client *client, uint64_t id,
                                         struct client_request **request)
{
    *request = client_requests_find(&client->requests, id);
    if (!*request || !(*request)->sending || (*request)->cancelled || client->broken)
        return ASSAY_CLIENT_ENDED;
    return client->out.bytes >= client->options.queue_bytes ? ASSAY_CLIENT_WOULD_BLOCK
                                                            : ASSAY_CLIENT_OK;
}

enum assay_client_status assay_client_data(struct assay_client *client, uint64_t id,
                                           const void *bytes, size_t n)
{
    struct client_request *request;
    enum assay_client_status status = find_fed(client, id, &request);
    if (status)
        return status;
    if (n && !bytes)
        return ASSAY_CLIENT_BAD_CALL;
    if (over_limit(client, request->fed + n))
        return ASSAY_CLIENT_TOO_LARGE;
    if (n == 0)
        return ASSAY_CLIENT_OK;
    request->fed += n;
    send_message(client, bytes, n, false, id);
    client_queued(client);
    return ASSAY_CLIENT_OK;
}

enum assay_client_status assay_client_end(struct assay_client *client, uint64_t id)
{
    struct client_request *request;
    enum assay_client_status status = find_fed(client, id, &request);
    if (status)
        return status;
    uint8_t *p = client_queue_reserve(&client->out, FRAME_HEADER);
    if (!p)
        return ASSAY_CLIENT_NO_MEMORY;
    put_data(&client->out, p, NULL, 0, FRAME_FLAG_END, id);
    request->sending = false;
    client_queued(client);
    return ASSAY_CLIENT_OK;
}

/* --- descriptor --- */

/* The FD frame in a chunk of its own, not committed. NULL without memory or descriptors. */
static uint8_t *reserve_fd_frame(struct assay_client *client, int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        return NULL;
    uint8_t *p = client_queue_reserve_fd(&client->out, FRAME_HEADER + 16, own);
    if (!p)
        close(own);
    return p;
}

static bool may_pass(const struct assay_client *client, int fd)
{
    struct stat facts;
    if (client->ring_on)
        return false; /* descriptors do not travel through memory */
    if (client->state == ASSAY_CLIENT_READY && !(client->features & FEATURE_DESCRIPTORS))
        return false;
    return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

enum assay_client_status assay_client_submit_fd(struct assay_client *client,
                                                const struct assay_client_envelope *envelope,
                                                int fd, uint64_t offset, uint64_t length,
                                                void *user, uint64_t *id)
{
    struct client_request *request = NULL;
    uint8_t *behind = NULL;
    if (!may_pass(client, fd))
        return ASSAY_CLIENT_BAD_CALL;
    if (over_limit(client, length))
        return ASSAY_CLIENT_TOO_LARGE;
    enum assay_client_status status = open_message(client, envelope, 0, user, &request, &behind);
    if (status)
        return status;
    request->sending = false;
    give_id(id, request);
    uint8_t *p = reserve_fd_frame(client, fd);
    if (!p)
        return assay_client_cancel(client, request->id); /* answered as cancelled */
    p = frame_put_header(p, 16, FRAME_FD, 0, request->id);
    frame_put64(frame_put64(p, offset), length);
    client_queue_commit(&client->out, FRAME_HEADER + 16);
    client_queued(client);
    return ASSAY_CLIENT_OK;
}

enum assay_client_status assay_client_cancel(struct assay_client *client, uint64_t id)
{
    struct client_request *request = client_requests_find(&client->requests, id);
    if (!request)
        return ASSAY_CLIENT_ENDED;
    if (request->cancelled || client->fd < 0 || client->broken)
        return ASSAY_CLIENT_OK; /* or it is as good as answered */
    uint8_t *p = client_queue_reserve(&client->out, FRAME_HEADER);
    if (!p)
        return ASSAY_CLIENT_NO_MEMORY;
    frame_put_header(p, 0, FRAME_CANCEL, 0, id);
    client_queue_commit(&client->out, FRAME_HEADER);
    request->cancelled = true;
    client_queued(client);
    return ASSAY_CLIENT_OK;
}
