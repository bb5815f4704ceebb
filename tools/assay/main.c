/*
 * assay: the command line. `assay help` lists the commands; each has its own file.
 *
 * The table below and the tables of options (flags.h) are what `assay help`, the shells' completion
 * and the test of the manual pages read: a new command is a row here and a page in man/.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "completion.h"
#include "flags.h"
#include "simd/kernel.h"

#define JUDGE_STATUS                                                                               \
    "Exit status: 0 judged, 64 usage, 65 input that is no message, 66 no such file,\n"             \
    "69 daemon or resolver away, 73 output cannot be written, 78 configuration.\n"

static const char explain_help[] =
    "Everything is found out anew; what the message says of itself is shown beside it. Of the\n"
    "envelope and the time of receipt, what no option says is guessed from Return-Path and\n"
    "Received, and said to be a guess. For a signature that fails the changes that mail meets on\n"
    "its way are undone one by one until it holds.\n\n"
    "--profile reads share/assay/profiles/NAME.conf: rules and replies as data, to be corrected\n"
    "where a provider has changed them. --html prints nothing but what --json or --story ask\n"
    "for. --json: keys in "
    "tools/assay/explain.h.\n\n" JUDGE_STATUS;

static const char bulk_help[] =
    "DIR is walked to its depths: maildirs (cur and new, Maildir++ folders), mbox files, single\n"
    "messages. Hidden files, symbolic links and a maildir's tmp are passed over. \"-\" is "
    "standard\n"
    "input, an mbox if it begins like one. Results come in the order in which they are ready; the\n"
    "nth message of an mbox is called FILE#n.\n\n"
    "Ctrl-C: no new messages, those in flight are finished, the summary so far, status 130; a\n"
    "second one ends at once. Otherwise the status is the highest of all that went "
    "wrong.\n\n" JUDGE_STATUS;

static const char query_help[] =
    "Answers come from the daemon with its DNS and policy. A file named like a question is ./spf\n"
    "and so on. flush forgets what the cache has of NAME and below, or everything; it may be\n"
    "refused (77).\n\n" JUDGE_STATUS;

static const char keygen_help[] =
    "The record is printed as a line for a zone file, as one string for a panel and for nsupdate.\n"
    "A passphrase is never an argument.\n\n"
    "Exit status: 0 done, 64 usage, 65 no passphrase, or two different ones, or --from is no key,\n"
    "66 no such file, 73 the key file is there already or cannot be made, 77 wrong passphrase, no\n"
    "terminal to ask at, or --from is a file that others may read.\n";

static const char testkey_help[] =
    "With -k the published key is compared with the private key. With --key-table every key of an\n"
    "opendkim KeyTable is; its \"%\" is the domain of -d. Said of each key: size, revoked, "
    "testing,\n"
    "several records, a key file that others may read.\n\n"
    "Exit status, for monitoring: 0 all keys good (warnings too, unless --strict), 1 a key is "
    "not,\n"
    "64 usage, 65 -k is no key, 66 a file cannot be read, 69 no answer from the DNS, 77 wrong\n"
    "passphrase, 78 a KeyTable with a bad line.\n";

static const char sign_help[] =
    "Prints the message with a DKIM-Signature on top, its line ends as they were. -s and -k may\n"
    "stand several times, the nth -s with the nth -k: both algorithms at once take two selectors.\n"
    "With --key-table and --signing-table (file:, refile: or a path) the address in From chooses.\n"
    "Default h=: the fields of RFC 6376 5.4.1, each listed once more than it is there.\n\n"
    "Exit status: 0 signed, 1 not signed: --check found another key, or no table row fits,\n"
    "64 usage, 65 no message, or one that cannot be signed, or no key, 66 no such file, 69 "
    "--check\n"
    "got no answer, 73 cannot write -o, 77 wrong passphrase or a key file that others may read,\n"
    "78 a table with a bad line.\n";

static const char seal_help[] =
    "Prints the message with a new ARC set on top (RFC 8617 5.1). Without --cv the chain is "
    "verified\n"
    "now; without --results the ARC-Authentication-Results is our own verdict, for which the\n"
    "envelope is wanted. Seal after all changes and all DKIM signing; what was found on arrival "
    "is\n"
    "handed on by --cv and --results.\n\n"
    "Exit status: 0 sealed, 1 not sealed: the newest seal says cv=fail, there are 50 sets, or "
    "--check\n"
    "found another key; 64 usage, 65 no message or no key, 66 no such file, 69 no answer from the\n"
    "DNS, 73 cannot write -o, 77 wrong passphrase or a key file that others may read.\n";

static const char replay_help[] =
    "Judges the capsules of `assay check --record` again, with the answers and at the time that "
    "they\n"
    "hold; asks nobody and opens no other file. Prints what check printed. Says on stderr which\n"
    "sections were changed since, which questions have no recorded answer and where the verdict\n"
    "differs.\n\n"
    "Exit status: 0 the verdict is as recorded, 1 it differs, 64 usage, 65 no capsule, 66 no such\n"
    "file.\n";
static const char record_help[] =
    "Without options, at a terminal, it asks for what the record needs. Every record is read by "
    "the\n"
    "verifier's own parser before it is printed; what it would refuse is refused. Notes are on\n"
    "stderr. For reports to another organization it shows what that one has to publish, which\n"
    "`assay record report` makes.\n\n"
    "Exit status: 0 done, 64 usage, a value that receivers would refuse, or no terminal to ask "
    "at,\n"
    "65 the dialogue was left, or --from is no key, 66 no such file, 73 cannot write -o,\n"
    "77 wrong passphrase, or --from is a private key that others may read.\n";

static const char lint_help[] =
    "SPF as a tree with its lookups counted, the DKIM keys that are named, DMARC discovery step "
    "by\n"
    "step and the addresses that reports go to; each fault with its place in the record and what "
    "to\n"
    "write instead. An error makes receivers refuse a record or ignore what it wants.\n\n"
    "Exit status: 0 no errors (with --strict no warnings either), 1 there are some, 64 usage,\n"
    "65 no message, 66 no such file, 69 no answer from the DNS, 78 a zone file with a bad line.\n";

/* In the order of need: what people come with first stands first. */
const struct command commands[] = {
    {"explain", "[options] [FILE...|-]",
     "a message in sentences: why it passes or fails, and what to do", "FILE", explain_flags,
     explain_help, command_explain, NULL, "Why does a message pass or fail?"},
    {"check", "[options] [FILE...|-]", "verdict for each message: SPF, DKIM, ARC, DMARC", "FILE",
     check_flags, JUDGE_STATUS, command_check, NULL, NULL},
    {"replay", "[--json|--brief|--changes] [FILE...|-]", "recorded messages judged again, offline",
     "FILE", replay_flags, replay_help, NULL, command_replay, NULL},
    {"spf", "--ip ADDR [--helo NAME] [--mail-from ADDR] [options]",
     "may this host send for that domain? (RFC 7208)", "", spf_flags, JUDGE_STATUS, command_spf,
     NULL, NULL},
    {"lint", "DOMAIN | --message FILE | --record TEXT [options]",
     "what is wrong with SPF, DKIM and DMARC records", "", lint_flags, lint_help, NULL,
     command_lint, "Is what a domain publishes right?"},
    {"testkey", "-d DOMAIN -s SELECTOR [-k FILE] | --key-table TABLE [options]",
     "published keys, as a verifier finds them", "", testkey_flags, testkey_help, NULL,
     command_testkey, NULL},
    {"dmarc", "DOMAIN [options]", "policy discovery as a receiver sees it (RFC 9989)", "",
     dmarc_flags, JUDGE_STATUS, command_dmarc, NULL, NULL},
    {"keygen", "-d DOMAIN -s SELECTOR [options]", "a key for DKIM or ARC, and its TXT record", "",
     keygen_flags, keygen_help, NULL, command_keygen, "Publishing and signing"},
    {"record", "dkim|spf|dmarc|report -d DOMAIN [options]",
     "TXT records from options, or step by step at a terminal", "dkim|spf|dmarc|report",
     record_flags, record_help, NULL, command_record, NULL},
    {"sign", "-d DOMAIN -s SELECTOR -k FILE [options] [FILE|-]", "signs a message with DKIM",
     "FILE", sign_flags, sign_help, NULL, command_sign, NULL},
    {"seal", "-d DOMAIN -s SELECTOR -k FILE [options] [FILE|-]", "adds an ARC set to a message",
     "FILE", seal_flags, seal_help, NULL, command_seal, NULL},
    {"bulk", "[options] DIR|MBOX|MAILDIR|FILE|-...",
     "an archive at full speed: verdicts, progress, summary", "FILE", bulk_flags, bulk_help,
     command_bulk, NULL, "Mail in bulk"},
    {"query", "[options] FILE...|-|spf|dmarc DOMAIN|stats|flush [NAME]|ping",
     "asks assayd: verdicts for messages, and other questions", "spf|dmarc|stats|flush|ping|FILE",
     query_flags, query_help, command_query, NULL, NULL},
    {0},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

/* Arguments, names of files and what stands in them are anybody's: one line, printable (J08). */
void complain(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    fputs("assay: ", stderr);
    if (n >= 0)
        print_escaped(span_of(text, (size_t)n), stderr);
    fputc('\n', stderr);
    if (n >= 0)
        free(text);
}

int print_json(struct buffer *json)
{
    bool failed = json->failed;
    if (failed)
        complain("no memory for the verdict");
    else
        printf("%.*s\n", (int)json->n, (const char *)json->p);
    buffer_fini(json);
    return failed ? STATUS_SOFTWARE : STATUS_OK;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

static int print_version(void)
{
    char kernel[KERNEL_TEXT_MAX];
    kernel_describe(kernel);
    printf("assay %s\nkernel %s\n", assay_version(), kernel);
    return STATUS_OK;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct options options;
    if (wants_help(argc, argv))
        return help_print(command->name);
    if (command->run_own)
        return command->run_own(argc - 1, argv + 1);
    if (!options_read(argc - 1, argv + 1, command, &options))
        return STATUS_USAGE;
    return command->run(&options);
}

static int run(int argc, char **argv)
{
    char problem[KERNEL_TEXT_MAX];
    if (kernel_problem(problem)) {
        complain("%s", problem);
        return STATUS_CONFIG;
    }
    if (argc < 2) {
        help_print_commands(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return help_print(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    if (strcmp(argv[1], "completion") == 0)
        return completion_print(argc - 2, argv + 2);
    const struct command *command = command_find(argv[1]);
    if (command)
        return run_command(command, argc, argv);
    complain("no command \"%s\"; `assay help` lists them", argv[1]);
    return STATUS_USAGE;
}

/* A descriptor that was closed for us goes to no file or socket of ours, where output would land:
 * it is taken, by something that it cannot be used with. */
static void keep_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            exit(STATUS_SOFTWARE);
}

int main(int argc, char **argv)
{
    keep_standard_descriptors();
    int status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write the output");
        return status ? status : STATUS_CANNOT_CREATE;
    }
    return status;
}
