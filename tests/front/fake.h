/*
 * A connection without sockets or threads: a fake pool that judges when the test says so, with the
 * real engine over a zone file.
 */
#ifndef FRONT_TEST_FAKE_H
#define FRONT_TEST_FAKE_H

#include <criterion/criterion.h>

#include "front/connection.h"
#include "support/talk.h"

/* The pool's tasks are ours here: nothing of run/ is linked. */
struct task
{
    struct task_request request;
    struct arena arena;  /* copies of its texts */
    struct buffer bytes; /* fed */
    bool ended, cancelled, done;
    uint64_t queued; /* what back-pressure sees */
    struct task *next;
};

struct fake
{
    struct front front;
    struct connection connection;
    struct task *tasks; /* newest first */
    unsigned submitted, queries;
    bool busy;           /* submit refuses */
    uint64_t queued_now; /* of new tasks */
    struct message_options options;
    size_t flushed;
    bool flushed_all;
    struct buffer output; /* what fake_output puts together */
};

/* Opens front and connection with default limits; the clock stands at 1,000,000 ms. */
void fake_open(struct fake *fake);
/* Ends the connection, brings all tasks home, checks that nothing is left. */
void fake_close(struct fake *fake);
/* A second connection of the same front. */
void fake_connect(struct fake *fake, struct connection *connection);

/* Bytes as one read would bring them; in a chunk that ends where they end. */
void fake_input(struct fake *fake, struct span bytes);
/* In pieces of `piece` bytes. */
void fake_input_pieces(struct fake *fake, struct span bytes, size_t piece);
/* Ends what `input` holds with the machine; the buffer is emptied. */
void fake_send(struct fake *fake, struct buffer *input);
/* The task of a request: the nth submitted, from 0. */
struct task *fake_task(const struct fake *fake, unsigned nth);
/* Judges it and collects the answer. */
void fake_judge(struct fake *fake, struct task *task);
void fake_judge_all(struct fake *fake);
/* What the connection has to send, all of it; until the next call. */
struct span fake_output(struct fake *fake);
/* The code of the error with that id in it (0: the connection's own); 0 where there is none. */
unsigned fake_error(struct fake *fake, uint64_t id);
void fake_sent_all(struct fake *fake);
void fake_pass_ms(struct fake *fake, int64_t ms);

#endif
