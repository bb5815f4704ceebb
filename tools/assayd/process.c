#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd = -1;

/* The parent's part: does not return. */
static void wait_for_child(pid_t child, int fd)
{
    char ready;
    int status = 0;
    if (read(fd, &ready, 1) == 1)
        _exit(STATUS_OK);
    if (waitpid(child, &status, 0) == child && WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    _exit(STATUS_SOFTWARE);
}

bool process_background(void)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child > 0) {
        close(fds[1]);
        wait_for_child(child, fds[0]);
    }
    close(fds[0]);
    ready_fd = fds[1];
    return setsid() >= 0;
}

void process_limits(const struct settings *settings)
{
    struct rlimit limit;
    if (!settings->debug) {
        limit = (struct rlimit){0, 0};
        setrlimit(RLIMIT_CORE, &limit);
        prctl(PR_SET_DUMPABLE, 0);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool fail(char *error, const char *what)
{
    snprintf(error, SETTINGS_ERROR_MAX, "%.200s: %s", what, strerror(errno));
    return false;
}

bool process_drop_user(const struct settings *settings, char error[SETTINGS_ERROR_MAX])
{
    gid_t gid = settings->group;
    uid_t uid = settings->user;
    if (uid == (uid_t)-1 && gid == (gid_t)-1)
        return true;
    bool named = settings->user_name && gid != (gid_t)-1;
    if (geteuid() == 0 && (named ? initgroups(settings->user_name, gid) : setgroups(0, NULL)) != 0)
        return fail(error, "cannot set groups");
    if (gid != (gid_t)-1 && setresgid(gid, gid, gid) != 0)
        return fail(error, "cannot change group");
    if (uid != (uid_t)-1 && setresuid(uid, uid, uid) != 0)
        return fail(error, "cannot change user");
    if (uid != (uid_t)-1 && uid != 0 && setuid(0) == 0) {
        errno = EPERM;
        return fail(error, "the way back to root is open");
    }
    if (!settings->debug)
        prctl(PR_SET_DUMPABLE, 0); /* a change of user may have set it anew */
    return true;
}

bool process_write_pid(const char *path, char error[SETTINGS_ERROR_MAX])
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fail(error, path);
    bool written = write(fd, text, (size_t)n) == n;
    close(fd);
    return written || fail(error, path);
}

/* One datagram to $NOTIFY_SOCKET: a path, or an abstract name that begins with "@". */
void process_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    size_t n = strlen(path);
    memcpy(address.sun_path, path, n);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)sent; /* who does not listen does not want to know */
    close(fd);
}

static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    close(null);
}

void process_ready(void)
{
    process_notify("READY=1");
    if (ready_fd < 0)
        return;
    leave_terminal();
    ssize_t n = write(ready_fd, "1", 1);
    (void)n;
    close(ready_fd);
    ready_fd = -1;
}
