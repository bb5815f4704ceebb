/*
 * assay-bench: what judging a message costs, beside what its hash and its signature cost, and
 * beside other verifiers fed the same messages in the same run.
 *
 *   assay-bench [--json] [--html FILE]    everything, about two minutes
 *   assay-bench --quick [--json]          the acceptance figures, less than 50 s
 *   assay-bench --set NAME [--seconds S]  one set, as JSON
 *
 * One thread, pinned to one CPU; times are CPU time of that thread, the best of many short batches
 * that the contestants run in turn. Every verdict is checked. `bench/assay-bench --help`.
 */
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench/contest.h"
#include "bench/full_run.h"
#include "bench/load.h"
#include "bench/load_daemon.h"
#include "bench/mail_set.h"
#include "bench/peer_opendkim.h"
#include "bench/quick_sets.h"
#include "simd/kernel.h"

void load_stop(const char *format, ...)
{
    va_list args;
    fputs("assay-bench: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(70);
}

static const char *const quick_names[] = {"2k",       "10k",      "75k",        "1m",
                                          "10k_2sig", "10k_arc3", "10k_ed25519"};

static cpu_set_t allowed; /* when we began */

static void unpin(void)
{
    sched_setaffinity(0, sizeof allowed, &allowed);
}

/* The last CPU that this process may use: the first one has most of the interrupts. */
static int pin(void)
{
    cpu_set_t one;
    int cpu = -1;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed))
            cpu = i;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0 ? cpu : -1;
}

static void processor_name(char name[128])
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    snprintf(name, 128, "unknown");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            snprintf(name, 128, "%.100s", strchr(line, ':') + 2);
            name[strcspn(name, "\n")] = '\0';
            break;
        }
    if (file)
        fclose(file);
}

static json_t *machine(int cpu)
{
    char processor[128], kernels[KERNEL_TEXT_MAX];
    struct utsname system;
    double load = -1;
    processor_name(processor);
    kernel_describe(kernels);
    uname(&system);
    getloadavg(&load, 1);
    return json_pack("{s:s,s:s,s:s,s:i,s:f,s:s}", "processor", processor, "system", system.release,
                     "kernels", kernels, "pinned_to_cpu", cpu, "load_average", load, "libopendkim",
                     peer_opendkim_version());
}

static double number(const json_t *json, const char *key)
{
    return json_number_value(json_object_get(json, key));
}

static void print_row(const char *name, const json_t *row)
{
    if (json_is_null(row)) {
        printf("%-14s the machine lacks it\n", name);
        return;
    }
    printf("%-14s %10.2f %10.2f %8.2f %12.1f %10.1f %10.2f %12.0f\n", name,
           number(row, "us_per_message"), number(row, "limit_us"), number(row, "vs_limit"),
           number(row, "opendkim_us"), number(row, "vs_libopendkim"), number(row, "single_us"),
           number(row, "messages"));
}

/* What a full run has besides. */
static void print_full(const json_t *all)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(all, "peers"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        if (json_object_get(row, "skipped"))
            printf("%-30s skipped: %s\n", name, json_string_value(json_object_get(row, "skipped")));
        else
            printf("%-30s %10.1f us of CPU a message; %.0f messages, %.0f wrong\n", name,
                   number(row, "cpu_us_per_message"), number(row, "messages"),
                   number(row, "wrong"));
    }
    json_array_foreach(json_object_get(all, "cores"), i, row) printf(
        "%.0f threads: %.0f messages/s\n", number(row, "threads"), number(row, "messages_per_s"));
    json_array_foreach(json_object_get(all, "by_load"), i, row)
        printf("load %.0f %%: p50 %.0f us, p99 %.0f us at the client\n", 100 * number(row, "load"),
               number(row, "client_p50_us"), number(row, "client_p99_us"));
    if ((row = json_object_get(all, "10k_cold")))
        printf("10k with an empty cache: %.1f us a message\n", number(row, "us_per_message"));
}

static void print_table(const json_t *all)
{
    const char *name;
    json_t *row;
    printf("%-14s %10s %10s %8s %12s %10s %10s %12s\n", "set", "us/message", "limit us", "to limit",
           "opendkim us", "times", "alone us", "messages");
    json_object_foreach(json_object_get(all, "sets"), name, row) print_row(name, row);
    json_object_foreach(json_object_get(all, "levels"), name, row) print_row(name, row);
    print_full(all);
    row = json_object_get(all, "socket_10k");
    printf("socket, %s: %.2f us of engine CPU a message (workers %.2f, front %.2f), %.1f times "
           "libopendkim in-process; %.0f messages\n",
           json_string_value(json_object_get(row, "transport")),
           number(row, "engine_us_per_message"), number(row, "worker_us"), number(row, "front_us"),
           number(row, "vs_libopendkim"), number(row, "messages"));
    printf(
        "its own time for a message: p50 %.0f us, p99 %.0f us at 70 %% of that; %.0f us for a lone "
        "one, %.2f times the unbatched cost; %s\n",
        number(row, "own_p50_us"), number(row, "own_p99_us"), number(row, "lone_own_p50_us"),
        number(row, "lone_vs_single"), json_string_value(json_object_get(row, "placement")));
}

struct run
{
    struct quick_options options;
    json_t *all;
    double begin;
};

static void say(const struct run *run, const char *what, const char *which)
{
    fprintf(stderr, "%5.1f s  %s%s\n", contest_now_s() - run->begin, what, which);
}

static void put_sets(struct run *run, const char *const *names, size_t count)
{
    json_t *sets = json_object_get(run->all, "sets");
    for (size_t i = 0; i < count; i++) {
        say(run, "set ", names[i]);
        json_t *set = quick_set(&run->options, names[i]);
        json_object_set_new(sets, names[i], set);
        json_object_set(run->all, names[i], set); /* by its name, too */
    }
}

static json_t *through_socket(const struct quick_options *options, const json_t *ten_k)
{
    struct quick_peers peers = {number(ten_k, "opendkim_us"), number(ten_k, "single_us")};
    unpin();
    return quick_socket(options, &peers);
}

static void quick(struct run *run)
{
    put_sets(run, quick_names, sizeof quick_names / sizeof *quick_names);
    say(run, "kernel levels", "");
    json_t *levels = quick_levels(&run->options);
    json_object_set_new(run->all, "levels", levels);
    json_object_update(run->all, levels);
    say(run, "socket", "");
    json_object_set_new(run->all, "socket_10k",
                        through_socket(&run->options, json_object_get(run->all, "10k")));
}

static void full(struct run *run)
{
    static const char *const names[] = {"10k_rsa1024", "10k_bad", "traffic"};
    run->options.cpu = pin();
    put_sets(run, names, sizeof names / sizeof *names);
    say(run, "cold cache", "");
    json_object_set_new(run->all, "10k_cold", full_cold(&run->options));
    unpin();
    say(run, "cores", "");
    json_object_set_new(run->all, "cores", full_cores(&run->options));
    say(run, "latency by load", "");
    double capacity = number(json_object_get(run->all, "socket_10k"), "messages_per_s");
    json_object_set_new(run->all, "by_load", full_load(&run->options, capacity));
    say(run, "peers", "");
    json_object_set_new(run->all, "peers", full_peers(&run->options));
}

/* The page is made from the JSON, by bench/report. */
static void write_page(const json_t *all, const char *path)
{
    bool ok = setenv("ASSAY_BENCH_PAGE", path, 1) == 0;
    FILE *pipe = ok ? popen("bench/report", "we") : NULL;
    if (!pipe || json_dumpf(all, pipe, 0) != 0 || pclose(pipe) != 0)
        load_stop("bench/report failed");
}

static void run_all(struct run *run, bool is_quick, bool json, const char *page)
{
    run->begin = contest_now_s();
    run->all = json_object();
    json_object_set_new(run->all, "v", json_integer(1));
    json_object_set_new(run->all, "machine", machine(run->options.cpu));
    json_object_set_new(run->all, "sets", json_object());
    quick(run);
    if (!is_quick)
        full(run);
    json_object_set_new(run->all, "seconds", json_real(contest_now_s() - run->begin));
    if (json)
        json_dumpf(run->all, stdout, JSON_REAL_PRECISION(5));
    else
        print_table(run->all);
    putchar('\n');
    if (page)
        write_page(run->all, page);
    json_decref(run->all);
}

static void print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_REAL_PRECISION(5));
    putchar('\n');
    json_decref(json);
}

static void socket_alone(const struct quick_options *options)
{
    json_t *ten_k = quick_set(options, "10k");
    json_t *socket = through_socket(options, ten_k);
    print_json(json_pack("{s:o,s:o}", "10k", ten_k, "socket_10k", socket));
}

static void write_set(const struct quick_options *options, const char *folder)
{
    struct mail_set set;
    const struct mail_set_kind *kind = options->only ? mail_set_find(options->only) : NULL;
    if (!kind)
        load_stop("--write wants --set and one of the sets");
    mail_set_make(&set, kind, options->keys);
    mail_set_write(&set, folder, options->keys);
    printf("%u messages, %llu bytes, in %s\n", set.count, (unsigned long long)set.bytes, folder);
    mail_set_free(&set);
}

static const char help[] =
    "usage: assay-bench                    everything, peers too: about two minutes\n"
    "       assay-bench --quick            the acceptance figures, less than 50 s\n"
    "       assay-bench --set NAME         one set, as JSON\n"
    "       assay-bench --socket           10k, in this process and through the socket, as JSON\n"
    "       assay-bench --set NAME --write DIR   its messages, envelopes and zone as files\n"
    "  --json        one JSON object instead of a table\n"
    "  --html FILE   besides, a page with the plots\n"
    "  --seconds S   of one set (default 1.5)\n"
    "  --keys DIR    private keys of the messages (default bench/keys)\n"
    "sets: 2k 10k 75k 1m 10k_2sig 10k_arc3 10k_ed25519 10k_rsa1024 10k_bad traffic\n"
    "ASSAY_KERNEL=scalar|sse|avx2|avx512 takes a kernel level.\n";

static const struct option long_options[] = {
    {"quick", no_argument, NULL, 'q'},         {"json", no_argument, NULL, 'j'},
    {"socket", no_argument, NULL, 'S'},        {"set", required_argument, NULL, 's'},
    {"seconds", required_argument, NULL, 't'}, {"keys", required_argument, NULL, 'k'},
    {"write", required_argument, NULL, 'w'},   {"html", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},          {0},
};

static _Noreturn void usage(void)
{
    fputs(help, stderr);
    exit(64);
}

int main(int argc, char **argv)
{
    struct run run = {.all = NULL};
    struct quick_options options = {.keys = "bench/keys", .self = argv[0], .seconds = 1.5};
    bool json = false, is_quick = false, socket = false;
    const char *folder = NULL, *page = NULL;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == 'h')
            return fputs(help, stdout) < 0;
        is_quick |= c == 'q';
        json |= c == 'j';
        socket |= c == 'S';
        options.only = c == 's' ? optarg : options.only;
        page = c == 'p' ? optarg : page;
        folder = c == 'w' ? optarg : folder;
        options.keys = c == 'k' ? optarg : options.keys;
        options.seconds = c == 't' ? strtod(optarg, NULL) : options.seconds;
        if (c == '?' || !(options.seconds > 0 && options.seconds < 600))
            usage();
    }
    if (optind != argc || (is_quick && options.only) || (socket && (is_quick || options.only)) ||
        (folder && !options.only))
        usage();
    if (folder) {
        write_set(&options, folder);
        return 0;
    }
    load_daemon_find(argv[0]);
    sched_getaffinity(0, sizeof allowed, &allowed);
    options.cpu = pin();
    if (socket) {
        socket_alone(&options);
        return 0;
    }
    if (!options.only) {
        run.options = options;
        run_all(&run, is_quick, json, page);
        return 0;
    }
    print_json(quick_set(&options, options.only));
    return 0;
}
