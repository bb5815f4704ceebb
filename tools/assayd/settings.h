/*
 * Settings of assayd: one table drives the command line, the configuration file and the help.
 * An option `--max-in-flight 128` is `max_in_flight = 128` in the file; the command line wins.
 */
#ifndef ASSAYD_SETTINGS_H
#define ASSAYD_SETTINGS_H

#include "front/log.h"
#include "front/server.h"
#include "run/run.h"

enum exit_status
{
    STATUS_OK = 0,
    STATUS_USAGE = 64,
    STATUS_UNAVAILABLE = 69,
    STATUS_SOFTWARE = 70,
    STATUS_CONFIG = 78,
};

enum
{
    SETTINGS_LIST_MAX = 64,
    SETTINGS_ERROR_MAX = 512,
};

struct text_list
{
    char *texts[SETTINGS_LIST_MAX + 1]; /* owned; NULL-terminated */
    uint32_t count;
};

struct settings
{
    char *config; /* texts are owned; NULL: not set */
    char *socket, *dns, *resolver, *authserv_id, *psl, *snapshot, *pid_file;
    struct text_list trusted_sealers, psd, allow_path;
    bool foreground, reject, spf_explanation, allow_unsigned_body, trust_testing_keys;
    bool syslog, debug, check_config, version, help;
    uint32_t workers, check_signatures, resolver_threads, max_messages, timeout_ms, spf_void_limit;
    uint64_t cache_bytes, memory_bytes;
    enum assay_dmarc_mode dmarc_mode;
    uid_t user; /* (uid_t)-1: stay who we are */
    gid_t group, socket_group;
    uint32_t mode;
    char *user_name; /* for initgroups */
    enum log_level log_level;
    struct front_limits limits;
    struct peer_rules rules;
};

/*
 * Defaults, then the file, then the command line. False with `error` (one line, "file:line: ..."
 * or about an option) and the exit status.
 */
bool settings_read(struct settings *settings, int argc, char **argv, char error[SETTINGS_ERROR_MAX],
                   int *status) MUST_CHECK;
void settings_fini(struct settings *settings);
void settings_print_help(void);
/* Names of settings that differ and need a restart, separated by commas. "" where there are none.
 */
void settings_fixed_differences(const struct settings *a, const struct settings *b, char *names,
                                size_t capacity);

/* What run/ wants; borrows from the settings. */
struct run_config settings_run_config(const struct settings *settings);
struct server_config settings_server_config(const struct settings *settings);

/* --- between settings.c, value.c and file.c --- */

enum setting_kind
{
    SETTING_TEXT,
    SETTING_FLAG,
    SETTING_NUMBER, /* uint32_t, least to most */
    SETTING_BYTES,  /* uint64_t; suffix K, M, G */
    SETTING_LIST,
    SETTING_UIDS, /* uid_t list in peer_rules: by number or name */
    SETTING_USER,
    SETTING_GROUP,
    SETTING_MODE, /* octal */
    SETTING_LEVEL,
    SETTING_DMARC_MODE,
};

struct setting
{
    const char *name; /* of the option, with hyphens */
    enum setting_kind kind;
    size_t offset, count_offset; /* in struct settings */
    uint64_t least, most;
    const char *argument; /* in the help; NULL: a flag */
    const char *help;     /* NULL: not shown, for tests */
    bool command_line_only;
    bool fixed; /* a change needs a restart */
};

extern const struct setting settings_table[];

/* Sets one value from text; lists get one more. False with the reason in `error`. */
bool setting_set(const struct setting *setting, struct settings *settings, const char *text,
                 char error[SETTINGS_ERROR_MAX]) MUST_CHECK;
/* Empties a list: the command line replaces the file's. */
void setting_clear_list(const struct setting *setting, struct settings *settings);
bool setting_is_list(const struct setting *setting);
bool settings_read_file(struct settings *settings, const char *path,
                        char error[SETTINGS_ERROR_MAX]) MUST_CHECK;

#endif
