#include "daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/tool.h"

static void execute(const struct daemon *daemon, const char *program, const char *const *arguments)
{
    const char *argv[32] = {program,         "--foreground",
                            "--log-level",   "error",
                            "--dns",         "share/samples/zone.txt",
                            "--authserv-id", "mx.receiver.example",
                            "--timeout",     "2000",
                            "--socket",      daemon->socket};
    for (size_t i = 0; arguments && arguments[i]; i++)
        argv[12 + i] = arguments[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(120);
    execv(program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static bool answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    bool yes = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return yes;
}

void daemon_start(struct daemon *daemon, const char *const *arguments)
{
    const char *program = getenv("ASSAYD");
    program = program ? program : "build/assayd";
    if (access(program, X_OK) != 0)
        cr_skip_test("no daemon at %s", program);
    snprintf(daemon->socket, sizeof daemon->socket, "%s/assayd", temporary_folder());
    unlink(daemon->socket);
    daemon->pid = fork();
    cr_assert(daemon->pid >= 0);
    if (daemon->pid == 0)
        execute(daemon, program, arguments);
    for (int i = 0; i < 2000 && !answers(daemon->socket); i++)
        poll(NULL, 0, 5);
    cr_assert(answers(daemon->socket), "assayd does not come up");
}

int daemon_end(struct daemon *daemon, int signal)
{
    int status = -1;
    kill(daemon->pid, signal);
    for (int i = 0; i < 4000; i++) {
        if (waitpid(daemon->pid, &status, WNOHANG) == daemon->pid) {
            unlink(daemon->socket);
            return status;
        }
        poll(NULL, 0, 5);
    }
    kill(daemon->pid, SIGKILL);
    waitpid(daemon->pid, NULL, 0);
    cr_assert(false, "assayd does not end");
    return status;
}
