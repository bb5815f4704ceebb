/*
 * One open request of a connection, and its answer on the way from a worker to the front.
 *
 * Fields belong to the front thread unless they say otherwise. A request that was handed to the
 * pool stays until its last node comes out of the outbox: the worker needs no reference, and a
 * connection that has gone only cuts `connection`.
 */
#ifndef FRONT_REQUEST_H
#define FRONT_REQUEST_H

#include "front/demand.h"
#include "front/outbox.h"
#include "mail/line_ends.h"
#include "run/pool.h"

struct front;
struct connection;

enum
{
    REPLY_SMALL_BYTES = 64,
    REPLY_BYTES_MAX = FRAME_BYTES_MAX, /* of one answer; more is ERROR internal */
    FROM_TEXT_MAX = 128,
};

/* A piece of answer: pushed by a worker, taken by the front. */
struct reply
{
    struct outbox_node node; /* first: the front finds the reply by it */
    struct request *request;
    bool final; /* the request ends with it */
    uint8_t small_bytes;
    uint8_t small[REPLY_SMALL_BYTES]; /* used where `big` is empty */
    struct buffer big;
};

/* What the log and the counters say of a judged message. */
struct reply_summary
{
    uint8_t spf, dkim, arc, dmarc, disposition; /* enum result, enum dmarc_disposition */
    enum front_error error;                     /* FRONT_OK: judged */
    char from[FROM_TEXT_MAX];                   /* author domain; "" none */
};

struct record_query;

struct request
{
    struct front *front;           /* borrowed */
    _Atomic uint32_t holders;      /* the front; the reader of files while it reads */
    struct connection *connection; /* NULL: gone, nobody wants the answer */
    struct request *table_next;
    struct request *next, **previous; /* of the connection's list; of the front's spare ones */
    uint64_t id;                      /* frames */
    enum demand_op op;
    bool lines;        /* dialect */
    bool may_be_spare; /* its memory may be used again */
    uint32_t wishes;
    struct task *task;      /* the producer's, until task_end or task_cancel */
    bool receiving;         /* the front is the producer: the message still comes */
    uint64_t bytes;         /* fed */
    uint64_t message_bytes; /* how many there may be: the setting when it was opened (L15) */
    int64_t touched_ms;     /* when bytes came last */
    struct line_ends ends;
    struct chunk *line_chunk; /* owned: where line ends are converted */
    uint32_t line_used;

    /* Front or reader write, before the task's end; worker reads: why there will be no verdict. */
    _Atomic uint32_t why;         /* enum front_error */
    _Atomic(const char *) detail; /* static */

    struct record_query *query; /* owned; spf and dmarc: the worker's while it is in the pool */

    struct reply partial, reply; /* the worker's until pushed */
    struct reply_summary summary;

    struct span path;    /* owned, behind the struct; p == NULL: none */
    struct span id_text; /* the same: JSON of the id, lines; may be empty */
    int64_t begun_ms;
};

/* NULL without memory. Copies id and path of the demand. */
struct request *request_new(struct front *front, const struct demand *demand) MUST_CHECK;
/*
 * The front has its last answer, or never submitted it. Lets go of the task where the pool ended it
 * before its message was complete. The memory goes when the reader of files has let go too.
 */
void request_retire(struct request **request);
/* One holder less; any thread. */
void request_release(struct request *request);
/* The front ends: memory that it kept for requests to come. */
void request_free_spares(struct front *front);

/* Marks why there will be no verdict; the first reason stays. Any thread. */
void request_refuse(struct request *request, enum front_error error, const char *detail);

/*
 * The message goes on: `bytes` lie in `chunk`. False where it can no more (over the limit, no
 * memory): `why` is set, and the task is to be cancelled. By the task's one producer: the front,
 * or the reader of files.
 */
bool request_feed(struct request *request, struct chunk *chunk, struct span bytes) MUST_CHECK;
/* The message is complete. The producer must not look at the request again but by its answer. */
void request_end(struct request *request);

/* The pool's callbacks; context is the request. */
void request_done(void *context, enum task_outcome outcome, const struct message *message);
void request_early(void *context, const struct message *message);

/* Writes an error as the dialect has it. `id_text` for lines, `id` for frames; detail static. */
void reply_write_error(struct buffer *out, bool lines, uint64_t id, struct span id_text,
                       enum front_error error, const char *detail);
/* An object's text behind "id": {"id":1, + the rest of it. With the newline of the dialect. */
void reply_write_object(struct buffer *out, struct span id_text, struct span object);
/* RESULT of a QUERY, or a line: the object alone. */
void reply_write_query(struct buffer *out, bool lines, uint64_t id, struct span id_text,
                       struct span object);

#endif
