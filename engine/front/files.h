/*
 * Messages that lie in files: descriptors that came with FD frames, and `path` of lines.
 *
 * A memfd that nobody can shrink or write any more is mapped and handed on at once. Everything else
 * is read by one reader thread, in slices, in turn: a disk that is slow, or a file system that does
 * not answer, delays neither other messages' bytes nor any connection, only other files.
 *
 * Regular files and memfds only; files of FUSE are refused, since whoever serves one could hold
 * the reader as long as he likes. A file that shrinks while it is read is ERROR no_file.
 */
#ifndef FRONT_FILES_H
#define FRONT_FILES_H

#include "front/request.h"

enum
{
    FILES_SLICE_BYTES = 256 * 1024,
    FILES_MAX_DIRECTORIES = 64,
};

struct files;

/*
 * Starts the reader. `directories` are those below which a path may lie: absolute, opened here.
 * NULL with one line in `error`.
 */
struct files *files_start(const char *const *directories, size_t count,
                          char error[ASSAY_ERROR_MAX]) MUST_CHECK;
/* Cancels what is being read, joins the thread, frees, nulls. NULL inside is fine. */
void files_stop(struct files **files);
/* Reload: other directories. False with `error`, and the old ones stay. */
bool files_set_directories(struct files *files, const char *const *directories, size_t count,
                           char error[ASSAY_ERROR_MAX]) MUST_CHECK;

/* The message is what the descriptor has; takes fd (-2: it was lost). Front thread. The request's
 * task goes to the reader, its answer comes as ever. */
void files_take_descriptor(struct request *request, int fd, uint64_t offset, uint64_t length);
/* The same for request->path. */
void files_take_path(struct request *request);

#endif
