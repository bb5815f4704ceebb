/*
 * A connection whose frames travel through shared memory (ring.h): the socket keeps the doorbells
 * and tells that the client has gone.
 *
 * A link is on server->rings while we do not sleep on its ring: from a doorbell until nothing came
 * for POLL_MS, looked at once in each turn of the loop. While requests are open there is a turn for
 * each answer anyway, so under load no doorbell is needed; nothing spins, and each turn takes at
 * most one chunk's room off each ring. Without open requests it sleeps at once.
 */
#include <errno.h>
#include <unistd.h>

#include "front/descriptor.h"
#include "front/link.h"

enum
{
    POLL_MS = 1,
    DOORBELLS = 256, /* taken by one read */
};

/* Opening and closing ----------------------------------------------------------------------------
 */

static uint64_t room_of(uint64_t limit, uint64_t used)
{
    return limit > used ? limit - used : 0;
}

static uint64_t allowed(const struct server *server, const struct uid_count *count)
{
    uint64_t all = room_of(server->front.limits.ring_bytes, server->ring_bytes);
    uint64_t own = room_of(server->front.limits.ring_uid_bytes, count->ring_bytes);
    return own < all ? own : all;
}

static void wake_up(struct server *server, struct link *link)
{
    link->ring_wants = 0;
    if (link->ring_previous)
        return;
    link->ring_until_ms = server->front.now_ms + POLL_MS;
    link->ring_next = server->rings;
    link->ring_previous = &server->rings;
    if (link->ring_next)
        link->ring_next->ring_previous = &link->ring_next;
    server->rings = link;
    server->rings_busy = true;
}

static void leave(struct link *link)
{
    if (!link->ring_previous)
        return;
    *link->ring_previous = link->ring_next;
    if (link->ring_next)
        link->ring_next->ring_previous = link->ring_previous;
    link->ring_previous = NULL;
}

void link_ring_open(struct server *server, struct link *link)
{
    struct connection *connection = &link->connection;
    struct uid_count *count = link_uid_count(server, connection->peer.uid);
    const char *why = "the ring's descriptor was lost";
    int fd = connection->ring_fd;
    connection->ring_fd = DESCRIPTOR_NONE;
    connection->ring_asked = false;
    bool mapped = fd >= 0 && ring_map(&link->ring, fd, allowed(server, count), &why);
    if (fd >= 0)
        close(fd);
    frames_write_ring(connection, mapped ? NULL : why);
    if (!mapped) {
        server->front.counters.refused_rings++;
        return;
    }
    server->front.counters.rings++;
    server->ring_bytes += ring_mapped_bytes(&link->ring);
    count->ring_bytes += ring_mapped_bytes(&link->ring);
    connection->has_ring = true;
    link->stream_left = connection_unsent(connection);
    wake_up(server, link);
}

void link_ring_close(struct server *server, struct link *link)
{
    if (!link->ring.shared)
        return;
    leave(link);
    server->ring_bytes -= ring_mapped_bytes(&link->ring);
    link_uid_count(server, link->connection.peer.uid)->ring_bytes -= ring_mapped_bytes(&link->ring);
    ring_unmap(&link->ring);
}

/* Broken indices: what is still to be said can be said only where the way down is whole. */
static void broken(struct link *link)
{
    connection_fail(&link->connection, FRONT_MALFORMED, "a broken index in the ring");
    link->ring_broken = true;
    connection_note(&link->connection);
}

/* Reading ----------------------------------------------------------------------------------------
 */

void link_ring_event(struct server *server, struct link *link)
{
    uint8_t bells[DOORBELLS];
    struct descriptor_room control;
    struct iovec place = {bells, sizeof bells};
    struct msghdr header = {.msg_iov = &place, .msg_iovlen = 1};
    descriptor_prepare(&header, &control);
    ssize_t n = recvmsg(link->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) {
        link->connection.dead = errno != EAGAIN && errno != EINTR;
        return;
    }
    int fd = descriptor_received(&header);
    if (fd >= 0)
        close(fd);
    if (fd != DESCRIPTOR_NONE)
        connection_fail(&link->connection, FRONT_MALFORMED, "a descriptor beside a ring");
    link->stream_ended |= n == 0;
    wake_up(server, link);
}

/* What was copied out is looked at as if it came from the socket. Returns the bytes; *more: some
 * may be left. */
static size_t read_once(struct server *server, struct link *link, bool *more)
{
    uint8_t *at = NULL;
    size_t room = 0, n = 0;
    struct chunk *chunk = intake_room(server->intake, &at, &room);
    if (!chunk) {
        link->starved = server->any_starved = true;
        server->front.counters.input_stalls++;
        return 0;
    }
    if (!ring_read(&link->ring, at, room, &n)) {
        broken(link);
        return 0;
    }
    *more = n == room;
    if (n == 0)
        return 0;
    intake_used(server->intake, n);
    connection_input(&link->connection, chunk, span_of(at, n));
    return n;
}

static bool wants_bytes(const struct link *link)
{
    return connection_wants_input(&link->connection) && !link->starved;
}

static uint32_t wants(const struct link *link)
{
    bool room = link->stream_left == 0 && connection_unsent(&link->connection) > 0;
    return (wants_bytes(link) && !link->stream_ended ? RING_WANTS_BYTES : 0) |
           (room ? RING_WANTS_ROOM : 0);
}

static void go_to_sleep(struct server *server, struct link *link)
{
    link->ring_wants = wants(link);
    enum ring_rest rest = ring_sleep(&link->ring, link->ring_wants);
    if (rest == RING_ASLEEP) {
        leave(link);
        return;
    }
    server->rings_busy = true;
    if (rest == RING_BROKEN)
        broken(link);
    connection_note(&link->connection);
}

static void look(struct server *server, struct link *link)
{
    struct connection *connection = &link->connection;
    bool more = false;
    size_t n = wants_bytes(link) ? read_once(server, link, &more) : 0;
    connection_note(connection);
    if (n) {
        link->ring_until_ms = server->front.now_ms + POLL_MS;
        server->rings_busy |= more || !connection->open;
        return;
    }
    if (link->stream_ended && wants_bytes(link))
        connection_eof(connection); /* all that was in the ring is taken */
    bool soon = connection->open && server->front.now_ms <= link->ring_until_ms;
    if (!soon || !wants_bytes(link))
        go_to_sleep(server, link);
}

void link_ring_look_all(struct server *server)
{
    server->rings_busy = false;
    for (struct link *link = server->rings, *next; link; link = next) {
        next = link->ring_next;
        look(server, link);
    }
}

/* Writing ----------------------------------------------------------------------------------------
 */

bool link_ring_send(struct link *link, const struct iovec *pieces, size_t count)
{
    size_t sent = 0;
    bool full = false;
    for (size_t i = 0; i < count && !full; i++) {
        size_t n;
        if (!ring_write(&link->ring, span_of(pieces[i].iov_base, pieces[i].iov_len), &n)) {
            link->connection.dead = true; /* there is no way to say so */
            return false;
        }
        sent += n;
        full = n < pieces[i].iov_len;
    }
    if (sent)
        connection_sent(&link->connection, sent);
    return !full && connection_unsent(&link->connection) > 0;
}

void link_ring_served(struct server *server, struct link *link)
{
    static const uint8_t bell = 0;
    if (ring_must_wake(&link->ring) && send(link->fd, &bell, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        errno != EAGAIN && errno != EINTR)
        link->connection.dead = true; /* EAGAIN: bells enough are on their way */
    if (link->ring_broken)
        link->connection.dead = true;
    bool end = link->stream_ended && !link->connection.eof && wants_bytes(link);
    if (!link->ring_previous && (end || link->ring_wants != wants(link)))
        wake_up(server, link);
}
