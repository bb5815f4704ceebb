/*
 * Descriptors that a client passes: receiving them, and what may be done with one.
 */
#ifndef FRONT_DESCRIPTOR_H
#define FRONT_DESCRIPTOR_H

#include <sys/socket.h>

#include "front/frame.h"
#include "run/chunk.h"

/* Room for one descriptor and not for two (CMSG_SPACE would be enough for two on 64 bits). */
struct descriptor_room
{
    union {
        struct cmsghdr align;
        uint8_t bytes[CMSG_LEN(sizeof(int))];
    };
};

enum
{
    DESCRIPTOR_NONE = -1,
    DESCRIPTOR_LOST = -2, /* one was sent, and the kernel could not give it to us (no room) */
};

void descriptor_prepare(struct msghdr *header, struct descriptor_room *room);
/* What came with a recvmsg that used MSG_CMSG_CLOEXEC. */
int descriptor_received(struct msghdr *header);

/* The part of a file that is a message. */
struct file_part
{
    uint64_t offset, length;
};

/*
 * May `fd` be read as a message, and which part of it is meant (length 0: to the end)? FRONT_OK,
 * or NO_FILE, FORBIDDEN with *why static.
 */
enum front_error descriptor_check(int fd, struct file_part *part, const char **why) MUST_CHECK;

/* Sealed against shrinking and writing, and without holes: mapping it is safe. */
bool descriptor_may_map(int fd);
/* Maps the part; *bytes lie in the chunk, which unmaps with its last reference. NULL: read it. */
struct chunk *descriptor_map(int fd, const struct file_part *part, struct span *bytes) MUST_CHECK;

/*
 * Opens `rest` below the directory, without following any symbolic link, for reading and without
 * blocking. -1 with errno: ELOOP, EXDEV where it leads elsewhere.
 */
int descriptor_open_below(int directory, const char *rest) MUST_CHECK;
/* The same step by step, where the kernel has no openat2. */
int descriptor_walk_below(int directory, const char *rest) MUST_CHECK;

#endif
