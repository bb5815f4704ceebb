/*
 * The connection: connecting, greeting, sending, losing it, and the timers around it.
 *
 * A write that fails does not end the connection at once: answers that the server sent before it
 * went may still be unread. They are delivered first; what is open then is lost.
 */
#include "client/client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t client_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void client_set_state(struct assay_client *client, enum assay_client_state state)
{
    client->changes += client->state != state;
    client->state = state;
}

/* xorshift64: spreads the moments at which many clients come back, nothing more. */
static uint64_t draw(struct assay_client *client)
{
    client->random ^= client->random << 13;
    client->random ^= client->random >> 7;
    client->random ^= client->random << 17;
    return client->random;
}

/* Half of the pause is fixed, half random; it doubles from attempt to attempt. */
static void plan_connect(struct assay_client *client)
{
    unsigned pause = client->backoff_ms / 2;
    pause += (unsigned)(draw(client) % (client->backoff_ms - pause + 1));
    client->connect_ms = client_now_ms() + pause;
    bool more = client->backoff_ms <= client->options.backoff_max_ms / 2;
    client->backoff_ms = more ? client->backoff_ms * 2 : client->options.backoff_max_ms;
}

static void go_away(struct assay_client *client)
{
    bool final = client->options.no_reconnect;
    client_set_state(client, final ? ASSAY_CLIENT_GONE : ASSAY_CLIENT_AWAY);
    if (!final)
        plan_connect(client);
}

static bool greet(struct assay_client *client)
{
    size_t name = strlen(client->options.name);
    size_t payload = 4 + FRAME_TLV_HEADER + name + FRAME_TLV_HEADER + 4;
    uint8_t features[4];
    uint8_t *p = client_queue_reserve(&client->out, FRAME_HEADER + payload);
    if (!p)
        return false;
    p = frame_put_header(p, (uint32_t)payload, FRAME_HELLO, 0, 0);
    *p++ = FRAME_MAJOR;
    *p++ = FRAME_MINOR;
    *p++ = 0;
    *p++ = 0;
    p = frame_put_tlv(p, TAG_PROGRAM, client->options.name, name);
    frame_put32(features, FEATURE_EARLY_SPF | FEATURE_DESCRIPTORS);
    frame_put_tlv(p, TAG_FEATURES, features, sizeof features);
    client_queue_commit(&client->out, FRAME_HEADER + payload);
    return true;
}

static bool connect_socket(struct assay_client *client)
{
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->fd < 0)
        return false;
    int status;
    do
        status =
            connect(client->fd, (const struct sockaddr *)&client->address, sizeof client->address);
    while (status != 0 && errno == EINTR);
    return status == 0;
}

bool client_connect(struct assay_client *client)
{
    errno = 0;
    if (!connect_socket(client) || !greet(client)) {
        snprintf(client->trouble, sizeof client->trouble, "%s: %s", client->address.sun_path,
                 strerror(errno ? errno : ENOMEM));
        if (client->fd >= 0)
            close(client->fd);
        client->fd = -1;
        go_away(client);
        return false;
    }
    client->trouble[0] = '\0';
    client->broken = client->pinged = false;
    client->heard_ms = client_now_ms();
    client->in_begin = client->in_end = 0;
    client->credit = client->features = 0;
    client->frame_limit = FRAME_PAYLOAD_MAX;
    client_set_state(client, ASSAY_CLIENT_CONNECTING);
    client_write(client);
    return true;
}

bool client_bell(struct assay_client *client)
{
    static const uint8_t bell = 0;
    if (!client_ring_must_wake(&client->ring))
        return true;
    return send(client->fd, &bell, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN;
}

/* Queue and tail into the ring; what is full is asked for room before we give up. */
static bool fill_ring(struct assay_client *client, const uint8_t *tail, size_t n, size_t *taken)
{
    for (;;) {
        size_t most, given;
        const uint8_t *bytes = client_queue_front(&client->out, &most);
        bool queued = bytes != NULL;
        if (!queued)
            bytes = tail + *taken, most = n - *taken;
        if (!queued && most == 0)
            return true;
        if (!client_ring_write(&client->ring, bytes, most, &given))
            return false;
        if (queued)
            client_queue_drop(&client->out, given);
        else
            *taken += given;
        if (given == most)
            continue;
        if (client_ring_sleep(&client->ring, CLIENT_WANTS_BYTES | CLIENT_WANTS_ROOM))
            return true;
        if (given == 0)
            return true; /* awake because of bytes that have come */
    }
}

static enum client_sent send_by_ring(struct assay_client *client, const uint8_t *tail, size_t n,
                                     size_t *taken)
{
    if (!fill_ring(client, tail, n, taken) || !client_bell(client))
        return CLIENT_SENT_NONE;
    return client->out.bytes == 0 && *taken == n ? CLIENT_SENT_ALL : CLIENT_SENT_PART;
}

enum client_sent client_send(struct assay_client *client, const uint8_t *tail, size_t n,
                             size_t *taken)
{
    *taken = 0;
    return client->ring_on ? send_by_ring(client, tail, n, taken)
                           : client_queue_send(&client->out, client->fd, tail, n, taken);
}

bool client_ask_ring(struct assay_client *client)
{
    int fd = client_ring_make(&client->ring, client->options.ring_bytes);
    uint8_t *p = fd >= 0 ? client_queue_reserve_fd(&client->out, FRAME_HEADER, fd) : NULL;
    if (!p) {
        if (fd >= 0)
            close(fd);
        client_ring_drop(&client->ring);
        return false;
    }
    frame_put_header(p, 0, FRAME_RING, 0, 0);
    client_queue_commit(&client->out, FRAME_HEADER);
    client->ring_asked = true;
    client_write(client);
    return true;
}

void client_write(struct assay_client *client)
{
    if (client->fd < 0 || client->broken)
        return;
    size_t taken;
    if (client_send(client, NULL, 0, &taken) == CLIENT_SENT_NONE)
        client->broken = true;
}

void client_queued(struct assay_client *client)
{
    if (client->out.bytes >= CLIENT_FLUSH_BYTES)
        client_write(client);
}

static void report_losses(struct assay_client *client, const char *word)
{
    for (uint32_t slot = 0; client->requests.count && slot < client->requests.capacity; slot++) {
        struct client_request *request = &client->requests.slots[slot];
        if (request->id == 0)
            continue;
        client_answer(client, request,
                      &(struct assay_client_answer){
                          .outcome = ASSAY_CLIENT_LOST,
                          .word = word,
                          .text = client->trouble,
                          .text_bytes = strlen(client->trouble),
                      });
    }
}

void client_lose(struct assay_client *client, const char *word, const char *text)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client_queue_clear(&client->out);
    client_ring_drop(&client->ring);
    client->ring_asked = client->ring_on = client->ring_more = false;
    client->credit = 0;
    if (!*client->trouble)
        snprintf(client->trouble, sizeof client->trouble, "%s", text);
    go_away(client);
    report_losses(client, word);
}

static void ping(struct assay_client *client, int64_t now)
{
    uint8_t *p = client_queue_reserve(&client->out, FRAME_HEADER);
    if (!p)
        return; /* next time */
    frame_put_header(p, 0, FRAME_PING, 0, 0);
    client_queue_commit(&client->out, FRAME_HEADER);
    client->pinged = true;
    client->pinged_ms = now;
    client_write(client);
}

void client_timers(struct assay_client *client)
{
    int64_t now = client_now_ms();
    if (client->state == ASSAY_CLIENT_AWAY && now >= client->connect_ms) {
        client_connect(client);
        return;
    }
    if (client->fd < 0)
        return;
    if (client->ring_asked && now >= client->heard_ms + client->options.alive_ms)
        client_lose(client, "connection", "the server does not answer");
    else if (client->pinged && now >= client->pinged_ms + client->options.alive_ms)
        client_lose(client, "connection", "the server does not answer");
    else if (!client->pinged && now >= client->heard_ms + client->options.alive_ms)
        ping(client, now);
}

int client_next_timer_ms(const struct assay_client *client)
{
    int64_t from = client->pinged ? client->pinged_ms : client->heard_ms;
    int64_t at = from + client->options.alive_ms;
    if (client->state == ASSAY_CLIENT_GONE)
        return -1;
    if (client->state == ASSAY_CLIENT_AWAY)
        at = client->connect_ms;
    if ((client->broken || client->ring_more) && client->fd >= 0)
        return 0;
    int64_t left = at - client_now_ms();
    return left < 0 ? 0 : left > 3600 * 1000 ? 3600 * 1000 : (int)left;
}
