/*
 * The shared options: one table for getopt_long, one case for each.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "command.h"

enum option_id
{
    OPTION_IP = 256,
    OPTION_HELO,
    OPTION_MAIL_FROM,
    OPTION_RCPT_TO,
    OPTION_NOW,
    OPTION_DNS,
    OPTION_RESOLVER,
    OPTION_TIMEOUT,
    OPTION_AUTHSERV_ID,
    OPTION_JSON,
    OPTION_BRIEF,
    OPTION_REJECT,
    OPTION_DMARC_MODE,
    OPTION_PSL,
    OPTION_PSD,
    OPTION_TRUSTED_SEALER,
    OPTION_JOBS,
    OPTION_SOCKET,
    OPTION_RESUME,
    OPTION_SUMMARY,
    OPTION_ENVELOPE_FROM_HEADERS,
    OPTION_TRUSTED_HOP,
    OPTION_HELP,
};

enum
{
    MAX_JOBS = 256,
    MAX_HOPS = 100,
};

static const struct option long_options[] = {
    {"ip", required_argument, NULL, OPTION_IP},
    {"helo", required_argument, NULL, OPTION_HELO},
    {"mail-from", required_argument, NULL, OPTION_MAIL_FROM},
    {"rcpt-to", required_argument, NULL, OPTION_RCPT_TO},
    {"now", required_argument, NULL, OPTION_NOW},
    {"dns", required_argument, NULL, OPTION_DNS},
    {"resolver", required_argument, NULL, OPTION_RESOLVER},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"authserv-id", required_argument, NULL, OPTION_AUTHSERV_ID},
    {"json", no_argument, NULL, OPTION_JSON},
    {"brief", no_argument, NULL, OPTION_BRIEF},
    {"reject", no_argument, NULL, OPTION_REJECT},
    {"dmarc-mode", required_argument, NULL, OPTION_DMARC_MODE},
    {"psl", required_argument, NULL, OPTION_PSL},
    {"psd", required_argument, NULL, OPTION_PSD},
    {"trusted-sealer", required_argument, NULL, OPTION_TRUSTED_SEALER},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"resume", required_argument, NULL, OPTION_RESUME},
    {"summary", required_argument, NULL, OPTION_SUMMARY},
    {"envelope-from-headers", no_argument, NULL, OPTION_ENVELOPE_FROM_HEADERS},
    {"trusted-hop", required_argument, NULL, OPTION_TRUSTED_HOP},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static bool read_address(const char *text, const char **ip)
{
    struct ip parsed;
    if (!ip_parse(span_from_string(text), &parsed)) {
        complain("--ip: \"%s\" is no IPv4 or IPv6 address", text);
        return false;
    }
    *ip = text;
    return true;
}

static bool read_authserv_id(const char *text, const char **id)
{
    *id = text;
    if (verdict_authserv_id_usable(span_from_string(text)))
        return true;
    complain("--authserv-id: \"%s\": expected 1 to 256 printable characters", text);
    return false;
}

static bool read_number(const char *name, const char *text, uint64_t max, uint64_t *number)
{
    if (number_parse(span_from_string(text), MAX_TIME_DIGITS, number) && *number > 0 &&
        *number <= max)
        return true;
    complain("%s: \"%s\" is no number from 1 to %llu", name, text, (unsigned long long)max);
    return false;
}

static bool read_mode(const char *text, enum assay_dmarc_mode *mode)
{
    static const char *const words[] = {
        [ASSAY_DMARC_TREE_WALK] = "treewalk",
        [ASSAY_DMARC_PSL] = "psl",
        [ASSAY_DMARC_COMPARE] = "compare",
    };
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(words[i], text) == 0) {
            *mode = (enum assay_dmarc_mode)i;
            return true;
        }
    }
    complain("--dmarc-mode: \"%s\" is none of treewalk, psl, compare", text);
    return false;
}

static bool add_value(const char *name, const char *text, const char **values, size_t *count)
{
    if (*count == MAX_OPTION_VALUES) {
        complain("%s may stand %d times at most", name, MAX_OPTION_VALUES);
        return false;
    }
    values[(*count)++] = text;
    return true;
}

static bool read_bulk_option(int id, struct options *o)
{
    uint64_t number = 0;
    switch (id) {
    case OPTION_JOBS:
        if (!read_number("--jobs", optarg, MAX_JOBS, &number))
            return false;
        o->jobs = (unsigned)number;
        return true;
    case OPTION_SOCKET:
        o->socket = optarg;
        return true;
    case OPTION_RESUME:
        o->journal = optarg;
        return true;
    case OPTION_SUMMARY:
        o->summary_file = optarg;
        return true;
    case OPTION_ENVELOPE_FROM_HEADERS:
        o->envelope_from_headers = true;
        return true;
    case OPTION_TRUSTED_HOP:
        if (!read_number("--trusted-hop", optarg, MAX_HOPS, &number))
            return false;
        o->trusted_hop = (unsigned)number;
        return true;
    default:
        return false;
    }
}

static bool read_option(int id, struct options *o)
{
    uint64_t number = 0;
    switch (id) {
    case OPTION_IP:
        return read_address(optarg, &o->ip);
    case OPTION_HELO:
        o->helo = optarg;
        return true;
    case OPTION_MAIL_FROM:
        o->mail_from = optarg;
        return true;
    case OPTION_RCPT_TO:
        return add_value("--rcpt-to", optarg, o->recipients, &o->recipient_count);
    case OPTION_NOW:
        if (!read_number("--now", optarg, UINT64_C(999999999999), &number))
            return false;
        o->now = (int64_t)number;
        return true;
    case OPTION_DNS:
        o->dns = optarg;
        return true;
    case OPTION_RESOLVER:
        o->resolver = optarg;
        return true;
    case OPTION_TIMEOUT:
        if (!read_number("--timeout", optarg, 600 * 1000, &number))
            return false;
        o->timeout_ms = (unsigned)number;
        return true;
    case OPTION_AUTHSERV_ID:
        return read_authserv_id(optarg, &o->authserv_id);
    case OPTION_JSON:
        o->json = true;
        return true;
    case OPTION_BRIEF:
        o->brief = true;
        return true;
    case OPTION_REJECT:
        o->reject = true;
        return true;
    case OPTION_DMARC_MODE:
        return read_mode(optarg, &o->dmarc_mode);
    case OPTION_PSL:
        o->psl_file = optarg;
        return true;
    case OPTION_PSD:
        return add_value("--psd", optarg, o->psd_names, &o->psd_count);
    case OPTION_TRUSTED_SEALER:
        return add_value("--trusted-sealer", optarg, o->sealers, &o->sealer_count);
    case OPTION_HELP:
        o->help = true;
        return true;
    default:
        return read_bulk_option(id, o);
    }
}

bool options_check_source(const struct options *options)
{
    if (!options->dns || !options->resolver)
        return true;
    complain("--dns and --resolver exclude each other");
    return false;
}

bool options_read(int argc, char **argv, const struct command *command, struct options *options)
{
    *options = (struct options){.trusted_hop = 1};
    opterr = 0;
    int id;
    while ((id = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (id == ':') {
            complain("%s needs a value; `assay help %s` tells", argv[optind - 1], command->name);
            return false;
        }
        if (id == '?') {
            complain("%s: unknown option; `assay help %s` lists them", argv[optind - 1],
                     command->name);
            return false;
        }
        if (!read_option(id, options))
            return false;
    }
    if (!options_check_source(options))
        return false;
    options->operands = argv + optind;
    options->operand_count = argc - optind;
    return true;
}

int options_open_status(const struct options *options)
{
    if (options->dns)
        return access(options->dns, R_OK) == 0 ? STATUS_CONFIG : STATUS_NO_INPUT;
    return options->resolver ? STATUS_USAGE : STATUS_CONFIG;
}

struct assay_config options_config(const struct options *options)
{
    return (struct assay_config){
        .size = sizeof(struct assay_config),
        .authserv_id = options->authserv_id,
        .zone_file = options->dns,
        .resolver = options->resolver,
        .reject = options->reject,
        .dmarc_mode = options->dmarc_mode,
        .psl_file = options->psl_file,
        .psd_names = options->psd_names,
        .trusted_sealers = options->sealers,
        .spf_explanation = 1,
        .timeout_ms = options->timeout_ms,
    };
}

struct assay_engine *options_open_engine(const struct options *options, int *status)
{
    struct assay_config config = options_config(options);
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_engine *engine = assay_engine_open(&config, error);
    if (!engine) {
        complain("%s", error);
        *status = options_open_status(options);
    }
    return engine;
}

void reachability_count(struct reachability *reachability, const struct dns_answers *answers)
{
    for (const struct dns_question *q = answers->first; q; q = q->next) {
        reachability->questions++;
        reachability->unanswered += q->answer.outcome == DNS_TEMPFAIL && q->answer.reason &&
                                    strcmp(q->answer.reason, "timeout") == 0;
    }
}

int reachability_status(const struct reachability *reachability, const struct options *options)
{
    if (options->dns || reachability->questions == 0 ||
        reachability->unanswered < reachability->questions)
        return STATUS_OK;
    complain("no answer from %s to any of %llu questions",
             options->resolver ? options->resolver : "the system's resolver",
             (unsigned long long)reachability->questions);
    return STATUS_UNAVAILABLE;
}
