/*
 * One connection and its socket: reads into chunks that all share, sends what there is, watches
 * for what it waits for.
 */
#include "front/link.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "front/descriptor.h"
#include "front/log.h"

enum
{
    PIECES = 128, /* of answers, sent in one call */
};
_Static_assert((int)PIECES <= IOV_MAX, "sendmsg takes no more");

/* Connections per user ----------------------------------------------------------------------------
 */

struct uid_count *link_uid_count(struct server *server, uid_t uid)
{
    for (size_t i = 0; i < server->uid_count; i++)
        if (server->uids[i].uid == uid)
            return &server->uids[i];
    if (server->uid_count == server->uid_capacity) {
        size_t capacity = server->uid_capacity ? 2 * server->uid_capacity : 8;
        struct uid_count *uids = reallocarray(server->uids, capacity, sizeof *uids);
        if (!uids)
            return NULL;
        server->uids = uids;
        server->uid_capacity = capacity;
    }
    server->uids[server->uid_count] = (struct uid_count){.uid = uid};
    return &server->uids[server->uid_count++];
}

static void uncount(struct server *server, uid_t uid)
{
    struct uid_count *count = link_uid_count(server, uid);
    if (--count->connections == 0)
        *count = server->uids[--server->uid_count];
}

/* Opening ----------------------------------------------------------------------------------------
 */

static void log_refused(const struct peer *peer, const char *why)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARNING, "connection_refused");
    log_uint(&line, "uid", peer->uid);
    log_uint(&line, "pid", (uint64_t)peer->pid);
    log_text(&line, "reason", why);
    log_end(&line);
}

static bool may_connect(struct server *server, int fd, struct peer *peer)
{
    struct front_counters *counters = &server->front.counters;
    if (!peer_read(fd, &server->rules, peer) || !peer_is_allowed(&server->rules, peer)) {
        counters->refused_peers++;
        log_refused(peer, "uid_not_allowed");
        return false;
    }
    const struct uid_count *count = link_uid_count(server, peer->uid);
    if (!count || count->connections >= server->front.limits.per_uid) {
        counters->refused_per_uid++;
        log_refused(peer, "too_many_of_this_uid");
        return false;
    }
    return true;
}

static struct link *link_new(struct server *server, int fd, const struct peer *peer)
{
    struct link *link = calloc(1, sizeof *link);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    if (!link || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(link);
        return NULL;
    }
    link->fd = fd;
    link->events = EPOLLIN;
    connection_init(&link->connection, &server->front, peer);
    link->next = server->links;
    link->previous = &server->links;
    if (link->next)
        link->next->previous = &link->next;
    server->links = link;
    return link;
}

static void log_connection(const struct peer *peer, const char *event)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_DEBUG, event);
    log_uint(&line, "uid", peer->uid);
    log_uint(&line, "pid", (uint64_t)peer->pid);
    log_end(&line);
}

void link_open(struct server *server, int fd)
{
    struct peer peer = {.pid = 0, .uid = (uid_t)-1};
    server->front.counters.accepted++;
    if (!may_connect(server, fd, &peer) || !link_new(server, fd, &peer)) {
        close(fd);
        return;
    }
    link_uid_count(server, peer.uid)->connections++; /* may_connect has made its place */
    log_connection(&peer, "connected");
}

void link_close(struct server *server, struct link *link)
{
    if (link->closed)
        return;
    link->closed = true;
    link_ring_close(server, link);
    log_connection(&link->connection.peer, "closed");
    uncount(server, link->connection.peer.uid);
    connection_fini(&link->connection);
    close(link->fd);
    *link->previous = link->next;
    if (link->next)
        link->next->previous = link->previous;
    link->next = server->buried;
    server->buried = link;
}

void link_bury(struct server *server)
{
    struct link **at = &server->buried;
    while (*at) {
        struct link *link = *at;
        if (link->connection.in_dirty || link->waiting) { /* a list still has it */
            at = &link->next;
            continue;
        }
        *at = link->next;
        free(link);
    }
}

/* Reading ----------------------------------------------------------------------------------------
 */

/* The bytes lie in the chunk; the descriptor came with the last of them. */
static void take(struct link *link, struct chunk *chunk, struct span bytes, int descriptor)
{
    struct connection *connection = &link->connection;
    if (descriptor != DESCRIPTOR_NONE)
        connection_descriptor(connection, descriptor);
    if (!connection->closing)
        connection_input(connection, chunk, bytes);
}

static void read_once(struct server *server, struct link *link)
{
    struct descriptor_room control;
    struct iovec place = {0};
    uint8_t *at = NULL;
    struct chunk *chunk = intake_room(server->intake, &at, &place.iov_len);
    if (!chunk) {
        link->starved = server->any_starved = true;
        server->front.counters.input_stalls++;
        return;
    }
    place.iov_base = at;
    struct msghdr header = {.msg_iov = &place, .msg_iovlen = 1};
    descriptor_prepare(&header, &control);
    ssize_t n = recvmsg(link->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) {
        link->connection.dead = errno != EAGAIN && errno != EINTR;
        return;
    }
    if (n == 0) {
        connection_eof(&link->connection);
        return;
    }
    intake_used(server->intake, (size_t)n);
    take(link, chunk, span_of(at, (size_t)n), descriptor_received(&header));
    if (link->connection.ring_asked && !link->connection.closing)
        link_ring_open(server, link);
}

void link_event(struct server *server, struct link *link, uint32_t events)
{
    if (link->closed)
        return;
    if (events & (EPOLLHUP | EPOLLERR))
        link->connection.dead = true; /* closed altogether: nobody reads answers (L02) */
    else if ((events & EPOLLIN) && link->ring.shared)
        link_ring_event(server, link);
    else if ((events & EPOLLIN) && connection_wants_input(&link->connection))
        read_once(server, link);
    connection_note(&link->connection);
}

/* Writing ----------------------------------------------------------------------------------------
 */

/* At most `bytes` of the pieces; returns their count. */
static size_t cut(struct iovec *pieces, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].iov_len >= bytes) {
            pieces[i].iov_len = bytes;
            return i + 1;
        }
        bytes -= pieces[i].iov_len;
    }
    return count;
}

static size_t sum(const struct iovec *pieces, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += pieces[i].iov_len;
    return n;
}

/* One piece is the rule where answers are short, and send() costs an eighth less for it. */
static ssize_t send_pieces(int fd, struct iovec *pieces, size_t count)
{
    int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    struct msghdr header = {.msg_iov = pieces, .msg_iovlen = count};
    return count == 1 ? send(fd, pieces->iov_base, pieces->iov_len, flags)
                      : sendmsg(fd, &header, flags);
}

/* True where all was sent that was tried, and more is left. A socket that took a part is full: it
 * tells when it can take more. */
static bool send_once(struct link *link)
{
    struct iovec pieces[PIECES];
    size_t count = connection_output(&link->connection, pieces, PIECES);
    if (count == 0)
        return false;
    if (link->ring.shared && link->stream_left == 0)
        return link_ring_send(link, pieces, count);
    if (link->ring.shared)
        count = cut(pieces, count, link->stream_left);
    size_t tried = sum(pieces, count);
    ssize_t n = send_pieces(link->fd, pieces, count);
    if (n < 0) {
        link->connection.dead = errno != EAGAIN && errno != EINTR;
        return false;
    }
    connection_sent(&link->connection, (size_t)n);
    link->stream_left -= link->ring.shared ? (size_t)n : 0;
    return (size_t)n == tried && connection_unsent(&link->connection) > 0;
}

static void watch(struct server *server, struct link *link)
{
    bool ring = link->ring.shared != NULL;
    bool in =
        ring ? !link->stream_ended : connection_wants_input(&link->connection) && !link->starved;
    bool out = ring ? link->stream_left > 0 : connection_unsent(&link->connection) > 0;
    uint32_t events = (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
    if (events == link->events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = link};
    if (epoll_ctl(server->epoll, EPOLL_CTL_MOD, link->fd, &event) != 0)
        link->connection.dead = true;
    link->events = events;
}

/* Nobody tells us when workers have hashed more: it tries again soon. */
static void wait_for_workers(struct server *server, struct link *link)
{
    if (link->waiting || !connection_waits_for_workers(&link->connection))
        return;
    link->waiting = true;
    link->waiting_next = server->waiting;
    server->waiting = link;
}

static bool can_go_on(const struct connection *connection)
{
    return connection->held && !connection_must_wait(connection);
}

/* One portion of what it holds, and what there is to send: then it is the next one's turn. */
static void serve(struct server *server, struct link *link)
{
    struct connection *connection = &link->connection;
    if (link->closed)
        return;
    connection_resume(connection);
    while (!connection->dead && send_once(link))
        ;
    if (link->ring.shared)
        link_ring_served(server, link);
    if (!connection_is_over(connection))
        watch(server, link);
    if (connection_is_over(connection))
        link_close(server, link);
    else if (can_go_on(connection))
        connection_note(connection); /* in the next turn, which comes at once */
    else
        wait_for_workers(server, link);
}

void link_serve_dirty(struct server *server)
{
    struct connection *dirty = server->front.dirty;
    server->front.dirty = NULL;
    while (dirty) {
        struct connection *connection = dirty;
        dirty = connection->dirty_next;
        connection->in_dirty = false;
        serve(server, (struct link *)connection);
    }
}

void link_retry_waiting(struct server *server)
{
    struct link *waiting = server->waiting;
    server->waiting = NULL;
    for (; waiting; waiting = waiting->waiting_next) {
        waiting->waiting = false;
        connection_note(&waiting->connection);
    }
    if (!server->any_starved)
        return;
    server->any_starved = false;
    for (struct link *link = server->links; link; link = link->next) {
        if (link->starved)
            connection_note(&link->connection);
        link->starved = false;
    }
}

void link_tick_all(struct server *server)
{
    for (struct link *link = server->links; link; link = link->next)
        connection_tick(&link->connection);
}

void link_forget_all(struct server *server)
{
    for (struct connection *c = server->front.dirty; c; c = c->dirty_next)
        c->in_dirty = false;
    for (struct link *link = server->waiting; link; link = link->waiting_next)
        link->waiting = false;
    server->front.dirty = NULL;
    server->waiting = NULL;
}
