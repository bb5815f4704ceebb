/*
 * assay-bench: what judging a message costs, beside what its hash and its signature cost, and
 * beside other verifiers fed the same messages in the same run.
 *
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

/* The last CPU that this process may use: the first one has most of the interrupts. */
static int pin(void)
{
    cpu_set_t allowed, one;
    int cpu = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return -1;
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

static void print_table(const json_t *all)
{
    const char *name;
    json_t *row;
    printf("%-14s %10s %10s %8s %12s %10s %10s %12s\n", "set", "us/message", "limit us", "to limit",
           "opendkim us", "times", "alone us", "messages");
    json_object_foreach(json_object_get(all, "sets"), name, row) print_row(name, row);
    json_object_foreach(json_object_get(all, "levels"), name, row) print_row(name, row);
    row = json_object_get(all, "socket_10k");
    printf("socket, %s: %.2f us of engine CPU a message (workers %.2f, front %.2f), %.1f times "
           "libopendkim in-process; %.0f messages\n",
           json_string_value(json_object_get(row, "transport")),
           number(row, "engine_us_per_message"), number(row, "worker_us"), number(row, "front_us"),
           number(row, "vs_libopendkim"), number(row, "messages"));
}

static void quick(struct quick_options *options, bool json)
{
    double begin = contest_now_s();
    json_t *all = json_object(), *sets = json_object();
    json_object_set_new(all, "v", json_integer(1));
    json_object_set_new(all, "machine", machine(options->cpu));
    json_object_set_new(all, "sets", sets);
    for (size_t i = 0; i < sizeof quick_names / sizeof *quick_names; i++) {
        fprintf(stderr, "%5.1f s  set %s\n", contest_now_s() - begin, quick_names[i]);
        json_t *set = quick_set(options, quick_names[i]);
        json_object_set_new(sets, quick_names[i], set);
        json_object_set(all, quick_names[i], set); /* by its name, too */
    }
    fprintf(stderr, "%5.1f s  kernel levels\n", contest_now_s() - begin);
    json_t *levels = quick_levels(options);
    json_object_set_new(all, "levels", levels);
    json_object_update(all, levels);
    fprintf(stderr, "%5.1f s  socket\n", contest_now_s() - begin);
    json_object_set_new(all, "socket_10k",
                        quick_socket(options, number(json_object_get(sets, "10k"), "opendkim_us")));
    json_object_set_new(all, "seconds", json_real(contest_now_s() - begin));
    if (json)
        json_dumpf(all, stdout, JSON_REAL_PRECISION(5));
    else
        print_table(all);
    putchar('\n');
    json_decref(all);
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
    "usage: assay-bench --quick [--json]   the acceptance figures, less than 50 s\n"
    "       assay-bench --set NAME         one set, as JSON\n"
    "       assay-bench --set NAME --write DIR   its messages, envelopes and zone as files\n"
    "  --seconds S   of one set (default 1.5)\n"
    "  --keys DIR    private keys of the messages (default bench/keys)\n"
    "sets: 2k 10k 75k 1m 10k_2sig 10k_arc3 10k_ed25519 10k_rsa1024 10k_bad traffic\n"
    "ASSAY_KERNEL=scalar|sse|avx2|avx512 takes a kernel level.\n";

static const struct option long_options[] = {
    {"quick", no_argument, NULL, 'q'},      {"json", no_argument, NULL, 'j'},
    {"set", required_argument, NULL, 's'},  {"seconds", required_argument, NULL, 't'},
    {"keys", required_argument, NULL, 'k'}, {"write", required_argument, NULL, 'w'},
    {"help", no_argument, NULL, 'h'},       {0},
};

static _Noreturn void usage(void)
{
    fputs(help, stderr);
    exit(64);
}

int main(int argc, char **argv)
{
    struct quick_options options = {.keys = "bench/keys", .self = argv[0], .seconds = 1.5};
    bool json = false, is_quick = false;
    const char *folder = NULL;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == 'h')
            return fputs(help, stdout) < 0;
        is_quick |= c == 'q';
        json |= c == 'j';
        options.only = c == 's' ? optarg : options.only;
        folder = c == 'w' ? optarg : folder;
        options.keys = c == 'k' ? optarg : options.keys;
        options.seconds = c == 't' ? strtod(optarg, NULL) : options.seconds;
        if (c == '?' || !(options.seconds > 0 && options.seconds < 600))
            usage();
    }
    if (optind != argc || is_quick == (options.only != NULL))
        usage();
    if (folder) {
        write_set(&options, folder);
        return 0;
    }
    load_daemon_find(argv[0]);
    options.cpu = pin();
    if (is_quick) {
        quick(&options, json);
        return 0;
    }
    json_t *set = quick_set(&options, options.only);
    json_dumpf(set, stdout, JSON_REAL_PRECISION(5));
    putchar('\n');
    json_decref(set);
    return 0;
}
