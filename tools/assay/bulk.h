/*
 * assay bulk: an archive through the engine. What its files share.
 *
 *   bulk.c          the command: opens all, goes through the operands, waits, sums up
 *   bulk_walk.c     directories, maildirs: which files there are
 *   bulk_read.c     a file or standard input to messages
 *   bulk_feed.c     a message's bytes into chunks, its envelope, to the judge with back-pressure
 *   bulk_pool.c     the judge in this process; bulk_socket.c: a daemon behind its socket
 *   bulk_mailbox.c  what workers hand back: finished messages, chunks
 *   bulk_collect.c  finished messages: output, journal, counts
 *   bulk_journal.c  which messages are done, for --resume
 *   bulk_summary.c  counts; bulk_report.c: as text and as JSON; bulk_top.c: the most frequent
 *                   names; bulk_figures.c: DNS, cache and work by a daemon's word
 *   bulk_progress.c the line on a terminal;  bulk_stop.c: ctrl-C
 *
 * The main thread reads and writes; everything between is the judge's. Memory is bounded by the
 * number of chunks and of messages in flight, not by the archive.
 */
#ifndef ASSAY_BULK_H
#define ASSAY_BULK_H

#include "bulk_journal.h"
#include "bulk_mailbox.h"
#include "bulk_progress.h"
#include "bulk_summary.h"
#include "command.h"
#include "mail/line_ends.h"

enum
{
    BULK_IN_FLIGHT = 2048,         /* messages */
    BULK_CHUNK_BYTES = 256 * 1024, /* of the archive, shared by the messages in it */
    BULK_CHUNKS = 64,              /* in use at once: 16 MiB */
    BULK_HEADER_BYTES = 64 * 1024, /* of a header are looked at for an envelope */
    BULK_WAIT_MS = 10, /* at most, until signals, results and the progress line are looked at */
    BULK_BATCH = 64,   /* results that are waited for together where many are in flight */
};

struct bulk_judge;

/* How messages are judged. The false of begin, feed and end means "no room now": nothing has
 * happened, wait and call again, unless `gone` is set. All calls from the main thread. */
struct bulk_judge_calls
{
    bool (*begin)(struct bulk_judge *judge, struct bulk_item *item,
                  const struct message_envelope *envelope);
    bool (*feed)(struct bulk_judge *judge, struct bulk_item *item, struct chunk *chunk,
                 struct span bytes);
    bool (*end)(struct bulk_judge *judge, struct bulk_item *item);
    void (*cancel)(struct bulk_judge *judge, struct bulk_item *item);
    /* Until about `wanted` finished items or a chunk are in the mailbox, or there may be room; at
     * most `ms`. */
    void (*wait)(struct bulk_judge *judge, int ms, unsigned wanted);
    void (*figures)(struct bulk_judge *judge, struct bulk_figures *figures);
    void (*close)(struct bulk_judge *judge); /* nothing is in flight any more */
};

struct bulk_judge
{
    const struct bulk_judge_calls *calls;
    struct bulk_mailbox *mailbox; /* borrowed; items end there, each that begin has taken once */
    bool gone;                    /* it takes no more messages: the daemon went away */
    char trouble[512];            /* why it is gone */
};

/* NULL after saying why, with the exit status in *status. */
struct bulk_judge *bulk_pool_open(const struct options *options, struct bulk_mailbox *mailbox,
                                  int *status) MUST_CHECK;
struct bulk_judge *bulk_socket_open(const struct options *options, struct bulk_mailbox *mailbox,
                                    int *status) MUST_CHECK;

/* Where the message that is being read goes. */
struct bulk_feeder
{
    struct chunk *chunk; /* one reference; NULL: none yet */
    uint32_t begin, at;  /* bytes of the message in the chunk that were not handed over yet */
    struct line_ends ends;
    struct bulk_item *item; /* NULL: no message is open, or it is skipped */
    bool begun;             /* the judge has the item */
};

struct bulk
{
    const struct options *options;
    struct message_envelope envelope; /* of the options; `now` 0: the clock */
    struct span recipients[MAX_OPTION_VALUES];
    struct bulk_mailbox mailbox;
    struct bulk_judge *judge;     /* owned */
    struct bulk_journal *journal; /* owned; NULL: none */
    struct bulk_summary summary;
    struct bulk_progress progress;
    struct bulk_feeder feeder;
    uint64_t in_flight;
    bool reading_pipe;
    int status;  /* the highest of all that went wrong */
    bool failed; /* output or journal cannot be written: no further message */
};

/* One line on stderr, not into the progress line; the exit status is at least `status`. */
void bulk_complain(struct bulk *bulk, int status, const char *format, ...) PRINTF_LIKE(3, 4);
/* No further message: ctrl-C, judge gone, output that cannot be written. */
bool bulk_stopping(const struct bulk *bulk);
/* Waits for the judge a moment, and collects what has come. */
void bulk_wait(struct bulk *bulk);
/* Writes out and counts what is finished; does not wait. */
void bulk_collect(struct bulk *bulk);

/* A message begins; `name` is what it is called in the output. Skipped where the journal has it. */
void bulk_feed_begin(struct bulk *bulk, const char *name);
void bulk_feed_bytes(struct bulk *bulk, struct span bytes);
void bulk_feed_end(struct bulk *bulk);
/* The open message, if there is one, cannot be read to its end. */
void bulk_feed_drop(struct bulk *bulk);
void bulk_feed_fini(struct bulk *bulk);

/* All messages of a file. `regular`: reading it does not wait for anybody. `may_be_folder`: it is
 * an mbox if it begins like one. */
void bulk_read(struct bulk *bulk, const char *name, int fd, bool regular, bool may_be_folder);

/* Ctrl-C and SIGTERM: the first asks to stop, the second ends the process. Threads that are to
 * take no signals are started between the two calls. */
void bulk_stop_block(void);
void bulk_stop_catch(void);
bool bulk_stop_asked(void);

#endif
