/*
 * The table of settings, and the command line.
 */
#include "settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/verify.h"

#define AT(field) offsetof(struct settings, field)
#define LIMIT(option, field, unit, text)                                                           \
    {                                                                                              \
        .name = option, .kind = SETTING_NUMBER, .offset = AT(limits.field),                        \
        .least = LEAST_##field, .most = MOST_##field, .argument = unit, .help = text               \
    }

enum limit_bounds
{
#define LIMIT_BOUNDS(name, value, least, most) LEAST_##name = (least), MOST_##name = (most),
    FRONT_LIMITS(LIMIT_BOUNDS)
#undef LIMIT_BOUNDS
};

/* clang-format off */
const struct setting settings_table[] = {
    {"config", SETTING_TEXT, AT(config), 0, 0, 0, "FILE", "settings from this file; the command line wins", true, true},
    {"check-config", SETTING_FLAG, AT(check_config), 0, 0, 0, NULL, "read the settings, say what is wrong, exit", true, false},
    {"foreground", SETTING_FLAG, AT(foreground), 0, 0, 0, NULL, "stay in the foreground", true, false},
    {"version", SETTING_FLAG, AT(version), 0, 0, 0, NULL, "print the version", true, false},
    {"help", SETTING_FLAG, AT(help), 0, 0, 0, NULL, "print this", true, false},

    {"socket", SETTING_TEXT, AT(socket), 0, 0, 0, "PATH", "verdict socket; default /run/assay/verdict.sock", false, true},
    {"mode", SETTING_MODE, AT(mode), 0, 0, 0777, "OCTAL", "mode of the socket; default 0660", false, true},
    {"user", SETTING_USER, AT(user), 0, 0, 0, "NAME", "run as this user, who also owns the socket", false, true},
    {"group", SETTING_GROUP, AT(group), 0, 0, 0, "NAME", "run as this group; default: the user's", false, true},
    {"socket-group", SETTING_GROUP, AT(socket_group), 0, 0, 0, "NAME", "group of the socket; default: --group", false, true},
    {"allow-uid", SETTING_UIDS, AT(rules.allow), AT(rules.allow_count), 0, PEER_MAX_UIDS, "USER", "serve these users only; may stand several times", false, false},
    {"control-uid", SETTING_UIDS, AT(rules.control), AT(rules.control_count), 0, PEER_MAX_UIDS, "USER", "may flush, beside root and our own user", false, false},
    {"allow-path", SETTING_LIST, AT(allow_path), AT(allow_path.count), 0, 0, "DIR", "`path` may name files below; may stand several times", false, false},
    {"pid-file", SETTING_TEXT, AT(pid_file), 0, 0, 0, "FILE", "write our process id there", false, true},

    {"dns", SETTING_TEXT, AT(dns), 0, 0, 0, "FILE", "answers from a zone file instead of the network", false, true},
    {"resolver", SETTING_TEXT, AT(resolver), 0, 0, 0, "ADDR[@PORT]", "forward questions there; default: /etc/resolv.conf", false, true},
    {"resolver-threads", SETTING_NUMBER, AT(resolver_threads), 0, 1, 4, "N", "default 1", false, true},
    {"timeout", SETTING_NUMBER, AT(timeout_ms), 0, 1, 600000, "MS", "time for all questions of one message; default 25000", false, true},
    {"workers", SETTING_NUMBER, AT(workers), 0, 1, 256, "N", "default: the cores we may use", false, true},
    {"check-signatures", SETTING_NUMBER, AT(check_signatures), 0, 1, 1u << 30, "N", "one in N of those that a kernel verified is verified again by OpenSSL; default 1024", false, false},
    {"cache-bytes", SETTING_BYTES, AT(cache_bytes), 0, 1 << 20, 1ull << 40, "N[KMG]", "cache of DNS answers; default 256M", false, true},
    {"memory-bytes", SETTING_BYTES, AT(memory_bytes), 0, 1 << 20, 1ull << 40, "N[KMG]", "of all messages in flight; default 2G", false, true},
    {"max-messages", SETTING_NUMBER, AT(max_messages), 0, 1, 1000000, "N", "in flight in all; default 16384", false, true},
    {"snapshot", SETTING_TEXT, AT(snapshot), 0, 0, 0, "FILE", "the cache is kept there between runs", false, true},

    {"authserv-id", SETTING_TEXT, AT(authserv_id), 0, 0, 0, "ID", "name in Authentication-Results; default: the host's", false, false},
    {"reject", SETTING_FLAG, AT(reject), 0, 0, 0, NULL, "let p=reject reject; default: quarantine", false, true},
    {"dmarc-mode", SETTING_DMARC_MODE, AT(dmarc_mode), 0, 0, 0, "MODE", "treewalk (default), psl, compare", false, true},
    {"psl", SETTING_TEXT, AT(psl), 0, 0, 0, "FILE", "Public Suffix List for psl and compare", false, true},
    {"psd", SETTING_LIST, AT(psd), AT(psd.count), 0, 0, "NAME", "treat as if it published psd=y; may stand several times", false, true},
    {"trusted-sealer", SETTING_LIST, AT(trusted_sealers), AT(trusted_sealers.count), 0, 0, "NAME", "ARC sealer whose word counts; may stand several times", false, true},
    {"spf-explanation", SETTING_FLAG, AT(spf_explanation), 0, 0, 0, NULL, "fetch exp= texts when SPF fails", false, true},
    {"spf-void-limit", SETTING_NUMBER, AT(spf_void_limit), 0, 1, 10, "N", "default 2", false, true},
    {"allow-unsigned-body", SETTING_FLAG, AT(allow_unsigned_body), 0, 0, 0, NULL, "l= that leaves octets unsigned may pass", false, true},
    {"trust-testing-keys", SETTING_FLAG, AT(trust_testing_keys), 0, 0, 0, NULL, "keys with t=y count for DMARC", false, true},

    LIMIT("max-connections", connections, "N", "default 4096; then accepting pauses"),
    LIMIT("max-per-uid", per_uid, "N", "connections of one user; default 1024"),
    LIMIT("max-in-flight", in_flight, "N", "requests of one connection; default 64"),
    {"max-message-bytes", SETTING_NUMBER, AT(limits.message_bytes), 0, LEAST_message_bytes, MOST_message_bytes, "N", "default 52428800", false, true},
    LIMIT("max-output-bytes", output_bytes, "N", "unsent answers of a connection; default 1048576"),
    LIMIT("max-unhashed-bytes", unhashed_bytes, "N", "of a message, waiting for its worker; default 4194304"),
    {"max-chunks", SETTING_NUMBER, AT(limits.chunks), 0, LEAST_chunks, MOST_chunks, "N", "of 256 KiB, for unhashed mail of all; default 256", false, true},
    {"max-ring-bytes", SETTING_NUMBER, AT(limits.ring_bytes), 0, LEAST_ring_bytes, MOST_ring_bytes, "N", "of shared-memory rings of all clients; 0: none; default 268435456", false, true},
    {"max-ring-uid-bytes", SETTING_NUMBER, AT(limits.ring_uid_bytes), 0, LEAST_ring_uid_bytes, MOST_ring_uid_bytes, "N", "of one user; default 67108864", false, true},
    LIMIT("idle-ms", idle_ms, "MS", "a connection without work; default 60000"),
    LIMIT("partial-ms", partial_ms, "MS", "a frame or line that has begun; default 10000"),
    LIMIT("rate-ms", rate_ms, "MS", "while a message comes: in each so long ..."),
    LIMIT("rate-bytes", rate_bytes, "N", "... so many bytes; default 10240 in 10000 ms"),
    LIMIT("accept-pause-ms", accept_pause_ms, "MS", "when out of descriptors; default 100"),
    LIMIT("drain-ms", drain_ms, "MS", "for open requests when we are to stop; default 30000"),

    {"log-level", SETTING_LEVEL, AT(log_level), 0, 0, 0, "LEVEL", "error, warning, notice (default), info (a line a message), debug", false, false},
    {"syslog", SETTING_FLAG, AT(syslog), 0, 0, 0, NULL, "log to syslog instead of stderr", false, true},
    {"debug", SETTING_FLAG, AT(debug), 0, 0, 0, NULL, "allow core dumps and tracing, which show mail", false, true},
    {0},
};
/* clang-format on */

static void set_defaults(struct settings *settings)
{
    *settings = (struct settings){
        .socket = strdup("/run/assay/verdict.sock"),
        .user = (uid_t)-1,
        .group = (gid_t)-1,
        .socket_group = (gid_t)-1,
        .mode = 0660,
        .timeout_ms = 25000,
        .check_signatures = VERIFY_CHECK_INTERVAL,
        .log_level = LOG_LEVEL_NOTICE,
        .limits = front_limits_default,
    };
}

void settings_fini(struct settings *settings)
{
    for (const struct setting *s = settings_table; s->name; s++) {
        char **text = (char **)(void *)((char *)settings + s->offset);
        if (s->kind == SETTING_LIST)
            setting_clear_list(s, settings);
        if (s->kind == SETTING_TEXT)
            free(*text);
    }
    free(settings->user_name);
    *settings = (struct settings){0};
}

static size_t fill_options(struct option *options, size_t capacity)
{
    size_t n = 0;
    for (const struct setting *s = settings_table; s->name && n + 1 < capacity; s++, n++)
        options[n] = (struct option){
            .name = s->name,
            .has_arg = s->kind == SETTING_FLAG ? no_argument : required_argument,
            .val = (int)n + 256,
        };
    options[n] = (struct option){0};
    return n;
}

/* The file is named on the command line and read before it. */
static const char *find_config(int argc, char **argv)
{
    const char *found = NULL;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0)
            found = argv[i] + 9;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            found = argv[i + 1];
    }
    return found;
}

static bool take_option(const struct setting *setting, struct settings *settings, const char *value,
                        uint64_t *lists, char *error)
{
    char why[SETTINGS_ERROR_MAX];
    uint64_t bit = (uint64_t)1 << (setting - settings_table);
    if (setting_is_list(setting) && !(*lists & bit))
        setting_clear_list(setting, settings);
    *lists |= bit;
    if (setting_set(setting, settings, value ? value : "true", why))
        return true;
    snprintf(error, SETTINGS_ERROR_MAX, "--%s: %.*s", setting->name, 400, why);
    return false;
}

static bool read_command_line(struct settings *settings, int argc, char **argv, char *error)
{
    struct option options[64];
    uint64_t lists = 0; /* bit per setting: lists that the command line has begun */
    size_t known = fill_options(options, COUNT_OF(options));
    assert(known < 64);
    optind = 0; /* glibc: begin anew, also on reload */
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (c < 256 || (size_t)c >= 256 + known) {
            snprintf(error, SETTINGS_ERROR_MAX, "%s %.100s; `assayd --help` tells",
                     c == ':' ? "a value is missing behind" : "unknown option", argv[optind - 1]);
            return false;
        }
        if (!take_option(&settings_table[c - 256], settings, optarg, &lists, error))
            return false;
    }
    if (optind < argc)
        snprintf(error, SETTINGS_ERROR_MAX, "no operands are expected: %.100s", argv[optind]);
    return optind >= argc;
}

bool settings_read(struct settings *settings, int argc, char **argv, char error[SETTINGS_ERROR_MAX],
                   int *status)
{
    const char *config = find_config(argc, argv);
    set_defaults(settings);
    *status = STATUS_CONFIG;
    bool good = !config || settings_read_file(settings, config, error);
    if (good) {
        *status = STATUS_USAGE;
        good = read_command_line(settings, argc, argv, error);
    }
    if (good && settings->dns && settings->resolver) {
        snprintf(error, SETTINGS_ERROR_MAX, "dns and resolver exclude each other");
        *status = config ? STATUS_CONFIG : STATUS_USAGE;
        good = false;
    }
    if (!good)
        settings_fini(settings);
    return good;
}

void settings_print_help(void)
{
    puts("usage: assayd [options]\n\n"
         "Each option but the first five is also a setting of the file, with _ for -:\n"
         "  max_in_flight = 128    reject = true    allow_path = {\"/var/spool/a\", \"/srv/b\"}\n");
    for (const struct setting *s = settings_table; s->name; s++) {
        char option[64];
        snprintf(option, sizeof option, "--%s %s", s->name, s->argument ? s->argument : "");
        if (s->help)
            printf("  %-28s %s\n", option, s->help);
    }
    puts("\nSIGTERM, SIGINT: answer what was accepted, then stop; a second one: stop now. SIGHUP: "
         "read\n"
         "the settings again. Engine/front/PROTOCOL.md describes the socket.");
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static size_t size_of(enum setting_kind kind)
{
    if (kind == SETTING_FLAG)
        return sizeof(bool);
    return kind == SETTING_BYTES ? sizeof(uint64_t) : sizeof(uint32_t);
}

static bool same_list(const struct text_list *a, const struct text_list *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++)
        if (!same_text(a->texts[i], b->texts[i]))
            return false;
    return a->count == b->count;
}

static bool is_same(const struct setting *s, const struct settings *a, const struct settings *b)
{
    const char *at_a = (const char *)a + s->offset, *at_b = (const char *)b + s->offset;
    if (s->kind == SETTING_TEXT)
        return same_text(*(char *const *)(const void *)at_a, *(char *const *)(const void *)at_b);
    if (s->kind == SETTING_LIST)
        return same_list((const void *)at_a, (const void *)at_b);
    return memcmp(at_a, at_b, size_of(s->kind)) == 0;
}

void settings_fixed_differences(const struct settings *a, const struct settings *b, char *names,
                                size_t capacity)
{
    size_t n = 0;
    names[0] = '\0';
    for (const struct setting *s = settings_table; s->name; s++) {
        if (!s->fixed || is_same(s, a, b) || n >= capacity)
            continue;
        int written = snprintf(names + n, capacity - n, "%s%s", n ? "," : "", s->name);
        n += written > 0 ? (size_t)written : 0;
    }
}

struct run_config settings_run_config(const struct settings *settings)
{
    return (struct run_config){
        .judge =
            {
                .size = sizeof(struct assay_config),
                .authserv_id = settings->authserv_id,
                .zone_file = settings->dns,
                .resolver = settings->resolver,
                .reject = settings->reject,
                .dmarc_mode = settings->dmarc_mode,
                .psl_file = settings->psl,
                .psd_names = (const char *const *)settings->psd.texts,
                .trusted_sealers = (const char *const *)settings->trusted_sealers.texts,
                .dkim_allow_unsigned_body = settings->allow_unsigned_body,
                .dkim_trust_testing_keys = settings->trust_testing_keys,
                .spf_explanation = settings->spf_explanation,
                .spf_void_limit = settings->spf_void_limit,
                .timeout_ms = settings->timeout_ms,
            },
        .workers = settings->workers,
        .resolver_threads = settings->resolver_threads,
        .cache_bytes = settings->cache_bytes,
        .snapshot_path = settings->snapshot,
        .max_messages = settings->max_messages,
        .max_bytes = settings->memory_bytes,
        .max_message_bytes = settings->limits.message_bytes,
    };
}

struct server_config settings_server_config(const struct settings *settings)
{
    return (struct server_config){
        .listener =
            {
                .path = settings->socket,
                .uid = settings->user,
                .gid =
                    settings->socket_group != (gid_t)-1 ? settings->socket_group : settings->group,
                .mode = settings->mode,
            },
        .limits = settings->limits,
        .rules = settings->rules,
        .authserv_id = settings->authserv_id,
        .timeout_ms = settings->timeout_ms,
    };
}
