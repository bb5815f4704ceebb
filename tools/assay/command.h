/*
 * The assay command line: one table of commands, one set of shared options (design.md "Command
 * line").
 */
#ifndef ASSAY_COMMAND_H
#define ASSAY_COMMAND_H

#include <stdio.h>

#include "engine.h"

/* Exit status of the contract, words of sysexits(3). */
enum exit_status
{
    STATUS_OK = 0,      /* judged */
    STATUS_PROBLEM = 1, /* testkey, sign, seal, lint: something is not as it should be */
    STATUS_USAGE = 64,
    STATUS_BAD_INPUT = 65,     /* input that is no message */
    STATUS_NO_INPUT = 66,      /* no such file */
    STATUS_UNAVAILABLE = 69,   /* daemon or resolver away */
    STATUS_SOFTWARE = 70,      /* no memory */
    STATUS_CANNOT_CREATE = 73, /* an output file, or standard output cannot be written */
    STATUS_NO_PERMISSION = 77, /* query: not for this user; a passphrase, a loose key file */
    STATUS_CONFIG = 78, /* a zone file with a bad line, or ASSAY_KERNEL that is not to be had */
};

enum
{
    MAX_JSON_BYTES = 1024 * 1024,
    MAX_OPTION_VALUES = 64, /* --rcpt-to, --trusted-sealer, --psd: how often each may stand */
};

/* Values of an option that may stand several times; argv's. */
struct flag_texts
{
    const char *texts[MAX_OPTION_VALUES + 1]; /* NULL behind the last */
    size_t count;
};

/* What the options said (flags.h). Strings are argv's. */
struct options
{
    const char *ip, *helo, *mail_from, *dns, *resolver, *authserv_id, *psl_file;
    struct flag_texts recipients, sealers, psd_names;
    uint64_t now; /* 0: the clock */
    const char *socket, *journal,
        *summary_file; /* of bulk, as the next three; socket also of query */
    uint64_t jobs;     /* 0: as many as there are cores */
    uint64_t trusted_hop;
    bool envelope_from_headers;
    uint64_t timeout_ms;    /* 0: the engine's default */
    const char *dmarc_mode; /* NULL: treewalk */
    bool json, brief, reject;
    const char *record; /* of check, as the next one */
    bool with_body;
    const char *profile, *html; /* of explain, as the next one */
    bool story;
    char **operands;
    int operand_count;
};

struct flag;

/* What help, completion and the manual pages' test know of a command. */
struct command
{
    const char *name;
    const char *synopsis;     /* behind "assay NAME " */
    const char *summary;      /* one line */
    const char *operand;      /* what its operands are: words and FILE, with "|"; "": nothing that
                                 could be completed */
    const struct flag *flags; /* its options */
    const char *help;         /* what stands below the options' lines */
    /* One of the two; a command with a struct of its own has the second, argv[0] is its name. */
    int (*run)(const struct options *options);
    int (*run_own)(int argc, char **argv);
    const char *heading; /* of the commands from here on, in `assay help`; NULL: as before */
};

extern const struct command commands[];

int command_bulk(const struct options *options);
int command_explain(const struct options *options);
int command_check(const struct options *options);
int command_spf(const struct options *options);
int command_dmarc(const struct options *options);
int command_query(const struct options *options);
int command_keygen(int argc, char **argv);
int command_testkey(int argc, char **argv);
int command_sign(int argc, char **argv);
int command_seal(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_record(int argc, char **argv);
int command_lint(int argc, char **argv);

/* The command of this name, or NULL. */
const struct command *command_find(const char *name);
/* `assay help [NAME]`; `name` may be NULL. Returns the exit status. */
int help_print(const char *name);
void help_print_commands(FILE *out);

/* Fills *options. False after it has said what is wrong (exit with STATUS_USAGE). */
bool options_read(int argc, char **argv, const struct command *command,
                  struct options *options) MUST_CHECK;
/* --dns and --resolver exclude each other: false after saying so. */
bool options_check_source(const struct options *options) MUST_CHECK;
/* What the engine is to be opened with; borrows from `options`. */
struct assay_config options_config(const struct options *options);
/* The exit status for an engine that could not be opened with these options. */
int options_open_status(const struct options *options);
/* Opens the engine that the options ask for. NULL after saying why, with the exit status in
 * *status. */
struct assay_engine *options_open_engine(const struct options *options, int *status) MUST_CHECK;

/* One line on stderr: "assay: ...", control and 8-bit bytes escaped. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* Prints the buffer and a newline, and releases it. STATUS_SOFTWARE after saying so where it has
 * failed. */
int print_json(struct buffer *json);

/* Did the network answer at all? STATUS_UNAVAILABLE after saying so where every question failed. */
struct reachability
{
    uint64_t questions, unanswered;
};
void reachability_count(struct reachability *reachability, const struct dns_answers *answers);
int reachability_status(const struct reachability *reachability, const struct options *options);

/* Colours on a terminal, unless NO_COLOR is set (no-color.org) or TERM is dumb. */
const char *colour_of_result(enum result result);
const char *colour_off(void);

/* A verdict for people, several lines; the brief form is one row of a table. */
void print_verdict_row(const char *file, const struct verdict *verdict, FILE *out);
void print_row_heading(FILE *out);

/* What the brief form shows of a verdict; it may outlive it. */
struct verdict_row
{
    enum result spf, dkim, arc, dmarc;
    enum dmarc_disposition disposition;
    const char *why; /* static word; "" where there is nothing to say */
};
void verdict_row_of(const struct verdict *verdict, struct verdict_row *row);
void print_row(const char *file, const struct verdict_row *row, FILE *out);
/* A text from a message, the DNS or a file's name: control and 8-bit bytes escaped. */
void print_escaped(struct span text, FILE *out);

#endif
