/*
 * Output that the socket has not taken yet: a list of chunks, sent many at a time with one
 * sendmsg(). A chunk may carry one descriptor, which goes out with the chunk's first byte.
 */
#ifndef CLIENT_QUEUE_H
#define CLIENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_chunk;

struct client_queue
{
    struct client_chunk *first, *last; /* owned */
    struct client_chunk *spare;        /* owned: one empty chunk kept for the next */
    size_t bytes;
};

enum client_sent
{
    CLIENT_SENT_ALL,
    CLIENT_SENT_PART, /* the socket takes no more now */
    CLIENT_SENT_NONE, /* the connection is broken */
};

/* Frees all chunks, closes their descriptors. */
void client_queue_clear(struct client_queue *queue);
/* `n` contiguous bytes at the queue's end, or NULL without memory; then client_queue_commit. */
uint8_t *client_queue_reserve(struct client_queue *queue, size_t n);
void client_queue_commit(struct client_queue *queue, size_t n);
/* As reserve, in a chunk of exactly `n` bytes that carries `fd` and is sent by itself; owns `fd`
 * unless it returns NULL. */
uint8_t *client_queue_reserve_fd(struct client_queue *queue, size_t n, int fd);
/* The first bytes of the queue, n of them, contiguous; NULL where it is empty. */
const uint8_t *client_queue_front(const struct client_queue *queue, size_t *n);
/* They went out by another way. */
void client_queue_drop(struct client_queue *queue, size_t n);
/*
 * Sends the queue, and behind it `tail` (borrowed, n bytes; may be NULL) as far as the socket takes
 * it; *taken (may be NULL) says how much of the tail went out.
 */
enum client_sent client_queue_send(struct client_queue *queue, int socket, const void *tail,
                                   size_t n, size_t *taken);

#endif
