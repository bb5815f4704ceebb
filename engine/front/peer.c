#include "front/peer.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine.h"

enum
{
    BACKLOG = 4096, /* the kernel takes the least of this and somaxconn */
    DIRECTORY_MODE = 0750,
};

static bool is_listed(const uid_t *list, uint32_t count, uid_t uid)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == uid)
            return true;
    return false;
}

bool peer_read(int fd, const struct peer_rules *rules, struct peer *peer)
{
    struct ucred credentials;
    socklen_t n = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &n) != 0 || n != sizeof credentials)
        return false;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->may_control = credentials.uid == 0 || credentials.uid == geteuid() ||
                        is_listed(rules->control, rules->control_count, credentials.uid);
    return true;
}

bool peer_is_allowed(const struct peer_rules *rules, const struct peer *peer)
{
    return rules->allow_count == 0 || is_listed(rules->allow, rules->allow_count, peer->uid);
}

static bool fail(struct listener *listener, char *error, const char *what)
{
    engine_say(error, "%s: %s: %s", listener->path, what, strerror(errno));
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
    return false;
}

static bool make_directory(const struct listener *listener, const struct listener_config *config)
{
    char copy[sizeof listener->path];
    snprintf(copy, sizeof copy, "%s", listener->path);
    const char *directory = dirname(copy);
    if (mkdir(directory, DIRECTORY_MODE) != 0)
        return errno == EEXIST;
    return (config->uid == (uid_t)-1 && config->gid == (gid_t)-1) ||
           chown(directory, config->uid, config->gid) == 0;
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Does somebody answer there? EAGAIN is a server whose queue is full. */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = new_socket();
    bool answered =
        fd >= 0 &&
        (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);
    if (fd >= 0)
        close(fd);
    return answered;
}

/* What stands in the way: nothing, or a socket that its server has left behind. */
static bool clear_way(struct listener *listener, const struct sockaddr_un *address, char *error)
{
    struct stat facts;
    if (lstat(listener->path, &facts) != 0)
        return errno == ENOENT || fail(listener, error, "cannot look at it");
    if (!S_ISSOCK(facts.st_mode)) {
        errno = EEXIST;
        return fail(listener, error, "is no socket");
    }
    if (is_answered(address)) {
        errno = EADDRINUSE;
        return fail(listener, error, "another server answers there");
    }
    return unlink(listener->path) == 0 || fail(listener, error, "cannot remove the old socket");
}

/* Nobody can connect before listen(), so owner and mode are set in between. */
static bool set_owner(const struct listener *listener, const struct listener_config *config)
{
    if ((config->uid != (uid_t)-1 || config->gid != (gid_t)-1) &&
        lchown(listener->path, config->uid, config->gid) != 0)
        return false;
    return chmod(listener->path, config->mode) == 0;
}

static bool bind_path(struct listener *listener, const struct sockaddr_un *address)
{
    mode_t before = umask(0777);
    bool bound = bind(listener->fd, (const struct sockaddr *)address, sizeof *address) == 0;
    int error = errno;
    umask(before);
    errno = error;
    return bound;
}

bool listener_open(struct listener *listener, const struct listener_config *config,
                   char error[ASSAY_ERROR_MAX])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat facts;
    *listener = (struct listener){.fd = -1};
    if (strlen(config->path) >= sizeof address.sun_path) {
        engine_say(error, "%.100s...: a socket's path has at most %zu bytes", config->path,
                   sizeof address.sun_path - 1);
        return false;
    }
    memcpy(listener->path, config->path, strlen(config->path) + 1);
    memcpy(address.sun_path, listener->path, sizeof address.sun_path);
    if (!make_directory(listener, config))
        return fail(listener, error, "cannot make its directory");
    if (!clear_way(listener, &address, error))
        return false;
    listener->fd = new_socket();
    if (listener->fd < 0 || !bind_path(listener, &address))
        return fail(listener, error, "cannot bind");
    if (!set_owner(listener, config) || lstat(listener->path, &facts) != 0)
        return fail(listener, error, "cannot set owner and mode");
    listener->device = facts.st_dev;
    listener->inode = facts.st_ino;
    return listen(listener->fd, BACKLOG) == 0 || fail(listener, error, "cannot listen");
}

void listener_close(struct listener *listener)
{
    struct stat facts;
    if (listener->fd < 0)
        return;
    close(listener->fd);
    listener->fd = -1;
    if (lstat(listener->path, &facts) == 0 && facts.st_dev == listener->device &&
        facts.st_ino == listener->inode)
        unlink(listener->path);
}
