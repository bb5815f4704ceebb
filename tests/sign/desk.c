#include "desk.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <utmp.h>
#include <unistd.h>

#include "support/corpora.h"

char *join(const char *a, const char *b, const char *c)
{
    char *text = NULL;
    cr_assert(asprintf(&text, "%s%s%s", a, b, c) >= 0);
    return text;
}

char *in_folder(const char *name)
{
    return join(temporary_folder(), "/", name);
}

char *put_file(const char *name, const char *text, unsigned mode)
{
    char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0 && chmod(path, mode) == 0);
    return path;
}

char *file_text(const char *path)
{
    return (char *)(uintptr_t)file_read(path).p;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *make_key(const char *domain, const char *selector, const char *type, const char *bits)
{
    char *path = join(temporary_folder(), "/", selector);
    const char *argv[] = {"keygen",           "-d", domain, "-s", selector, "-t", type, "-o", path,
                          bits ? "-b" : NULL, bits, NULL};
    struct outcome o = assay(SPAN(""), argv);
    cr_assert(o.status == 0, "keygen: %d: %s", o.status, o.err);
    return path;
}

char *record_of(const char *key, const char *domain, const char *selector)
{
    struct outcome o =
        ASSAY("keygen", "-d", domain, "-s", selector, "--from", key, "--format", "zone");
    cr_assert(o.status == 0, "keygen --from: %d: %s", o.status, o.err);
    return o.out;
}

/* Terminals ------------------------------------------------------------------------------------ */

static void run_tool(const char *const *argv)
{
    const char *tool = getenv("ASSAY");
    const char *arguments[64] = {tool ? tool : "build/assay"};
    for (size_t n = 1; argv[n - 1] && n < 63; n++)
        arguments[n] = argv[n - 1];
    setenv("NO_COLOR", "1", 1);
    alarm(60);
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

struct screen
{
    int fd;
    char text[64 * 1024];
    size_t n;
};

/* False when the other side has closed. */
static bool screen_read(struct screen *screen)
{
    struct pollfd fd = {screen->fd, POLLIN, 0};
    cr_assert(poll(&fd, 1, 30 * 1000) > 0, "the terminal is silent; it shows: %s", screen->text);
    ssize_t n = read(screen->fd, screen->text + screen->n, sizeof screen->text - 1 - screen->n);
    if (n <= 0)
        return false;
    screen->n += (size_t)n;
    screen->text[screen->n] = '\0';
    return true;
}

static void answer(struct screen *screen, const struct exchange *exchange)
{
    char *at = screen->text;
    while (strstr(at, exchange->prompt) == NULL)
        cr_assert(screen_read(screen), "no \"%s\" in: %s", exchange->prompt, screen->text);
    cr_assert(write(screen->fd, exchange->answer, strlen(exchange->answer)) > 0);
}

struct outcome assay_at_terminal(const struct exchange *exchanges, bool *echo_left,
                                 const char *const *argv)
{
    static struct screen screen;
    struct termios settings;
    int master, slave, status;
    screen.n = 0;
    screen.text[0] = 0;
    cr_assert(openpty(&master, &slave, NULL, NULL, NULL) == 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        close(master);
        if (login_tty(dup(slave)) != 0)
            _exit(126);
        close(slave);
        run_tool(argv);
    }
    screen.fd = master;
    for (; exchanges->prompt; exchanges++)
        answer(&screen, exchanges);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(tcgetattr(slave, &settings) == 0);
    if (echo_left)
        *echo_left = (settings.c_lflag & ECHO) != 0;
    close(slave);
    while (screen_read(&screen))
        ;
    close(master);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return (struct outcome){code, strdup(screen.text), strdup(""), screen.n};
}

struct outcome assay_without_terminal(const char *const *argv)
{
    int err[2], status;
    static char text[4096];
    cr_assert(pipe(err) == 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        setsid();
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        close(err[0]);
        run_tool(argv);
    }
    close(err[1]);
    size_t n = 0;
    for (ssize_t got; (got = read(err[0], text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    close(err[0]);
    cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return (struct outcome){WEXITSTATUS(status), strdup(""), strdup(text), 0};
}

/* Other people's verifiers --------------------------------------------------------------------- */

static char *shell(const char *command, int *status)
{
    static char text[16 * 1024];
    FILE *pipe = popen(command, "r");
    cr_assert(pipe != NULL);
    size_t n = fread(text, 1, sizeof text - 1, pipe);
    text[n] = '\0';
    *status = pclose(pipe);
    return strdup(text);
}

static char *verifier(const char *present, const char *why, const char *program, const char *zone,
                      const char *message)
{
    int status;
    char command[1024];
    free(shell(present, &status));
    if (status != 0)
        cr_skip_test("%s", why);
    snprintf(command, sizeof command, "%s '%s' '%s' 2>&1", program, zone, message);
    char *said = shell(command, &status);
    cr_assert(status == 0, "%s: %s", program, said);
    return said;
}

char *dkimpy_says(const char *zone, const char *message)
{
    return verifier("/usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null",
                    "dkimpy is not installed (Debian package python3-dkim)",
                    "/usr/bin/python3 -B tests/sign/dkimpy_verify.py", zone, message);
}

char *mail_dkim_says(const char *zone, const char *message)
{
    return verifier("perl -MMail::DKIM -e 1 2>/dev/null",
                    "Mail::DKIM is not installed (Debian package libmail-dkim-perl)",
                    "perl tests/sign/mail_dkim_verify.pl", zone, message);
}
