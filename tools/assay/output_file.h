/* Files that appear whole or not at all: written under another name, then renamed. */
#ifndef ASSAY_OUTPUT_FILE_H
#define ASSAY_OUTPUT_FILE_H

#include "command.h"

/*
 * Writes `bytes` to `path`, readable by its owner alone where `secret`, else as the umask says.
 * Without `replace` a file that is there stays. Returns the exit status after saying what is wrong:
 * 73 where the file cannot be made.
 */
int output_file_write(const char *path, struct span bytes, bool secret, bool replace);

/* What an -o says: the same for a file that others may read and that is replaced, or standard
 * output where `path` is NULL or "-". */
int output_write(const char *path, struct span bytes);
/* The same for an object and its newline; releases the buffer. */
int output_json(const char *path, struct buffer *json);

#endif
