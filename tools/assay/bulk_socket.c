/*
 * The judge of assay bulk behind a socket: assayd, by libassay-client. Envelope and verdict go over
 * the wire; settings, DNS and cache are the daemon's. A daemon that goes away ends the run: what it
 * had not answered is told as not judged, and a run with the same journal takes it up again.
 */
#include <jansson.h>
#include <stdlib.h>

#include "bulk.h"
#include "show.h"
#include "client/assay_client.h"
#include "verdict/json.h"

enum
{
    OPEN_MS = 5000, /* for the daemon's greeting */
    FIGURES_MS = 2000,
    TEXT_MAX = MAX_PATH_BYTES + 1,
    HEADER_ARENA_BYTES = 8 * 1024 * 1024,
};

STATIC_ASSERT((int)ASSAY_CLIENT_PASS == (int)RESULT_PASS);
STATIC_ASSERT((int)ASSAY_CLIENT_NONE == (int)RESULT_NONE);
STATIC_ASSERT((int)ASSAY_CLIENT_FAIL == (int)RESULT_FAIL);
STATIC_ASSERT((int)ASSAY_CLIENT_PERMERROR == (int)RESULT_PERMERROR);
STATIC_ASSERT((int)ASSAY_CLIENT_DISPOSE_REJECT == (int)DMARC_DISPOSE_REJECT);

struct bulk_socket
{
    struct bulk_judge judge; /* first */
    const struct options *options;
    struct assay_client *client;  /* owned */
    struct bulk_figures *figures; /* borrowed while they are asked for, else NULL */
    struct bulk_figures before;   /* the daemon's, when the run began */
    struct arena arena;           /* of one header */
};

/* --- what the daemon's JSON says --- */

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void read_anomalies(const json_t *verdict, struct bulk_item *item)
{
    size_t i;
    const json_t *word;
    json_array_foreach(json_object_get(verdict, "anomalies"), i, word)
    {
        const char *text = json_string_value(word);
        for (unsigned k = 0; text && k < ANOMALY_COUNT; k++)
            if (strcmp(text, mail_anomaly_word((enum mail_anomaly)k)) == 0)
                item->anomalies |= UINT64_C(1) << k;
    }
}

static void read_limits(const json_t *verdict, struct bulk_item *item)
{
    const json_t *limits = json_object_get(verdict, "limits");
    for (unsigned k = 0; k < LIMIT_COUNT; k++)
        if (json_object_get(limits, limit_name((enum limit)k)))
            item->limits |= UINT64_C(1) << k;
}

static void read_questions(const json_t *verdict, struct bulk_item *item)
{
    size_t i;
    const json_t *question;
    json_array_foreach(json_object_get(verdict, "dns"), i, question)
    {
        const char *reason = text_at(question, "reason");
        item->reachability.questions++;
        item->reachability.unanswered += reason && strcmp(reason, "timeout") == 0;
    }
}

static void read_author(const json_t *verdict, struct bulk_item *item)
{
    const char *domain = text_at(json_object_get(verdict, "dmarc"), "from_domain");
    if (domain && dns_name_from_zone_text(&item->author, span_from_string(domain)) != DNS_NAME_OK)
        item->author.length = 0;
}

/* The daemon knows no file: ours takes the place of its null. A quote inside a JSON string is
 * escaped, so the key is found where it is one. */
static void write_json(struct bulk_item *item, struct span text)
{
    static const char key[] = "\"file\":null";
    struct jsonw json;
    const uint8_t *at = memmem(text.p, text.n, key, sizeof key - 1);
    if (!at) {
        item->json.failed = true;
        return;
    }
    size_t before = (size_t)(at - text.p);
    buffer_append(&item->json, span_slice(text, 0, before));
    jsonw_begin(&json, &item->json);
    jsonw_string(&json, "file", item->name);
    buffer_append(&item->json, span_skip(text, before + sizeof key - 1));
    buffer_append_byte(&item->json, '\n');
}

static bool take_json(struct bulk_item *item, struct span text)
{
    json_t *verdict = text.n ? json_loadb((const char *)text.p, text.n, 0, NULL) : NULL;
    if (!verdict)
        return false;
    snprintf(item->trouble, sizeof item->trouble, "%s", show_why(verdict, &item->row));
    item->row.why = item->trouble;
    read_author(verdict, item);
    read_anomalies(verdict, item);
    read_limits(verdict, item);
    read_questions(verdict, item);
    json_decref(verdict);
    if (item->options->json)
        write_json(item, text);
    return !item->json.failed;
}

static enum bulk_outcome take_verdict(struct bulk_item *item,
                                      const struct assay_client_answer *answer)
{
    item->row = (struct verdict_row){
        .spf = (enum result)answer->spf,
        .dkim = (enum result)answer->dkim,
        .arc = (enum result)answer->arc,
        .dmarc = (enum result)answer->dmarc,
        .disposition = (enum dmarc_disposition)answer->disposition,
        .why = "",
    };
    if (!item->is_message)
        return BULK_NO_MESSAGE;
    if (take_json(item, span_of(answer->json, answer->json_bytes)))
        return BULK_JUDGED;
    snprintf(item->trouble, sizeof item->trouble, "the daemon's answer cannot be read");
    return BULK_LOST;
}

static void take_figures(struct bulk_socket *socket, const struct assay_client_answer *answer)
{
    if (socket->figures && answer->outcome == ASSAY_CLIENT_REPLY)
        bulk_figures_read(socket->figures, span_of(answer->json, answer->json_bytes));
    socket->figures = NULL;
}

static void say_why(struct bulk_item *item, const struct assay_client_answer *answer)
{
    size_t n = answer->text_bytes < BULK_TROUBLE_MAX ? answer->text_bytes : BULK_TROUBLE_MAX;
    if (item->trouble[0])
        return;
    snprintf(item->trouble, sizeof item->trouble, "%s%s%.*s", answer->word ? answer->word : "",
             n ? ": " : "", (int)n, n ? answer->text : "");
}

/* An answer may come while the message is still being fed; the feeder then has the item. */
static void answered(struct bulk_item *item)
{
    item->answered = true;
    if (!item->feeding)
        bulk_mailbox_put(item);
}

static void fed(struct bulk_item *item)
{
    item->feeding = false;
    if (item->answered)
        bulk_mailbox_put(item);
}

static void done(void *context, const struct assay_client_answer *answer)
{
    struct bulk_item *item = answer->user;
    if (!item) {
        take_figures(context, answer);
        return;
    }
    if (answer->outcome == ASSAY_CLIENT_VERDICT) {
        item->outcome = take_verdict(item, answer);
    } else if (item->cancelled) {
        item->outcome = BULK_CANCELLED;
    } else {
        item->outcome = BULK_LOST;
        say_why(item, answer);
    }
    answered(item);
}

/* --- to the daemon --- */

/* A NUL-terminated text, or NULL; nothing is cut: what is too long is not known. */
static const char *text_of(struct span span, char out[TEXT_MAX])
{
    if (!span.p || span.n >= TEXT_MAX || memchr(span.p, 0, span.n))
        return NULL;
    memcpy(out, span.p, span.n);
    out[span.n] = '\0';
    return out;
}

static void look_after_daemon(struct bulk_socket *socket)
{
    enum assay_client_state state = assay_client_state(socket->client);
    if (socket->judge.gone || (state != ASSAY_CLIENT_GONE && state != ASSAY_CLIENT_DRAINING))
        return;
    socket->judge.gone = true;
    snprintf(socket->judge.trouble, sizeof socket->judge.trouble, "%s: %s", socket->options->socket,
             state == ASSAY_CLIENT_DRAINING ? "the daemon stops"
                                            : assay_client_trouble(socket->client));
}

/* False: later. A request that takes no more is given up; its answer says so. */
static bool taken(struct bulk_socket *socket, struct bulk_item *item,
                  enum assay_client_status status)
{
    look_after_daemon(socket);
    if (status == ASSAY_CLIENT_WOULD_BLOCK)
        return false;
    if (status == ASSAY_CLIENT_OK || status == ASSAY_CLIENT_ENDED)
        return true;
    snprintf(item->trouble, sizeof item->trouble, "%s",
             status == ASSAY_CLIENT_TOO_LARGE ? "over the daemon's largest message" : "no memory");
    status = assay_client_cancel(socket->client, item->id);
    return true;
}

static bool socket_begin(struct bulk_judge *judge, struct bulk_item *item,
                         const struct message_envelope *envelope)
{
    struct bulk_socket *socket = (struct bulk_socket *)judge;
    char address[IP_TEXT_MAX], helo[TEXT_MAX], mail_from[TEXT_MAX];
    bool known = envelope->client.family != IP_NONE;
    struct assay_client_envelope wire = {
        .size = sizeof wire,
        .client_ip = known ? ip_text(&envelope->client, address) : NULL,
        .helo = text_of(envelope->helo, helo),
        .mail_from = text_of(envelope->mail_from, mail_from),
        .rcpt_to = socket->options->recipients.texts,
        .rcpt_count = socket->options->recipients.count,
        .received_at = envelope->now,
        .authserv_id = socket->options->authserv_id,
        .deadline_ms = (uint32_t)socket->options->timeout_ms,
        .wishes = ASSAY_CLIENT_WISH_JSON,
    };
    enum assay_client_status status = assay_client_begin(socket->client, &wire, item, &item->id);
    look_after_daemon(socket);
    if (status == ASSAY_CLIENT_WOULD_BLOCK)
        return false;
    item->feeding = true;
    if (status == ASSAY_CLIENT_OK)
        return true;
    item->outcome = BULK_LOST;
    snprintf(item->trouble, sizeof item->trouble, "its envelope cannot be sent");
    answered(item);
    return true;
}

/* The whole header, or much of it, is in the first piece: what assay check calls no message is none
 * here, too. */
static void look_for_fields(struct bulk_socket *socket, struct bulk_item *item, struct span bytes)
{
    struct limit_hits hits = {.set = 0};
    struct mail_anomalies anomalies = {0};
    struct mail_reader reader;
    mail_reader_init(&reader, &socket->arena, &hits, &anomalies);
    mail_reader_feed(&reader, bytes);
    if (!reader.done)
        mail_reader_end(&reader);
    item->looked_at = true;
    item->is_message = reader.refused || mail_header_is_message(&reader.header);
    arena_reset(&socket->arena);
}

static bool socket_feed(struct bulk_judge *judge, struct bulk_item *item, struct chunk *chunk,
                        struct span bytes)
{
    (void)chunk; /* the client copies what the socket does not take */
    struct bulk_socket *socket = (struct bulk_socket *)judge;
    if (!item->looked_at)
        look_for_fields(socket, item, bytes);
    return item->answered ||
           taken(socket, item, assay_client_data(socket->client, item->id, bytes.p, bytes.n));
}

static bool socket_end(struct bulk_judge *judge, struct bulk_item *item)
{
    struct bulk_socket *socket = (struct bulk_socket *)judge;
    if (!item->answered && !taken(socket, item, assay_client_end(socket->client, item->id)))
        return false;
    fed(item);
    return true;
}

static void socket_cancel(struct bulk_judge *judge, struct bulk_item *item)
{
    struct bulk_socket *socket = (struct bulk_socket *)judge;
    item->cancelled = true;
    if (!item->answered) {
        enum assay_client_status status = assay_client_cancel(socket->client, item->id);
        (void)status; /* done() comes in any case */
    } else {
        item->outcome = BULK_CANCELLED;
    }
    fed(item);
}

static void socket_wait(struct bulk_judge *judge, int ms, unsigned wanted)
{
    (void)wanted; /* the client takes what one read gives */
    struct bulk_socket *socket = (struct bulk_socket *)judge;
    assay_client_poll(socket->client, ms);
    look_after_daemon(socket);
}

/* What the daemon says of itself; nothing where it does not in time. */
static void ask_figures(struct bulk_socket *socket, struct bulk_figures *figures)
{
    uint64_t id;
    int64_t deadline_ms = engine_clock_ms() + FIGURES_MS;
    if (socket->judge.gone || assay_client_stats(socket->client, NULL, &id) != ASSAY_CLIENT_OK)
        return;
    socket->figures = figures;
    while (socket->figures && !socket->judge.gone && engine_clock_ms() < deadline_ms)
        socket_wait(&socket->judge, BULK_WAIT_MS, 1);
    socket->figures = NULL;
}

static void socket_figures(struct bulk_judge *judge, struct bulk_figures *figures)
{
    struct bulk_socket *socket = (struct bulk_socket *)judge;
    ask_figures(socket, figures);
    figures->daemon = true;
    bulk_figures_since(figures, &socket->before);
}

static void socket_close(struct bulk_judge *judge)
{
    struct bulk_socket *socket = (struct bulk_socket *)judge;
    assay_client_close(&socket->client);
    arena_fini(&socket->arena);
    free(socket);
}

static const struct bulk_judge_calls calls = {
    socket_begin, socket_feed, socket_end, socket_cancel, socket_wait, socket_figures, socket_close,
};

/* The daemon must greet: what listens there may be something else. */
static bool open_client(struct bulk_socket *socket, char error[ASSAY_CLIENT_ERROR_MAX])
{
    struct assay_client_options options = {
        .size = sizeof options,
        .done = done,
        .context = socket,
        .name = "assay-bulk",
        .no_reconnect = 1,
        .max_open = BULK_IN_FLIGHT,
    };
    int64_t deadline_ms = engine_clock_ms() + OPEN_MS;
    socket->client = assay_client_open(socket->options->socket, &options, error);
    if (!socket->client)
        return false;
    while (assay_client_state(socket->client) == ASSAY_CLIENT_CONNECTING && !bulk_stop_asked() &&
           engine_clock_ms() < deadline_ms)
        assay_client_poll(socket->client, BULK_WAIT_MS);
    if (assay_client_state(socket->client) == ASSAY_CLIENT_READY)
        return true;
    const char *trouble = assay_client_trouble(socket->client);
    snprintf(error, ASSAY_CLIENT_ERROR_MAX, "%s", *trouble ? trouble : "no greeting");
    return false;
}

struct bulk_judge *bulk_socket_open(const struct options *options, struct bulk_mailbox *mailbox,
                                    int *status)
{
    char error[ASSAY_CLIENT_ERROR_MAX] = "no memory";
    struct bulk_socket *socket = calloc(1, sizeof *socket);
    if (socket) {
        socket->judge = (struct bulk_judge){.calls = &calls, .mailbox = mailbox};
        socket->options = options;
        arena_init(&socket->arena, HEADER_ARENA_BYTES);
        if (open_client(socket, error)) {
            ask_figures(socket, &socket->before);
            return &socket->judge;
        }
        socket_close(&socket->judge);
    }
    complain("%s: %s", options->socket, error);
    *status = STATUS_UNAVAILABLE;
    return NULL;
}
