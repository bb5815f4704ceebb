/*
 * One connection of the verdict socket as a state machine: bytes and descriptors in, bytes out. It
 * knows no socket and no clock; the server (or a test) brings both.
 *
 *   connection_input      bytes that lie in a chunk: pieces of messages are handed on, not copied
 *   connection_wants_input  false: stop reading; what was taken in is held (back-pressure)
 *   connection_resume     when it may go on: after output was sent, an answer came, or time passed
 *   connection_output / connection_sent
 *   connection_is_over    close it
 *
 * The rules are PROTOCOL.md's. Each open request has exactly one answer, or the connection ends.
 */
#ifndef FRONT_CONNECTION_H
#define FRONT_CONNECTION_H

#include "front/front.h"
#include "front/output.h"

enum
{
    REQUEST_TABLE_MIN = 8,
};

enum connection_dialect
{
    DIALECT_UNKNOWN = 0,
    DIALECT_LINES,
    DIALECT_FRAMES,
};

struct peer
{
    pid_t pid;
    uid_t uid;
    bool may_control; /* flush */
};

struct connection
{
    struct front *front; /* borrowed */
    struct peer peer;
    enum connection_dialect dialect;
    bool hello;    /* frames: the client's HELLO has come */
    bool eof;      /* the client has closed its sending half */
    bool closing;  /* no more input is looked at; over when all is answered and sent */
    bool dead;     /* over now */
    bool draining; /* GOAWAY was said */
    bool stalled;  /* input is held, or would be: counted once each time */
    bool in_dirty;
    struct connection *dirty_next;

    struct frame_reader reader;
    struct request *data;   /* DATA or `size` bytes in progress go there; NULL: dropped */
    uint64_t body_left;     /* lines: bytes of `size` to come */
    bool in_body;           /* lines */
    struct span whole;      /* a control frame's payload that came in one piece; in the input */
    struct buffer gather;   /* an incomplete control frame or line */
    size_t gather_searched; /* lines: so far without LF */
    struct chunk *held;     /* one reference: input that has to wait */
    struct span held_bytes;

    int ring_fd;     /* what a RING frame brought, until the server takes it; -1 none */
    bool ring_asked; /* RING has come and is not answered: nothing may follow */
    bool has_ring;   /* descriptors do not travel that way */
    int descriptor;  /* received and not yet claimed; -1 none, -2 lost by the kernel */

    struct request *requests; /* list of the open ones, newest first */
    struct request **table;   /* by id, chained; frames */
    uint32_t table_size, open;
    uint32_t in_flight; /* how many may be open */
    uint64_t last_id;   /* of the last request that will be answered */

    struct output out;

    uint64_t units; /* frames, lines: how many were complete */
    uint64_t begun_unit;
    int64_t begun_ms;  /* 0: no unit is partial */
    int64_t window_ms; /* 0: no body is on its way */
    uint64_t window_bytes;
    int64_t input_ms, output_ms; /* last progress */
    int64_t stuck_ms;            /* since when no answer was taken; 0: none waits */
    int64_t waited_ms;           /* when input last had to wait for us */
};

void connection_init(struct connection *connection, struct front *front, const struct peer *peer);
/* Cancels what is open, frees what it has. Requests that are with workers come home on their own.
 */
void connection_fini(struct connection *connection);

/* Borrows `chunk` for the call; `bytes` lie in it. Only while connection_wants_input. */
void connection_input(struct connection *connection, struct chunk *chunk, struct span bytes);
/* A descriptor came with the bytes that follow in connection_input; it is the connection's now.
 * fd -2: the kernel had to drop it. */
void connection_descriptor(struct connection *connection, int fd);
/* The client has closed its sending half. */
void connection_eof(struct connection *connection);
bool connection_wants_input(const struct connection *connection);
void connection_resume(struct connection *connection);
/* It can go on when workers have hashed more, and nobody will tell. */
bool connection_waits_for_workers(const struct connection *connection);

/* An answer of one of its requests, fresh from the outbox. Frees the request with its last. */
void connection_reply(struct connection *connection, struct reply *reply);

/* What is to be sent next, in order, in at most `most` pieces; 0: nothing. */
size_t connection_output(const struct connection *connection, struct iovec *pieces, size_t most);
/* That many bytes of it have gone. */
void connection_sent(struct connection *connection, size_t n);
bool connection_is_over(const struct connection *connection);

/* Timers; front->now_ms is the time. About every tenth of the shortest of them. */
void connection_tick(struct connection *connection);
/* The server stops: GOAWAY. */
void connection_drain(struct connection *connection);
/* More (or fewer, for what is opened from now on) requests may be open. */
void connection_set_in_flight(struct connection *connection, uint32_t in_flight);

/* --- between the files of the connection --- */

/* An error of the connection: said, then closed. Open requests are cancelled. */
void connection_fail(struct connection *connection, enum front_error error, const char *detail);
/* An error of a request that was not opened. */
void connection_refuse(struct connection *connection, uint64_t id, struct span id_text,
                       enum front_error error, const char *detail);
void connection_note(struct connection *connection); /* marks it dirty */
bool connection_must_wait(const struct connection *connection);

static inline size_t connection_unsent(const struct connection *connection)
{
    return output_unsent(&connection->out);
}

/* Opens the request that front->demand describes; NULL after it has been refused. */
struct request *connection_open(struct connection *connection, uint64_t id) MUST_CHECK;
struct request *connection_find(const struct connection *connection, uint64_t id);
/* The message goes on: bytes lie in the chunk. Over the message limit the request is refused. */
void connection_feed(struct connection *connection, struct request *request, struct chunk *chunk,
                     struct span bytes);
/* The message is complete. */
void connection_end(struct request *request);
/* Gives a request up: its answer will be `error`. */
void connection_cancel(struct request *request, enum front_error error, const char *detail);
/* It is not open any more: answered, or its connection goes. */
void connection_unlink(struct request *request);
/* Nobody will read the answers of those that are open: cancels them, cuts them loose. */
void connection_orphan_all(struct connection *connection);
/* stats, flush, ping: answered at once. */
void connection_answer_op(struct connection *connection, uint64_t id);

/* Take what they can off *bytes. True: they stopped because of connection_must_wait. */
bool frames_input(struct connection *connection, struct chunk *chunk,
                  struct span *bytes) MUST_CHECK;
bool lines_input(struct connection *connection, struct chunk *chunk, struct span *bytes) MUST_CHECK;
void frames_write_hello(struct connection *connection);
/* Answers RING; `refused` is NULL, or why the connection stays a stream. */
void frames_write_ring(struct connection *connection, const char *refused);

#endif
