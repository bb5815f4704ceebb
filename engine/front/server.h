/*
 * The verdict socket: one epoll loop in one thread that accepts, reads, writes and keeps time for
 * all connections.
 */
#ifndef FRONT_SERVER_H
#define FRONT_SERVER_H

#include "front/peer.h"

struct server;

struct server_config
{
    struct listener_config listener;
    struct front_limits limits;
    struct peer_rules rules;
    struct front_backend backend;
    const struct message_options *options; /* borrowed */
    const char *authserv_id;               /* borrowed; NULL: the options' */
    unsigned timeout_ms;
    void (*reload)(void *context, struct server *server); /* on the front thread; may be NULL */
    void *context;
};

/* What may change while it runs: on reload, from the callback only. */
struct server_settings
{
    struct front_limits limits; /* message_bytes stays as it was at the start */
    struct peer_rules rules;
    const char *authserv_id; /* borrowed until the next settings, or the end */
    const char *const *directories;
    size_t directory_count;
};

enum server_signal
{
    SERVER_DRAIN = 1, /* stop accepting, answer what was accepted, return */
    SERVER_STOP = 2,  /* return now */
    SERVER_RELOAD = 4,
};

/* Binds the socket; nothing is accepted yet. NULL with one line in `error`. */
struct server *server_open(const struct server_config *config,
                           char error[ASSAY_ERROR_MAX]) MUST_CHECK;
/* The judges, where they are opened after the socket: before server_run. */
void server_set_backend(struct server *server, const struct front_backend *backend,
                        const struct message_options *options);
/* Starts the reader of files: `path` is for what lies below `directories`. Before server_run. */
bool server_start_files(struct server *server, const char *const *directories, size_t count,
                        char error[ASSAY_ERROR_MAX]) MUST_CHECK;
/*
 * Serves until SERVER_DRAIN is done or SERVER_STOP comes. All connections are closed then; requests
 * may still be with the pool: server_unanswered says how many.
 */
void server_run(struct server *server);
/* Any thread, and signal handlers. */
void server_signal(struct server *server, enum server_signal signal);
/* It turns its loop once more; any thread. `server` as a pool's host (pool.h). */
void server_rouse(void *server);
/* Takes home what the pool has ended; how many requests are still there. */
uint64_t server_unanswered(struct server *server);
/* After the pool has stopped. Nulls; NULL inside is fine. */
void server_close(struct server **server);

/* False with `error`, and nothing has changed, where a directory cannot be opened. */
bool server_apply(struct server *server, const struct server_settings *settings,
                  char error[ASSAY_ERROR_MAX]) MUST_CHECK;

#endif
