/*
 * assay check: a verdict for each message, in the order of the operands. A file that cannot be
 * judged gets one line on stderr and sets the exit status; the others are judged all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "mail/line_ends.h"
#include "record.h"
#include "show.h"

enum
{
    READ_BYTES = 64 * 1024,
};

/* What the messages of one call share. */
struct checking
{
    const struct options *options;
    struct assay_engine *engine;
    struct reachability reachability;
    struct record record;
};

struct feeding
{
    struct record *record;
    struct assay_message *message;
};

static void feed(void *context, struct span bytes)
{
    struct feeding *feeding = context;
    record_feed(feeding->record, feeding->message, bytes);
}

/* Reads all of `fd` into the message; false with errno on a read error. */
static bool read_message(int fd, struct feeding *feeding)
{
    static uint8_t bytes[READ_BYTES];
    struct line_ends ends;
    line_ends_init(&ends, feed, feeding);
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        line_ends_feed(&ends, span_of(bytes, (size_t)n));
    }
    return true;
}

static void show_text(const char *file, const char *json)
{
    json_t *verdict = json_loads(json, JSON_ALLOW_NUL, NULL);
    if (!verdict) {
        complain("%s: no memory to show the verdict", file);
        return;
    }
    show_verdict(file, verdict, stdout);
    json_decref(verdict);
}

static void print_message(const struct options *options, const char *file,
                          struct assay_message *message)
{
    if (options->json)
        puts(assay_message_json(message));
    else if (options->brief)
        print_verdict_row(file, &assay_message_internal(message)->verdict, stdout);
    else
        show_text(file, assay_message_json(message));
}

static int judge(struct checking *checking, const char *file, int fd)
{
    const struct options *options = checking->options;
    struct assay_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = options->ip,
        .helo = options->helo,
        .mail_from = options->mail_from,
        .rcpt_to = options->recipients.texts,
        .rcpt_count = options->recipients.count,
        .received_at = (int64_t)options->now,
    };
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_message *message = assay_message_begin(checking->engine, &envelope, error);
    if (!message) {
        complain("%s: %s", file, error);
        return STATUS_USAGE;
    }
    int status = STATUS_OK;
    struct feeding feeding = {&checking->record, message};
    assay_message_set_file(message, span_from_string(file));
    record_begin(&checking->record);
    if (!read_message(fd, &feeding)) {
        complain("%s: %s", file, strerror(errno));
        status = STATUS_NO_INPUT;
    } else if (assay_message_end(message) == ASSAY_NO_MESSAGE) {
        complain("%s: this is no message: it has not one header field", file);
        status = STATUS_BAD_INPUT;
    } else if (!assay_message_json(message)) {
        complain("%s: no memory for the verdict", file);
        status = STATUS_SOFTWARE;
    } else {
        reachability_count(&checking->reachability, &assay_message_internal(message)->answers);
        print_message(options, file, message);
        status = record_message(&checking->record, checking->engine, message, file);
    }
    assay_message_free(&message);
    return status;
}

static int check_file(struct checking *checking, const char *file)
{
    if (strcmp(file, "-") == 0)
        return judge(checking, file, STDIN_FILENO);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0) {
        complain("%s: %s", file, strerror(errno));
        if (fd >= 0)
            close(fd);
        return STATUS_NO_INPUT;
    }
    int status = STATUS_NO_INPUT;
    if (S_ISDIR(facts.st_mode))
        complain("%s: is a directory; name its files, e.g. %s/*", file, file);
    else
        status = judge(checking, file, fd);
    close(fd);
    return status;
}

static int check_files(struct checking *checking)
{
    const struct options *options = checking->options;
    char dash[] = "-";
    char *standard_input[] = {dash};
    bool none = options->operand_count == 0;
    char **files = none ? standard_input : options->operands;
    int count = none ? 1 : options->operand_count;
    int status = STATUS_OK;
    if (options->brief && !options->json)
        print_row_heading(stdout);
    for (int i = 0; i < count; i++) {
        int one = check_file(checking, files[i]);
        status = one ? one : status;
    }
    int wrong = record_write(&checking->record);
    status = wrong ? wrong : status;
    return status ? status : reachability_status(&checking->reachability, options);
}

int command_check(const struct options *options)
{
    int status = STATUS_OK;
    struct checking checking = {.options = options};
    checking.engine = options_open_engine(options, &status);
    if (!checking.engine)
        return status;
    record_init(&checking.record, options);
    status = check_files(&checking);
    record_fini(&checking.record);
    assay_engine_close(&checking.engine);
    return status;
}
