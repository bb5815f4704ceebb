#include "bench/load_measure.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/load.h"

enum
{
    DRAIN_S = 30,
};

/* --- idle connections: sockets that have said HELLO and nothing else --- */

struct idle
{
    int *fds; /* owned */
    unsigned count;
};

static int connect_idle(const char *path)
{
    static const uint8_t hello[] = {0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello)
        load_stop("an idle connection fails: %m");
    return fd;
}

static void idle_open(struct idle *idle, const char *path, unsigned count, unsigned active)
{
    *idle = (struct idle){calloc(count ? count : 1, sizeof(int)), count};
    if (!idle->fds)
        load_stop("no memory");
    load_allow_descriptors(count + active);
    for (unsigned i = 0; i < count; i++)
        idle->fds[i] = connect_idle(path);
}

/* Greeted and not closed. */
static bool is_alive(int fd)
{
    uint8_t bytes[256];
    struct pollfd watched = {fd, POLLIN, 0};
    if (poll(&watched, 1, 1000) != 1 || recv(fd, bytes, sizeof bytes, 0) < 16 || bytes[4] != 1)
        return false;
    return recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0;
}

static unsigned idle_close(struct idle *idle)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < idle->count; i++) {
        alive += is_alive(idle->fds[i]);
        close(idle->fds[i]);
    }
    free(idle->fds);
    return alive;
}

/* --- placement --- */

/* Two CPUs of those we may use; false where there is but one. */
static bool two_cpus(const cpu_set_t *allowed, int cpus[2])
{
    int n = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
        if (CPU_ISSET(cpu, allowed))
            cpus[n++] = cpu;
    return n == 2;
}

static bool run_on(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

/* A child keeps the place that its parent had when it was made. */
static void start_daemon(struct load_daemon *daemon, const struct load_case *what,
                         const cpu_set_t *allowed, bool *apart)
{
    int cpus[2];
    *apart = what->apart && two_cpus(allowed, cpus) && run_on(cpus[1]);
    load_daemon_start(daemon, buffer_span(&what->mail->zone), what->arguments);
    if (what->saturated)
        load_daemon_saturate(daemon);
    if (*apart)
        *apart = run_on(cpus[0]);
}

/* --- readings --- */

struct reading
{
    uint64_t ns, answered, hits, lookups, queries;
    struct load_cpu cpu;
    struct load_own_time own;
};

static void read_all(struct reading *r, const struct load_daemon *daemon,
                     const struct load_run *run)
{
    json_t *stats = load_daemon_stats(daemon);
    r->hits = load_stat(stats, "cache.hits") + load_stat(stats, "cache.hits_negative") +
              load_stat(stats, "cache.hits_failure") + load_stat(stats, "cache.stale");
    r->lookups = r->hits + load_stat(stats, "cache.misses");
    r->queries = load_stat(stats, "resolvers.queries");
    r->own = (struct load_own_time){
        .count = load_stat(stats, "pool.own_time_us.count"),
        .p50_us = load_stat(stats, "pool.own_time_us.p50"),
        .p99_us = load_stat(stats, "pool.own_time_us.p99"),
        .p999_us = load_stat(stats, "pool.own_time_us.p999"),
        .max_us = load_stat(stats, "pool.own_time_us.max"),
    };
    json_decref(stats);
    load_daemon_cpu(daemon, &r->cpu);
    r->answered = load_ledger(run)->answered;
    r->ns = bench_now_ns();
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static void work_out(struct load_figures *f, const struct load_mail *mail,
                     const struct reading *begin, const struct reading *end)
{
    struct load_cpu cpu = load_cpu_between(&begin->cpu, &end->cpu);
    f->seconds = (double)(end->ns - begin->ns) / 1e9;
    f->messages = end->answered - begin->answered;
    f->messages_per_s = ratio((double)f->messages, f->seconds);
    f->engine_us = ratio(cpu.all * 1e6, (double)f->messages);
    f->worker_us = ratio(cpu.workers * 1e6, (double)f->messages);
    f->front_us = ratio(cpu.front * 1e6, (double)f->messages);
    f->capacity = ratio((double)f->messages, cpu.busiest);
    f->balance = ratio(cpu.busiest * cpu.worker_count, cpu.workers);
    f->mb_per_s = f->messages_per_s * (double)mail->bytes / mail->count / 1e6;
    f->own = end->own;
    f->cache_hits = end->hits - begin->hits;
    f->cache_lookups = end->lookups - begin->lookups;
    f->dns_queries = end->queries - begin->queries;
}

void load_measure(const struct load_case *what, struct load_figures *figures)
{
    struct load_daemon daemon;
    struct idle idle;
    struct reading begin, end;
    cpu_set_t allowed;
    memset(figures, 0, sizeof *figures);
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    start_daemon(&daemon, what, &allowed, &figures->was_apart);
    figures->rss_idle = load_daemon_rss(&daemon);
    struct load_plan plan = {.socket = daemon.socket,
                             .mail = what->mail,
                             .connections = what->connections,
                             .depth = what->depth,
                             .zipf = what->zipf,
                             .rate = what->rate,
                             .wishes = what->wishes,
                             .transport = what->transport,
                             .ring_bytes = what->ring_bytes};
    idle_open(&idle, daemon.socket, what->idle, what->connections);
    struct load_run *run = load_open(&plan);
    if (what->warm_up > 0)
        load_go(run, what->warm_up, 0, NULL);
    read_all(&begin, &daemon, run);
    load_go(run, what->seconds, what->messages, &figures->latency);
    if (what->messages)
        load_drain(run, DRAIN_S); /* a cold start has ended when its last answer is there */
    read_all(&end, &daemon, run);
    figures->rss = load_daemon_rss(&daemon);
    work_out(figures, what->mail, &begin, &end);
    load_drain(run, DRAIN_S);
    load_close(&run, &figures->ledger);
    figures->idle_alive = idle_close(&idle);
    load_daemon_stop(&daemon);
    sched_setaffinity(0, sizeof allowed, &allowed);
}
