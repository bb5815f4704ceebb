/* Cold cache, cores, and peers in processes of their own. */
#include "bench/full_run.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench_engine.h"
#include "bench/contest.h"
#include "bench/load.h"

enum
{
    ZONE_MAX = 4 * 1024 * 1024,
    THREADS_MAX = 64,
    COLD_ROUNDS = 7,
    LINE_MAX_BYTES = 4096,
};

static void make_10k(const struct quick_options *options, struct mail_set *set, struct buffer *zone)
{
    buffer_init(zone, ZONE_MAX);
    mail_set_zone(zone, options->keys);
    mail_set_make(set, mail_set_find("10k"), options->keys);
}

/* --- cold cache --- */

json_t *full_cold(const struct quick_options *options)
{
    struct mail_set set;
    struct buffer zone;
    double best = 0;
    make_10k(options, &set, &zone);
    set.count = MAIL_SET_DOMAINS; /* one message of each domain */
    for (unsigned r = 0; r < COLD_ROUNDS; r++) {
        struct bench_engine engine;
        struct bench_judging judging;
        bench_engine_open(&engine, buffer_span(&zone));
        double begin = contest_cpu_s();
        bench_judging_open(&judging, &engine, &set); /* judges the set once */
        double us = 1e6 * (contest_cpu_s() - begin) / set.count;
        best = r == 0 || us < best ? us : best;
        bench_judging_close(&judging);
        bench_engine_close(&engine);
    }
    mail_set_free(&set);
    buffer_fini(&zone);
    return json_pack("{s:f,s:i}", "us_per_message", best, "messages", MAIL_SET_DOMAINS);
}

/* --- cores --- */

struct runner
{
    const struct mail_set *set;
    struct span zone;
    double seconds;
    int cpu;
    pthread_t thread;
    pthread_barrier_t *begin;
    double rate;
};

static void *run(void *context)
{
    struct runner *runner = context;
    struct bench_engine engine;
    struct bench_judging judging;
    cpu_set_t one;
    uint64_t messages = 0;
    CPU_ZERO(&one);
    CPU_SET(runner->cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    bench_engine_open(&engine, runner->zone);
    bench_judging_open(&judging, &engine, runner->set);
    pthread_barrier_wait(runner->begin);
    double begin = contest_now_s(), took;
    do
        messages += bench_judging_batch(&judging);
    while ((took = contest_now_s() - begin) < runner->seconds);
    runner->rate = (double)messages / took;
    bench_judging_close(&judging);
    bench_engine_close(&engine);
    return NULL;
}

static double rate_of(struct runner *runners, unsigned threads)
{
    pthread_barrier_t begin;
    double rate = 0;
    pthread_barrier_init(&begin, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        runners[i].begin = &begin;
        if (pthread_create(&runners[i].thread, NULL, run, &runners[i]) != 0)
            load_stop("no thread");
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(runners[i].thread, NULL);
        rate += runners[i].rate;
    }
    pthread_barrier_destroy(&begin);
    return rate;
}

json_t *full_cores(const struct quick_options *options)
{
    static struct runner runners[THREADS_MAX];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct mail_set set;
    struct buffer zone;
    json_t *all = json_array();
    make_10k(options, &set, &zone);
    for (int threads = 1; threads <= cpus && threads <= THREADS_MAX; threads++) {
        for (int i = 0; i < threads; i++)
            runners[i] = (struct runner){.set = &set,
                                         .zone = buffer_span(&zone),
                                         .seconds = options->seconds,
                                         .cpu = (int)cpus - 1 - i};
        json_array_append_new(all, json_pack("{s:i,s:f}", "threads", threads, "messages_per_s",
                                             rate_of(runners, (unsigned)threads)));
    }
    mail_set_free(&set);
    buffer_fini(&zone);
    return all;
}

/* --- peers in processes of their own --- */

static const char *const peers[] = {"opendkim", "rspamd", "libspf2", "dkimpy"};

static json_t *run_peer(const char *peer, const char *folder, double seconds)
{
    char command[512], line[LINE_MAX_BYTES] = "";
    json_error_t error;
    snprintf(command, sizeof command, "timeout 120 %s/%s '%s' %.2f",
             strcmp(peer, "libspf2") == 0 ? "build/bench/peers" : "bench/peers", peer, folder,
             seconds);
    FILE *pipe = popen(command, "re");
    bool ok = pipe && fgets(line, sizeof line, pipe) != NULL;
    ok = pipe && pclose(pipe) == 0 && ok;
    json_t *json = ok ? json_loads(line, 0, &error) : NULL;
    if (!json)
        return json_pack("{s:s,s:s}", "name", peer, "skipped", "its driver failed");
    if (!json_object_get(json, "name"))
        json_object_set_new(json, "name", json_string(peer));
    return json;
}

json_t *full_peers(const struct quick_options *options)
{
    char folder[] = "/tmp/assay-bench-XXXXXX", command[64];
    struct mail_set set;
    json_t *all = json_array();
    if (!mkdtemp(folder))
        load_stop("no temporary folder");
    mail_set_make(&set, mail_set_find("10k"), options->keys);
    mail_set_write(&set, folder, options->keys);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        fprintf(stderr, "        peer %s\n", peers[i]);
        json_array_append_new(all, run_peer(peers[i], folder, 2 * options->seconds));
    }
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0)
        fprintf(stderr, "assay-bench: cannot remove %s\n", folder);
    mail_set_free(&set);
    return all;
}
