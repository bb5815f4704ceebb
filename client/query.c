/*
 * Queries: JSON objects as in the lines dialect, in QUERY frames. Text is taken as UTF-8; control
 * characters, quotes and backslashes are escaped here, all else goes as it is.
 */
#include "client/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum
{
    QUERY_TEXT_MAX = 64 * 1024,
};

/* A JSON object under construction; `failed` where it grew too large or memory ran out. */
struct query_text
{
    char *p; /* owned */
    size_t n, capacity;
    bool failed;
};

static void put(struct query_text *query, const char *bytes, size_t n)
{
    if (query->failed)
        return;
    if (query->capacity - query->n < n) {
        size_t capacity = query->capacity * 2 + n + 256;
        char *p = capacity <= QUERY_TEXT_MAX * 2 ? realloc(query->p, capacity) : NULL;
        query->failed = p == NULL;
        if (!p)
            return;
        query->p = p;
        query->capacity = capacity;
    }
    memcpy(query->p + query->n, bytes, n);
    query->n += n;
}

static void put_string(struct query_text *query, const char *text)
{
    put(query, text, strlen(text));
}

static void put_char(struct query_text *query, char c)
{
    char escaped[8];
    int n = 1;
    escaped[0] = c;
    if (c == '"' || c == '\\')
        n = snprintf(escaped, sizeof escaped, "\\%c", c);
    else if ((unsigned char)c < ' ')
        n = snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)(unsigned char)c);
    put(query, escaped, (size_t)n);
}

static void put_member(struct query_text *query, const char *key, const char *text)
{
    if (!text)
        return;
    put_string(query, query->n ? ",\"" : "{\"");
    put_string(query, key);
    put_string(query, "\":\"");
    for (; *text && !query->failed; text++)
        put_char(query, *text);
    put_string(query, "\"");
}

static void put_number(struct query_text *query, const char *key, int64_t number)
{
    char text[64];
    int n = snprintf(text, sizeof text, ",\"%s\":%" PRId64, key, number);
    if (number)
        put(query, text, (size_t)n);
}

static enum assay_client_status ask(struct assay_client *client, struct query_text *query,
                                    void *user, uint64_t *id)
{
    put_string(query, "}");
    enum assay_client_status status =
        query->n > QUERY_TEXT_MAX ? ASSAY_CLIENT_TOO_LARGE
        : query->failed           ? ASSAY_CLIENT_NO_MEMORY
                                  : assay_client_query(client, query->p, query->n, user, id);
    free(query->p);
    return status;
}

enum assay_client_status assay_client_spf(struct assay_client *client,
                                          const struct assay_client_envelope *envelope, void *user,
                                          uint64_t *id)
{
    struct assay_client_envelope e = {0};
    struct query_text query = {0};
    if (!envelope || envelope->size == 0 || envelope->size > sizeof e)
        return ASSAY_CLIENT_BAD_CALL;
    memcpy(&e, envelope, envelope->size);
    put_member(&query, "op", "spf");
    put_member(&query, "ip", e.client_ip);
    put_member(&query, "helo", e.helo);
    put_member(&query, "mail_from", e.mail_from);
    put_number(&query, "now", e.received_at);
    put_number(&query, "deadline_ms", e.deadline_ms);
    return ask(client, &query, user, id);
}

static enum assay_client_status ask_op(struct assay_client *client, const char *op,
                                       const char *domain, void *user, uint64_t *id)
{
    struct query_text query = {0};
    put_member(&query, "op", op);
    put_member(&query, "domain", domain);
    return ask(client, &query, user, id);
}

enum assay_client_status assay_client_dmarc(struct assay_client *client, const char *domain,
                                            void *user, uint64_t *id)
{
    return domain ? ask_op(client, "dmarc", domain, user, id) : ASSAY_CLIENT_BAD_CALL;
}

enum assay_client_status assay_client_stats(struct assay_client *client, void *user, uint64_t *id)
{
    return ask_op(client, "stats", NULL, user, id);
}

enum assay_client_status assay_client_forget(struct assay_client *client, const char *name,
                                             void *user, uint64_t *id)
{
    return ask_op(client, "flush", name, user, id);
}

enum assay_client_status assay_client_ping(struct assay_client *client, void *user, uint64_t *id)
{
    return ask_op(client, "ping", NULL, user, id);
}

enum assay_client_status assay_client_query(struct assay_client *client, const char *json, size_t n,
                                            void *user, uint64_t *id)
{
    if (!json || n == 0)
        return ASSAY_CLIENT_BAD_CALL;
    if (n > FRAME_REQUEST_MAX || (client->state == ASSAY_CLIENT_READY && n > client->frame_limit))
        return ASSAY_CLIENT_TOO_LARGE;
    if (client_may_open(client))
        return ASSAY_CLIENT_WOULD_BLOCK;
    uint8_t *p = client_queue_reserve(&client->out, FRAME_HEADER + n);
    struct client_request *request = p ? client_open_request(client, user, id) : NULL;
    if (!request)
        return ASSAY_CLIENT_NO_MEMORY;
    request->query = true;
    p = frame_put_header(p, (uint32_t)n, FRAME_QUERY, 0, request->id);
    memcpy(p, json, n);
    client_queue_commit(&client->out, FRAME_HEADER + n);
    client_queued(client);
    return ASSAY_CLIENT_OK;
}
