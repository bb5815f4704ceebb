/* The temporary file is in the folder of the other, so that the rename is one step. */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, struct span bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = span_skip(bytes, (size_t)n);
    }
    return true;
}

static mode_t public_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* link() where the file system cannot rename without replacing. */
static bool put_in_place(const char *temporary, const char *path, bool replace)
{
    if (replace)
        return rename(temporary, path) == 0;
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    return link(temporary, path) == 0 && unlink(temporary) == 0;
}

static bool fill(int fd, struct span bytes, bool secret)
{
    return fchmod(fd, secret ? 0600 : public_mode()) == 0 && write_all(fd, bytes) && fsync(fd) == 0;
}

static bool write_file(const char *temporary, int fd, const char *path, struct span bytes,
                       bool secret, bool replace)
{
    bool written = fill(fd, bytes, secret);
    int error = errno;
    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    errno = error;
    return written && put_in_place(temporary, path, replace);
}

/* A device or a pipe is not to be renamed away, nor a link. */
static bool is_other_kind(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0 && !S_ISREG(facts.st_mode);
}

int output_file_write(const char *path, struct span bytes, bool secret, bool replace)
{
    struct buffer name;
    int status = STATUS_OK;
    if (is_other_kind(path)) {
        complain("%s: is there and no plain file", path);
        return STATUS_CANNOT_CREATE;
    }
    buffer_init(&name, 64 * 1024);
    buffer_append_string(&name, path);
    buffer_append(&name, span_of(".XXXXXX", sizeof ".XXXXXX"));
    char *temporary = (char *)name.p;
    int fd = name.failed ? -1 : mkostemp(temporary, O_CLOEXEC);
    bool made = fd >= 0;
    if (!made || !write_file(temporary, fd, path, bytes, secret, replace)) {
        complain("%s: %s", path, name.failed ? "no memory" : strerror(errno));
        status = STATUS_CANNOT_CREATE;
        if (made)
            unlink(temporary);
    }
    buffer_fini(&name);
    return status;
}

int output_write(const char *path, struct span bytes)
{
    if (path && strcmp(path, "-") != 0)
        return output_file_write(path, bytes, false, true);
    fwrite(bytes.p, 1, bytes.n, stdout); /* main() looks at the stream's state */
    return STATUS_OK;
}

int output_json(const char *path, struct buffer *json)
{
    buffer_append_byte(json, '\n');
    bool failed = json->failed;
    if (failed)
        complain("no memory for the output");
    int status = failed ? STATUS_SOFTWARE : output_write(path, buffer_span(json));
    buffer_fini(json);
    return status;
}
