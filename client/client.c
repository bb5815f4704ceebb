/*
 * libassay-client: opening, closing, and the loop. assay_client.h describes every call.
 *
 * BUGS: No TCP. Requests are lost with the connection; asking again is the
 * caller's decision.
 */
#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum
{
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 5000,
    ALIVE_MS = 20000,
    QUEUE_BYTES = 1024 * 1024,
};

static void say(char *error, const char *text)
{
    if (error)
        snprintf(error, ASSAY_CLIENT_ERROR_MAX, "%s", text);
}

/* A caller built against an older header has a shorter struct: what it lacks is zero. */
static bool copy_options(struct assay_client *client, const struct assay_client_options *options)
{
    size_t size = options->size;
    if (size == 0 || size > sizeof client->options)
        return false;
    memcpy(&client->options, options, size);
    struct assay_client_options *own = &client->options;
    snprintf(client->name, sizeof client->name, "%s", own->name ? own->name : "libassay-client");
    own->name = client->name;
    own->backoff_min_ms = own->backoff_min_ms ? own->backoff_min_ms : BACKOFF_MIN_MS;
    own->backoff_max_ms = own->backoff_max_ms ? own->backoff_max_ms : BACKOFF_MAX_MS;
    own->alive_ms = own->alive_ms ? own->alive_ms : ALIVE_MS;
    own->queue_bytes = own->queue_bytes ? own->queue_bytes : QUEUE_BYTES;
    if (own->backoff_max_ms < own->backoff_min_ms)
        own->backoff_max_ms = own->backoff_min_ms;
    client->backoff_ms = own->backoff_min_ms;
    return own->done != NULL;
}

static bool copy_path(struct assay_client *client, const char *path)
{
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof client->address.sun_path)
        return false;
    client->address.sun_family = AF_UNIX;
    memcpy(client->address.sun_path, path, n + 1);
    return true;
}

static const char *set_up(struct assay_client *client, const char *path,
                          const struct assay_client_options *options)
{
    client->fd = -1;
    client->random = (uint64_t)client_now_ms() * 0x9e3779b97f4a7c15 ^ (uint64_t)getpid() ^
                     (uint64_t)(uintptr_t)client;
    client->random |= 1;
    client->state = ASSAY_CLIENT_AWAY;
    if (!path || !copy_path(client, path))
        return "the socket's path is empty or too long";
    if (!options || !copy_options(client, options))
        return "options: `size` or `done` is wrong";
    if (!client_connect(client) && client->options.no_reconnect)
        return client->trouble;
    return NULL;
}

static void free_all(struct assay_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client_queue_clear(&client->out);
    client_ring_drop(&client->ring);
    client_requests_fini(&client->requests);
    free(client->in);
    free(client);
}

struct assay_client *assay_client_open(const char *path, const struct assay_client_options *options,
                                       char error[ASSAY_CLIENT_ERROR_MAX])
{
    say(error, "");
    struct assay_client *client = calloc(1, sizeof *client);
    const char *trouble = client ? set_up(client, path, options) : "no memory";
    if (!trouble)
        return client;
    say(error, trouble);
    if (client)
        free_all(client);
    return NULL;
}

void assay_client_close(struct assay_client **client)
{
    struct assay_client *c = client ? *client : NULL;
    if (!c || c->in_callback)
        return;
    *client = NULL;
    c->options.no_reconnect = 1;
    c->trouble[0] = '\0';
    client_lose(c, "closed", "the client was closed");
    free_all(c);
}

int assay_client_fd(const struct assay_client *client)
{
    return client->fd;
}

short assay_client_events(const struct assay_client *client)
{
    if (client->fd < 0)
        return 0;
    bool out = client->out.bytes && !client->broken && !client->ring_on;
    return out ? POLLIN | POLLOUT : POLLIN;
}

int assay_client_timeout(const struct assay_client *client)
{
    return client_next_timer_ms(client);
}

enum assay_client_status assay_client_process(struct assay_client *client)
{
    if (client->in_callback)
        return ASSAY_CLIENT_BAD_CALL;
    client_write(client);
    if (client->fd >= 0)
        client_receive(client);
    client_timers(client);
    client_write(client); /* what callbacks have submitted */
    return ASSAY_CLIENT_OK;
}

/* False where waiting failed or was interrupted. */
static bool wait_for_socket(const struct assay_client *client, int64_t until_ms)
{
    int timer = client_next_timer_ms(client);
    if (until_ms >= 0) {
        int64_t left = until_ms - client_now_ms();
        left = left < 0 ? 0 : left > 3600 * 1000 ? 3600 * 1000 : left;
        timer = timer < 0 || left < timer ? (int)left : timer;
    }
    struct pollfd watched = {client->fd, assay_client_events(client), 0};
    return poll(&watched, 1, timer) >= 0;
}

static bool is_full(const struct assay_client *client)
{
    return client->out.bytes >= client->options.queue_bytes;
}

unsigned assay_client_poll(struct assay_client *client, int timeout_ms)
{
    if (client->in_callback)
        return 0;
    int64_t until = timeout_ms < 0 ? -1 : client_now_ms() + timeout_ms;
    uint64_t changes = client->changes;
    bool full = is_full(client);
    client->answers = 0;
    for (;;) {
        enum assay_client_status status = assay_client_process(client);
        if (status || client->answers || client->changes != changes || (full && !is_full(client)))
            break;
        if (client->state == ASSAY_CLIENT_GONE || (until >= 0 && client_now_ms() >= until))
            break;
        if (!wait_for_socket(client, until))
            break;
    }
    return client->answers;
}

void assay_client_flush(struct assay_client *client)
{
    client_write(client);
}

enum assay_client_state assay_client_state(const struct assay_client *client)
{
    return client->state;
}

uint32_t assay_client_open_requests(const struct assay_client *client)
{
    return client->requests.count;
}

const char *assay_client_trouble(const struct assay_client *client)
{
    return client->trouble;
}

int assay_client_has_ring(const struct assay_client *client)
{
    return client->ring_on;
}

const char *assay_client_server(const struct assay_client *client)
{
    return client->server;
}

uint64_t assay_client_message_limit(const struct assay_client *client)
{
    return client->message_limit;
}
