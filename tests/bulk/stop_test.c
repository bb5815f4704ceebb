/* Ctrl-C, the progress line on a terminal, and that a pipe shows neither. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"
#include "support/name_server.h"

#define RUN "bulk", "--json", "--dns", ZONE, "--now", NOW

/* A run with a pipe for its input that stays open, and files for its outputs. */
struct piped
{
    pid_t child;
    int in;
    const char *out, *err;
};

static struct piped start_piped(const char *const *argv)
{
    int in[2];
    struct piped piped = {.out = archive_path("out"), .err = archive_path("err")};
    cr_assert(pipe2(in, O_CLOEXEC) == 0);
    int out = open(piped.out, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int err = open(piped.err, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    piped.child = assay_start(argv, in[0], out, err);
    piped.in = in[1];
    close(in[0]);
    close(out);
    close(err);
    return piped;
}

static void send_folder(int fd, size_t messages)
{
    struct span bytes = file_read(archive_mbox("sent.mbox", messages));
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        cr_assert(n > 0);
        bytes = span_skip(bytes, (size_t)n);
    }
}

static void interrupted_by(int number)
{
    const char *argv[] = {RUN, "--resume", archive_path("journal"), "-", NULL};
    struct piped run = start_piped(argv);
    int status;
    send_folder(run.in, 100);
    /* The hundredth is still open: the folder may go on. */
    WAIT_UNTIL(count_lines(text_of_file(run.out)) == 99);
    cr_assert(waitpid(run.child, &status, WNOHANG) == 0);
    kill(run.child, number);
    cr_assert(waitpid(run.child, &status, 0) == run.child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 130, "status %x", (unsigned)status);
    const json_t *summary = summary_of(text_of_file(run.err));
    cr_expect(number_at(summary, "messages") == 99 &&
              json_is_true(json_at(summary, "interrupted")));
    struct ledger ledger;
    ledger_read(&ledger, text_of_file(run.out));
    cr_expect(ledger.lines == 99 && ledger_times(&ledger, "-#99") == 1);
    ledger_free(&ledger);
    close(run.in);
    struct outcome rest = ASSAY_INPUT(file_read(archive_path("sent.mbox")), RUN, "--resume",
                                      archive_path("journal"), "-");
    cr_expect(count_lines(rest.out) == 1 && strstr(rest.out, "\"-#100\""), "%s", rest.out);
}

Test(stop, ctrl_c_gives_the_summary_so_far)
{
    interrupted_by(SIGINT);
}

Test(stop, sigterm_does_the_same)
{
    interrupted_by(SIGTERM);
}

/* A server that is silent holds the message for a long time: the first ctrl-C waits for it, the
 * second does not. */
Test(stop, a_second_ctrl_c_ends_at_once)
{
    struct fake fake;
    fake_start(&fake);
    atomic_store(&fake.silent, true);
    const char *argv[] = {"bulk", "--json", "--resolver", fake.resolver, "-", NULL};
    struct piped run = start_piped(argv);
    int status;
    send_folder(run.in, 1);
    close(run.in);
    WAIT_UNTIL(atomic_load(&fake.queries) > 0);
    kill(run.child, SIGINT);
    usleep(300 * 1000);
    cr_expect(waitpid(run.child, &status, WNOHANG) == 0, "it does not wait for what is in flight");
    int64_t begin = time(NULL);
    kill(run.child, SIGINT);
    cr_assert(waitpid(run.child, &status, 0) == run.child);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT && time(NULL) - begin < 20);
    fake_stop(&fake);
}

/* --- the progress line --- */

struct screen
{
    char *text; /* all that was written to the terminal */
    size_t n;
    int status;
};

/* Runs the tool with its three descriptors on a terminal of so many columns. */
static struct screen on_terminal(const char *const *argv, unsigned short columns, const char *term)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    struct screen screen = {.text = calloc(1, 1 << 22)};
    int master;
    pid_t child = forkpty(&master, NULL, NULL, &size);
    cr_assert(child >= 0);
    if (child == 0) {
        const char *tool = getenv("ASSAY");
        const char *arguments[32] = {tool ? tool : "build/assay"};
        for (size_t n = 0; argv[n]; n++)
            arguments[n + 1] = argv[n];
        setenv("TERM", term, 1);
        alarm(60);
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    for (ssize_t n; (n = read(master, screen.text + screen.n, (1 << 22) - 1 - screen.n)) > 0;)
        screen.n += (size_t)n; /* EIO: the other side is closed */
    cr_assert(waitpid(child, &screen.status, 0) == child);
    close(master);
    return screen;
}

/* Each picture of the line, between "\r" and "\033[K", is shorter than the terminal is wide. */
static unsigned check_pictures(const struct screen *screen, size_t columns)
{
    unsigned pictures = 0;
    for (const char *end = screen->text; (end = strstr(end, "\033[K")) != NULL; end++) {
        const char *begin = end;
        while (begin > screen->text && begin[-1] != '\r' && begin[-1] != '\n')
            begin--;
        cr_expect((size_t)(end - begin) < columns, "%.*s", (int)(end - begin), begin);
        pictures++;
    }
    return pictures;
}

Test(stop, a_terminal_shows_a_bar)
{
    const char *folder = archive_repeated("many", 5000);
    const char *argv[] = {"bulk", "--dns", ZONE, "--now", NOW, folder, NULL};
    static const unsigned short widths[] = {120, 80, 40, 10, 1};
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        struct screen screen = on_terminal(argv, widths[i], "xterm");
        cr_expect(WIFEXITED(screen.status) && WEXITSTATUS(screen.status) == 0);
        cr_expect(check_pictures(&screen, widths[i]) >= 2, "%s", screen.text);
        cr_expect(strstr(screen.text, "5,000 messages, "), "%s", screen.text);
        if (widths[i] == 120)
            cr_expect(strstr(screen.text, "\r[") && strstr(screen.text, "%  ") &&
                          strstr(screen.text, "MB, ") && strstr(screen.text, "/s"),
                      "%s", screen.text);
        /* It is gone when the summary stands there. */
        const char *last = screen.text;
        for (const char *at = last; (at = strstr(at, "\033[K")) != NULL; at++)
            last = at;
        cr_expect(strstr(last, "5,000 messages, ") && !strchr(last, '#'), "%s", last);
        free(screen.text);
    }
}

/* Colours are for who wants them: none in the line, and NO_COLOR holds for the rows. */
Test(stop, no_bar_on_a_dumb_terminal)
{
    const char *argv[] = {"bulk", "--dns", ZONE, "--now", NOW, archive_of_samples("few"), NULL};
    struct screen screen = on_terminal(argv, 80, "dumb");
    cr_expect(!strchr(screen.text, '\033'), "%s", screen.text);
    setenv("NO_COLOR", "1", 1);
    const char *rows[] = {"bulk", "--brief",           "--dns", ZONE, "--now",
                          NOW,    archive_path("few"), NULL};
    screen = on_terminal(rows, 80, "xterm");
    for (const char *at = screen.text; (at = strchr(at, '\033')) != NULL; at++)
        cr_expect(strncmp(at, "\033[K", 3) == 0, "%s", at);
}

Test(stop, a_pipe_shows_no_bar)
{
    struct outcome o = ASSAY("bulk", "--dns", ZONE, "--now", NOW, archive_repeated("many", 2000));
    cr_expect(o.status == 0 && o.err[0] == '\0' && !strchr(o.out, '\r') && !strchr(o.out, '\033'),
              "%s%s", o.out, o.err);
}

Test(stop, standard_input_on_a_terminal_has_no_total)
{
    const char *argv[] = {"bulk", "--dns", ZONE, "--now", NOW, "/dev/null", NULL};
    struct screen screen = on_terminal(argv, 80, "xterm");
    cr_expect(WEXITSTATUS(screen.status) == 65 && !strstr(screen.text, "\r["), "%s", screen.text);
    free(screen.text);
}
