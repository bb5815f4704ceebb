/*
 * assay query: the daemon's verdicts and answers, over its socket, printed as `assay check`,
 * `assay spf` and `assay dmarc` print theirs. One request is open at a time: this is a tool for
 * people and scripts, `assay bulk --socket` is for archives.
 */
#include "query.h"

#include <stdlib.h>

#include "show.h"
#include "verdict/json.h"

enum
{
    GREETING_MS = 10 * 1000,
    NAME_BYTES = 8 * 1024,
};

static const char default_socket[] = "/run/assay/verdict.sock";

/* --- answers --- */

/* The daemon does not know the file's name: it stands where the daemon wrote null. */
static void print_with_file(const char *file, struct span json)
{
    static const char before[] = "{\"v\":1,\"file\":";
    struct span head = span_from_string(before), none = SPAN("null");
    struct jsonw writer;
    struct buffer name;
    bool fits = json.n > head.n + none.n && span_equal(span_slice(json, 0, head.n), head) &&
                span_equal(span_slice(json, head.n, head.n + none.n), none);
    buffer_init(&name, NAME_BYTES * 6);
    jsonw_begin(&writer, &name);
    jsonw_span(&writer, NULL, span_from_string(file));
    if (fits && !name.failed) {
        printf("%s%.*s", before, (int)name.n, (const char *)name.p);
        json = span_skip(json, head.n + none.n);
    }
    fwrite(json.p, 1, json.n, stdout);
    putchar('\n');
    buffer_fini(&name);
}

static void show_brief(const struct query *query, const json_t *verdict)
{
    struct verdict_row row = query->row;
    row.why = show_why(verdict, &row);
    print_row(query->file, &row, stdout);
}

static int show_json(const struct query *query, struct span json)
{
    json_t *object = json_loadb((const char *)json.p, json.n, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(object)) {
        complain("the daemon's answer is no JSON object");
        json_decref(object);
        return STATUS_UNAVAILABLE;
    }
    if (!query->file)
        query->show(object, stdout);
    else if (query->options->brief)
        show_brief(query, object);
    else
        show_verdict(query->file, object, stdout);
    json_decref(object);
    return STATUS_OK;
}

static int print_answer(const struct query *query, struct span json)
{
    if (query->file && !query->is_message) {
        complain("%s: this is no message: it has not one header field", query->file);
        return STATUS_BAD_INPUT;
    }
    if (!json.p) {
        complain("the daemon's answer has no JSON");
        return STATUS_UNAVAILABLE;
    }
    if (query->options->json || (!query->file && !query->show))
        print_with_file(query->file ? query->file : "", json);
    else
        return show_json(query, json);
    return STATUS_OK;
}

/* What the daemon's refusal says about who is to act on it. */
static int refusal_status(unsigned error)
{
    switch (error) {
    case ASSAY_CLIENT_ERROR_MALFORMED:
        return STATUS_USAGE;
    case ASSAY_CLIENT_ERROR_TOO_LARGE:
        return STATUS_BAD_INPUT;
    case ASSAY_CLIENT_ERROR_NO_FILE:
        return STATUS_NO_INPUT;
    case ASSAY_CLIENT_ERROR_FORBIDDEN:
        return STATUS_NO_PERMISSION;
    default:
        return STATUS_UNAVAILABLE;
    }
}

static void complain_escaped(const char *file, const char *word, struct span text)
{
    char clean[160];
    size_t n = 0;
    for (; n < text.n && n < sizeof clean - 1; n++)
        clean[n] = (char)(text.p[n] >= ' ' && text.p[n] < 0x7f ? text.p[n] : '?');
    clean[n] = '\0';
    complain("%s%s%s%s%s", file ? file : "", file ? ": " : "", word, n ? ": " : "", clean);
}

static void done(void *context, const struct assay_client_answer *answer)
{
    struct query *query = context;
    query->answered = true;
    if (query->given_up)
        return;
    query->row = (struct verdict_row){
        .spf = (enum result)answer->spf,
        .dkim = (enum result)answer->dkim,
        .arc = (enum result)answer->arc,
        .dmarc = (enum result)answer->dmarc,
        .disposition = (enum dmarc_disposition)answer->disposition,
    };
    switch (answer->outcome) {
    case ASSAY_CLIENT_VERDICT:
    case ASSAY_CLIENT_REPLY:
        query->status = print_answer(query, span_of(answer->json, answer->json_bytes));
        return;
    case ASSAY_CLIENT_REFUSED:
        query->status = refusal_status(answer->error);
        break;
    case ASSAY_CLIENT_LOST:
        query->status = STATUS_UNAVAILABLE;
        break;
    }
    complain_escaped(query->file, answer->word, span_of(answer->text, answer->text_bytes));
}

/* --- the connection --- */

static const char *socket_path(const struct options *options)
{
    const char *path = options->socket ? options->socket : getenv("ASSAY_SOCKET");
    return path && *path ? path : default_socket;
}

/* Connected, greeted, ready; else says why not. */
static bool open_client(struct query *query)
{
    char error[ASSAY_CLIENT_ERROR_MAX];
    struct assay_client_options options = {
        .size = sizeof options,
        .done = done,
        .context = query,
        .name = "assay " ASSAY_VERSION,
        .no_reconnect = 1,
    };
    query->client = assay_client_open(socket_path(query->options), &options, error);
    if (!query->client) {
        complain("%s", error);
        return false;
    }
    assay_client_poll(query->client, GREETING_MS);
    if (assay_client_state(query->client) == ASSAY_CLIENT_READY)
        return true;
    const char *trouble = assay_client_trouble(query->client);
    complain("%s: %s", socket_path(query->options),
             *trouble ? trouble : "the daemon does not greet");
    return false;
}

int query_await(struct query *query)
{
    while (!query->answered && assay_client_state(query->client) != ASSAY_CLIENT_GONE)
        assay_client_poll(query->client, -1);
    return query->answered ? query->status : STATUS_UNAVAILABLE;
}

int query_complain(const struct query *query, enum assay_client_status status)
{
    static const char *const words[] = {
        [ASSAY_CLIENT_OK] = "",
        [ASSAY_CLIENT_WOULD_BLOCK] = "the daemon takes no request now",
        [ASSAY_CLIENT_TOO_LARGE] = "larger than the daemon takes",
        [ASSAY_CLIENT_ENDED] = "the request has ended",
        [ASSAY_CLIENT_BAD_CALL] = "cannot be sent",
        [ASSAY_CLIENT_NO_MEMORY] = "no memory",
    };
    complain("%s%s%s", query->file ? query->file : "", query->file ? ": " : "", words[status]);
    if (status == ASSAY_CLIENT_NO_MEMORY)
        return STATUS_SOFTWARE;
    return status == ASSAY_CLIENT_TOO_LARGE ? STATUS_BAD_INPUT : STATUS_UNAVAILABLE;
}

struct assay_client_envelope query_envelope(const struct options *options)
{
    return (struct assay_client_envelope){
        .size = sizeof(struct assay_client_envelope),
        .client_ip = options->ip,
        .helo = options->helo,
        .mail_from = options->mail_from,
        .rcpt_to = options->recipients.texts,
        .rcpt_count = options->recipients.count,
        .received_at = (int64_t)options->now,
        .authserv_id = options->authserv_id,
        .deadline_ms = (uint32_t)options->timeout_ms,
        .wishes = ASSAY_CLIENT_WISH_JSON,
    };
}

/* --- queries --- */

static void show_object(const json_t *object, FILE *out)
{
    json_dumpf(object, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    fputc('\n', out);
}

static enum assay_client_status ask_spf(struct query *query, const char *operand)
{
    struct assay_client_envelope envelope = query_envelope(query->options);
    (void)operand;
    return assay_client_spf(query->client, &envelope, NULL, NULL);
}

static enum assay_client_status ask_dmarc(struct query *query, const char *operand)
{
    return assay_client_dmarc(query->client, operand, NULL, NULL);
}

static enum assay_client_status ask_stats(struct query *query, const char *operand)
{
    (void)operand;
    return assay_client_stats(query->client, NULL, NULL);
}

static enum assay_client_status ask_flush(struct query *query, const char *operand)
{
    return assay_client_forget(query->client, operand, NULL, NULL);
}

static enum assay_client_status ask_ping(struct query *query, const char *operand)
{
    (void)operand;
    return assay_client_ping(query->client, NULL, NULL);
}

struct question
{
    const char *name;
    int least, most; /* operands behind the name */
    enum assay_client_status (*ask)(struct query *query, const char *operand);
    void (*show)(const json_t *object, FILE *out);
};

static const struct question questions[] = {
    {"spf", 0, 0, ask_spf, show_spf},        {"dmarc", 1, 1, ask_dmarc, show_discovery},
    {"stats", 0, 0, ask_stats, show_object}, {"flush", 0, 1, ask_flush, show_object},
    {"ping", 0, 0, ask_ping, show_object},
};

static const struct question *find_question(const struct options *options)
{
    for (size_t i = 0; options->operand_count && i < COUNT_OF(questions); i++)
        if (strcmp(options->operands[0], questions[i].name) == 0)
            return &questions[i];
    return NULL;
}

static bool is_complete(const struct question *question, const struct options *options)
{
    int operands = options->operand_count - 1;
    bool identity = options->ip && (options->helo || options->mail_from);
    if (operands >= question->least && operands <= question->most &&
        (question->ask != ask_spf || identity))
        return true;
    complain("query %s: %s; `assay help query` tells", question->name,
             question->ask == ask_spf     ? "wants --ip and --mail-from or --helo, and nothing else"
             : question->ask == ask_dmarc ? "wants one DOMAIN"
                                          : "too many operands");
    return false;
}

static int ask(struct query *query, const struct question *question)
{
    query->show = question->show;
    enum assay_client_status status = question->ask(
        query, query->options->operand_count > 1 ? query->options->operands[1] : NULL);
    return status ? query_complain(query, status) : query_await(query);
}

int command_query(const struct options *options)
{
    char dash[] = "-";
    char *standard_input[] = {dash};
    struct query query = {.options = options};
    const struct question *question = find_question(options);
    if (question && !is_complete(question, options))
        return STATUS_USAGE;
    int status = STATUS_UNAVAILABLE;
    bool none = options->operand_count == 0;
    if (open_client(&query))
        status = question ? ask(&query, question)
                          : query_messages(&query, none ? standard_input : options->operands,
                                           none ? 1 : options->operand_count);
    query.given_up = true; /* what is open now has been spoken of */
    assay_client_close(&query.client);
    return status;
}
