#include "front/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "front/connection.h"
#include "front/descriptor.h"

struct file_job
{
    struct file_job *next;
    struct request *request; /* its task is the reader's until task_end or task_cancel */
    int fd;                  /* -1: still to be opened, request->path */
    bool checked;
    struct file_part part;
};

struct directory
{
    char *path; /* owned, without the final slash */
    size_t n;
    int fd;
};

struct directories
{
    size_t count;
    struct directory list[FILES_MAX_DIRECTORIES];
};

struct files
{
    pthread_t thread;
    pthread_mutex_t lock; /* arrived, stop, directories; nothing is held with it */
    pthread_cond_t wake;
    struct file_job *arrived; /* newest first */
    bool stop;
    struct directories *directories; /* owned */
    struct file_job *active;         /* the reader's own */
};

/* Directories ------------------------------------------------------------------------------------
 */

static void free_directories(struct directories *directories)
{
    for (size_t i = 0; directories && i < directories->count; i++) {
        close(directories->list[i].fd);
        free(directories->list[i].path);
    }
    free(directories);
}

static bool open_directory(struct directory *directory, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    directory->n = n;
    directory->path = path[0] == '/' ? strndup(path, n) : NULL;
    directory->fd = directory->path ? open(directory->path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (directory->fd >= 0)
        return true;
    free(directory->path);
    return false;
}

static struct directories *open_directories(const char *const *paths, size_t count, char *error)
{
    struct directories *directories = calloc(1, sizeof *directories);
    if (!directories || count > FILES_MAX_DIRECTORIES) {
        snprintf(error, ASSAY_ERROR_MAX, directories ? "too many directories" : "no memory");
        free(directories);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!open_directory(&directories->list[i], paths[i])) {
            snprintf(error, ASSAY_ERROR_MAX, "%.200s: %s", paths[i],
                     paths[i][0] == '/' ? strerror(errno) : "not an absolute path");
            free_directories(directories);
            return NULL;
        }
        directories->count++;
    }
    return directories;
}

/* What of `path` is below the directory; NULL: nothing. */
static const char *below(const struct directory *directory, const char *path)
{
    bool root = directory->n == 1; /* "/" */
    if (strncmp(path, directory->path, directory->n) != 0)
        return NULL;
    if (root)
        return path + 1;
    return path[directory->n] == '/' ? path + directory->n + 1 : NULL;
}

static int open_allowed(struct files *files, const char *path, enum front_error *error)
{
    int fd = -1;
    *error = FRONT_FORBIDDEN;
    pthread_mutex_lock(&files->lock);
    struct directories *directories = files->directories;
    for (size_t i = 0; fd < 0 && i < directories->count; i++) {
        const char *rest = below(&directories->list[i], path);
        if (!rest)
            continue;
        fd = descriptor_open_below(directories->list[i].fd, rest);
        if (fd < 0 && errno != ELOOP && errno != EXDEV)
            *error = FRONT_NO_FILE;
    }
    pthread_mutex_unlock(&files->lock);
    return fd;
}

/* The reader -------------------------------------------------------------------------------------
 */

enum step
{
    STEP_MORE,
    STEP_STALLED, /* the worker has enough for now */
    STEP_DONE,    /* its task was ended or cancelled */
};

static enum step give_up(struct file_job *job, enum front_error error, const char *detail)
{
    request_refuse(job->request, error, detail);
    job->request->front->backend.cancel(job->request->task);
    return STEP_DONE;
}

/* Opens and checks: STEP_MORE where it can be read. */
static enum step begin(struct files *files, struct file_job *job)
{
    enum front_error error = FRONT_OK;
    const char *why = "a path that may not be read, or is not there";
    if (job->fd < 0)
        job->fd = open_allowed(files, (const char *)job->request->path.p, &error);
    if (job->fd < 0)
        return give_up(job, error, why);
    error = descriptor_check(job->fd, &job->part, &why);
    if (error != FRONT_OK)
        return give_up(job, error, why);
    if (job->part.length > job->request->message_bytes)
        return give_up(job, FRONT_TOO_LARGE, "message over the limit");
    job->checked = true;
    return STEP_MORE;
}

static ssize_t read_slice(const struct file_job *job, struct chunk *chunk)
{
    size_t n = job->part.length < FILES_SLICE_BYTES ? (size_t)job->part.length : FILES_SLICE_BYTES;
    ssize_t got;
    do
        got = pread(job->fd, chunk->bytes, n, (off_t)job->part.offset);
    while (got < 0 && errno == EINTR);
    return got;
}

static enum step read_on(struct file_job *job)
{
    struct chunk *chunk = chunk_new(FILES_SLICE_BYTES);
    if (!chunk)
        return give_up(job, FRONT_INTERNAL, "no memory");
    ssize_t n = read_slice(job, chunk);
    bool fed = n > 0 && request_feed(job->request, chunk, span_of(chunk->bytes, (size_t)n));
    chunk_unref(&chunk);
    if (n <= 0)
        return give_up(job, FRONT_NO_FILE, n ? "read error" : "the file became shorter");
    if (!fed)
        return give_up(job, FRONT_INTERNAL, "no memory"); /* or over the limit: said already */
    job->part.offset += (uint64_t)n;
    job->part.length -= (uint64_t)n;
    return STEP_MORE;
}

static enum step step(struct files *files, struct file_job *job)
{
    struct request *request = job->request;
    const struct front *front = request->front;
    if (atomic_load_explicit(&request->why, memory_order_relaxed) != FRONT_OK)
        return give_up(job, FRONT_CANCELLED, "cancelled");
    if (!job->checked)
        return begin(files, job);
    if (job->part.length == 0) {
        request_end(request);
        return STEP_DONE;
    }
    if (front->backend.queued(request->task) >= front->limits.unhashed_bytes)
        return STEP_STALLED;
    return read_on(job);
}

static void free_job(struct file_job *job)
{
    if (job->fd >= 0)
        close(job->fd);
    request_release(job->request);
    free(job);
}

/* A slice of each in turn. True where any of them moved. */
static bool run_turn(struct files *files)
{
    bool moved = false;
    struct file_job **at = &files->active;
    while (*at) {
        struct file_job *job = *at;
        enum step result = step(files, job);
        moved |= result != STEP_STALLED;
        if (result != STEP_DONE) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        free_job(job);
    }
    return moved;
}

/* Waits for work if there is none; false: stop. */
static bool take_arrived(struct files *files)
{
    pthread_mutex_lock(&files->lock);
    while (!files->active && !files->arrived && !files->stop)
        pthread_cond_wait(&files->wake, &files->lock);
    struct file_job *arrived = files->arrived;
    files->arrived = NULL;
    bool stop = files->stop;
    pthread_mutex_unlock(&files->lock);
    while (arrived) {
        struct file_job *next = arrived->next;
        arrived->next = files->active;
        files->active = arrived;
        arrived = next;
    }
    return !stop;
}

static void *reader_main(void *context)
{
    struct files *files = context;
    while (take_arrived(files))
        if (!run_turn(files))
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    while (files->active) {
        struct file_job *job = files->active;
        files->active = job->next;
        give_up(job, FRONT_GOING_AWAY, "the server stops");
        free_job(job);
    }
    return NULL;
}

/* The front's side -------------------------------------------------------------------------------
 */

struct files *files_start(const char *const *directories, size_t count, char error[ASSAY_ERROR_MAX])
{
    struct files *files = calloc(1, sizeof *files);
    if (!files) {
        snprintf(error, ASSAY_ERROR_MAX, "no memory");
        return NULL;
    }
    files->directories = open_directories(directories, count, error);
    if (!files->directories) {
        free(files);
        return NULL;
    }
    pthread_mutex_init(&files->lock, NULL);
    pthread_cond_init(&files->wake, NULL);
    if (pthread_create(&files->thread, NULL, reader_main, files) == 0)
        return files;
    snprintf(error, ASSAY_ERROR_MAX, "cannot start the reader of files");
    free_directories(files->directories);
    free(files);
    return NULL;
}

void files_stop(struct files **files)
{
    struct files *gone = *files;
    if (!gone)
        return;
    pthread_mutex_lock(&gone->lock);
    gone->stop = true;
    pthread_cond_signal(&gone->wake);
    pthread_mutex_unlock(&gone->lock);
    pthread_join(gone->thread, NULL);
    free_directories(gone->directories);
    pthread_cond_destroy(&gone->wake);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
    *files = NULL;
}

bool files_set_directories(struct files *files, const char *const *directories, size_t count,
                           char error[ASSAY_ERROR_MAX])
{
    struct directories *fresh = open_directories(directories, count, error);
    if (!fresh)
        return false;
    pthread_mutex_lock(&files->lock);
    struct directories *old = files->directories;
    files->directories = fresh;
    pthread_mutex_unlock(&files->lock);
    free_directories(old);
    return true;
}

static void hand_over(struct request *request, int fd, struct file_part part)
{
    struct files *files = request->front->files;
    struct file_job *job = files ? malloc(sizeof *job) : NULL;
    if (!job) {
        if (fd >= 0)
            close(fd);
        connection_cancel(request, FRONT_INTERNAL, "no memory");
        return;
    }
    *job = (struct file_job){.request = request, .fd = fd, .part = part};
    request->front->backend.share(request->task);
    request->receiving = false;
    atomic_fetch_add_explicit(&request->holders, 1, memory_order_relaxed);
    pthread_mutex_lock(&files->lock);
    job->next = files->arrived;
    files->arrived = job;
    pthread_cond_signal(&files->wake);
    pthread_mutex_unlock(&files->lock);
}

/* True where the message was handed on as a mapping, or refused. */
static bool take_mapped(struct request *request, int fd, struct file_part part)
{
    const char *why = NULL;
    struct span bytes;
    if (!descriptor_may_map(fd))
        return false;
    enum front_error error = descriptor_check(fd, &part, &why);
    if (error == FRONT_OK && part.length > request->message_bytes) {
        error = FRONT_TOO_LARGE;
        why = "message over the limit";
    }
    if (error != FRONT_OK) {
        connection_cancel(request, error, why);
        return true;
    }
    struct chunk *chunk = descriptor_map(fd, &part, &bytes);
    if (!chunk)
        return false;
    request->front->counters.mapped++;
    if (request_feed(request, chunk, bytes))
        connection_end(request);
    else
        connection_cancel(request, FRONT_INTERNAL, "no memory");
    chunk_unref(&chunk);
    return true;
}

void files_take_descriptor(struct request *request, int fd, uint64_t offset, uint64_t length)
{
    struct file_part part = {.offset = offset, .length = length};
    if (fd < 0) {
        connection_cancel(request, FRONT_NO_FILE, "the descriptor could not be received");
        return;
    }
    if (!take_mapped(request, fd, part)) {
        hand_over(request, fd, part);
        return;
    }
    close(fd);
}

void files_take_path(struct request *request)
{
    request->wishes |= WISH_LF; /* as `assay check FILE` reads it */
    hand_over(request, -1, (struct file_part){0, 0});
}
