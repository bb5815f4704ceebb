/* A whole message from a file or standard input, with the line ends it had. */
#ifndef ASSAY_MAIL_FILE_H
#define ASSAY_MAIL_FILE_H

#include "command.h"

struct mail_file
{
    const char *name; /* as in messages: the path, or "-" */
    struct buffer raw;
    struct buffer crlf; /* as it goes over the wire (mail/line_ends.h) */
    bool lf;            /* the file has LF line ends */
};

/* Reads it. `path` "-" or NULL: standard input. Returns the exit status after saying what is wrong;
 * mail_file_free in any case. */
int mail_file_read(const char *path, struct mail_file *file);
void mail_file_free(struct mail_file *file);

/* Appends fields (CRLF) with the line ends of the file. */
void mail_file_append_fields(const struct mail_file *file, struct span fields, struct buffer *out);

/* Writes fields, then the message unless `header_only`, to `path` as an -o says it
 * (output_file.h). Returns the exit status. */
int mail_file_write(const struct mail_file *file, struct span fields, bool header_only,
                    const char *path);

#endif
