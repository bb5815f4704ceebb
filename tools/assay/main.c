/*
 * assay: the command line. `assay help` lists the commands; each has its own file.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "command.h"
#include "flags.h"
#include "simd/kernel.h"

static const char envelope_help[] =
    "  --ip ADDR            address of the SMTP client; without it SPF is not checked\n"
    "  --helo NAME          argument of HELO or EHLO\n"
    "  --mail-from ADDR     reverse-path; '<>' for the null reverse-path\n"
    "  --rcpt-to ADDR       recipient; may stand several times\n"
    "  --now EPOCH          receive time in seconds since 1970; default: the clock\n";

static const char dns_help[] =
    "  --dns FILE           answers from a zone file instead of the network\n"
    "  --resolver ADDR[@PORT]  forward questions there; default: /etc/resolv.conf\n"
    "  --timeout MS         time for all questions of one message; default 25000\n";

static const char policy_help[] =
    "  --reject             let p=reject reject; default: quarantine (RFC 9989 8)\n"
    "  --dmarc-mode MODE    treewalk (default), psl, compare\n"
    "  --psl FILE           Public Suffix List for psl and compare\n"
    "  --psd NAME           treat NAME as if it published psd=y; may stand several times\n"
    "  --trusted-sealer D   ARC sealer whose word counts; may stand several times\n";

static const char bulk_help[] =
    "DIR is walked to its depths: maildirs (cur and new, Maildir++ folders), mbox files, single\n"
    "messages. Hidden files, symbolic links and a maildir's tmp are passed over. \"-\" is "
    "standard\n"
    "input, an mbox if it begins like one. Results come in the order in which they are ready; the\n"
    "nth message of an mbox is called FILE#n.\n\n"
    "  --jobs N             workers; default: the cores this process may use\n"
    "  --socket PATH        have assayd judge, through its socket; its settings and DNS count\n"
    "  --envelope-from-headers  what no option says: MAIL FROM from Return-Path, client and HELO\n"
    "                       from Received of the form \"from HELO (NAME [ADDR])\"\n"
    "  --trusted-hop N      which Received from the top tells the client; default 1\n"
    "  --resume FILE        journal of the messages that are done; another run with it leaves "
    "them\n"
    "                       out. After a kill, a message whose line was not yet written comes "
    "twice\n"
    "  --summary FILE       summary as a JSON object; with --json and without this option it is\n"
    "                       the last line on stderr, else text on stdout\n"
    "  --authserv-id ID     name in Authentication-Results; default: the host's\n"
    "  --brief              one table row for each message\n"
    "\n"
    "Ctrl-C: no new messages, those in flight are finished, the summary so far, status 130; a\n"
    "second one ends at once. Otherwise the status is the highest of all that went wrong.\n\n";

static const char query_help[] =
    "  --socket PATH        of assayd; default: $ASSAY_SOCKET, or /run/assay/verdict.sock\n"
    "  --authserv-id ID     name in Authentication-Results; default: the daemon's\n"
    "  --brief              one table row for each message\n\n"
    "Answers come from the daemon with its DNS and policy: of the options above only those of the\n"
    "envelope, --timeout and --json count. A file named like a question is ./spf and so on.\n"
    "flush forgets what the cache has of NAME and below, or everything; it may be refused "
    "(77).\n\n";

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
    "64 usage, 66 a file cannot be read, 69 no answer from the DNS, 77 wrong passphrase,\n"
    "78 a KeyTable with a bad line.\n";

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

const struct command commands[] = {
    {"bulk", "[options] DIR|MBOX|MAILDIR|FILE|-...",
     "an archive at full speed: verdicts, progress, summary", bulk_help, command_bulk, NULL, NULL},
    {"check", "[options] [FILE...|-]", "verdict for each message: SPF, DKIM, ARC, DMARC",
     "  --authserv-id ID     name in Authentication-Results; default: the host's\n"
     "  --brief              one table row for each message\n",
     command_check, NULL, NULL},
    {"spf", "--ip ADDR [--helo NAME] [--mail-from ADDR] [options]", "check_host() of RFC 7208", "",
     command_spf, NULL, NULL},
    {"dmarc", "DOMAIN [options]", "policy discovery as a receiver sees it (RFC 9989)", "",
     command_dmarc, NULL, NULL},
    {"query", "[options] FILE...|-|spf|dmarc DOMAIN|stats|flush [NAME]|ping",
     "asks assayd: verdicts for messages, and other questions", query_help, command_query, NULL,
     NULL},
    {"keygen", "-d DOMAIN -s SELECTOR [options]", "a key for DKIM or ARC, and its TXT record",
     keygen_help, NULL, command_keygen, keygen_flags},
    {"testkey", "-d DOMAIN -s SELECTOR [-k FILE] | --key-table TABLE [options]",
     "published keys, as a verifier finds them", testkey_help, NULL, command_testkey,
     testkey_flags},
    {"sign", "-d DOMAIN -s SELECTOR -k FILE [options] [FILE|-]", "signs a message with DKIM",
     sign_help, NULL, command_sign, sign_flags},
    {"seal", "-d DOMAIN -s SELECTOR -k FILE [options] [FILE|-]", "adds an ARC set to a message",
     seal_help, NULL, command_seal, seal_flags},
    {0},
};

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

static void print_commands(FILE *out)
{
    fputs("usage: assay COMMAND [options]\n\n", out);
    for (const struct command *command = commands; command->name; command++)
        fprintf(out, "  %-8s %s\n", command->name, command->summary);
    fputs("\n  help [COMMAND]   this text, or all options of COMMAND\n  --version\n", out);
}

static void print_help(const struct command *command)
{
    if (command->flags) {
        printf("usage: assay %s %s\n\n%s\n\n", command->name, command->synopsis, command->summary);
        flags_print(command->flags, stdout);
        printf("\n%s", command->help);
        return;
    }
    printf("usage: assay %s %s\n\n%s\n\n%s%s%s%s  --json               one JSON object a line\n\n"
           "Exit status: 0 judged, 64 usage, 65 input that is no message, 66 no such file,\n"
           "69 daemon or resolver away, 78 configuration.\n",
           command->name, command->synopsis, command->summary, envelope_help, dns_help, policy_help,
           command->help);
}

static const struct command *find_command(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int help(const char *name)
{
    if (!name) {
        print_commands(stdout);
        return STATUS_OK;
    }
    const struct command *command = find_command(name);
    if (!command) {
        complain("no command \"%s\"; `assay help` lists them", name);
        return STATUS_USAGE;
    }
    print_help(command);
    return STATUS_OK;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
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

static int run(int argc, char **argv)
{
    char problem[KERNEL_TEXT_MAX];
    if (kernel_problem(problem)) {
        complain("%s", problem);
        return STATUS_CONFIG;
    }
    if (argc < 2) {
        print_commands(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    const struct command *command = find_command(argv[1]);
    if (!command) {
        complain("no command \"%s\"; `assay help` lists them", argv[1]);
        return STATUS_USAGE;
    }
    if (command->run_own)
        return wants_help(argc, argv) ? help(command->name) : command->run_own(argc - 1, argv + 1);
    struct options options;
    if (!options_read(argc - 1, argv + 1, command, &options))
        return STATUS_USAGE;
    return options.help ? help(command->name) : command->run(&options);
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write the output");
        return status ? status : EXIT_FAILURE;
    }
    return status;
}
