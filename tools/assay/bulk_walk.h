/*
 * Which files an archive has: a directory and all below it, in the order of their names.
 *
 * A directory that has "cur" and "new" is a maildir: only those two hold messages ("tmp" and the
 * index files beside them do not), and hidden directories in it that are maildirs themselves are
 * its folders (Maildir++). Elsewhere hidden files and directories are passed over. Symbolic links
 * are not followed, so nothing outside is read and nothing twice; neither are devices, sockets and
 * pipes touched.
 *
 * A directory's names are read when it is entered; at most WALK_DEPTH directories are open.
 *
 * BUGS: a maildir without "new" is a directory like others.
 */
#ifndef ASSAY_BULK_WALK_H
#define ASSAY_BULK_WALK_H

#include "base/buffer.h"

enum
{
    WALK_DEPTH = 64,
    WALK_PATH_MAX = 64 * 1024,
};

struct walk_file
{
    const char *path; /* for people, and the message's name */
    int folder_fd;    /* open it by openat(folder_fd, name) */
    const char *name;
    bool in_maildir; /* one message, whatever it begins with */
};

struct walk_events
{
    /* A regular file, or what was one when it was found. False ends the walk. */
    bool (*file)(void *context, const struct walk_file *file);
    /* A directory that cannot be read; errno's number. NULL: nobody wants to know. */
    void (*trouble)(void *context, const char *path, int error);
    void *context;
};

/* `fd`: the directory, which the walk owns from here on. */
void walk_directory(const char *path, int fd, const struct walk_events *events);

#endif
