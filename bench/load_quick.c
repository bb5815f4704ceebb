/*
 * The acceptance run. Each figure's definition stands beside it in the JSON (`definitions`), since
 * a number without one says nothing.
 */
#include "bench/load_quick.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench/bench.h"
#include "bench/cache_measure.h"
#include "bench/load.h"
#include "bench/load_dns.h"
#include "bench/load_measure.h"

enum
{
    ROUNDS = 7,
    WORK_SIGNATURES = 4,
    MESSAGES = 1024,
    DOMAINS = 512,
    MESSAGE_BYTES = 10 * 1024,
    SMALL_BYTES = 4 * 1024,
    RING_BYTES = 4 * 1024 * 1024,
    WAITERS = 1000,
    WAITING_CONNECTIONS = 16,
    PARKED = 16384,
    PARKED_CONNECTIONS = 256,
    ACTIVE = 1000,
    IDLE = 10000,
    CACHE_NAMES = 100 * 1000,
    ENOUGH_S = 36, /* what need not be in every run is left out from here on */
};

static const unsigned usual_mix[LOAD_KINDS] = {60, 30, 10};

struct quick
{
    json_t *json;
    struct load_ledger ledger;
    uint64_t begin_ns;
};

static void say(struct quick *quick, const char *what)
{
    fprintf(stderr, "%5.1f s  %s\n", (double)(bench_now_ns() - quick->begin_ns) / 1e9, what);
}

static void put_real(struct quick *quick, const char *key, double value)
{
    json_object_set_new(quick->json, key, json_real(value));
}

static void put_count(struct quick *quick, const char *key, uint64_t value)
{
    json_object_set_new(quick->json, key, json_integer((json_int_t)value));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, unsigned n)
{
    double sorted[ROUNDS];
    memcpy(sorted, values, n * sizeof *values);
    qsort(sorted, n, sizeof *sorted, by_value);
    return sorted[n / 2];
}

static void make_mail(struct load_mail *mail, unsigned messages, unsigned domains, size_t bytes,
                      const unsigned *percent)
{
    struct load_mail_options options = {.messages = messages, .domains = domains, .bytes = bytes};
    memcpy(options.percent, percent, sizeof options.percent);
    load_mail_make(mail, &options);
}

/* Enough work in each that it is the workers who are waited for. */
static void make_work(struct load_mail *mail)
{
    struct load_mail_options options = {.messages = MESSAGES,
                                        .domains = DOMAINS,
                                        .bytes = MESSAGE_BYTES,
                                        .percent = {[LOAD_SIGNED] = 100},
                                        .signatures = WORK_SIGNATURES};
    load_mail_make(mail, &options);
}

/* --- one worker and two --- */

/* Saturated: through a ring, which takes least of the CPUs that generator, front and workers share
 * here. */
static void measure_workers(const struct load_mail *mail, const char *workers, bool saturated,
                            struct load_figures *figures)
{
    const char *const arguments[] = {"--workers", workers, NULL};
    struct load_case what = {.mail = mail,
                             .arguments = arguments,
                             .connections = 1,
                             .zipf = true,
                             .saturated = saturated,
                             .transport = saturated ? LOAD_RING : LOAD_STREAM,
                             .ring_bytes = saturated ? RING_BYTES : 0,
                             .warm_up = 0.15,
                             .seconds = 0.7};
    load_measure(&what, figures);
}

static double best_capacity(const struct load_figures rounds[ROUNDS])
{
    double best = 0;
    for (unsigned r = 0; r < ROUNDS; r++)
        best = rounds[r].capacity > best ? rounds[r].capacity : best;
    return best;
}

static double compare_workers(struct quick *quick, const struct load_mail *mail)
{
    struct load_mail work;
    static struct load_figures one[ROUNDS], two[ROUNDS], free_two[ROUNDS];
    double ratios[ROUNDS], walls[ROUNDS], rate[ROUNDS], engine[ROUNDS], worker[ROUNDS],
        front[ROUNDS], p99[ROUNDS], p50[ROUNDS], p999[ROUNDS], totals[ROUNDS];
    json_t *rounds = json_array();
    make_work(&work);
    for (unsigned r = 0; r < ROUNDS; r++) {
        say(quick, "one worker, then two");
        measure_workers(&work, "1", true, &one[r]);
        measure_workers(&work, "2", true, &two[r]);
        measure_workers(mail, "2", false, &free_two[r]);
        load_ledger_add(&quick->ledger, &one[r].ledger);
        load_ledger_add(&quick->ledger, &two[r].ledger);
        load_ledger_add(&quick->ledger, &free_two[r].ledger);
        ratios[r] = two[r].capacity / one[r].capacity;
        totals[r] = 2 * one[r].worker_us / two[r].worker_us;
        walls[r] = two[r].messages_per_s / one[r].messages_per_s;
        rate[r] = free_two[r].messages_per_s;
        engine[r] = free_two[r].engine_us;
        worker[r] = free_two[r].worker_us;
        front[r] = free_two[r].front_us;
        p50[r] = (double)histogram_quantile(&free_two[r].latency, 0.5) / 1e3;
        p99[r] = (double)histogram_quantile(&free_two[r].latency, 0.99) / 1e3;
        p999[r] = (double)histogram_quantile(&free_two[r].latency, 0.999) / 1e3;
        json_array_append_new(rounds,
                              json_pack("{s:f,s:f,s:f,s:f,s:f}", "one_worker_messages_per_cpu_s",
                                        one[r].capacity, "two_workers_messages_per_busiest_cpu_s",
                                        two[r].capacity, "one_worker_messages_per_s",
                                        one[r].messages_per_s, "two_workers_messages_per_s",
                                        two[r].messages_per_s, "ratio", ratios[r]));
    }
    load_mail_free(&work);
    put_real(quick, "two_worker_ratio", best_capacity(two) / best_capacity(one));
    put_real(quick, "two_worker_ratio_median", median(ratios, ROUNDS));
    put_real(quick, "messages_per_s", median(rate, ROUNDS));
    put_real(quick, "engine_us_per_message", median(engine, ROUNDS));
    put_real(quick, "p99_us", median(p99, ROUNDS));
    put_real(quick, "p50_us", median(p50, ROUNDS));
    put_real(quick, "p999_us", median(p999, ROUNDS));
    put_real(quick, "worker_us_per_message", median(worker, ROUNDS));
    put_real(quick, "front_us_per_message", median(front, ROUNDS));
    put_real(quick, "two_worker_ratio_wall", median(walls, ROUNDS));
    put_real(quick, "two_worker_ratio_all_cpu", median(totals, ROUNDS));
    put_real(quick, "cache_hit_share",
             (double)two[0].cache_hits / (double)(two[0].cache_lookups ? two[0].cache_lookups : 1));
    json_object_set_new(quick->json, "two_worker_rounds", rounds);
    return median(rate, ROUNDS);
}

/* --- latency at half of what it can do --- */

static void measure_latency(struct quick *quick, const struct load_mail *mail, double rate)
{
    static struct load_figures f;
    const char *const arguments[] = {"--workers", "2", NULL};
    struct load_case what = {.mail = mail,
                             .arguments = arguments,
                             .connections = 4,
                             .zipf = true,
                             .rate = rate,
                             .warm_up = 0.3,
                             .seconds = 1.5};
    say(quick, "latency at half of that rate");
    load_measure(&what, &f);
    load_ledger_add(&quick->ledger, &f.ledger);
    put_real(quick, "half_load_messages_per_s", f.messages_per_s);
    put_real(quick, "half_load_p50_us", (double)histogram_quantile(&f.latency, 0.5) / 1e3);
    put_real(quick, "half_load_p99_us", (double)histogram_quantile(&f.latency, 0.99) / 1e3);
    put_real(quick, "half_load_p999_us", (double)histogram_quantile(&f.latency, 0.999) / 1e3);
}

/* --- many connections --- */

static void measure_connections(struct quick *quick, const struct load_mail *mail)
{
    static struct load_figures f;
    const char *const arguments[] = {"--max-connections", "12000", "--max-per-uid", "12000", NULL};
    struct load_case what = {.mail = mail,
                             .arguments = arguments,
                             .connections = ACTIVE,
                             .depth = 4,
                             .idle = IDLE,
                             .zipf = true,
                             .warm_up = 0.3,
                             .seconds = 1.5};
    say(quick, "10,000 idle and 1,000 active connections");
    load_measure(&what, &f);
    load_ledger_add(&quick->ledger, &f.ledger);
    put_count(quick, "idle_connections", f.idle_alive);
    put_count(quick, "active_connections", ACTIVE);
    put_real(quick, "connections_messages_per_s", f.messages_per_s);
    put_real(quick, "connections_p99_us", (double)histogram_quantile(&f.latency, 0.99) / 1e3);
    put_count(quick, "connections_rss_bytes", f.rss);
}

/* --- questions that wait --- */

static void await_in_flight(const struct load_daemon *daemon, struct load_run *run, uint64_t count,
                            double seconds)
{
    uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9), in_flight = 0;
    while (in_flight < count && bench_now_ns() < end) {
        load_drain(run, 0.01);
        json_t *stats = load_daemon_stats(daemon);
        in_flight = load_stat(stats, "pool.in_flight");
        json_decref(stats);
    }
}

static void measure_single_flight(struct quick *quick)
{
    static const unsigned all_signed[LOAD_KINDS] = {100, 0, 0};
    struct load_mail mail;
    struct load_dns dns;
    struct load_daemon daemon;
    struct load_ledger ledger;
    say(quick, "1,000 messages that miss the same names");
    make_mail(&mail, 1, 1, SMALL_BYTES, all_signed);
    load_dns_start(&dns, buffer_span(&mail.zone));
    const char *const arguments[] = {"--resolver", dns.resolver, NULL};
    load_daemon_start(&daemon, (struct span){NULL, 0}, arguments);
    struct load_plan plan = {
        .socket = daemon.socket, .mail = &mail, .connections = WAITING_CONNECTIONS};
    struct load_run *run = load_open(&plan);
    dns.hold = true; /* below unbound's first timeout of 376 ms */
    load_go(run, 0.2, WAITERS, NULL);
    await_in_flight(&daemon, run, WAITERS, 0.1);
    put_count(quick, "single_flight_waiters", load_open_requests(run));
    load_dns_release(&dns);
    load_drain(run, 10);
    json_t *stats = load_daemon_stats(&daemon);
    put_count(quick, "single_flight_queries", dns.key_questions);
    put_count(quick, "single_flight_questions_of_all_names", dns.questions);
    put_count(quick, "single_flight_queries_by_stats", load_stat(stats, "resolvers.queries"));
    json_decref(stats);
    load_close(&run, &ledger);
    load_ledger_add(&quick->ledger, &ledger);
    load_daemon_stop(&daemon);
    load_dns_stop(&dns);
    load_mail_free(&mail);
}

static void put_memory(struct quick *quick, const struct load_daemon *daemon,
                       const struct load_mail *mail, uint64_t before)
{
    uint64_t with = load_daemon_rss(daemon);
    json_t *stats = load_daemon_stats(daemon);
    uint64_t in_flight = load_stat(stats, "pool.in_flight");
    double each = ((double)with - (double)before) / (double)(in_flight ? in_flight : 1);
    double header = (double)mail->header_bytes / mail->count;
    put_real(quick, "bytes_per_message_in_flight", each - header);
    put_real(quick, "bytes_per_message_in_flight_with_header", each);
    put_real(quick, "header_bytes", header);
    put_real(quick, "arena_bytes_per_message_in_flight",
             (double)load_stat(stats, "pool.arena_bytes") / (double)(in_flight ? in_flight : 1));
    put_count(quick, "messages_in_flight", in_flight);
    json_decref(stats);
}

static void measure_memory(struct quick *quick)
{
    static const unsigned all_signed[LOAD_KINDS] = {100, 0, 0};
    struct load_mail mail;
    struct load_dns dns;
    struct load_daemon daemon;
    struct load_ledger ledger;
    say(quick, "16,384 messages that wait for a name server");
    make_mail(&mail, 1, 1, SMALL_BYTES, all_signed);
    load_dns_start(&dns, buffer_span(&mail.zone));
    const char *const arguments[] = {"--resolver", dns.resolver, NULL};
    load_daemon_start(&daemon, (struct span){NULL, 0}, arguments);
    struct load_plan plan = {
        .socket = daemon.socket, .mail = &mail, .connections = PARKED_CONNECTIONS};
    struct load_run *run = load_open(&plan);
    uint64_t before = load_daemon_rss(&daemon);
    dns.hold = true; /* questions give up after 5 s */
    load_go(run, 3.5, PARKED, NULL);
    await_in_flight(&daemon, run, PARKED, 0.8);
    put_memory(quick, &daemon, &mail, before);
    load_dns_release(&dns);
    load_drain(run, 15);
    put_count(quick, "rss_bytes_after_drain", load_daemon_rss(&daemon));
    load_close(&run, &ledger);
    load_ledger_add(&quick->ledger, &ledger);
    load_daemon_stop(&daemon);
    load_dns_stop(&dns);
    load_mail_free(&mail);
}

/* --- the cache, in this process --- */

static void measure_cache(struct quick *quick)
{
    struct cache_measure_cost cost;
    struct cache_measure_latency latency;
    double worst = 0, worst_unkeyed = 0;
    json_t *kinds = json_object();
    say(quick, "the cache beside an unlocked table");
    cache_measure_open(CACHE_NAMES);
    for (enum cache_measure_kind kind = 0; kind < CACHE_MEASURE_KINDS; kind++) {
        cache_measure_prepare(kind);
        cache_measure_cost(1, &cost);
        worst = cost.ratio_to_sip > worst ? cost.ratio_to_sip : worst;
        worst_unkeyed = cost.ratio_unkeyed > worst_unkeyed ? cost.ratio_unkeyed : worst_unkeyed;
        json_object_set_new(kinds, cache_measure_word(kind),
                            json_pack("{s:f,s:f,s:f}", "ns", cost.ns, "ratio", cost.ratio_to_sip,
                                      "ratio_to_cheap_hash", cost.ratio_unkeyed));
    }
    cache_measure_latency(&latency); /* of the hot names */
    put_real(quick, "cache_hit_vs_unlocked", worst);
    put_real(quick, "cache_hit_vs_unlocked_cheap_hash", worst_unkeyed);
    put_real(quick, "cache_p999_with_updates_vs_none", latency.p999_ratio);
    put_real(quick, "cache_updates_per_s", latency.updates);
    json_object_set_new(quick->json, "cache", kinds);
    cache_measure_close();
}

/* --- what was measured where --- */

static void read_model(char *model, size_t room)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(model, room, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        snprintf(model, room, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file)
        fclose(file);
}

/* Other work on the machine, before ours began. */
static double load_before;

__attribute__((constructor)) static void note_load(void)
{
    if (getloadavg(&load_before, 1) != 1)
        load_before = -1;
}

json_t *load_machine(void)
{
    char model[128], date[32];
    cpu_set_t allowed;
    struct utsname system;
    time_t now = time(NULL);
    struct tm utc;
    read_model(model, sizeof model);
    uname(&system);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    int cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 0;
    return json_pack("{s:s,s:i,s:s,s:s,s:s,s:s,s:f}", "cpu", model, "cores", cores, "kernel",
                     system.release, "compiler", __VERSION__, "version", ASSAY_VERSION, "date",
                     date, "load_average_before", load_before);
}

static json_t *definitions(void)
{
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "two_worker_ratio",
        "messages / CPU seconds of the busiest worker thread, with two workers over with one; "
        "messages of 10 KB with four signatures through one ring, as many requests open as the "
        "daemon grants, "
        "the workers at nice 15 so that generator and front always keep them busy; the best of 7 "
        "rounds each, in turn, since other work on the machine only ever adds CPU time (_median: "
        "of "
        "the rounds' ratios)",
        "two_worker_ratio_all_cpu",
        "2 x CPU a message of the worker threads, one worker / two: what the ratio would be if "
        "both "
        "always had the same share",
        "messages_per_s",
        "answers per second of wall clock with two workers, the generator on the same cores",
        "engine_us_per_message", "CPU of all threads of assayd / answers", "p99_us",
        "from handing the request to the client until its answer, at full load", "half_load_p99_us",
        "the same at half of messages_per_s, from when the request was due",
        "bytes_per_message_in_flight",
        "(resident memory with the messages waiting - before) / their number - mean header bytes",
        "cache_hit_vs_unlocked",
        "CPU of a cache hit / of a lookup in an unlocked chained table with the same keyed hash "
        "and keys; the worst of uniform, Zipf and hot names, 100,000 of them");
}

/* On a machine that is busy with other work. */
static bool has_time(const struct quick *quick, json_t *skipped, const char *what)
{
    if (bench_now_ns() - quick->begin_ns < (uint64_t)ENOUGH_S * 1000000000)
        return true;
    json_array_append_new(skipped, json_string(what));
    return false;
}

json_t *load_quick(bool *clean)
{
    struct quick quick = {.json = json_object(), .begin_ns = bench_now_ns()};
    struct load_mail mail;
    say(&quick, "keys, messages, zone");
    make_mail(&mail, MESSAGES, DOMAINS, MESSAGE_BYTES, usual_mix);
    double rate = compare_workers(&quick, &mail);
    measure_single_flight(&quick);
    measure_memory(&quick);
    measure_cache(&quick);
    json_t *skipped = json_array();
    if (has_time(&quick, skipped, "connections"))
        measure_connections(&quick, &mail);
    if (has_time(&quick, skipped, "half_load"))
        measure_latency(&quick, &mail, rate / 2);
    json_object_set_new(quick.json, "skipped", skipped);
    load_mail_free(&mail);
    put_count(&quick, "sent", quick.ledger.sent);
    put_count(&quick, "answered", quick.ledger.answered);
    put_count(&quick, "lost", quick.ledger.lost);
    put_count(&quick, "doubled", quick.ledger.doubled);
    put_count(&quick, "wrong", quick.ledger.wrong);
    put_count(&quick, "refused", quick.ledger.refused);
    json_object_set_new(quick.json, "complaint",
                        *quick.ledger.complaint ? json_string(quick.ledger.complaint)
                                                : json_null());
    put_count(&quick, "message_bytes", MESSAGE_BYTES);
    json_object_set_new(quick.json, "mix",
                        json_pack("{s:i,s:i,s:i}", "signed", usual_mix[0], "plain", usual_mix[1],
                                  "forged", usual_mix[2]));
    put_real(&quick, "seconds", (double)(bench_now_ns() - quick.begin_ns) / 1e9);
    json_object_set_new(quick.json, "machine", load_machine());
    json_object_set_new(quick.json, "definitions", definitions());
    *clean = load_is_clean(&quick.ledger) && quick.ledger.answered == quick.ledger.sent;
    return quick.json;
}
