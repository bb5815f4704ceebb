/*
 * Starts the real assayd on a temporary socket and talks to it. Everything that a test starts is
 * ended by its process id when the test ends, also when it fails.
 */
#ifndef ASSAYD_TEST_DAEMON_H
#define ASSAYD_TEST_DAEMON_H

#include <criterion/criterion.h>
#include <sys/types.h>

#include "support/talk.h"

struct daemon
{
    pid_t pid;
    char folder[64]; /* temporary, removed at the end */
    char socket[108];
    char log[128]; /* its stderr */
    int status;    /* after daemon_wait */
};

/* For the next that is started: 64 descriptors, hard (L04); another user, if not 0. */
extern bool few_files;
extern uid_t other_user;

/* The sample zone, --foreground and --socket are given; `options` ends with NULL. Waits until it
 * answers. */
void daemon_start(struct daemon *daemon, const char *const *options);
#define DAEMON(daemon, ...) daemon_start(daemon, (const char *const[]){__VA_ARGS__, NULL})
/* The same without the sample zone and without waiting. */
void daemon_spawn(struct daemon *daemon, const char *const *options, const char *socket);
bool daemon_answers(const struct daemon *daemon);
/* Sends the signal and waits; the exit status. */
int daemon_stop(struct daemon *daemon, int signal);
/* At most `ms`; -1: still there. */
int daemon_wait(struct daemon *daemon, int ms);
/* All text of its log; lives until the test ends. */
char *daemon_log(const struct daemon *daemon);
/* For tests that fail: the end of every daemon of this process. Registered by daemon_start. */
void daemon_end_all(void);

/* A connection; -1 where it is refused. */
int talk_connect(const struct daemon *daemon);
void talk_send(int fd, struct span bytes);
/* Reads until the server closes, at most `ms`; the buffer grows. True: it closed. */
bool talk_read_all(int fd, struct buffer *in, int ms);
/* Reads until `count` frames of `type` are there, at most `ms`. */
bool talk_read_frames(int fd, struct buffer *in, uint8_t type, unsigned count, int ms);
bool talk_read_lines(int fd, struct buffer *in, unsigned count, int ms);
/* Sends lines, closes the sending half, returns all that comes back. */
void talk_lines(const struct daemon *daemon, struct span bytes, struct buffer *in);
/* A number of the stats object: "malformed", or "pool.messages". */
long long talk_stat(const struct daemon *daemon, const char *path);

int64_t now_ms(void);
struct span file_bytes(const char *path); /* lives until the test ends */

/* share/samples/samples.tsv */
struct sample
{
    char file[64], ip[64], helo[128], mail_from[128];
    long long now;
    struct span bytes;
};
/* How many; the array is static. */
size_t samples_load(const struct sample **samples);

#endif
