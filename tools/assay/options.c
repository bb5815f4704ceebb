/*
 * The commands that judge share one struct of options; each has the rows that mean something to it.
 */
#include <unistd.h>

#include "flags.h"
#include "private_keys.h"

enum
{
    MAX_JOBS = 256,
    MAX_HOPS = 100,
    MAX_TIMEOUT_MS = 600 * 1000,
};

struct judging
{
    struct options shared;
};

#define AT(member) offsetof(struct options, member)

/* clang-format off */
#define CLIENT_FLAGS \
    {"ip", 0, FLAG_ADDRESS, "ADDR", "address of the SMTP client; without it SPF is not checked", \
     AT(ip), 0}, \
    {"helo", 0, FLAG_TEXT, "NAME", "argument of HELO or EHLO", AT(helo), 0}, \
    {"mail-from", 0, FLAG_TEXT, "ADDR", "reverse-path; '<>' for the null reverse-path", \
     AT(mail_from), 0}
#define NOW_FLAG \
    {"now", 0, FLAG_NUMBER, "EPOCH", \
     "receive time in seconds since 1970; default: the clock", AT(now), UINT64_C(999999999999)}
#define ENVELOPE_FLAGS \
    CLIENT_FLAGS, \
    {"rcpt-to", 0, FLAG_TEXTS, "ADDR", "recipient; may stand several times", AT(recipients), 0}, \
    NOW_FLAG
#define DISCOVERY_FLAGS \
    {"dmarc-mode", 0, FLAG_WORD, "treewalk|psl|compare", \
     "how Organizational Domains are found; default treewalk", AT(dmarc_mode), 0}, \
    {"psl", 0, FLAG_TEXT, "FILE", "Public Suffix List for psl and compare", AT(psl_file), 0}, \
    {"psd", 0, FLAG_TEXTS, "NAME", "treat NAME as if it published psd=y; may stand several times", \
     AT(psd_names), 0}
#define POLICY_FLAGS \
    {"reject", 0, FLAG_SET, NULL, "let p=reject reject; default: quarantine (RFC 9989 8)", \
     AT(reject), 0}, \
    DISCOVERY_FLAGS, \
    {"trusted-sealer", 0, FLAG_TEXTS, "NAME", \
     "ARC sealer whose word counts; may stand several times", AT(sealers), 0}
#define AUTHSERV_ID_FLAG(of) \
    {"authserv-id", 0, FLAG_TEXT, "ID", "name in Authentication-Results; default: " of, \
     AT(authserv_id), 0}
#define BRIEF_FLAG \
    {"brief", 0, FLAG_SET, NULL, "one table row for each message", AT(brief), 0}
#define JSON_FLAG {"json", 0, FLAG_SET, NULL, "one JSON object a line", AT(json), 0}
/* clang-format on */

const struct flag check_flags[] = {
    ENVELOPE_FLAGS,
    DNS_FLAGS(judging, shared),
    POLICY_FLAGS,
    AUTHSERV_ID_FLAG("the host's"),
    {"record", 0, FLAG_TEXT, "FILE",
     "a capsule of each message for `assay replay`: envelope,\nheader, body hashes, DNS answers, "
     "settings, verdict;\nFILE is replaced, mode 0600",
     AT(record), 0},
    {"with-body", 0, FLAG_SET, NULL, "record the body too", AT(with_body), 0},
    BRIEF_FLAG,
    JSON_FLAG,
    {0},
};

const struct flag explain_flags[] = {
    ENVELOPE_FLAGS,
    DNS_FLAGS(judging, shared),
    POLICY_FLAGS,
    AUTHSERV_ID_FLAG("that of\nthe receiving host, whose fields count as ours"),
    {"profile", 0, FLAG_TEXT, "NAME",
     "judge by the sender rules of gmail, yahoo, outlook or of a\nfile, and show what it would "
     "reply",
     AT(profile), 0},
    {"story", 0, FLAG_SET, NULL, "tell what was checked as a story, for beginners", AT(story), 0},
    {"html", 0, FLAG_TEXT, "FILE", "a page for a browser, of one message; FILE is replaced",
     AT(html), 0},
    JSON_FLAG,
    {0},
};

const struct flag bulk_flags[] = {
    ENVELOPE_FLAGS,
    DNS_FLAGS(judging, shared),
    POLICY_FLAGS,
    {"jobs", 0, FLAG_NUMBER, "N", "workers; default: the cores this process may use", AT(jobs),
     MAX_JOBS},
    {"socket", 0, FLAG_TEXT, "PATH",
     "have assayd judge, through its socket; its settings and\nDNS count", AT(socket), 0},
    {"envelope-from-headers", 0, FLAG_SET, NULL,
     "what no option says: MAIL FROM from Return-Path, client\nand HELO from Received of the form "
     "\"from HELO (NAME [ADDR])\"",
     AT(envelope_from_headers), 0},
    {"trusted-hop", 0, FLAG_NUMBER, "N", "which Received from the top tells the client; default 1",
     AT(trusted_hop), MAX_HOPS},
    {"resume", 0, FLAG_TEXT, "FILE",
     "journal of the messages that are done; another run with\nit leaves them out. After a kill, "
     "a message whose line\nwas not yet written comes twice",
     AT(journal), 0},
    {"summary", 0, FLAG_TEXT, "FILE",
     "summary as a JSON object; with --json and without this\noption it is the last line on "
     "stderr, else text on stdout",
     AT(summary_file), 0},
    AUTHSERV_ID_FLAG("the host's"),
    BRIEF_FLAG,
    JSON_FLAG,
    {0},
};

const struct flag spf_flags[] = {
    CLIENT_FLAGS, NOW_FLAG, DNS_FLAGS(judging, shared), AUTHSERV_ID_FLAG("the host's"),
    JSON_FLAG,    {0},
};

const struct flag dmarc_flags[] = {
    NOW_FLAG, DNS_FLAGS(judging, shared), DISCOVERY_FLAGS, JSON_FLAG, {0},
};

const struct flag query_flags[] = {
    ENVELOPE_FLAGS,
    {"socket", 0, FLAG_TEXT, "PATH",
     "of assayd; default: $ASSAY_SOCKET, or\n/run/assay/verdict.sock", AT(socket), 0},
    {"timeout", 0, FLAG_NUMBER, "MS", "time for all questions; default: the daemon's",
     AT(timeout_ms), MAX_TIMEOUT_MS},
    AUTHSERV_ID_FLAG("the daemon's"),
    BRIEF_FLAG,
    JSON_FLAG,
    {0},
};

bool options_check_source(const struct options *options)
{
    if (!options->dns || !options->resolver)
        return true;
    complain("--dns and --resolver exclude each other");
    return false;
}

static bool check_authserv_id(const char *id)
{
    if (!id || verdict_authserv_id_usable(span_from_string(id)))
        return true;
    complain("--authserv-id: \"%s\": expected 1 to 256 printable characters", id);
    return false;
}

static bool check_record(const struct options *options)
{
    if (options->with_body && !options->record) {
        complain("--with-body wants --record FILE");
        return false;
    }
    if (!options->record || (*options->record && strcmp(options->record, "-") != 0))
        return true;
    complain("--record: \"%s\" is no file: standard output has the verdicts", options->record);
    return false;
}

static bool check_html(const struct options *options)
{
    if (!options->html)
        return true;
    if (!*options->html || strcmp(options->html, "-") == 0) {
        complain("--html: \"%s\" is no file", options->html);
        return false;
    }
    if (options->operand_count <= 1)
        return true;
    complain("--html wants one message, not %d", options->operand_count);
    return false;
}

bool options_read(int argc, char **argv, const struct command *command, struct options *options)
{
    struct operands operands;
    *options = (struct options){.trusted_hop = 1};
    if (!flags_read(argc, argv, command->flags, options, &operands))
        return false;
    options->operands = operands.texts;
    options->operand_count = operands.count;
    return check_authserv_id(options->authserv_id) && options_check_source(options) &&
           check_record(options) && check_html(options);
}

int options_open_status(const struct options *options)
{
    if (options->dns)
        return access(options->dns, R_OK) == 0 ? STATUS_CONFIG : STATUS_NO_INPUT;
    return options->resolver ? STATUS_USAGE : STATUS_CONFIG;
}

static enum assay_dmarc_mode dmarc_mode(const char *word)
{
    if (!word)
        return ASSAY_DMARC_TREE_WALK;
    if (strcmp(word, "psl") == 0)
        return ASSAY_DMARC_PSL;
    return strcmp(word, "compare") == 0 ? ASSAY_DMARC_COMPARE : ASSAY_DMARC_TREE_WALK;
}

struct assay_config options_config(const struct options *options)
{
    return (struct assay_config){
        .size = sizeof(struct assay_config),
        .authserv_id = options->authserv_id,
        .zone_file = options->dns,
        .resolver = options->resolver,
        .reject = options->reject,
        .dmarc_mode = dmarc_mode(options->dmarc_mode),
        .psl_file = options->psl_file,
        .psd_names = options->psd_names.texts,
        .trusted_sealers = options->sealers.texts,
        .spf_explanation = 1,
        .timeout_ms = (unsigned)options->timeout_ms,
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
