/*
 * An assayd of our own: started in a temporary folder, looked at through /proc and its stats, ended
 * in any case (it dies with us).
 */
#ifndef BENCH_LOAD_DAEMON_H
#define BENCH_LOAD_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/span.h"

enum
{
    LOAD_DAEMON_ARGUMENTS = 16,
    LOAD_WORKERS_MAX = 256,
};

struct load_daemon
{
    pid_t pid;
    char folder[64], socket[96], zone[96];
};

/* The program: $ASSAYD, or assayd beside the folder that we are in. Call once, with argv[0]. */
void load_daemon_find(const char *self);

/*
 * Starts it with a zone file of that text (p == NULL: none) and further arguments, NULL-terminated;
 * returns when it answers.
 */
void load_daemon_start(struct load_daemon *daemon, struct span zone, const char *const *arguments);
/* SIGTERM, and the program ends with an error where it does not stop within 45 s or not cleanly. */
void load_daemon_stop(struct load_daemon *daemon);

/*
 * The workers let everything else go first (nice 15): whoever sends, and the front, then always
 * keep them busy, also where all share a few CPUs. Their CPU time a message is that of full rounds.
 */
void load_daemon_saturate(const struct load_daemon *daemon);

struct load_cpu /* seconds */
{
    double all, workers, front;
    double busiest; /* worker; of a difference only */
    unsigned worker_count;
    double worker[LOAD_WORKERS_MAX]; /* in the order of /proc, which is that of their start */
};
/* Since the start, from /proc/PID/task: schedstat (nanoseconds), or stat where the kernel has none.
 */
void load_daemon_cpu(const struct load_daemon *daemon, struct load_cpu *cpu);
struct load_cpu load_cpu_between(const struct load_cpu *begin, const struct load_cpu *end);
/* Resident bytes now. */
uint64_t load_daemon_rss(const struct load_daemon *daemon);
/* Its `stats` object; json_decref it. */
json_t *load_daemon_stats(const struct load_daemon *daemon);
/* A number in it, e.g. "resolvers.queries"; the program ends with an error where it is not there.
 */
uint64_t load_stat(const json_t *stats, const char *path);

#endif
