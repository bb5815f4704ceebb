/*
 * The output queue. Small frames are gathered in chunks of 64 KiB; a large piece that the socket
 * did not take gets a chunk of its own size.
 */
#include "client/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum
{
    CHUNK_BYTES = 64 * 1024,
    SEND_CHUNKS = 32, /* in one sendmsg() */
};

struct client_chunk
{
    struct client_chunk *next;
    size_t begin, end, capacity;
    int fd; /* owned; -1: none. Goes out with the byte at `begin` */
    uint8_t bytes[];
};

/* A chunk of `capacity` bytes at the queue's end. */
static struct client_chunk *chunk_new(struct client_queue *queue, size_t capacity, int fd)
{
    struct client_chunk *chunk = capacity == CHUNK_BYTES ? queue->spare : NULL;
    if (chunk)
        queue->spare = NULL;
    else if (capacity <= SIZE_MAX - sizeof *chunk)
        chunk = malloc(sizeof *chunk + capacity);
    if (!chunk)
        return NULL;
    chunk->capacity = capacity;
    chunk->next = NULL;
    chunk->begin = chunk->end = 0;
    chunk->fd = fd;
    if (queue->last)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    queue->last = chunk;
    return chunk;
}

/* Takes the first chunk out of the list. */
static void chunk_drop(struct client_queue *queue)
{
    struct client_chunk *chunk = queue->first;
    queue->first = chunk->next;
    if (!queue->first)
        queue->last = NULL;
    if (chunk->fd >= 0)
        close(chunk->fd);
    if (chunk->capacity == CHUNK_BYTES && !queue->spare)
        queue->spare = chunk;
    else
        free(chunk);
}

void client_queue_clear(struct client_queue *queue)
{
    while (queue->first)
        chunk_drop(queue);
    free(queue->spare);
    *queue = (struct client_queue){0};
}

uint8_t *client_queue_reserve(struct client_queue *queue, size_t n)
{
    struct client_chunk *chunk = queue->last;
    if (!chunk || chunk->capacity - chunk->end < n)
        chunk = chunk_new(queue, n < CHUNK_BYTES ? CHUNK_BYTES : n, -1);
    return chunk ? chunk->bytes + chunk->end : NULL;
}

void client_queue_commit(struct client_queue *queue, size_t n)
{
    queue->last->end += n;
    queue->bytes += n;
}

uint8_t *client_queue_reserve_fd(struct client_queue *queue, size_t n, int fd)
{
    struct client_chunk *chunk = chunk_new(queue, n, fd);
    return chunk ? chunk->bytes : NULL;
}

struct gathered
{
    struct iovec parts[SEND_CHUNKS + 1];
    size_t count;
    bool whole; /* all of the queue is in it */
};

/* Up to a chunk with a descriptor: that one goes in a sendmsg() of its own. */
static void gather(const struct client_queue *queue, struct gathered *gathered)
{
    struct client_chunk *chunk = queue->first;
    gathered->count = 0;
    gathered->whole = false;
    for (; chunk && gathered->count < SEND_CHUNKS; chunk = chunk->next) {
        if (chunk->fd >= 0 && chunk != queue->first)
            break;
        gathered->parts[gathered->count++] =
            (struct iovec){chunk->bytes + chunk->begin, chunk->end - chunk->begin};
        if (chunk->fd >= 0)
            return;
    }
    gathered->whole = chunk == NULL;
}

static ssize_t send_once(int socket, struct gathered *gathered, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = gathered->parts, .msg_iovlen = gathered->count};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n;
}

/* `n` bytes of the queue are out; what is more was the tail's and is returned. */
static size_t advance(struct client_queue *queue, size_t n)
{
    while (queue->first) {
        struct client_chunk *chunk = queue->first;
        size_t have = chunk->end - chunk->begin;
        size_t out = n < have ? n : have;
        if (n && chunk->fd >= 0) {
            close(chunk->fd);
            chunk->fd = -1;
        }
        chunk->begin += out;
        queue->bytes -= out;
        n -= out;
        if (out < have)
            break;
        chunk_drop(queue);
    }
    return n;
}

const uint8_t *client_queue_front(const struct client_queue *queue, size_t *n)
{
    const struct client_chunk *chunk = queue->first;
    *n = chunk ? chunk->end - chunk->begin : 0;
    return chunk ? chunk->bytes + chunk->begin : NULL;
}

void client_queue_drop(struct client_queue *queue, size_t n)
{
    advance(queue, n);
}

enum client_sent client_queue_send(struct client_queue *queue, int socket, const void *tail,
                                   size_t n, size_t *taken)
{
    const uint8_t *bytes = tail;
    struct gathered gathered;
    size_t done = 0, none;
    taken = taken ? taken : &none;
    *taken = 0;
    while (queue->bytes || done < n) {
        gather(queue, &gathered);
        int fd = queue->first ? queue->first->fd : -1;
        if (gathered.whole && done < n)
            gathered.parts[gathered.count++] =
                (struct iovec){(void *)(uintptr_t)(bytes + done), n - done};
        ssize_t out = send_once(socket, &gathered, fd);
        if (out < 0)
            return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? CLIENT_SENT_PART
                                                                                : CLIENT_SENT_NONE;
        done += advance(queue, (size_t)out);
        *taken = done;
    }
    return CLIENT_SENT_ALL;
}
