/*
 * What all connections of the verdict socket share: settings, the way to the pool, the way back,
 * counters. One front thread owns it; workers use outbox and options only.
 */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include <sys/types.h>

#include "front/request.h"

/*
 * The limits table of the front (security.md 2), beside base/limit.h: default, hard ceiling, and
 * the counter that shows how often it was reached. All are settings of assayd by these names.
 */
/* clang-format off */
#define FRONT_LIMITS(X) \
    /* name             default           least  most              what */ \
    X(connections,      4096,             1,     1000000)          /* in all; then accept pauses */ \
    X(per_uid,          1024,             1,     1000000)          /* connections of one user */ \
    X(in_flight,        64,               1,     16384)            /* requests of a connection */ \
    X(message_bytes,    MAX_MESSAGE_BYTES, 1,    1 << 30) \
    X(output_bytes,     1024 * 1024,      4096,  1024 * 1024 * 1024) /* unsent; then no reading */ \
    X(unhashed_bytes,   4 * 1024 * 1024,  65536, 1024 * 1024 * 1024) /* of a message; the same */ \
    X(chunks,           256,              4,     65536)            /* of 256 KiB, of all together */ \
    X(ring_bytes,       256 * 1024 * 1024, 0, 1024 * 1024 * 1024) /* shared rings; 0: none */ \
    X(ring_uid_bytes,   64 * 1024 * 1024, 0,  1024 * 1024 * 1024) /* of one user */ \
    X(idle_ms,          60000,            10,    86400000) \
    X(partial_ms,       10000,            10,    86400000)         /* one frame or line */ \
    X(rate_ms,          10000,            10,    86400000)         /* in which ... */ \
    X(rate_bytes,       10240,            0,     1048576)          /* ... these must come */ \
    X(accept_pause_ms,  100,              1,     60000)            /* out of descriptors */ \
    X(drain_ms,         30000,            0,     86400000)
/* clang-format on */

struct front_limits
{
#define FRONT_LIMIT_FIELD(name, value, least, most) uint32_t name;
    FRONT_LIMITS(FRONT_LIMIT_FIELD)
#undef FRONT_LIMIT_FIELD
};

extern const struct front_limits front_limits_default;

#define FRONT_COUNTERS(X)                                                                          \
    X(accepted)        /* connections since the start */                                           \
    X(refused_peers)   /* by uid rules */                                                          \
    X(refused_per_uid) /* over per_uid */                                                          \
    X(accept_pauses)   /* over connections, or out of descriptors */                               \
    X(out_of_descriptors)                                                                          \
    X(requests) /* opened */                                                                       \
    X(queries)                                                                                     \
    X(answers) /* verdicts and objects sent */                                                     \
    X(errors)  /* sent, of any kind */                                                             \
    X(orphans) /* answers for a connection that had gone */                                        \
    X(malformed)                                                                                   \
    X(too_large)                                                                                   \
    X(busy)                                                                                        \
    X(cancelled)                                                                                   \
    X(going_away)                                                                                  \
    X(forbidden)                                                                                   \
    X(no_file)                                                                                     \
    X(idle)                                                                                        \
    X(output_stalls) /* reading stopped: output_bytes */                                           \
    X(input_stalls)  /* reading stopped: unhashed_bytes, chunks, in_flight of lines */             \
    X(bytes_in)                                                                                    \
    X(bytes_out)                                                                                   \
    X(descriptors) /* received */                                                                  \
    X(mapped)      /* of these */                                                                  \
    X(rings)       /* opened */                                                                    \
    X(refused_rings)

struct front_counters
{
#define FRONT_COUNTER_FIELD(name) uint64_t name;
    FRONT_COUNTERS(FRONT_COUNTER_FIELD)
#undef FRONT_COUNTER_FIELD
};

/* The pool behind a thin door, so that tests put a fake there. The calls are pool.h's. */
struct front_backend
{
    void *context;
    struct task *(*submit)(void *context, const struct task_request *request);
    void (*feed)(struct task *task, struct chunk *chunk, struct span bytes);
    void (*end)(struct task *task);
    void (*cancel)(struct task *task);
    uint64_t (*queued)(const struct task *task);
    void (*share)(struct task *task); /* before the reader of files goes on with it */
    bool (*query)(void *context, const struct query_request *request);
    /* Cache flush at and below `name` (NULL: all). */
    size_t (*flush)(void *context, const struct dns_name *name);
    /* Appends members to an open JSON object. */
    void (*stats)(void *context, struct buffer *out);
    struct pool *hosted; /* borrowed: the server's thread runs its guest. NULL: there is none */
};

struct files;
struct request;

struct front
{
    struct front_limits limits;
    struct front_backend backend;
    const struct message_options *options; /* borrowed: what judges go by */
    struct span authserv_id;               /* borrowed; p == NULL: the options' */
    unsigned timeout_ms;                   /* a request may ask for less */
    struct outbox outbox;
    struct files *files; /* reader of descriptors and paths; NULL: none */
    bool may_path;       /* there are directories for `path` */
    bool draining;
    int64_t now_ms;        /* CLOCK_MONOTONIC, of this turn of the loop */
    struct demand demand;  /* scratch */
    struct buffer text;    /* scratch */
    struct request *spare; /* owned: memory of requests that are over, at most 256 */
    uint32_t spare_count;
    struct connection *dirty; /* list: have output, or may go on */
    uint64_t live_requests;   /* not yet out of the outbox */
    uint64_t live_connections;
    struct front_counters counters;
};

/* False without memory or descriptors (errno). */
bool front_init(struct front *front) MUST_CHECK;
/* All connections are gone and all requests have come back. */
void front_fini(struct front *front);

/* What workers have put into the outbox is to be looked at; on a worker, at the end of its round.
 * `context` is the front. */
void front_round_done(void *context);
/* This thread runs the front, and rounds of the pool's guest in between: it looks by itself. */
void front_set_here(const struct front *front);
/* The same as below for a front that is awake anyway. */
void front_collect_early(struct front *front);
/* Takes what the outbox has and gives it to its connections. */
void front_collect(struct front *front);
/* The error's counter, and `errors`. */
void front_count_error(struct front *front, enum front_error error);

#endif
