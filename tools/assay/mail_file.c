/*
 * Signing needs the whole message before its first byte may go out, so it is held in memory: at
 * most MAX_MESSAGE_BYTES of it.
 */
#include "mail_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer_read.h"
#include "mail/line_ends.h"
#include "output_file.h"

enum
{
    READ_BYTES = 64 * 1024,
    RAW_BYTES_MAX =
        MAX_MESSAGE_BYTES + READ_BYTES, /* a little more is held, so that it is judged */
};

static void append(void *context, struct span bytes)
{
    buffer_append(context, bytes);
}

static int read_fd(int fd, struct mail_file *file)
{
    struct stat facts;
    if (fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        complain("%s: is a directory", file->name);
        return STATUS_NO_INPUT;
    }
    if (!buffer_read(&file->raw, fd, RAW_BYTES_MAX, READ_BYTES)) {
        int status = errno == EFBIG ? STATUS_BAD_INPUT : STATUS_NO_INPUT;
        complain("%s: %s", file->name, strerror(errno));
        return status;
    }
    struct line_ends ends;
    line_ends_init(&ends, append, &file->crlf);
    line_ends_feed(&ends, buffer_span(&file->raw));
    file->lf = ends.kind == LINE_ENDS_LF;
    if (!file->crlf.failed)
        return STATUS_OK;
    complain("%s: no memory", file->name);
    return STATUS_SOFTWARE;
}

int mail_file_read(const char *path, struct mail_file *file)
{
    bool standard_input = !path || strcmp(path, "-") == 0;
    *file = (struct mail_file){.name = standard_input ? "standard input" : path};
    buffer_init(&file->raw, (size_t)RAW_BYTES_MAX + 1);
    buffer_init(&file->crlf, 2 * (size_t)MAX_MESSAGE_BYTES + 4 * READ_BYTES);
    if (standard_input)
        return read_fd(STDIN_FILENO, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain("%s: %s", path, strerror(errno));
        return STATUS_NO_INPUT;
    }
    int status = read_fd(fd, file);
    close(fd);
    return status;
}

void mail_file_free(struct mail_file *file)
{
    buffer_fini(&file->raw);
    buffer_fini(&file->crlf);
}

void mail_file_append_fields(const struct mail_file *file, struct span fields, struct buffer *out)
{
    for (size_t i = 0; i < fields.n; i++)
        if (!file->lf || fields.p[i] != '\r')
            buffer_append_byte(out, fields.p[i]);
}

int mail_file_write(const struct mail_file *file, struct span fields, bool header_only,
                    const char *path)
{
    struct buffer out;
    int status = STATUS_OK;
    buffer_init(&out, 2 * (size_t)MAX_MESSAGE_BYTES);
    mail_file_append_fields(file, fields, &out);
    if (!header_only)
        buffer_append(&out, buffer_span(&file->raw));
    if (out.failed) {
        complain("%s: no memory", file->name);
        status = STATUS_SOFTWARE;
    } else {
        status = output_write(path, buffer_span(&out));
    }
    buffer_fini(&out);
    return status;
}
