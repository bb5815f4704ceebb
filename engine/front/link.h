/*
 * The server's inside, shared by its files: connections with their sockets.
 */
#ifndef FRONT_LINK_H
#define FRONT_LINK_H

#include "front/intake.h"
#include "front/ring.h"
#include "front/server.h"

struct link
{
    struct connection connection; /* first: the dirty list finds the link by it */
    int fd;
    uint32_t events; /* as epoll has them */
    bool closed;     /* waits for the end of this turn */
    bool starved;    /* there was no chunk to read into */
    bool waiting;    /* in server->waiting */
    struct link *waiting_next;
    struct link *next, **previous;

    struct ring ring;    /* shared == NULL: frames travel through the socket */
    size_t stream_left;  /* output from before the ring: goes out through the socket */
    uint32_t ring_wants; /* what we sleep for */
    bool ring_broken;    /* an index was; over when the error is written, or cannot be */
    bool stream_ended;   /* the client has closed its sending half */
    int64_t ring_until_ms;
    struct link *ring_next, **ring_previous; /* in server->rings; previous NULL: not there */
};

struct uid_count
{
    uid_t uid;
    uint32_t connections;
    uint64_t ring_bytes;
};

struct server
{
    struct front front;
    struct listener listener;
    struct peer_rules rules;
    struct intake *intake;
    int epoll;
    int reserve_fd; /* given up to refuse a connection when there are no more descriptors (L04) */
    struct link *links;
    struct link *buried;  /* closed in this turn */
    struct link *waiting; /* until workers have hashed more */
    struct link *rings;   /* to look at in each turn */
    bool rings_busy;      /* some had bytes: look again at once */
    uint64_t ring_bytes;  /* mapped */
    bool any_starved;
    bool accepting;             /* the listener is in epoll */
    int64_t accept_again_ms;    /* paused until then; 0: not by time */
    int64_t drain_until_ms;     /* 0: not draining */
    int64_t tick_ms, period_ms; /* next tick, and between two */
    bool stopping;
    _Atomic uint32_t signals; /* enum server_signal */
    struct uid_count *uids;   /* owned */
    size_t uid_count, uid_capacity;
    void (*reload)(void *context, struct server *server);
    void *context;
};

/* A connection that was accepted; closes fd where it is not to be served. */
void link_open(struct server *server, int fd);
/* Its socket can be read, written, or is gone. */
void link_event(struct server *server, struct link *link, uint32_t events);
/* Lets the connections that have something to do or to send go on; closes those that are over. */
void link_serve_dirty(struct server *server);
/* Those that waited for workers or for chunks may try again. */
void link_retry_waiting(struct server *server);
void link_tick_all(struct server *server);
/* Frees what was closed and is in no list any more. */
void link_bury(struct server *server);
/* Empties the lists: the server stops. */
void link_forget_all(struct server *server);
void link_close(struct server *server, struct link *link);

/* NULL without memory; never for a connection's own uid. */
struct uid_count *link_uid_count(struct server *server, uid_t uid);

/* A RING frame came: maps it, or refuses it, and answers. */
void link_ring_open(struct server *server, struct link *link);
void link_ring_close(struct server *server, struct link *link);
/* The socket of a link with a ring can be read. */
void link_ring_event(struct server *server, struct link *link);
/* Once in each turn. */
void link_ring_look_all(struct server *server);
/* True where all of it was sent, and more is left. */
bool link_ring_send(struct link *link, const struct iovec *pieces, size_t count);
/* Output was written, input taken: wakes the client. */
void link_ring_served(struct server *server, struct link *link);

#endif
