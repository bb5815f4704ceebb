/*
 * A task: one message on its way through the pool.
 *
 * The producer's half (one thread at a time: submit, feed, end or cancel) and the worker's half
 * stand apart; between them go events and the atomic `queued_bytes`. The message itself, which is
 * large, belongs to the worker alone and is taken from its stock when the task first runs.
 *
 * Let go of: a task is freed when the producer has ended or cancelled it and `done` has been
 * called, whichever comes last; both are seen on the worker's thread.
 */
#ifndef RUN_TASK_H
#define RUN_TASK_H

#include "run/inbox.h"
#include "run/pool.h"
#include "run/task_stock.h"
#include "run/timers.h"

struct worker;

/* Bytes handed over, in a chunk that is held. */
struct piece
{
    struct event event;
    struct task *task;
    struct chunk *chunk; /* one reference; NULL: the piece is free */
    struct span bytes;   /* what is still to be hashed */
    struct piece *next;  /* the worker's */
};

/* A question of a task that is with the resolvers; also what keeps its answer until the message
 * ends. */
struct ask
{
    struct event event;
    struct resolver_question question;
    struct inbox *inbox;        /* one reference, until it is answered */
    struct task *task;          /* NULL: nobody wants the answer any more. The worker's */
    struct dns_question *asked; /* arena of the task's message */
    bool taken;                 /* the answer has come and is lent to the message. The worker's */
    struct ask *next;           /* of the task */
    struct ask **link;
};

/* What a judge without a message works with. */
struct query
{
    struct arena arena;
    struct limit_hits hits;
    struct dns_answers answers;
};

struct task
{
    /* Set by pool_submit. */
    struct worker *worker;
    struct task_request request; /* its texts are in `text`; or */
    struct query_request query_request;
    bool is_query;
    bool from_stock; /* its memory goes back there */

    /* The producer's. */
    struct event submitted;
    struct event closing; /* ended or cancelled: one of them comes, last of all */
    struct piece first;   /* most messages come in one piece */
    bool first_used;
    bool is_apart;    /* bound to no inbox yet; `worker` is the guest until it is (guest.h) */
    int64_t ended_ns; /* by task_end (own_time.h); the worker reads it after `closing` */
    bool starved;     /* a piece was lost for want of memory; read by the worker after `closing` */

    /* Both. */
    _Atomic uint64_t queued_bytes;

    /* The worker's. */
    struct message *message;     /* of the worker's stock; NULL: not yet, or done, or a query */
    struct query *query;         /* owned, likewise */
    struct dns_answers *answers; /* of one of them */
    struct piece *pieces;        /* oldest first */
    struct piece **last_piece;
    struct piece *lent;   /* fed in this round, and not hashed yet */
    uint64_t lent_bytes;  /* likewise; of the first of `pieces` too */
    struct ask *asks;     /* all of this message, answered ones too */
    uint32_t open_asks;   /* not yet answered */
    struct task *next;    /* in the list of ready tasks; of the stock when it is over */
    struct task *in_next; /* all tasks of the worker */
    struct task **in_link;
    struct timer deadline;
    int64_t deadline_ms;    /* for DNS; 0 before the message's end */
    uint64_t charged_bytes; /* what the worker's arena_bytes has of this task */
    uint32_t round_at;      /* place in the worker's round */
    bool ready;             /* in the list */
    bool closed;            /* the producer has let go */
    bool cancelled;
    bool ended;        /* message_end was called */
    bool answered;     /* answers came since it last ran ... */
    bool was_answered; /* ... and had come before it ran now */
    bool expired;      /* past its deadline: no more questions */
    bool unverified;   /* its checks are left to a thread (guest.h) */
    bool early_told;
    bool waited; /* for a name, after its end */
    bool done;   /* `done` was called */
    uint8_t text[] __attribute__((aligned(16)));
};

/* A task with a copy of the request and its texts; NULL without memory. */
struct task *task_new(struct task_stock *stock, const struct task_request *request) MUST_CHECK;
struct task *task_new_query(struct task_stock *stock,
                            const struct query_request *request) MUST_CHECK;

static inline struct task *task_of_submitted(struct event *event)
{
    return (struct task *)(void *)((char *)event - offsetof(struct task, submitted));
}

static inline struct task *task_of_closing(struct event *event)
{
    return (struct task *)(void *)((char *)event - offsetof(struct task, closing));
}

static inline struct task *task_of_deadline(struct timer *timer)
{
    return (struct task *)(void *)((char *)timer - offsetof(struct task, deadline));
}

/* The event is the first member of both. */
static inline struct piece *piece_of_event(struct event *event)
{
    return (struct piece *)(void *)event;
}

static inline struct ask *ask_of_event(struct event *event)
{
    return (struct ask *)(void *)event;
}

/* That many bytes have been hashed or dropped. */
void task_unqueue(struct task *task, uint64_t bytes);
/* Drops the piece and its chunk; what is left of its bytes is no longer queued. */
void piece_free(struct piece *piece);

#endif
