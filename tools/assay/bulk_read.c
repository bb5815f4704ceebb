/*
 * A file to messages: an mbox, if it begins like one and may be one, else a single message.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "bulk.h"
#include "mail/mbox.h"

enum
{
    READ_BYTES = 256 * 1024,
    NUMBER_BYTES = 24,
    IDLE_MS = 100,
};

struct folder
{
    struct bulk *bulk;
    const char *file;
    uint64_t number; /* of the message, from 1 */
    char *name;      /* owned: "file#number" */
    size_t name_size;
};

/* What comes slowly, as from a pipe, holds no result back: they are written while we wait. */
static void wait_for_bytes(struct bulk *bulk, int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (!bulk_stopping(bulk) && poll(&readable, 1, bulk->in_flight ? 0 : IDLE_MS) == 0) {
        if (bulk->in_flight)
            bulk_wait(bulk);
        bulk_collect(bulk);
    }
}

/* -1 with errno, 0 at the end. A signal that asks to stop ends the file. */
static ssize_t read_some(struct bulk *bulk, int fd, uint8_t *bytes, size_t n)
{
    for (;;) {
        if (bulk->reading_pipe)
            wait_for_bytes(bulk, fd);
        if (bulk_stopping(bulk)) {
            errno = EINTR;
            return -1;
        }
        ssize_t got = read(fd, bytes, n);
        if (got >= 0 || errno != EINTR)
            return got;
    }
}

static void count_read(struct bulk *bulk, size_t n)
{
    bulk->progress.read_bytes += n;
    bulk->progress.passed_bytes += n;
}

static void folder_begin(void *context)
{
    struct folder *folder = context;
    snprintf(folder->name, folder->name_size, "%s#%llu", folder->file,
             (unsigned long long)++folder->number);
    bulk_feed_begin(folder->bulk, folder->name);
}

static void folder_bytes(void *context, struct span bytes)
{
    struct folder *folder = context;
    bulk_feed_bytes(folder->bulk, bytes);
}

static void folder_end(void *context)
{
    struct folder *folder = context;
    bulk_feed_end(folder->bulk);
}

static const struct mbox_events folder_events = {folder_begin, folder_bytes, folder_end};

/* Enough to tell an mbox from a message; what a pipe gives at once may be less. */
static ssize_t read_beginning(struct bulk *bulk, int fd, uint8_t *bytes)
{
    size_t have = 0;
    while (have < 5) {
        ssize_t n = read_some(bulk, fd, bytes + have, READ_BYTES - have);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* Feeds `n` bytes and all that follow; false with errno. */
static bool read_rest(struct bulk *bulk, int fd, uint8_t *bytes, ssize_t n, struct mbox *mbox)
{
    while (n > 0) {
        count_read(bulk, (size_t)n);
        if (mbox)
            mbox_feed(mbox, span_of(bytes, (size_t)n));
        else
            bulk_feed_bytes(bulk, span_of(bytes, (size_t)n));
        n = read_some(bulk, fd, bytes, READ_BYTES);
    }
    return n == 0;
}

static bool read_folder(struct bulk *bulk, const char *name, int fd, uint8_t *bytes, ssize_t n)
{
    struct mbox mbox;
    struct folder folder = {.bulk = bulk, .file = name, .name_size = strlen(name) + NUMBER_BYTES};
    folder.name = malloc(folder.name_size);
    if (!folder.name) {
        errno = ENOMEM;
        return false;
    }
    mbox_init(&mbox, &folder_events, &folder);
    bool read = read_rest(bulk, fd, bytes, n, &mbox);
    if (read)
        mbox_end(&mbox);
    free(folder.name);
    return read;
}

static bool read_message(struct bulk *bulk, const char *name, int fd, uint8_t *bytes, ssize_t n)
{
    bulk_feed_begin(bulk, name);
    if (!read_rest(bulk, fd, bytes, n, NULL))
        return false;
    bulk_feed_end(bulk);
    return true;
}

void bulk_read(struct bulk *bulk, const char *name, int fd, bool regular, bool may_be_folder)
{
    static uint8_t bytes[READ_BYTES]; /* the main thread's */
    bulk->reading_pipe = !regular;
    ssize_t n = read_beginning(bulk, fd, bytes);
    bool folder = n > 0 && may_be_folder && mbox_is_folder(span_of(bytes, (size_t)n));
    bool read = n >= 0;
    if (read && folder)
        read = read_folder(bulk, name, fd, bytes, n);
    else if (read)
        read = read_message(bulk, name, fd, bytes, n);
    if (read)
        return;
    int error = errno;
    bulk_feed_drop(bulk);
    if (bulk_stopping(bulk))
        return; /* a message that was not read to its end is not done; the rest is not begun */
    bulk->summary.unreadable++;
    bulk_complain(bulk, STATUS_NO_INPUT, "%s: %s", name, strerror(error));
}
