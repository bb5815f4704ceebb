/*
 * What the judge hands back: finished messages, and chunks that nobody reads any more. Workers put,
 * the main thread takes. One mutex, held for a few instructions.
 */
#ifndef ASSAY_BULK_MAILBOX_H
#define ASSAY_BULK_MAILBOX_H

#include <pthread.h>

#include "base/buffer.h"
#include "command.h"
#include "run/chunk.h"

enum bulk_outcome
{
    BULK_UNSET = 0,
    BULK_JUDGED = 0x71,
    BULK_NO_MESSAGE, /* not one header field */
    BULK_CANCELLED,  /* by us */
    BULK_NO_MEMORY,
    BULK_LOST, /* the daemon went away or refused: `trouble` */
};

enum
{
    BULK_TROUBLE_MAX = 128,
};

/* One message: made by the feeder, filled by the judge, freed by the collector. */
struct bulk_item
{
    struct bulk_item *next;        /* the mailbox's */
    struct bulk_mailbox *mailbox;  /* borrowed */
    const struct options *options; /* borrowed */
    void *handle;                  /* the judge's */
    uint64_t id;                   /* the judge's, as the flags */
    bool feeding, answered, cancelled, looked_at, is_message;
    char *name;     /* owned */
    uint64_t bytes; /* of the message, line ends as CRLF */

    /* Out. */
    enum bulk_outcome outcome;
    char trouble[BULK_TROUBLE_MAX];
    struct verdict_row row; /* texts are static, or point into `trouble` */
    struct dns_name author; /* domain of From; length 0: none */
    uint64_t anomalies;     /* bit per enum mail_anomaly */
    uint64_t limits;        /* bit per enum limit */
    struct reachability reachability;
    struct buffer json; /* owned; with its newline; empty where not wanted */
};

STATIC_ASSERT(LIMIT_COUNT <= 64);

struct bulk_mailbox
{
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t something;
    struct bulk_item *first, **last;
    unsigned count;         /* of items */
    unsigned wanted;        /* so many wake the main thread, or a chunk; 0: it does not wait */
    struct chunk *spare[8]; /* chunks to be used again */
    unsigned spare_count;
    unsigned chunks; /* in use */
};

void bulk_mailbox_init(struct bulk_mailbox *mailbox);
void bulk_mailbox_fini(struct bulk_mailbox *mailbox);

/* NULL without memory. */
struct bulk_item *bulk_item_new(struct bulk_mailbox *mailbox, const struct options *options,
                                const char *name) MUST_CHECK;
void bulk_item_free(struct bulk_item **item);

/* Any thread. */
void bulk_mailbox_put(struct bulk_item *item);
/* All that are there, oldest first, linked by `next`. */
struct bulk_item *bulk_mailbox_take(struct bulk_mailbox *mailbox);
/* Until `wanted` items are there or a chunk has come back, at most `ms`: to be woken for each item
 * costs more than to judge it. */
void bulk_mailbox_wait(struct bulk_mailbox *mailbox, int ms, unsigned wanted);

/* A chunk that comes back by its release; NULL while `most` are in use, or without memory. */
struct chunk *bulk_mailbox_chunk(struct bulk_mailbox *mailbox, uint32_t capacity,
                                 unsigned most) MUST_CHECK;

#endif
