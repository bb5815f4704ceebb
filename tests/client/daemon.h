/* The real assayd, on a socket of the test's own; skips the test where it was not built. */
#ifndef TESTS_CLIENT_DAEMON_H
#define TESTS_CLIENT_DAEMON_H

#include <sys/types.h>

struct daemon
{
    pid_t pid;
    char socket[128];
};

/* With the samples' zone; `arguments` (NULL-terminated; may be NULL) come behind. Returns when it
 * answers. It dies with the test. */
void daemon_start(struct daemon *daemon, const char *const *arguments);
/* Sends the signal, waits at most 20 s; returns the wait status. */
int daemon_end(struct daemon *daemon, int signal);

#endif
