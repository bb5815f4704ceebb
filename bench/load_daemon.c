#include "bench/load_daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attributes.h"
#include "bench/load.h"
#include "client/assay_client.h"

enum
{
    START_MS = 10 * 1000,
    STOP_MS = 45 * 1000,
    STEP_MS = 5,
    WORKER_NICE = 15,
};

static char program[512];

static void nap(unsigned ms)
{
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

void load_daemon_find(const char *self)
{
    const char *given = getenv("ASSAYD"), *slash = strrchr(self, '/');
    int n = given ? snprintf(program, sizeof program, "%s", given)
                  : snprintf(program, sizeof program, "%.*s../assayd",
                             slash ? (int)(slash - self) + 1 : 0, self);
    if (n < 0 || (size_t)n >= sizeof program || access(program, X_OK) != 0)
        load_stop("%s: %s (ASSAYD names the daemon)", program, strerror(errno));
}

/* What is running now, for an end that was not planned; pid 0: nothing. */
static struct load_daemon running;

static void remove_folder(const struct load_daemon *daemon)
{
    unlink(daemon->socket);
    unlink(daemon->zone);
    rmdir(daemon->folder);
}

static void clean_up(void)
{
    if (!running.pid)
        return;
    kill(running.pid, SIGKILL);
    waitpid(running.pid, NULL, 0);
    remove_folder(&running);
    running.pid = 0;
}

/* Calls nothing that a signal handler may not. */
static void on_signal(int signal)
{
    clean_up();
    _exit(128 + signal);
}

static void clean_up_in_any_case(void)
{
    static bool prepared;
    if (prepared)
        return;
    prepared = true;
    atexit(clean_up);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
}

static void write_zone(const char *path, struct span zone)
{
    FILE *file = fopen(path, "w");
    if (!file || fwrite(zone.p, 1, zone.n, file) != zone.n || fclose(file) != 0)
        load_stop("%s: %s", path, strerror(errno));
}

static _Noreturn void execute(const struct load_daemon *daemon, bool zone,
                              const char *const *arguments)
{
    const char *argv[LOAD_DAEMON_ARGUMENTS + 10] = {program,   "--foreground", "--log-level",
                                                    "warning", "--socket",     daemon->socket};
    size_t n = 6;
    if (zone) {
        argv[n++] = "--dns";
        argv[n++] = daemon->zone;
    }
    for (size_t i = 0; arguments && arguments[i] && i < LOAD_DAEMON_ARGUMENTS; i++)
        argv[n++] = arguments[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(program, (char *const *)(uintptr_t)argv);
    fprintf(stderr, "assay-load: %s: %s\n", program, strerror(errno));
    _exit(127);
}

static void ignore(void *context, const struct assay_client_answer *answer)
{
    (void)context;
    (void)answer;
}

/* It greets, or has ended, or time is up. */
static bool await_greeting(const struct load_daemon *daemon)
{
    struct assay_client_options options = {
        .size = sizeof options, .done = ignore, .no_reconnect = 1};
    for (unsigned waited = 0; waited < START_MS; waited += STEP_MS) {
        struct assay_client *client = assay_client_open(daemon->socket, &options, NULL);
        bool ready = client && (assay_client_poll(client, START_MS),
                                assay_client_state(client) == ASSAY_CLIENT_READY);
        assay_client_close(&client);
        if (ready)
            return true;
        if (waitpid(daemon->pid, NULL, WNOHANG) == daemon->pid)
            return false;
        nap(STEP_MS);
    }
    return false;
}

void load_daemon_start(struct load_daemon *daemon, struct span zone, const char *const *arguments)
{
    *daemon = (struct load_daemon){.folder = "/tmp/assay-load-XXXXXX"};
    if (!mkdtemp(daemon->folder))
        load_stop("%s: %s", daemon->folder, strerror(errno));
    snprintf(daemon->socket, sizeof daemon->socket, "%s/socket", daemon->folder);
    snprintf(daemon->zone, sizeof daemon->zone, "%s/zone", daemon->folder);
    if (zone.p)
        write_zone(daemon->zone, zone);
    daemon->pid = fork();
    if (daemon->pid < 0)
        load_stop("fork: %s", strerror(errno));
    if (daemon->pid == 0)
        execute(daemon, zone.p != NULL, arguments);
    running = *daemon;
    clean_up_in_any_case();
    if (!await_greeting(daemon))
        load_stop("%s does not answer on %s", program, daemon->socket);
}

void load_daemon_stop(struct load_daemon *daemon)
{
    int status = 0;
    kill(daemon->pid, SIGTERM);
    for (unsigned waited = 0; waited < STOP_MS; waited += STEP_MS) {
        if (waitpid(daemon->pid, &status, WNOHANG) == daemon->pid) {
            running.pid = 0;
            remove_folder(daemon);
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                load_stop("assayd ended with wait status %#x", (unsigned)status);
            return;
        }
        nap(STEP_MS);
    }
    load_stop("assayd did not stop within %d s of SIGTERM", STOP_MS / 1000);
}

/* --- /proc --- */

static bool read_text(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Seconds on a processor. */
static double thread_seconds(pid_t pid, const char *tid)
{
    char path[128], text[1024];
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/schedstat", pid, tid);
    if (read_text(path, text, sizeof text))
        return (double)strtoull(text, NULL, 10) / 1e9;
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/stat", pid, tid);
    if (!read_text(path, text, sizeof text) || !strrchr(text, ')'))
        return 0; /* it has ended meanwhile */
    unsigned long user = 0, system = 0;
    if (sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static bool read_name(const struct load_daemon *daemon, const char *tid, char name[64])
{
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/comm", daemon->pid, tid);
    return read_text(path, name, 64);
}

static bool is_worker(const char *name)
{
    return strncmp(name, "assay-worker", 12) == 0;
}

static void add_thread(const struct load_daemon *daemon, const char *tid, struct load_cpu *cpu)
{
    char name[64];
    double seconds = thread_seconds(daemon->pid, tid);
    if (!read_name(daemon, tid, name))
        return;
    cpu->all += seconds;
    if (is_worker(name)) {
        cpu->workers += seconds;
        if (cpu->worker_count < LOAD_WORKERS_MAX)
            cpu->worker[cpu->worker_count++] = seconds;
    } else if (atoi(tid) == daemon->pid) {
        cpu->front += seconds;
    }
}

static DIR *open_threads(const struct load_daemon *daemon)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", daemon->pid);
    DIR *folder = opendir(path);
    if (!folder)
        load_stop("%s: %s", path, strerror(errno));
    return folder;
}

void load_daemon_cpu(const struct load_daemon *daemon, struct load_cpu *cpu)
{
    *cpu = (struct load_cpu){0};
    DIR *folder = open_threads(daemon);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            add_thread(daemon, entry->d_name, cpu);
    closedir(folder);
}

void load_daemon_saturate(const struct load_daemon *daemon)
{
    char name[64];
    DIR *folder = open_threads(daemon);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && read_name(daemon, entry->d_name, name) && is_worker(name) &&
            setpriority(PRIO_PROCESS, (id_t)atoi(entry->d_name), WORKER_NICE) != 0)
            load_stop("setpriority: %s", strerror(errno));
    closedir(folder);
}

struct load_cpu load_cpu_between(const struct load_cpu *begin, const struct load_cpu *end)
{
    struct load_cpu cost = {
        .all = end->all - begin->all,
        .workers = end->workers - begin->workers,
        .front = end->front - begin->front,
        .worker_count = end->worker_count,
    };
    for (unsigned i = 0; i < end->worker_count; i++) {
        cost.worker[i] = end->worker[i] - begin->worker[i];
        cost.busiest = cost.worker[i] > cost.busiest ? cost.worker[i] : cost.busiest;
    }
    return cost;
}

uint64_t load_daemon_rss(const struct load_daemon *daemon)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", daemon->pid);
    const char *line = read_text(path, text, sizeof text) ? strstr(text, "\nRss:") : NULL;
    if (!line)
        load_stop("%s has no Rss", path);
    return strtoull(line + 5, NULL, 10) * 1024;
}

/* --- stats --- */

static void take_stats(void *context, const struct assay_client_answer *answer)
{
    json_t **stats = context;
    if (answer->outcome == ASSAY_CLIENT_REPLY && answer->json)
        *stats = json_loadb(answer->json, answer->json_bytes, 0, NULL);
}

json_t *load_daemon_stats(const struct load_daemon *daemon)
{
    json_t *stats = NULL;
    struct assay_client_options options = {
        .size = sizeof options, .done = take_stats, .context = &stats, .no_reconnect = 1};
    struct assay_client *client = assay_client_open(daemon->socket, &options, NULL);
    if (!client)
        load_stop("assayd is gone");
    assay_client_poll(client, START_MS);
    if (assay_client_stats(client, NULL, NULL) != ASSAY_CLIENT_OK)
        load_stop("assayd takes no question");
    assay_client_poll(client, START_MS);
    assay_client_close(&client);
    if (!json_is_object(stats))
        load_stop("assayd's stats are no JSON object");
    return stats;
}

uint64_t load_stat(const json_t *stats, const char *path)
{
    const json_t *at = stats;
    const char *rest = path;
    while (at && *rest) {
        char key[64];
        size_t n = strcspn(rest, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, rest);
        at = json_object_get(at, key);
        rest += rest[n] ? n + 1 : n;
    }
    if (!json_is_integer(at))
        load_stop("assayd's stats have no %s", path);
    return (uint64_t)json_integer_value(at);
}
