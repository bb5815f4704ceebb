/*
 * The terminal is /dev/tty, so that standard input may be the message. A signal while echo is off
 * ends the question, the terminal gets its settings back, and then the signal does what it does.
 */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "base/number.h"

static volatile sig_atomic_t caught;

static void note_signal(int number)
{
    caught = number;
}

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

/* How signals were before the question. */
struct signals
{
    struct sigaction actions[COUNT_OF(watched)];
    sigset_t mask;
};

/* They are blocked but while the answer is waited for: none falls between a look and the wait. */
static void watch_signals(struct signals *before)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t blocked;
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    caught = 0;
    for (size_t i = 0; i < COUNT_OF(watched); i++)
        sigaddset(&blocked, watched[i]);
    sigprocmask(SIG_BLOCK, &blocked, &before->mask);
    for (size_t i = 0; i < COUNT_OF(watched); i++)
        sigaction(watched[i], &action, &before->actions[i]);
}

static void restore_signals(const struct signals *before)
{
    for (size_t i = 0; i < COUNT_OF(watched); i++)
        sigaction(watched[i], &before->actions[i], NULL);
    if (caught)
        raise(caught);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* The next byte of `fd`: 1, 0 at the end, -1 on an error or a watched signal. */
static ssize_t read_byte(int fd, const sigset_t *mask, char *c)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    while (mask && ppoll(&wanted, 1, NULL, mask) < 0)
        if (errno != EINTR || caught)
            return -1;
    for (;;) {
        ssize_t got = read(fd, c, 1);
        if (got >= 0 || errno != EINTR)
            return got;
    }
}

/* A line without its end. False: end of input or an error before any byte, or too long. */
static bool read_line(int fd, const sigset_t *mask, struct passphrase *passphrase)
{
    size_t n = 0;
    for (;;) {
        char c = '\0';
        ssize_t got = read_byte(fd, mask, &c); /* one by one: what follows is not ours */
        if (got < 0 || (got == 0 && n == 0) || (got && c == '\0') || n > PASSPHRASE_MAX)
            return false;
        if (got == 0 || c == '\n')
            break;
        passphrase->text[n++] = c;
    }
    if (n && passphrase->text[n - 1] == '\r')
        n--;
    passphrase->text[n] = '\0';
    return n > 0 && n <= PASSPHRASE_MAX;
}

static int read_from(int fd, const char *what, struct passphrase *passphrase)
{
    passphrase->known = read_line(fd, NULL, passphrase);
    if (passphrase->known)
        return STATUS_OK;
    passphrase_wipe(passphrase);
    complain("%s: no passphrase there: one line of 1 to %d bytes is wanted", what, PASSPHRASE_MAX);
    return STATUS_BAD_INPUT;
}

int passphrase_read(const char *file, const char *fd, struct passphrase *passphrase)
{
    *passphrase = (struct passphrase){0};
    uint64_t number;
    if (file && fd) {
        complain("--passphrase-file and --passphrase-fd exclude each other");
        return STATUS_USAGE;
    }
    if (fd) {
        if (!number_parse(span_from_string(fd), 6, &number) || fcntl((int)number, F_GETFD) == -1) {
            complain("--passphrase-fd: \"%s\" is no open descriptor", fd);
            return STATUS_USAGE;
        }
        return read_from((int)number, "--passphrase-fd", passphrase);
    }
    if (!file)
        return STATUS_OK;
    int open_fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (open_fd < 0) {
        complain("%s: %s", file, strerror(errno));
        return STATUS_NO_INPUT;
    }
    int status = read_from(open_fd, file, passphrase);
    close(open_fd);
    return status;
}

static void put(int fd, const char *text)
{
    ssize_t n = write(fd, text, strlen(text));
    (void)n; /* a terminal that cannot show the question still takes the answer */
}

static bool ask_once(int terminal, const char *prompt, struct passphrase *passphrase)
{
    struct signals before;
    struct termios settings;
    if (tcgetattr(terminal, &settings) != 0)
        return false;
    struct termios quiet = settings;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    watch_signals(&before);
    bool known = tcsetattr(terminal, TCSAFLUSH, &quiet) == 0;
    if (known) {
        put(terminal, prompt);
        known = read_line(terminal, &before.mask, passphrase);
        put(terminal, "\n");
    }
    tcsetattr(terminal, TCSAFLUSH, &settings);
    restore_signals(&before);
    return known;
}

static int ask_both(int terminal, const char *prompt, const char *again,
                    struct passphrase *passphrase)
{
    struct passphrase second = {0};
    passphrase->known = ask_once(terminal, prompt, passphrase);
    if (!passphrase->known) {
        complain("no passphrase was entered");
        return STATUS_BAD_INPUT;
    }
    if (!again)
        return STATUS_OK;
    bool equal = ask_once(terminal, again, &second) && strcmp(second.text, passphrase->text) == 0;
    passphrase_wipe(&second);
    if (equal)
        return STATUS_OK;
    complain("the two passphrases differ");
    return STATUS_BAD_INPUT;
}

int passphrase_ask(const char *prompt, const char *again, struct passphrase *passphrase)
{
    *passphrase = (struct passphrase){0};
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        complain("a passphrase is needed and there is no terminal to ask at: use "
                 "--passphrase-file or --passphrase-fd");
        return STATUS_NO_PERMISSION;
    }
    int status = ask_both(terminal, prompt, again, passphrase);
    close(terminal);
    if (status)
        passphrase_wipe(passphrase);
    return status;
}

const char *passphrase_text(const struct passphrase *passphrase)
{
    return passphrase->known ? passphrase->text : NULL;
}

void passphrase_wipe(struct passphrase *passphrase)
{
    explicit_bzero(passphrase, sizeof *passphrase);
}
