/*
 * What is accepted: a regular file or a memfd. Mapping needs both seals, because a file that
 * shrinks under a mapping is SIGBUS for the worker and one that changes is two messages in one; and
 * no holes, because reading a hole through a mapping makes pages on our account.
 */
#include "front/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum
{
    FUSE_MAGIC = 0x65735546, /* linux/fuse.h keeps it to itself */
    STAT_BLOCK_BYTES = 512,
    OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
};

void descriptor_prepare(struct msghdr *header, struct descriptor_room *room)
{
    header->msg_control = room->bytes;
    header->msg_controllen = sizeof room->bytes;
}

int descriptor_received(struct msghdr *header)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    int fd = DESCRIPTOR_NONE;
    if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
        control->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(control), sizeof fd);
    if (fd < 0)
        return header->msg_flags & MSG_CTRUNC ? DESCRIPTOR_LOST : DESCRIPTOR_NONE;
    if (!(header->msg_flags & MSG_CTRUNC))
        return fd;
    close(fd); /* one of several: the others are gone already */
    return DESCRIPTOR_LOST;
}

static enum front_error refuse(const char **why, enum front_error error, const char *text)
{
    *why = text;
    return error;
}

enum front_error descriptor_check(int fd, struct file_part *part, const char **why)
{
    struct stat facts;
    struct statfs system;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))
        return refuse(why, FRONT_NO_FILE, "neither a regular file nor a memfd");
    if (fstatfs(fd, &system) != 0 || system.f_type == FUSE_MAGIC)
        return refuse(why, FRONT_FORBIDDEN, "a file system that may not answer");
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
        return refuse(why, FRONT_NO_FILE, "not open for reading");
    uint64_t size = (uint64_t)facts.st_size;
    if (part->offset > size || part->length > size - part->offset)
        return refuse(why, FRONT_NO_FILE, "offset or length behind the end");
    if (part->length == 0)
        part->length = size - part->offset;
    return FRONT_OK;
}

bool descriptor_may_map(int fd)
{
    struct stat facts;
    int seals = fcntl(fd, F_GET_SEALS);
    int wanted = F_SEAL_SHRINK | F_SEAL_WRITE;
    return seals >= 0 && (seals & wanted) == wanted && fstat(fd, &facts) == 0 &&
           (uint64_t)facts.st_blocks * STAT_BLOCK_BYTES >= (uint64_t)facts.st_size;
}

struct mapped_chunk
{
    struct chunk chunk; /* first */
    void *base;
    size_t bytes;
};

static void unmap(struct chunk *chunk)
{
    struct mapped_chunk *mapped = (struct mapped_chunk *)chunk;
    munmap(mapped->base, mapped->bytes);
    free(mapped);
}

struct chunk *descriptor_map(int fd, const struct file_part *part, struct span *bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t before = part->offset % page;
    if (part->length == 0 || part->length > UINT32_MAX - page)
        return NULL;
    struct mapped_chunk *mapped = calloc(1, sizeof *mapped);
    if (!mapped)
        return NULL;
    mapped->bytes = (size_t)(part->length + before);
    mapped->base =
        mmap(NULL, mapped->bytes, PROT_READ, MAP_SHARED, fd, (off_t)(part->offset - before));
    if (mapped->base == MAP_FAILED) {
        free(mapped);
        return NULL;
    }
    atomic_init(&mapped->chunk.references, 1);
    mapped->chunk.capacity = (uint32_t)mapped->bytes;
    mapped->chunk.release = unmap;
    mapped->chunk.bytes = mapped->base;
    *bytes = span_of((uint8_t *)mapped->base + before, (size_t)part->length);
    return &mapped->chunk;
}

/* "." and ".." have no business in a path that a peer names. */
static bool is_plain_component(const char *name, size_t n)
{
    return n > 0 && n < NAME_MAX && !(n == 1 && name[0] == '.') &&
           !(n == 2 && name[0] == '.' && name[1] == '.');
}

static bool is_plain(const char *rest)
{
    for (;;) {
        size_t n = strcspn(rest, "/");
        if (!is_plain_component(rest, n))
            return false;
        if (!rest[n])
            return true;
        rest += n + 1;
    }
}

int descriptor_walk_below(int directory, const char *rest)
{
    if (!is_plain(rest)) {
        errno = EXDEV;
        return -1;
    }
    int at = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (at >= 0) {
        char name[NAME_MAX + 1];
        size_t n = strcspn(rest, "/");
        memcpy(name, rest, n); /* is_plain: n < NAME_MAX */
        name[n] = '\0';
        bool last = !rest[n];
        int next =
            openat(at, name, O_NOFOLLOW | (last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC));
        int error = errno;
        close(at);
        errno = error == ENOTDIR && !last ? ELOOP : error; /* O_DIRECTORY sees the link first */
        if (last)
            return next;
        at = next;
        rest += n + 1;
    }
    return -1;
}

int descriptor_open_below(int directory, const char *rest)
{
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    if (!is_plain(rest)) {
        errno = EXDEV;
        return -1;
    }
    long fd = syscall(SYS_openat2, directory, rest, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return descriptor_walk_below(directory, rest);
    return (int)fd;
}
