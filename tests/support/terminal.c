#include "support/terminal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum
{
    POLL_MS = 50,
    POLLS = 600, /* half a minute: a machine may stall */
    SCREEN_BYTES = 64 * 1024,
    GUARD_FDS = 256, /* descriptors that a test may have open */
};

/* The test's end of a pipe to the guard, which sees it close however the test ends. */
static int guard_fd = -1;
static pid_t guard;

/* tmux with these arguments; what it prints goes into `out`, which may be NULL. */
static int tmux(const struct terminal *terminal, const char *const *arguments, char *out)
{
    char socket[96];
    const char *argv[16] = {"tmux", "-S", socket, "-f", "/dev/null"};
    int fds[2], status;
    snprintf(socket, sizeof socket, "%s/tmux", terminal->folder);
    for (size_t i = 0; arguments[i]; i++)
        argv[5 + i] = arguments[i];
    if (pipe(fds) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        unsetenv("TMUX");
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(fds[1]);
    size_t n = 0;
    char drop[256];
    for (ssize_t got; (got = out ? read(fds[0], out + n, SCREEN_BYTES - 1 - n)
                                 : read(fds[0], drop, sizeof drop)) > 0;)
        n += (size_t)got;
    if (out)
        out[n] = '\0';
    close(fds[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}
#define TMUX(terminal, out, ...) tmux(terminal, (const char *const[]){__VA_ARGS__, NULL}, out)

static void remove_terminal(const struct terminal *terminal)
{
    char command[96];
    TMUX(terminal, NULL, "kill-server");
    snprintf(command, sizeof command, "rm -rf %s", terminal->folder);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", terminal->folder);
}

/* A test that fails runs no exit handlers, and tmux has left its process group. */
static void start_guard(const struct terminal *terminal)
{
    int fds[2];
    char byte;
    cr_assert(guard_fd < 0, "one terminal at a time");
    cr_assert(pipe2(fds, O_CLOEXEC) == 0);
    guard = fork();
    cr_assert(guard >= 0);
    if (guard > 0) {
        close(fds[0]);
        guard_fd = fds[1];
        return;
    }
    setsid();
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < GUARD_FDS; fd++)
        if (fd != fds[0] && fd != null)
            close(fd);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    while (read(fds[0], &byte, 1) < 0 && errno == EINTR)
        ;
    remove_terminal(terminal);
    _exit(0);
}

void terminal_start(struct terminal *terminal, const char *command)
{
    char columns[8], lines[8], *whole;
    if (system("command -v tmux >/dev/null") != 0)
        cr_skip_test("tmux is not installed");
    snprintf(terminal->folder, sizeof terminal->folder, "/tmp/assay-terminal-XXXXXX");
    cr_assert(mkdtemp(terminal->folder) != NULL);
    terminal->screen = malloc(SCREEN_BYTES);
    cr_assert(terminal->screen != NULL);
    start_guard(terminal);
    snprintf(columns, sizeof columns, "%d", TERMINAL_COLUMNS);
    snprintf(lines, sizeof lines, "%d", TERMINAL_LINES);
    /* What follows keeps the last screen there to be read. */
    cr_assert(asprintf(&whole, "%s\nsleep 120", command) > 0);
    int status =
        TMUX(terminal, NULL, "new-session", "-d", "-x", columns, "-y", lines, "sh", "-c", whole);
    cr_assert(status == 0, "tmux: %d", status);
    free(whole);
}

void terminal_type(const struct terminal *terminal, const char *text)
{
    cr_assert(TMUX(terminal, NULL, "send-keys", "-l", "--", text) == 0, "tmux cannot type");
}

void terminal_press(const struct terminal *terminal, const char *key)
{
    cr_assert(TMUX(terminal, NULL, "send-keys", key) == 0, "tmux cannot press %s", key);
}

void terminal_enter(const struct terminal *terminal, const char *text)
{
    if (*text)
        terminal_type(terminal, text);
    terminal_press(terminal, "Enter");
}

static unsigned count(const char *screen, const char *text)
{
    unsigned found = 0;
    for (const char *at = screen; (at = strstr(at, text)); at += strlen(text))
        found++;
    return found;
}

void terminal_await_times(struct terminal *terminal, const char *text, unsigned times)
{
    const struct timespec pause = {0, POLL_MS * 1000000L};
    for (int i = 0; i < POLLS; i++) {
        int status = TMUX(terminal, terminal->screen, "capture-pane", "-p", "-J");
        if (status == 0 && count(terminal->screen, text) >= times)
            return;
        nanosleep(&pause, NULL);
    }
    cr_assert(false, "no \"%s\" on the screen:\n%s", text, terminal->screen);
}

void terminal_await(struct terminal *terminal, const char *text)
{
    terminal_await_times(terminal, text, 1);
}

void terminal_end(struct terminal *terminal)
{
    int status;
    close(guard_fd);
    guard_fd = -1;
    waitpid(guard, &status, 0);
    free(terminal->screen);
}
