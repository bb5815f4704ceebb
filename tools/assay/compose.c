/*
 * assay record KIND: TXT records for DKIM, SPF, DMARC and for receivers of reports, from options or
 * from answers at a terminal. Nothing is printed that the engine's own parsers do not take.
 */
#include "compose.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lint/lint.h"

#define AT(member) offsetof(struct compose, member)
#define ALL_KINDS (COMPOSE_DKIM | COMPOSE_SPF | COMPOSE_DMARC | COMPOSE_REPORT)

const struct flag record_flags[] = {
    {"domain", 'd', FLAG_TEXT, "NAME", "the domain that the record speaks for", AT(domain), 0},
    {"p", 0, FLAG_WORD, "none|quarantine|reject",
     "dmarc: what receivers do with mail that fails; default none", AT(p), 0},
    {"sp", 0, FLAG_WORD, "none|quarantine|reject", "dmarc: the same for subdomains; default as --p",
     AT(sp), 0},
    {"np", 0, FLAG_WORD, "none|quarantine|reject",
     "dmarc: for names that do not exist; default as --sp", AT(np), 0},
    {"psd", 0, FLAG_WORD, "y|n|u",
     "dmarc: the domain is a public suffix (y), is an\norganization (n); default u", AT(psd), 0},
    {"t", 0, FLAG_WORD, "y|n", "dmarc: test: receivers apply one level less; default n", AT(t), 0},
    {"adkim", 0, FLAG_WORD, "r|s", "dmarc: DKIM alignment relaxed (default) or strict", AT(adkim),
     0},
    {"aspf", 0, FLAG_WORD, "r|s", "dmarc: SPF alignment relaxed (default) or strict", AT(aspf), 0},
    {"rua", 0, FLAG_TEXTS, "ADDR",
     "dmarc: where aggregate reports go, an address or URI;\nmay stand several times. report: the "
     "address to use instead",
     AT(rua), 0},
    {"ruf", 0, FLAG_TEXTS, "ADDR", "dmarc: where failure reports go", AT(ruf), 0},
    {"fo", 0, FLAG_WORD, "0|1|d|s|d:s|s:d",
     "dmarc: which failures are reported; default 0:\nneither SPF nor DKIM aligned", AT(fo), 0},
    {"pct", 0, FLAG_TEXT, "N", "dmarc: removed by RFC 9989, left out with a note", AT(pct), 0},
    {"rf", 0, FLAG_TEXT, "WORD", "dmarc: removed by RFC 9989, left out with a note", AT(rf), 0},
    {"ri", 0, FLAG_TEXT, "N", "dmarc: removed by RFC 9989, left out with a note", AT(ri), 0},
    {"ip4", 0, FLAG_TEXTS, "NET",
     "spf: address or network that sends; each of these may\nstand "
     "several times",
     AT(ip4), 0},
    {"ip6", 0, FLAG_TEXTS, "NET", "spf: the same for IPv6", AT(ip6), 0},
    {"a", 0, FLAG_TEXTS, "NAME",
     "spf: the addresses of NAME send; @ is the domain itself;\n@/24 and "
     "NAME/24//64 their networks",
     AT(a), 0},
    {"mx", 0, FLAG_TEXTS, "NAME", "spf: the mail exchangers of NAME send; @ as in --a", AT(mx), 0},
    {"include", 0, FLAG_TEXTS, "NAME", "spf: who may send for NAME may send", AT(include), 0},
    {"exists", 0, FLAG_TEXTS, "NAME", "spf: send where NAME, with macros, has an address",
     AT(exists), 0},
    {"redirect", 0, FLAG_TEXT, "NAME", "spf: the record of NAME goes on, in place of --all",
     AT(redirect), 0},
    {"all", 0, FLAG_WORD, "fail|softfail|neutral|pass", "spf: everybody else; default softfail",
     AT(all), 0},
    {"exp", 0, FLAG_TEXT, "NAME", "spf: where the explanation of a fail stands", AT(exp), 0},
    {"selector", 's', FLAG_TEXT, "NAME", "dkim: the name of the key", AT(selector), 0},
    {"from", 0, FLAG_TEXT, "FILE", "dkim: the key, private or public, in PEM form", AT(from), 0},
    {"revoke", 0, FLAG_SET, NULL, "dkim: the key is given up: an empty p=", AT(revoke), 0},
    {"restrict", 0, FLAG_WORD, "email", "dkim: the key is for mail alone (s=email)",
     AT(restrict_to), 0},
    {"no-subdomains", 0, FLAG_SET, NULL, "dkim: i= must be in the domain itself (t=s)",
     AT(no_subdomains), 0},
    {"testing", 0, FLAG_SET, NULL, "dkim: receivers shall treat mail as not signed (t=y)",
     AT(testing), 0},
    {"note", 0, FLAG_TEXT, "TEXT", "dkim: a note for people in the record (n=)", AT(note), 0},
    PRIVATE_KEYS_FLAGS(compose, keys),
    {"to", 0, FLAG_TEXT, "NAME", "report: the domain that receives reports about --domain", AT(to),
     0},
    {"any", 0, FLAG_SET, NULL, "report: about every domain, in place of --domain", AT(any), 0},
    {"ttl", 0, FLAG_DURATION, "TIME", "of the record; default 1h", AT(ttl), INT32_MAX},
    {"format", 0, FLAG_WORD, TXT_FORMATS, "default all", AT(format), 0},
    {"out", 'o', FLAG_TEXT, "FILE", "write there, whole or not at all", AT(out), 0},
    {"json", 0, FLAG_SET, NULL, "one JSON object", AT(json), 0},
    {0},
};

static const struct
{
    const char *word;
    enum compose_kind kind;
    int (*make)(struct compose *c);
} kinds[] = {
    {"dkim", COMPOSE_DKIM, compose_make_dkim},
    {"spf", COMPOSE_SPF, compose_make_spf},
    {"dmarc", COMPOSE_DMARC, compose_make_dmarc},
    {"report", COMPOSE_REPORT, compose_make_report},
};

/* For which kinds an option is, and what its values must be besides what the table above says. */
static const struct rule
{
    const char *option;
    unsigned kinds;
    int (*check)(struct compose *c, const char *option, const char *text);
} rules[] = {
    {"domain", ALL_KINDS, compose_check_domain},
    {"p", COMPOSE_DMARC, NULL},
    {"sp", COMPOSE_DMARC, NULL},
    {"np", COMPOSE_DMARC, NULL},
    {"psd", COMPOSE_DMARC, NULL},
    {"t", COMPOSE_DMARC, NULL},
    {"adkim", COMPOSE_DMARC, NULL},
    {"aspf", COMPOSE_DMARC, NULL},
    {"rua", COMPOSE_DMARC | COMPOSE_REPORT, compose_check_uris},
    {"ruf", COMPOSE_DMARC, compose_check_uris},
    {"fo", COMPOSE_DMARC, NULL},
    {"pct", COMPOSE_DMARC, NULL},
    {"rf", COMPOSE_DMARC, NULL},
    {"ri", COMPOSE_DMARC, NULL},
    {"ip4", COMPOSE_SPF, compose_check_spf},
    {"ip6", COMPOSE_SPF, compose_check_spf},
    {"a", COMPOSE_SPF, compose_check_spf},
    {"mx", COMPOSE_SPF, compose_check_spf},
    {"include", COMPOSE_SPF, compose_check_spf},
    {"exists", COMPOSE_SPF, compose_check_spf},
    {"redirect", COMPOSE_SPF, compose_check_spf},
    {"all", COMPOSE_SPF, NULL},
    {"exp", COMPOSE_SPF, compose_check_spf},
    {"selector", COMPOSE_DKIM, compose_check_selector},
    {"from", COMPOSE_DKIM, compose_check_key},
    {"revoke", COMPOSE_DKIM, NULL},
    {"restrict", COMPOSE_DKIM, NULL},
    {"no-subdomains", COMPOSE_DKIM, NULL},
    {"testing", COMPOSE_DKIM, NULL},
    {"note", COMPOSE_DKIM, compose_check_note},
    {"passphrase-file", COMPOSE_DKIM, NULL},
    {"passphrase-fd", COMPOSE_DKIM, NULL},
    {"insecure-key", COMPOSE_DKIM, NULL},
    {"to", COMPOSE_REPORT, compose_check_to},
    {"any", COMPOSE_REPORT, NULL},
    {"ttl", ALL_KINDS, NULL},
    {"format", ALL_KINDS, NULL},
    {"out", ALL_KINDS, NULL},
    {"json", ALL_KINDS, NULL},
};

static const struct rule *find_rule(const char *option)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (strcmp(rules[i].option, option) == 0)
            return &rules[i];
    return NULL;
}

void compose_warn(struct compose *c, const char *format, ...)
{
    va_list args;
    if (c->warning_count == COMPOSE_WARNINGS_MAX)
        return;
    char **place = &c->warnings[c->warning_count];
    va_start(args, format);
    bool made = vasprintf(place, format, args) >= 0;
    va_end(args);
    c->warning_count += made;
}

void compose_set_name(struct compose *c, const struct dns_name *name)
{
    c->name = *name;
    dns_name_text(name, c->name_text);
}

/* What stands in front of the domain in the record's name: pasted along by many. */
static const char *own_label(enum compose_kind kind)
{
    if (kind == COMPOSE_SPF)
        return NULL;
    return kind == COMPOSE_DKIM ? "_domainkey." : "_dmarc.";
}

int compose_check_domain(struct compose *c, const char *option, const char *text)
{
    enum dns_name_error wrong = dns_name_from_domain(&c->domain_name, span_from_string(text));
    if (wrong) {
        complain("--%s: \"%s\" is no domain name: %s", option, text, dns_name_error_word(wrong));
        return STATUS_USAGE;
    }
    const char *label = own_label(c->kind);
    if (label && strcasestr(text, label)) {
        complain("--%s: \"%s\": without \"%s\", which the record's name gets by itself", option,
                 text, label);
        return STATUS_USAGE;
    }
    if (c->domain_name.labels >= 2 || c->kind == COMPOSE_DMARC)
        return STATUS_OK; /* a top-level domain may publish a policy (psd=y) */
    complain("--%s: \"%s\": two labels are wanted at least", option, text);
    return STATUS_USAGE;
}

int compose_check(struct compose *c, const char *option, const char *text)
{
    const struct rule *rule = find_rule(option);
    assert(rule);
    return rule->check ? rule->check(c, option, text) : STATUS_OK;
}

static int check_flag(struct compose *c, const struct flag *flag, const char *kind)
{
    const struct rule *rule = find_rule(flag->name);
    const char *value;
    assert(rule);
    for (size_t i = 0; (value = flag_value(flag, c, i)); i++) {
        if (!(rule->kinds & c->kind)) {
            complain("--%s is no option of `assay record %s`", flag->name, kind);
            return STATUS_USAGE;
        }
        int status = rule->check ? rule->check(c, flag->name, value) : STATUS_OK;
        if (status)
            return status;
    }
    return STATUS_OK;
}

static int check_needed(const struct compose *c)
{
    const char *missing = NULL;
    if (!c->domain && !c->any)
        missing = "a domain (-d)";
    else if (c->kind == COMPOSE_DKIM && !c->selector)
        missing = "a selector (-s)";
    else if (c->kind == COMPOSE_REPORT && !c->to)
        missing = "the domain that receives the reports (--to)";
    if (!missing)
        return STATUS_OK;
    complain("record wants %s; `assay help record` tells", missing);
    return STATUS_USAGE;
}

static int check_options(struct compose *c, const char *kind)
{
    int status = STATUS_OK;
    for (const struct flag *flag = record_flags; !status && flag->name; flag++)
        status = check_flag(c, flag, kind);
    return status ? status : check_needed(c);
}

static int make(struct compose *c)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i].kind == c->kind)
            return kinds[i].make(c);
    return STATUS_USAGE;
}

static enum lint_kind lint_kind(enum compose_kind kind)
{
    if (kind == COMPOSE_SPF)
        return LINT_SPF;
    return kind == COMPOSE_DKIM ? LINT_DKIM : LINT_DMARC;
}

/* What the linter calls an error may still be what the person wants, as --all pass. */
static void lint(struct compose *c)
{
    struct arena arena;
    struct lint_findings findings;
    if (c->revoke || c->kind == COMPOSE_REPORT)
        return; /* no key, no policy: as it should be */
    arena_init(&arena, MAX_ARENA_BYTES);
    lint_findings_init(&findings, &arena);
    lint_record(lint_kind(c->kind), &c->name, buffer_span(&c->text), &findings);
    for (const struct lint_finding *f = findings.first; f; f = f->next) {
        if (f->severity < LINT_WARNING)
            continue;
        compose_warn(c, "%.*s%s%.*s", (int)f->what.n, (const char *)f->what.p,
                     f->instead.n ? "; better: " : "", (int)f->instead.n,
                     (const char *)f->instead.p);
    }
    arena_fini(&arena);
}

bool compose_take_kind(struct compose *c, const char *word)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(kinds[i].word, word) == 0)
            c->kind = kinds[i].kind;
    return c->kind != 0;
}

const char *compose_kind_word(enum compose_kind kind)
{
    size_t i = 0;
    while (kinds[i].kind != kind)
        i++;
    return kinds[i].word;
}

static int read_kind(const struct operands *operands, struct compose *c)
{
    if (operands->count == 0 || (operands->count == 1 && compose_take_kind(c, operands->texts[0])))
        return STATUS_OK;
    complain("record makes one of dkim, spf, dmarc, report; `assay help record` tells");
    return STATUS_USAGE;
}

/* With no options there is somebody to ask, or nothing to do. */
static int gather(struct compose *c, const struct operands *operands, int argc)
{
    int status = read_kind(operands, c);
    if (status)
        return status;
    if (argc == 1 + operands->count && isatty(STDIN_FILENO))
        return compose_ask(c);
    if (c->kind)
        return check_options(c, operands->texts[0]);
    complain("record wants a kind, dkim, spf, dmarc or report, and options; `assay help record` "
             "tells");
    return STATUS_USAGE;
}

static int run(struct compose *c, int argc, char **argv)
{
    struct operands operands = {0};
    if (!flags_read(argc, argv, record_flags, c, &operands))
        return STATUS_USAGE;
    int status = gather(c, &operands, argc);
    c->ttl = c->ttl ? c->ttl : TXT_RECORD_TTL;
    if (!status)
        status = make(c);
    if (!status)
        lint(c);
    return status ? status : compose_print(c);
}

int command_record(int argc, char **argv)
{
    static struct compose c; /* large; a process runs one command */
    buffer_init(&c.text, TXT_RECORD_BYTES);
    buffer_init(&c.key, TXT_RECORD_BYTES);
    int status = run(&c, argc, argv);
    for (size_t i = 0; i < c.warning_count; i++)
        free(c.warnings[i]);
    for (size_t i = 0; i < c.answer_count; i++)
        free(c.answers[i]);
    buffer_fini(&c.text);
    buffer_fini(&c.key);
    return status;
}
