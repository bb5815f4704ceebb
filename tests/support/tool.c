#include "support/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct capture
{
    int fd;
    char *text;
    size_t n, capacity;
};

static void capture_read(struct capture *capture)
{
    if (capture->capacity - capture->n < 4096) {
        capture->capacity = capture->capacity * 2 + 8192;
        capture->text = realloc(capture->text, capture->capacity);
        cr_assert(capture->text != NULL);
    }
    ssize_t n = read(capture->fd, capture->text + capture->n, 4095);
    if (n <= 0) {
        close(capture->fd);
        capture->fd = -1;
        n = 0;
    }
    capture->n += (size_t)n;
    capture->text[capture->n] = '\0';
}

static void start(const char *const *argv, int in, int out, int err)
{
    const char *tool = getenv("ASSAY");
    const char *arguments[64] = {tool ? tool : "build/assay"};
    size_t n = 1;
    for (; argv[n - 1] && n < 63; n++)
        arguments[n] = argv[n - 1];
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    setenv("NO_COLOR", "1", 1);
    alarm(60);
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

/* Feeds stdin and reads both outputs until both are closed. */
static void exchange(struct span input, int in, struct capture *out, struct capture *err)
{
    if (input.n == 0) {
        close(in);
        in = -1;
    }
    while (out->fd >= 0 || err->fd >= 0) {
        struct pollfd fds[3] = {{out->fd, POLLIN, 0}, {err->fd, POLLIN, 0}, {in, POLLOUT, 0}};
        cr_assert(poll(fds, 3, 60 * 1000) > 0, "assay does not end");
        if (fds[0].revents)
            capture_read(out);
        if (fds[1].revents)
            capture_read(err);
        if (!fds[2].revents)
            continue;
        ssize_t n = write(in, input.p, input.n);
        input = span_skip(input, n > 0 ? (size_t)n : input.n);
        if (input.n == 0) {
            close(in);
            in = -1;
        }
    }
}

pid_t assay_start(const char *const *argv, int in, int out, int err)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child > 0)
        return child;
    int nothing = open("/dev/null", O_RDWR);
    start(argv, in < 0 ? nothing : in, out < 0 ? nothing : out, err < 0 ? nothing : err);
    _exit(127);
}

struct outcome assay(struct span input, const char *const *argv)
{
    int in[2], out[2], err[2], status;
    cr_assert(pipe(in) == 0 && pipe(out) == 0 && pipe(err) == 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        close(in[1]);
        start(argv, in[0], out[1], err[1]);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    struct capture out_text = {.fd = out[0], .text = calloc(1, 1)};
    struct capture err_text = {.fd = err[0], .text = calloc(1, 1)};
    exchange(input, in[1], &out_text, &err_text);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status), "assay was ended by signal %d: %s", WTERMSIG(status),
              err_text.text);
    return (struct outcome){WEXITSTATUS(status), out_text.text, err_text.text, out_text.n};
}

static char folder[] = "/tmp/assay-cli-XXXXXX";
static pid_t folder_owner;

static void remove_folder(void)
{
    char command[64];
    if (getpid() != folder_owner)
        return; /* a child that could not start the tool */
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", folder);
}

const char *temporary_folder(void)
{
    if (folder_owner == getpid())
        return folder;
    memset(folder + sizeof folder - 7, 'X', 6);
    cr_assert(mkdtemp(folder) != NULL);
    folder_owner = getpid();
    atexit(remove_folder);
    return folder;
}

const char *temporary_file(const char *name, struct span text)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", temporary_folder(), name);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL && fwrite(text.p, 1, text.n, file) == text.n && fclose(file) == 0);
    return path;
}

size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

json_t *json_line(const char *out, size_t nth)
{
    for (; nth; nth--) {
        out = strchr(out, '\n');
        cr_assert(out != NULL, "too few lines");
        out++;
    }
    const char *end = strchr(out, '\n');
    cr_assert(end != NULL, "no line: \"%s\"", out);
    json_error_t error;
    json_t *object = json_loadb(out, (size_t)(end - out), JSON_REJECT_DUPLICATES, &error);
    cr_assert(object != NULL, "%s: %.*s", error.text, (int)(end - out), out);
    return object;
}

const json_t *json_at(const json_t *object, const char *path)
{
    while (object && *path) {
        char key[64];
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        object = json_is_array(object) ? json_array_get(object, (size_t)atoi(key))
                                       : json_object_get(object, key);
        path += path[n] ? n + 1 : n;
    }
    return object;
}

const char *json_text(const json_t *object, const char *path)
{
    return json_string_value(json_at(object, path));
}
