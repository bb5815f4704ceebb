#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum
{
    DAEMONS_MAX = 8,
    START_MS = 20000,
};

static struct daemon *running[DAEMONS_MAX];
bool few_files;
uid_t other_user;

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void forget(const struct daemon *daemon)
{
    for (size_t i = 0; i < DAEMONS_MAX; i++)
        if (running[i] == daemon)
            running[i] = NULL;
}

/* Every folder of this process, for the end. */
static char folders[64][64];

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"s",      "log",      "pid",  "snapshot", "snapshot.tmp",
                                        "config", "nsd.conf", "zone", "nsd.pid",  "nsd.log",
                                        "link",   "m.eml"};
    char path[128];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%.63s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void new_folder(char folder[64])
{
    size_t i = 0;
    snprintf(folder, 64, "/tmp/assayd-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    chmod(folder, 0755);
    while (i < COUNT_OF(folders) - 1 && folders[i][0])
        i++;
    memcpy(folders[i], folder, 64);
}

static void free_kept(void);

void daemon_end_all(void)
{
    free_kept();
    for (size_t i = 0; i < DAEMONS_MAX; i++) {
        struct daemon *daemon = running[i];
        if (!daemon)
            continue;
        kill(daemon->pid, SIGKILL);
        waitpid(daemon->pid, NULL, 0);
        running[i] = NULL;
    }
    for (size_t i = 0; i < COUNT_OF(folders) && folders[i][0]; i++)
        remove_folder(folders[i]);
}

static void remember(struct daemon *daemon)
{
    static bool registered;
    if (!registered)
        atexit(daemon_end_all);
    registered = true;
    for (size_t i = 0; i < DAEMONS_MAX; i++) {
        if (running[i])
            continue;
        running[i] = daemon;
        return;
    }
    cr_assert_fail("too many daemons");
}

static void child(const struct daemon *daemon, const char *const *argv)
{
    int log = open(daemon->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (few_files)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, 64});
    if (other_user &&
        (setgroups(0, NULL) != 0 || setgid(other_user) != 0 || setuid(other_user) != 0))
        _exit(126);
    alarm(120);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

void daemon_spawn(struct daemon *daemon, const char *const *options, const char *socket)
{
    const char *program = getenv("ASSAYD");
    const char *argv[64] = {program ? program : "build/assayd", "--foreground"};
    size_t n = 2;
    if (!daemon->folder[0])
        new_folder(daemon->folder);
    snprintf(daemon->socket, sizeof daemon->socket, "%s", socket ? socket : "");
    if (!socket)
        snprintf(daemon->socket, sizeof daemon->socket, "%s/s", daemon->folder);
    snprintf(daemon->log, sizeof daemon->log, "%s/log", daemon->folder);
    argv[n++] = "--socket";
    argv[n++] = daemon->socket;
    for (size_t i = 0; options && options[i] && n < 63; i++)
        argv[n++] = options[i];
    daemon->pid = fork();
    cr_assert(daemon->pid >= 0);
    if (daemon->pid == 0)
        child(daemon, argv);
    remember(daemon);
}

bool daemon_answers(const struct daemon *daemon)
{
    struct buffer in;
    int fd = talk_connect(daemon);
    if (fd < 0)
        return false;
    buffer_init(&in, 4096);
    talk_send(fd, SPAN("{\"op\":\"ping\"}\n"));
    bool answered = talk_read_lines(fd, &in, 1, 5000);
    buffer_fini(&in);
    close(fd);
    return answered;
}

void daemon_start(struct daemon *daemon, const char *const *options)
{
    const char *all[64] = {"--dns", "share/samples/zone.txt"};
    size_t n = 2;
    for (size_t i = 0; options[i] && n < 63; i++)
        all[n++] = options[i];
    daemon_spawn(daemon, all, NULL);
    int64_t until_ms = now_ms() + START_MS;
    while (!daemon_answers(daemon)) {
        cr_assert(daemon_wait(daemon, 0) < 0, "assayd ended: %s", daemon_log(daemon));
        cr_assert(now_ms() < until_ms, "assayd does not answer: %s", daemon_log(daemon));
        usleep(5000);
    }
}

int daemon_wait(struct daemon *daemon, int ms)
{
    int64_t until_ms = now_ms() + ms;
    for (;;) {
        int status;
        pid_t ended = waitpid(daemon->pid, &status, WNOHANG);
        if (ended == daemon->pid) {
            forget(daemon);
            daemon->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
            return daemon->status;
        }
        if (now_ms() >= until_ms)
            return -1;
        usleep(5000);
    }
}

int daemon_stop(struct daemon *daemon, int signal)
{
    kill(daemon->pid, signal);
    int status = daemon_wait(daemon, 60000);
    cr_assert(status >= 0, "assayd does not stop: %s", daemon_log(daemon));
    remove_folder(daemon->folder);
    daemon->folder[0] = '\0';
    return status;
}

/* Freed when the test ends. */
static void *kept[4096];
static size_t kept_count;

static void keep(void *memory)
{
    cr_assert(kept_count < COUNT_OF(kept));
    kept[kept_count++] = memory;
}

static void free_kept(void)
{
    while (kept_count)
        free(kept[--kept_count]);
}

struct span file_bytes(const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && fstat(fd, &facts) == 0, "%s: %s", path, strerror(errno));
    uint8_t *bytes = malloc((size_t)facts.st_size + 1);
    cr_assert(bytes != NULL);
    keep(bytes);
    ssize_t n = read(fd, bytes, (size_t)facts.st_size);
    cr_assert(n == facts.st_size);
    bytes[n] = 0;
    close(fd);
    return span_of(bytes, (size_t)n);
}

char *daemon_log(const struct daemon *daemon)
{
    return (char *)(uintptr_t)file_bytes(daemon->log).p;
}

int talk_connect(const struct daemon *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", daemon->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0, "%s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

void talk_send(int fd, struct span bytes)
{
    while (bytes.n) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* the server has gone: what it said shows why */
        bytes = span_skip(bytes, (size_t)n);
    }
}

/* One read, at most until then. False: closed or too late. */
static bool read_some(int fd, struct buffer *in, int64_t until_ms, bool *closed)
{
    int64_t left = until_ms - now_ms();
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, left > 0 ? (int)left : 0) <= 0)
        return false;
    static uint8_t bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    *closed = n == 0 || (n < 0 && errno == ECONNRESET);
    if (n > 0)
        buffer_append(in, span_of(bytes, (size_t)n));
    cr_assert(!in->failed, "more than the test expects");
    return n > 0;
}

bool talk_read_all(int fd, struct buffer *in, int ms)
{
    int64_t until_ms = now_ms() + ms;
    bool closed = false;
    while (read_some(fd, in, until_ms, &closed))
        ;
    return closed;
}

bool talk_read_frames(int fd, struct buffer *in, uint8_t type, unsigned count, int ms)
{
    int64_t until_ms = now_ms() + ms;
    bool closed;
    while (talk_count(buffer_span(in), type, 0) < count)
        if (!read_some(fd, in, until_ms, &closed))
            return false;
    return true;
}

static unsigned count_lines(struct span text)
{
    unsigned n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

bool talk_read_lines(int fd, struct buffer *in, unsigned count, int ms)
{
    int64_t until_ms = now_ms() + ms;
    bool closed;
    while (count_lines(buffer_span(in)) < count)
        if (!read_some(fd, in, until_ms, &closed))
            return false;
    return true;
}

void talk_lines(const struct daemon *daemon, struct span bytes, struct buffer *in)
{
    int fd = talk_connect(daemon);
    cr_assert(fd >= 0);
    talk_send(fd, bytes);
    shutdown(fd, SHUT_WR);
    cr_assert(talk_read_all(fd, in, 30000), "the server does not close");
    close(fd);
}

long long talk_stat(const struct daemon *daemon, const char *path)
{
    struct buffer in;
    char key[64];
    buffer_init(&in, 1 << 20);
    talk_lines(daemon, SPAN("{\"op\":\"stats\"}\n"), &in);
    json_t *object = json_loadb((const char *)in.p, in.n, 0, NULL);
    const json_t *at = object;
    while (at && *path) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        at = json_object_get(at, key);
        path += path[n] ? n + 1 : n;
    }
    cr_assert(json_is_integer(at), "no %s in %.*s", key, (int)in.n, (const char *)in.p);
    long long value = json_integer_value(at);
    json_decref(object);
    buffer_fini(&in);
    return value;
}

size_t samples_load(const struct sample **samples)
{
    static struct sample all[64];
    static size_t count;
    char line[1024];
    *samples = all;
    if (count)
        return count;
    FILE *file = fopen("share/samples/samples.tsv", "r");
    cr_assert(file != NULL);
    while (fgets(line, sizeof line, file)) {
        struct sample *sample = &all[count];
        char path[128];
        if (line[0] == '#' || line[0] == '\n')
            continue;
        cr_assert(sscanf(line, "%63[^\t]\t%63[^\t]\t%127[^\t]\t%127[^\t]\t%lld", sample->file,
                         sample->ip, sample->helo, sample->mail_from, &sample->now) == 5,
                  "%s", line);
        snprintf(path, sizeof path, "share/samples/%s", sample->file);
        sample->bytes = file_bytes(path);
        count++;
    }
    fclose(file);
    cr_assert(count > 20);
    return count;
}
