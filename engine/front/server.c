/*
 * The loop: events, answers from the outbox, timers, signals; and accepting.
 *
 * Limits: connections and per_uid (front.h). Out of descriptors, one connection is taken with the
 * reserve and closed, so that its client sees that it is not served, and accepting pauses (L04).
 */
#include "front/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine.h"
#include "front/files.h"
#include "front/link.h"
#include "front/log.h"

enum
{
    EVENTS = 256,
    ACCEPTS = 64,         /* of one turn */
    WORKERS_WAIT_MS = 1,  /* how soon to look again whether workers have hashed more */
    PERIOD_LEAST_MS = 10, /* of timers */
    PERIOD_MOST_MS = 1000,
};

/* Opening and closing ----------------------------------------------------------------------------
 */

static int64_t period_of(const struct front_limits *limits)
{
    uint32_t least = limits->idle_ms;
    if (limits->partial_ms < least)
        least = limits->partial_ms;
    if (limits->rate_ms < least)
        least = limits->rate_ms;
    least /= 8;
    return least < PERIOD_LEAST_MS ? PERIOD_LEAST_MS
                                   : (least > PERIOD_MOST_MS ? PERIOD_MOST_MS : least);
}

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool open_parts(struct server *server, const struct server_config *config, char *error)
{
    if (!listener_open(&server->listener, &config->listener, error))
        return false;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->reserve_fd = open_reserve();
    server->intake = intake_new(server->front.limits.chunks, &server->front.outbox);
    if (server->epoll < 0 || server->reserve_fd < 0 || !server->intake ||
        !outbox_watch(&server->front.outbox, server->epoll, &server->front.outbox)) {
        engine_say(error, "no memory or descriptors for the socket");
        return false;
    }
    return true;
}

struct server *server_open(const struct server_config *config, char error[ASSAY_ERROR_MAX])
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        engine_say(error, "no memory");
        return NULL;
    }
    server->front.limits = config->limits;
    server->front.backend = config->backend;
    server->front.options = config->options;
    server->front.authserv_id = span_from_string(config->authserv_id);
    server->front.timeout_ms = config->timeout_ms;
    server->rules = config->rules;
    server->reload = config->reload;
    server->context = config->context;
    server->listener.fd = server->epoll = server->reserve_fd = -1;
    server->period_ms = period_of(&config->limits);
    if (!front_init(&server->front)) {
        engine_say(error, "no descriptors for the socket");
        front_fini(&server->front);
        free(server);
        return NULL;
    }
    if (!open_parts(server, config, error))
        server_close(&server);
    return server;
}

/* Threads are started late: a process that leaves its user behind does so before. */
bool server_start_files(struct server *server, const char *const *directories, size_t count,
                        char error[ASSAY_ERROR_MAX])
{
    server->front.files = files_start(directories, count, error);
    server->front.may_path = count > 0;
    return server->front.files != NULL;
}

void server_set_backend(struct server *server, const struct front_backend *backend,
                        const struct message_options *options)
{
    server->front.backend = *backend;
    server->front.options = options;
}

void server_close(struct server **server)
{
    struct server *gone = *server;
    *server = NULL;
    if (!gone)
        return;
    listener_close(&gone->listener);
    files_stop(&gone->front.files);
    intake_free(&gone->intake);
    front_fini(&gone->front);
    if (gone->epoll >= 0)
        close(gone->epoll);
    if (gone->reserve_fd >= 0)
        close(gone->reserve_fd);
    free(gone->uids);
    free(gone);
}

/* Accepting --------------------------------------------------------------------------------------
 */

static void set_accepting(struct server *server, bool accepting)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->listener};
    if (server->accepting == accepting || server->listener.fd < 0)
        return;
    if (epoll_ctl(server->epoll, accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, server->listener.fd,
                  &event) == 0)
        server->accepting = accepting;
}

static void pause_accepting(struct server *server, int64_t ms)
{
    server->front.counters.accept_pauses++;
    server->accept_again_ms = ms ? server->front.now_ms + ms : 0;
    set_accepting(server, false);
}

/* One client learns that it is not served, instead of waiting for what will not come. */
static void refuse_one(struct server *server)
{
    struct front_counters *counters = &server->front.counters;
    counters->out_of_descriptors++;
    log_note(LOG_LEVEL_WARNING, "out_of_descriptors", "action", "accept_pause");
    if (server->reserve_fd >= 0)
        close(server->reserve_fd);
    int fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        close(fd);
    server->reserve_fd = open_reserve();
}

/* False: enough for now. */
static bool accept_one(struct server *server)
{
    const struct front_limits *limits = &server->front.limits;
    if (server->front.live_connections >= limits->connections) {
        pause_accepting(server, 0); /* until one closes */
        return false;
    }
    int fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        link_open(server, fd);
        return true;
    }
    if (errno == EINTR || errno == ECONNABORTED)
        return true;
    if (errno == EMFILE || errno == ENFILE)
        refuse_one(server);
    if (errno != EAGAIN)
        pause_accepting(server, limits->accept_pause_ms);
    return false;
}

static void accept_some(struct server *server)
{
    for (int i = 0; i < ACCEPTS; i++)
        if (!accept_one(server))
            return;
}

static void maybe_accept_again(struct server *server)
{
    const struct front_limits *limits = &server->front.limits;
    if (server->accepting || server->drain_until_ms || server->stopping)
        return;
    if (server->front.live_connections < limits->connections &&
        server->front.now_ms >= server->accept_again_ms)
        set_accepting(server, true);
}

/* Signals ----------------------------------------------------------------------------------------
 */

void server_signal(struct server *server, enum server_signal signal)
{
    atomic_fetch_or(&server->signals, (uint32_t)signal);
    outbox_wake(&server->front.outbox);
}

void server_rouse(void *server)
{
    outbox_wake(&((const struct server *)server)->front.outbox);
}

static void begin_drain(struct server *server)
{
    if (server->drain_until_ms)
        return;
    server->drain_until_ms = server->front.now_ms + server->front.limits.drain_ms;
    server->front.draining = true;
    set_accepting(server, false);
    listener_close(&server->listener);
    for (struct link *link = server->links; link; link = link->next)
        connection_drain(&link->connection);
}

static void take_signals(struct server *server)
{
    uint32_t signals = atomic_exchange(&server->signals, 0);
    if (signals & SERVER_STOP)
        server->stopping = true;
    if (signals & SERVER_DRAIN)
        begin_drain(server);
    if ((signals & SERVER_RELOAD) && server->reload)
        server->reload(server->context, server);
}

bool server_apply(struct server *server, const struct server_settings *settings,
                  char error[ASSAY_ERROR_MAX])
{
    struct front *front = &server->front;
    if (!files_set_directories(front->files, settings->directories, settings->directory_count,
                               error))
        return false;
    uint32_t message_bytes = front->limits.message_bytes;
    front->may_path = settings->directory_count > 0;
    front->limits = settings->limits;
    front->limits.message_bytes = message_bytes; /* the pool's is fixed */
    front->authserv_id = span_from_string(settings->authserv_id);
    server->rules = settings->rules;
    server->period_ms = period_of(&front->limits);
    for (struct link *link = server->links; link; link = link->next)
        connection_set_in_flight(&link->connection, front->limits.in_flight);
    return true;
}

/* The loop ---------------------------------------------------------------------------------------
 */

/* How long the pool's guest lets us sleep; -1: for ever. */
static int64_t doze(const struct server *server)
{
    struct pool *hosted = server->front.backend.hosted;
    return hosted ? pool_guest_doze(hosted) : -1;
}

static int timeout_of(const struct server *server)
{
    int64_t until_ms = server->tick_ms, guest_ms = doze(server);
    if (guest_ms == 0 || server->front.dirty || (server->rings && server->rings_busy))
        return 0;
    if (server->rings)
        return WORKERS_WAIT_MS;
    if (server->waiting)
        return WORKERS_WAIT_MS;
    if (server->drain_until_ms && server->drain_until_ms < until_ms)
        until_ms = server->drain_until_ms;
    if (!server->accepting && server->accept_again_ms && server->accept_again_ms < until_ms)
        until_ms = server->accept_again_ms;
    int64_t left = until_ms - engine_clock_ms();
    if (guest_ms > 0 && guest_ms < left)
        left = guest_ms;
    return left > 0 ? (int)left : 0;
}

static void take_event(struct server *server, const struct epoll_event *event)
{
    if (event->data.ptr == &server->listener)
        accept_some(server);
    else if (event->data.ptr == &server->front.outbox)
        front_collect(&server->front);
    else
        link_event(server, event->data.ptr, event->events);
}

static void tick(struct server *server)
{
    if (server->front.now_ms < server->tick_ms)
        return;
    server->tick_ms = server->front.now_ms + server->period_ms;
    link_tick_all(server);
}

static bool is_finished(const struct server *server)
{
    if (server->stopping)
        return true;
    return server->drain_until_ms &&
           (!server->links || server->front.now_ms >= server->drain_until_ms);
}

/* The lone message that was read in this turn, and what waited for answers. */
static void judge_here(struct server *server)
{
    if (!server->front.backend.hosted)
        return;
    pool_guest_run(server->front.backend.hosted);
    if (!outbox_has(&server->front.outbox))
        return;
    front_collect_early(&server->front);
    server->rings_busy = true; /* no answer will wake us, to look at them again */
}

static void turn(struct server *server)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(server->epoll, events, EVENTS, timeout_of(server));
    server->front.now_ms = engine_clock_ms();
    link_retry_waiting(server);
    for (int i = 0; i < n; i++)
        take_event(server, &events[i]);
    front_collect_early(&server->front);
    take_signals(server);
    tick(server);
    link_ring_look_all(server);
    judge_here(server);
    link_serve_dirty(server);
    link_bury(server);
    maybe_accept_again(server);
}

static void set_host(struct server *server, bool is_host)
{
    front_set_here(is_host ? &server->front : NULL);
    if (!server->front.backend.hosted)
        return;
    if (is_host)
        pool_guest_begin(server->front.backend.hosted);
    else
        pool_guest_end(server->front.backend.hosted);
}

void server_run(struct server *server)
{
    set_host(server, true);
    server->front.now_ms = engine_clock_ms();
    set_accepting(server, true);
    while (!is_finished(server))
        turn(server);
    listener_close(&server->listener);
    while (server->links)
        link_close(server, server->links);
    link_forget_all(server);
    link_bury(server);
    set_host(server, false);
    files_stop(&server->front.files);
}

uint64_t server_unanswered(struct server *server)
{
    front_collect(&server->front);
    return server->front.live_requests;
}
