/*
 * Inside of libassay-client: the client and what its files do for each other.
 *
 *   client.c      the public calls around it: open, close, the loop
 *   connection.c  connecting, greeting, sending, losing, timers
 *   receive.c     frames from the server, answers to the caller
 *   ring.c        the shared-memory ring
 *   submit.c      messages;  query.c  queries;  words.c  words
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <sys/un.h>

#include "client/assay_client.h"
#include "client/frame.h"
#include "client/queue.h"
#include "client/requests.h"
#include "client/ring.h"

enum
{
    CLIENT_FLUSH_BYTES = 64 * 1024, /* queued bytes worth a system call of their own */
    CLIENT_NAME_MAX = 64,
};

struct assay_client
{
    /* Set by open. */
    struct assay_client_options options; /* `name` points into `name` */
    char name[CLIENT_NAME_MAX];
    struct sockaddr_un address;

    /* The connection. */
    int fd; /* -1: none */
    enum assay_client_state state;
    bool broken;      /* writing failed: read what is left, then it is lost */
    bool pinged;      /* a PING of ours waits for its PONG */
    int64_t heard_ms; /* when the server was last heard; all times are CLOCK_MONOTONIC */
    int64_t pinged_ms;
    int64_t connect_ms; /* AWAY: when to try again */
    unsigned backoff_ms;
    uint64_t random;
    struct client_queue out;
    struct client_ring ring;
    bool ring_asked; /* RING was sent and is not answered */
    bool ring_on;    /* frames go through the ring, bytes on the socket say no more than "look" */
    bool ring_more;  /* `process` has left something in it */
    uint8_t *in;     /* owned; bytes in_begin to in_end have not been looked at */
    size_t in_begin, in_end, in_capacity;

    /* What the server said. */
    uint64_t credit;
    uint64_t message_limit;
    uint32_t frame_limit;
    uint32_t features;
    char server[CLIENT_NAME_MAX];
    char trouble[ASSAY_CLIENT_ERROR_MAX];

    struct client_requests requests;
    unsigned answers; /* done() calls of this process or poll */
    uint64_t changes; /* of `state` */
    bool in_callback;
};

int64_t client_now_ms(void);
void client_set_state(struct assay_client *client, enum assay_client_state state);

/* Connects and greets; false with `trouble` set. */
bool client_connect(struct assay_client *client);
/* Sends the queue; a failure is remembered (`broken`) and told by client_process. */
void client_write(struct assay_client *client);
/* The queue, and behind it `tail`, by socket or ring; *taken of the tail. */
enum client_sent client_send(struct assay_client *client, const uint8_t *tail, size_t n,
                             size_t *taken);
/* Wakes the server where it sleeps for what we did; false: the socket is broken. */
bool client_bell(struct assay_client *client);
/* Makes a ring and asks the server to use it; false: no memory, it stays a stream. */
bool client_ask_ring(struct assay_client *client);
/* Ends the connection: each open request is answered LOST with `word`, `text` becomes `trouble`
 * unless the server has said why itself. */
void client_lose(struct assay_client *client, const char *word, const char *text);
/* Ping, silence, connecting again. */
void client_timers(struct assay_client *client);
int client_next_timer_ms(const struct assay_client *client);

/* Reads and handles what has come, up to a bound. */
void client_receive(struct assay_client *client);

/* Ends an open request: takes it out of the table, then calls done(). answer->id and ->user are set
 * here. */
void client_answer(struct assay_client *client, struct client_request *request,
                   struct assay_client_answer *answer);

/* WOULD_BLOCK where no request may be opened now. */
enum assay_client_status client_may_open(const struct assay_client *client);
/* A request that has credit and is in the table; its frame is in the queue already. */
struct client_request *client_open_request(struct assay_client *client, void *user, uint64_t *id);
/* After something was queued: sends if that is worth a system call. */
void client_queued(struct assay_client *client);

/* "busy" for 4 ...; "unknown". Static. */
const char *client_error_word(unsigned code);

#endif
