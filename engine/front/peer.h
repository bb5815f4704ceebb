/*
 * The socket in the file system and who may come through it (security.md L16): owner, group, mode
 * of the socket; user lists by SO_PEERCRED.
 */
#ifndef FRONT_PEER_H
#define FRONT_PEER_H

#include "front/connection.h"

enum
{
    PEER_MAX_UIDS = 256,
};

struct peer_rules
{
    uid_t allow[PEER_MAX_UIDS]; /* none: whom the socket's mode lets in */
    uint32_t allow_count;
    uid_t control[PEER_MAX_UIDS]; /* may flush, beside root and our own user */
    uint32_t control_count;
};

/* Fills pid, uid and may_control. False where the kernel does not say: nobody is served then. */
bool peer_read(int fd, const struct peer_rules *rules, struct peer *peer) MUST_CHECK;
/* Root and our own user are not exempt from a list. */
bool peer_is_allowed(const struct peer_rules *rules, const struct peer *peer);

struct listener_config
{
    const char *path;
    uid_t uid; /* (uid_t)-1: as created */
    gid_t gid; /* (gid_t)-1: as created */
    mode_t mode;
};

struct listener
{
    int fd;
    char path[108]; /* sun_path; "" when closed */
    dev_t device;   /* which file is ours, so that another's is not unlinked */
    ino_t inode;
};

/*
 * Binds and listens. A directory that is missing is made with mode 0750. A socket file that nobody
 * answers is unlinked; one that somebody answers, or a file that is no socket, is an error. False
 * with one line in `error`.
 */
bool listener_open(struct listener *listener, const struct listener_config *config,
                   char error[ASSAY_ERROR_MAX]) MUST_CHECK;
/* Closes and unlinks, if the file is still ours. */
void listener_close(struct listener *listener);

#endif
