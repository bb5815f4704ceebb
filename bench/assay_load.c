/*
 * assay-load: the load generator of the verdict socket. It starts an assayd of its own in a
 * temporary folder, with a zone that it writes and messages that it signs, sends them, compares
 * each verdict with the one that the message deserves, and prints rates, CPU, latencies, cache
 * figures and memory. Exit status 1 where one verdict is lost, doubled, wrong or refused.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/load_measure.h"
#include "bench/load_quick.h"

static const char help_text[] =
    "usage: assay-load [options]\n\n"
    "  --quick              the acceptance run: all figures, less than 50 s\n"
    "  --json               one JSON object\n"
    "  --connections N      default 1\n"
    "  --depth N            open requests of a connection; default: what the daemon grants\n"
    "  --idle N             more connections on which nothing happens\n"
    "  --seconds S          measured time; default 5 (and 0.5 to warm up)\n"
    "  --rate N             messages a second at even intervals; default: as fast as it goes\n"
    "  --size BYTES|real    of a message; default 10240; real: 3 KB to 1.6 MB as in real mail\n"
    "  --mix S:P:F          per cent signed, plain, forged; default 60:30:10\n"
    "  --messages N         in the pool; default 1024\n"
    "  --keys N             domains, each with a key; default 512\n"
    "  --zipf               the message of rank r with a chance of 1/r; default: in turn\n"
    "  --cold               no warm-up: every message of the pool once, on a new daemon\n"
    "  --json-answers       the daemon sends JSON and Authentication-Results with each verdict\n"
    "  --transport T        stream (default), ring (shared memory), fd (a memfd a message)\n"
    "  --ring BYTES         of each of the two rings; default 1048576\n"
    "  --workers N          of the daemon; default: the cores we may use\n"
    "  --daemon ARG         one more argument for assayd; may stand several times\n\n"
    "ASSAYD names the daemon; default: the assayd of the same build.\n";

void load_stop(const char *format, ...)
{
    va_list args;
    fputs("assay-load: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(70);
}

struct settings
{
    struct load_mail_options mail;
    struct load_case what;
    const char *arguments[LOAD_DAEMON_ARGUMENTS + 1];
    unsigned argument_count;
    bool quick, json, cold;
};

enum option_id
{
    OPTION_QUICK = 256,
    OPTION_JSON,
    OPTION_CONNECTIONS,
    OPTION_DEPTH,
    OPTION_IDLE,
    OPTION_SECONDS,
    OPTION_RATE,
    OPTION_SIZE,
    OPTION_MIX,
    OPTION_MESSAGES,
    OPTION_KEYS,
    OPTION_ZIPF,
    OPTION_COLD,
    OPTION_JSON_ANSWERS,
    OPTION_TRANSPORT,
    OPTION_RING,
    OPTION_WORKERS,
    OPTION_DAEMON,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"json", no_argument, NULL, OPTION_JSON},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"depth", required_argument, NULL, OPTION_DEPTH},
    {"idle", required_argument, NULL, OPTION_IDLE},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"mix", required_argument, NULL, OPTION_MIX},
    {"messages", required_argument, NULL, OPTION_MESSAGES},
    {"keys", required_argument, NULL, OPTION_KEYS},
    {"zipf", no_argument, NULL, OPTION_ZIPF},
    {"cold", no_argument, NULL, OPTION_COLD},
    {"json-answers", no_argument, NULL, OPTION_JSON_ANSWERS},
    {"transport", required_argument, NULL, OPTION_TRANSPORT},
    {"ring", required_argument, NULL, OPTION_RING},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"daemon", required_argument, NULL, OPTION_DAEMON},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static _Noreturn void usage(const char *what)
{
    fprintf(stderr, "assay-load: %s; --help tells\n", what);
    exit(64);
}

static double number(const char *least_text, double least, double most)
{
    char *end;
    double value = strtod(optarg, &end);
    if (*optarg == '\0' || *end != '\0' || !(value >= least && value <= most))
        usage(least_text);
    return value;
}

static unsigned count(unsigned least, unsigned most)
{
    return (unsigned)number("an option's number is out of range", least, most);
}

static void read_mix(unsigned percent[LOAD_KINDS])
{
    int n = 0;
    if (sscanf(optarg, "%3u:%3u:%3u%n", &percent[0], &percent[1], &percent[2], &n) != 3 ||
        optarg[n] != '\0' || percent[0] + percent[1] + percent[2] != 100)
        usage("--mix wants three numbers that add up to 100");
}

static enum load_transport transport(void)
{
    static const char *const words[] = {
        [LOAD_STREAM] = "stream", [LOAD_RING] = "ring", [LOAD_FD] = "fd"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(optarg, words[i]) == 0)
            return (enum load_transport)i;
    usage("--transport wants stream, ring or fd");
}

static void add_argument(struct settings *s, const char *argument)
{
    if (s->argument_count == LOAD_DAEMON_ARGUMENTS)
        usage("too many arguments for the daemon");
    s->arguments[s->argument_count++] = argument;
}

static void read_option(struct settings *s, int id)
{
    switch (id) {
    case OPTION_QUICK:
        s->quick = true;
        return;
    case OPTION_JSON:
        s->json = true;
        return;
    case OPTION_CONNECTIONS:
        s->what.connections = count(1, 20000);
        return;
    case OPTION_DEPTH:
        s->what.depth = count(1, 100000);
        return;
    case OPTION_IDLE:
        s->what.idle = count(0, 100000);
        return;
    case OPTION_SECONDS:
        s->what.seconds = number("--seconds wants a number from 0.1 to 86400", 0.1, 86400);
        return;
    case OPTION_RATE:
        s->what.rate = number("--rate wants a number from 1 to 10000000", 1, 1e7);
        return;
    case OPTION_SIZE:
        s->mail.bytes = strcmp(optarg, "real") == 0 ? 0 : count(100, 2 * 1024 * 1024);
        return;
    case OPTION_MIX:
        read_mix(s->mail.percent);
        return;
    case OPTION_MESSAGES:
        s->mail.messages = count(1, 65536);
        return;
    case OPTION_KEYS:
        s->mail.domains = count(1, 65536);
        return;
    case OPTION_ZIPF:
        s->what.zipf = true;
        return;
    case OPTION_COLD:
        s->cold = true;
        return;
    case OPTION_JSON_ANSWERS:
        s->what.wishes = ASSAY_CLIENT_WISH_JSON | ASSAY_CLIENT_WISH_RESULTS;
        return;
    case OPTION_TRANSPORT:
        s->what.transport = transport();
        return;
    case OPTION_RING:
        s->what.ring_bytes = count(65536, 16 * 1024 * 1024);
        return;
    case OPTION_WORKERS:
        add_argument(s, "--workers");
        add_argument(s, optarg);
        return;
    case OPTION_DAEMON:
        add_argument(s, optarg);
        return;
    case OPTION_HELP:
        fputs(help_text, stdout);
        exit(0);
    default:
        usage("unknown option, or its value is missing");
    }
}

static void read_options(struct settings *s, int argc, char **argv)
{
    *s = (struct settings){
        .mail = {.messages = 1024, .domains = 512, .bytes = 10240, .percent = {60, 30, 10}},
        .what = {.connections = 1, .seconds = 5, .warm_up = 0.5, .ring_bytes = 1024 * 1024},
    };
    for (int id; (id = getopt_long(argc, argv, ":", long_options, NULL)) != -1;)
        read_option(s, id);
    if (optind != argc)
        usage("no operands are expected");
    if (s->cold) {
        s->what.warm_up = 0;
        s->what.messages = s->mail.messages;
    }
    s->what.arguments = s->arguments;
}

static double quantile_us(const struct load_figures *f, double q)
{
    return (double)histogram_quantile(&f->latency, q) / 1e3;
}

static void print_figures(const struct load_figures *f, const struct load_mail *mail)
{
    const struct load_ledger *l = &f->ledger;
    printf("messages     %lu in %.2f s, %.0f bytes each on average, %.0f of them header\n",
           f->messages, f->seconds, (double)mail->bytes / mail->count,
           (double)mail->header_bytes / mail->count);
    printf("rate         %.0f messages/s, %.0f MB/s\n", f->messages_per_s, f->mb_per_s);
    printf("engine CPU   %.1f us a message: workers %.1f, front %.1f; busiest worker %.2f of the "
           "mean\n",
           f->engine_us, f->worker_us, f->front_us, f->balance);
    printf("latency us   p50 %.0f  p90 %.0f  p99 %.0f  p99.9 %.0f  worst %.0f\n",
           quantile_us(f, 0.5), quantile_us(f, 0.9), quantile_us(f, 0.99), quantile_us(f, 0.999),
           (double)f->latency.max / 1e3);
    printf("cache        %lu of %lu lookups hit (%.2f %%), %lu queries\n", f->cache_hits,
           f->cache_lookups,
           f->cache_lookups ? 100.0 * (double)f->cache_hits / (double)f->cache_lookups : 0,
           f->dns_queries);
    printf("RSS          %.1f MB, %.1f MB when idle\n", (double)f->rss / 1e6,
           (double)f->rss_idle / 1e6);
    if (f->idle_alive)
        printf("idle         %lu connections were there all the time\n", f->idle_alive);
    printf("ledger       %lu sent, %lu answered, %lu lost, %lu doubled, %lu wrong, %lu refused\n",
           l->sent, l->answered, l->lost, l->doubled, l->wrong, l->refused);
    if (*l->complaint)
        printf("first        %s\n", l->complaint);
}

static json_t *figures_json(const struct load_figures *f)
{
    const struct load_ledger *l = &f->ledger;
    json_t *json = json_pack(
        "{s:f,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:I,s:I,s:I,s:I,s:I,s:I}", "seconds",
        f->seconds, "messages", (json_int_t)f->messages, "messages_per_s", f->messages_per_s,
        "mb_per_s", f->mb_per_s, "engine_us_per_message", f->engine_us, "worker_us_per_message",
        f->worker_us, "front_us_per_message", f->front_us, "busiest_worker_to_mean", f->balance,
        "p50_us", quantile_us(f, 0.5), "p90_us", quantile_us(f, 0.9), "p99_us",
        quantile_us(f, 0.99), "p999_us", quantile_us(f, 0.999), "cache_hits",
        (json_int_t)f->cache_hits, "cache_lookups", (json_int_t)f->cache_lookups, "dns_queries",
        (json_int_t)f->dns_queries, "rss_bytes", (json_int_t)f->rss, "rss_idle_bytes",
        (json_int_t)f->rss_idle, "idle_connections", (json_int_t)f->idle_alive);
    json_t *ledger = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "sent", (json_int_t)l->sent, "answered",
                               (json_int_t)l->answered, "lost", (json_int_t)l->lost, "doubled",
                               (json_int_t)l->doubled, "wrong", (json_int_t)l->wrong, "refused",
                               (json_int_t)l->refused);
    json_object_update(json, ledger);
    json_decref(ledger);
    json_object_set_new(json, "machine", load_machine());
    return json;
}

static void print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(json);
}

static void print_quick(json_t *json)
{
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        if (json_is_number(value))
            printf("%-42s %.4g\n", key, json_number_value(value));
    }
    json_decref(json);
}

static bool run(const struct settings *settings)
{
    static struct load_figures figures;
    struct load_mail mail;
    struct load_case what = settings->what;
    load_mail_make(&mail, &settings->mail);
    what.mail = &mail;
    load_measure(&what, &figures);
    if (settings->json)
        print_json(figures_json(&figures));
    else
        print_figures(&figures, &mail);
    load_mail_free(&mail);
    return load_is_clean(&figures.ledger) && figures.ledger.answered == figures.ledger.sent &&
           figures.idle_alive == settings->what.idle;
}

int main(int argc, char **argv)
{
    struct settings settings;
    bool clean = false;
    read_options(&settings, argc, argv);
    load_daemon_find(argv[0]);
    if (settings.quick) {
        json_t *json = load_quick(&clean);
        if (settings.json)
            print_json(json);
        else
            print_quick(json);
    } else {
        clean = run(&settings);
    }
    return clean ? 0 : 1;
}
