/*
 * assay bulk: an archive at full speed. Messages are judged many at a time, by the engine's workers
 * or by a daemon; results come in the order in which they are ready.
 *
 * Exit status: the highest of what went wrong (64 usage, 65 input that is no message, 66 not
 * readable, 69 no answers or daemon away, 70 no memory or journal not writable, 78 configuration),
 * 130 after ctrl-C.
 */
#include "bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulk_walk.h"

enum
{
    STATUS_INTERRUPTED = 130,
    SUMMARY_CEILING = 4 * 1024 * 1024,
    COMPLAINT_MAX = 1024,
};

void bulk_complain(struct bulk *bulk, int status, const char *format, ...)
{
    char text[COMPLAINT_MAX];
    va_list args;
    bulk_progress_clear(&bulk->progress);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fputs("assay: ", stderr);
    print_escaped(span_from_string(text), stderr); /* J08: names of files are anybody's */
    fputc('\n', stderr);
    bulk->status = status > bulk->status ? status : bulk->status;
}

bool bulk_stopping(const struct bulk *bulk)
{
    return bulk->failed || bulk->judge->gone || bulk_stop_asked();
}

void bulk_wait(struct bulk *bulk)
{
    uint64_t wanted = 1 + bulk->in_flight / 8;
    wanted = wanted < BULK_BATCH ? wanted : BULK_BATCH;
    bulk->judge->calls->wait(bulk->judge, BULK_WAIT_MS, (unsigned)wanted);
    bulk_collect(bulk);
}

/* --- the operands --- */

static void unreadable(struct bulk *bulk, const char *name, int error)
{
    bulk->summary.unreadable++;
    bulk_complain(bulk, STATUS_NO_INPUT, "%s: %s", name, strerror(error));
}

static bool walk_file(void *context, const struct walk_file *file)
{
    struct bulk *bulk = context;
    struct stat facts;
    /* O_NONBLOCK: what became a pipe since does not hold us. */
    int fd = openat(file->folder_fd, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0)
        unreadable(bulk, file->path, errno);
    else if (S_ISREG(facts.st_mode))
        bulk_read(bulk, file->path, fd, true, !file->in_maildir);
    if (fd >= 0)
        close(fd);
    return !bulk_stopping(bulk);
}

static void walk_trouble(void *context, const char *path, int error)
{
    unreadable(context, path, error);
}

static void take_operand(struct bulk *bulk, const char *operand)
{
    struct walk_events events = {walk_file, walk_trouble, bulk};
    struct stat facts;
    if (strcmp(operand, "-") == 0) {
        bulk_read(bulk, operand, STDIN_FILENO, false, true);
        return;
    }
    int fd = open(operand, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        unreadable(bulk, operand, errno);
        if (fd >= 0)
            close(fd);
        return;
    }
    if (S_ISDIR(facts.st_mode)) {
        walk_directory(operand, fd, &events); /* closes it */
        return;
    }
    bulk_read(bulk, operand, fd, S_ISREG(facts.st_mode), true);
    close(fd);
}

/* --- how much there is, for the progress line --- */

static bool add_size(void *context, const struct walk_file *file)
{
    struct bulk *bulk = context;
    struct stat facts;
    if (fstatat(file->folder_fd, file->name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(facts.st_mode))
        bulk->progress.total_bytes += (uint64_t)facts.st_size;
    return !bulk_stop_asked();
}

/* Standard input and pipes have no size: then there is no telling, and no bar. */
static void measure(struct bulk *bulk)
{
    struct walk_events events = {add_size, NULL, bulk};
    struct stat facts;
    for (int i = 0; bulk->progress.on && i < bulk->options->operand_count; i++) {
        const char *operand = bulk->options->operands[i];
        int fd = strcmp(operand, "-") == 0 ? -1 : open(operand, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
            walk_directory(operand, fd, &events);
            continue;
        }
        if (fd >= 0 && S_ISREG(facts.st_mode))
            bulk->progress.total_bytes += (uint64_t)facts.st_size;
        if (fd >= 0)
            close(fd);
    }
}

/* --- begin and end --- */

static void read_envelope(struct bulk *bulk)
{
    const struct options *options = bulk->options;
    for (size_t i = 0; i < options->recipients.count; i++)
        bulk->recipients[i] = span_from_string(options->recipients.texts[i]);
    bulk->envelope = (struct message_envelope){
        .helo = span_from_string(options->helo),
        .mail_from = span_from_string(options->mail_from),
        .recipients = bulk->recipients,
        .recipient_count = (uint32_t)options->recipients.count,
        .now = (int64_t)options->now,
    };
    if (options->ip && !ip_parse(span_from_string(options->ip), &bulk->envelope.client))
        bulk->envelope.client = (struct ip){.family = IP_NONE}; /* flags_read has looked */
}

static bool open_journal(struct bulk *bulk)
{
    char error[BULK_JOURNAL_ERROR_MAX];
    if (!bulk->options->journal)
        return true;
    bulk->journal = bulk_journal_open(bulk->options->journal, error);
    if (!bulk->journal)
        bulk_complain(bulk, STATUS_CONFIG, "%s", error);
    return bulk->journal != NULL;
}

static bool open_judge(struct bulk *bulk)
{
    bulk_stop_block(); /* the judge's threads inherit it */
    bulk->judge = bulk->options->socket
                      ? bulk_socket_open(bulk->options, &bulk->mailbox, &bulk->status)
                      : bulk_pool_open(bulk->options, &bulk->mailbox, &bulk->status);
    bulk_stop_catch();
    return bulk->judge != NULL;
}

static void write_summary_file(struct bulk *bulk, const struct buffer *text)
{
    const char *path = bulk->options->summary_file;
    FILE *file = fopen(path, "we");
    bool written = file && fwrite(text->p, 1, text->n, file) == text->n;
    if (file)
        written = fclose(file) == 0 && written;
    if (!written)
        bulk_complain(bulk, STATUS_SOFTWARE, "%s: %s", path, strerror(errno));
}

static void report(struct bulk *bulk)
{
    struct buffer json;
    buffer_init(&json, SUMMARY_CEILING);
    bulk_summary_json(&bulk->summary, &json);
    buffer_append_byte(&json, '\n');
    if (json.failed)
        bulk_complain(bulk, STATUS_SOFTWARE, "no memory for the summary");
    else if (bulk->options->summary_file)
        write_summary_file(bulk, &json);
    else if (bulk->options->json)
        fwrite(json.p, 1, json.n, stderr);
    if (!bulk->options->json)
        bulk_summary_print(&bulk->summary, stdout);
    buffer_fini(&json);
}

static void finish(struct bulk *bulk)
{
    bulk_feed_fini(bulk);
    while (bulk->in_flight)
        bulk_wait(bulk);
    bulk_progress_clear(&bulk->progress);
    bulk->summary.milliseconds = (uint64_t)(engine_clock_ms() - bulk->progress.begin_ms);
    bulk->summary.interrupted = bulk_stop_asked();
    bulk->judge->calls->figures(bulk->judge, &bulk->summary.figures);
    if (bulk->judge->gone)
        bulk_complain(bulk, STATUS_UNAVAILABLE, "%s", bulk->judge->trouble);
    if (bulk->journal && !bulk_journal_flush(bulk->journal, true))
        bulk_complain(bulk, STATUS_SOFTWARE, "%s: %s", bulk->options->journal, strerror(errno));
    if (!bulk->options->socket) { /* a daemon's resolver is not ours to complain of */
        int reachable = reachability_status(&bulk->summary.reachability, bulk->options);
        bulk->status = reachable > bulk->status ? reachable : bulk->status;
    }
    report(bulk);
    if (bulk->summary.interrupted)
        bulk->status = STATUS_INTERRUPTED;
}

static void go_through(struct bulk *bulk)
{
    if (bulk->options->brief && !bulk->options->json)
        print_row_heading(stdout);
    bulk_progress_begin(&bulk->progress);
    measure(bulk);
    for (int i = 0; i < bulk->options->operand_count && !bulk_stopping(bulk); i++)
        take_operand(bulk, bulk->options->operands[i]);
    finish(bulk);
}

int command_bulk(const struct options *options)
{
    if (options->operand_count == 0) {
        complain("bulk: name directories, mbox files or messages; `assay help bulk` tells");
        return STATUS_USAGE;
    }
    struct bulk *bulk = calloc(1, sizeof *bulk);
    if (!bulk) {
        complain("no memory");
        return STATUS_SOFTWARE;
    }
    bulk->options = options;
    bulk_mailbox_init(&bulk->mailbox);
    bulk_summary_init(&bulk->summary);
    read_envelope(bulk);
    if (open_journal(bulk) && open_judge(bulk)) {
        go_through(bulk);
        bulk->judge->calls->close(bulk->judge);
    }
    bulk_journal_close(&bulk->journal);
    bulk_summary_fini(&bulk->summary);
    bulk_mailbox_fini(&bulk->mailbox);
    int status = bulk->status;
    free(bulk);
    return status;
}
