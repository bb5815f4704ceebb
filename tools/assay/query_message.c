/*
 * assay query: messages, streamed one after the other. Files are read as `assay check` reads them:
 * LF files as if they had CRLF, and one without a header field is no message.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/line_ends.h"
#include "query.h"

enum
{
    READ_BYTES = 64 * 1024,
};

struct sender
{
    struct query *query;
    uint64_t id;
    enum assay_client_status status; /* of the first call that did not say OK */
    struct mail_reader reader;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct arena arena;
};

/* One piece, however long the daemon lets it wait. */
static void feed(void *context, struct span bytes)
{
    struct sender *sender = context;
    struct assay_client *client = sender->query->client;
    enum assay_client_status status;
    if (!sender->reader.done)
        mail_reader_feed(&sender->reader, bytes);
    if (sender->status)
        return;
    while ((status = assay_client_data(client, sender->id, bytes.p, bytes.n)) ==
           ASSAY_CLIENT_WOULD_BLOCK)
        assay_client_poll(client, -1);
    sender->status = status;
}

static void end(struct sender *sender)
{
    struct assay_client *client = sender->query->client;
    while (!sender->status &&
           (sender->status = assay_client_end(client, sender->id)) == ASSAY_CLIENT_WOULD_BLOCK) {
        assay_client_poll(client, -1);
        sender->status = ASSAY_CLIENT_OK;
    }
    if (!sender->reader.done)
        mail_reader_end(&sender->reader);
    sender->query->is_message =
        sender->reader.refused || mail_header_is_message(&sender->reader.header);
}

/* All of the file, then the end. False with errno where it cannot be read. */
static bool send_message(struct sender *sender, int fd)
{
    static uint8_t bytes[READ_BYTES];
    struct line_ends ends;
    line_ends_init(&ends, feed, sender);
    while (!sender->status) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        line_ends_feed(&ends, span_of(bytes, (size_t)n));
        assay_client_flush(sender->query->client);
    }
    end(sender);
    return true;
}

static int judge_with(struct sender *sender, int fd)
{
    struct query *query = sender->query;
    bool readable = send_message(sender, fd);
    if (!readable)
        complain("%s: %s", query->file, strerror(errno));
    /* ENDED: the answer is there before the message was; it says why. */
    if (readable && (sender->status == ASSAY_CLIENT_OK || sender->status == ASSAY_CLIENT_ENDED))
        return query_await(query);
    int wrong = readable ? query_complain(query, sender->status) : STATUS_NO_INPUT;
    query->given_up = true;
    if (assay_client_cancel(query->client, sender->id) == ASSAY_CLIENT_OK)
        query_await(query);
    return wrong;
}

static int judge(struct query *query, int fd)
{
    struct assay_client_envelope envelope = query_envelope(query->options);
    struct sender sender = {.query = query};
    query->answered = query->given_up = false;
    enum assay_client_status status =
        assay_client_begin(query->client, &envelope, NULL, &sender.id);
    if (status)
        return query_complain(query, status);
    arena_init(&sender.arena, MAX_ARENA_BYTES);
    mail_reader_init(&sender.reader, &sender.arena, &sender.hits, &sender.anomalies);
    int wrong = judge_with(&sender, fd);
    arena_fini(&sender.arena);
    return wrong;
}

static int query_file(struct query *query, const char *file)
{
    query->file = file;
    if (strcmp(file, "-") == 0)
        return judge(query, STDIN_FILENO);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0 || S_ISDIR(facts.st_mode)) {
        complain("%s: %s", file, strerror(fd >= 0 ? EISDIR : errno));
        if (fd >= 0)
            close(fd);
        return STATUS_NO_INPUT;
    }
    int status = judge(query, fd);
    close(fd);
    return status;
}

int query_messages(struct query *query, char **files, int count)
{
    int status = STATUS_OK;
    if (query->options->brief && !query->options->json)
        print_row_heading(stdout);
    for (int i = 0; i < count; i++) {
        int one = query_file(query, files[i]);
        status = one ? one : status;
        if (assay_client_state(query->client) != ASSAY_CLIENT_READY)
            break; /* said already */
    }
    return status;
}
