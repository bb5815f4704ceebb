/*
 * The open requests of a client, by id. An id is a running number and, in its low bits, the slot
 * that the request has: ids are never used again, finding one is one look, and a frame with an id
 * that was not given out, or whose request has ended, finds nothing.
 */
#ifndef CLIENT_REQUESTS_H
#define CLIENT_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

enum
{
    REQUEST_SLOT_BITS = 20,
    REQUESTS_MAX = 1 << REQUEST_SLOT_BITS,
};

struct client_request
{
    uint64_t id; /* 0: the slot is free */
    void *user;
    uint64_t fed;       /* bytes of the message so far */
    uint32_t next_free; /* slot + 1; 0: none */
    bool sending;       /* its message has not ended yet */
    bool cancelled;
    bool query;
};

struct client_requests
{
    struct client_request *slots; /* owned */
    uint32_t capacity, count;     /* count: open ones */
    uint32_t free;                /* slot + 1 */
    uint64_t sequence;
};

void client_requests_fini(struct client_requests *requests);
/* A new open request; NULL without memory. The pointer is good until the next call of _add. */
struct client_request *client_requests_add(struct client_requests *requests, void *user);
/* NULL where no open request has that id. */
struct client_request *client_requests_find(struct client_requests *requests, uint64_t id);
void client_requests_remove(struct client_requests *requests, struct client_request *request);

#endif
