/*
 * assay record spf: an SPF record (RFC 7208) in an order that costs receivers least: addresses,
 * then what asks the DNS, then redirect= or all.
 *
 * BUGS: ptr is not offered (RFC 7208 5.5 asks not to use it), nor qualifiers but that of all.
 */
#include "compose.h"
#include "spf/record.h"

static const struct kind
{
    const char *option;
    const char *prefix; /* with its ":" or "=" */
    bool domain;        /* its value is a name, which may be of any script */
    bool own;           /* "@" stands for the domain itself */
    bool asks;          /* counts as a lookup (SP-24) */
    size_t offset;      /* of a struct flag_texts, of a text where it stands once */
    bool once;
} kinds[] = {
    {"ip4", "ip4:", false, false, false, offsetof(struct compose, ip4), false},
    {"ip6", "ip6:", false, false, false, offsetof(struct compose, ip6), false},
    {"a", "a:", true, true, true, offsetof(struct compose, a), false},
    {"mx", "mx:", true, true, true, offsetof(struct compose, mx), false},
    {"include", "include:", true, false, true, offsetof(struct compose, include), false},
    {"exists", "exists:", true, false, true, offsetof(struct compose, exists), false},
    {"redirect", "redirect=", true, false, true, offsetof(struct compose, redirect), true},
    {"exp", "exp=", true, false, false, offsetof(struct compose, exp), true},
};

static const struct
{
    const char *word, *text;
} faults[] = {
    {"bad_ip4", "this is no IPv4 address or network"},
    {"bad_ip6", "this is no IPv6 address or network"},
    {"bad_prefix", "the prefix length is none: /0 to /32, //0 to //128, no leading zeros"},
    {"bad_domain_spec", "this is no domain name that SPF takes"},
    {"address_as_domain", "this is an address: use --ip4"},
    {"missing_argument", "a value is missing"},
};

static const char *fault_text(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (strcmp(faults[i].word, word) == 0)
            return faults[i].text;
    return word;
}

static const struct kind *find_kind(const char *option)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(kinds[i].option, option) == 0)
            return &kinds[i];
    return NULL;
}

/* A name with macros stays as it is, another becomes A-labels. */
static enum dns_name_error append_domain(struct span text, struct buffer *out)
{
    struct dns_name name;
    char ascii[DNS_NAME_TEXT_MAX];
    if (text.n == 0 || span_find(text, '%') < text.n) {
        buffer_append(out, text);
        return DNS_NAME_OK;
    }
    enum dns_name_error wrong = dns_name_from_domain(&name, text);
    if (!wrong)
        buffer_append_string(out, dns_name_text(&name, ascii));
    return wrong;
}

/* "/24" of "mail.a.example/24", or all of a text without a name; "%{d1r/}" has its slash inside. */
static size_t find_prefix(struct span text)
{
    size_t brace = span_find_last(text, '}');
    size_t from = brace < text.n ? brace : 0;
    return from + span_find(span_skip(text, from), '/');
}

static enum dns_name_error append_term(const struct kind *kind, struct span text,
                                       struct buffer *out)
{
    struct span prefix = span_of(kind->prefix, strlen(kind->prefix));
    size_t slash = kind->domain ? find_prefix(text) : text.n;
    struct span name = span_slice(text, 0, slash);
    if (kind->own && span_equal(name, SPAN("@"))) {
        buffer_append(out, span_slice(prefix, 0, prefix.n - 1));
        name.n = 0;
    } else {
        buffer_append(out, prefix);
    }
    enum dns_name_error wrong = DNS_NAME_OK;
    if (kind->domain)
        wrong = append_domain(name, out);
    else
        buffer_append(out, name);
    buffer_append(out, span_skip(text, slash));
    return wrong;
}

static bool is_one_word(const char *text)
{
    for (; *text; text++)
        if (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')
            return false;
    return true;
}

/* What the engine's parser says of a record with this one term. */
static const char *term_fault(const struct kind *kind, const char *text, struct buffer *term)
{
    struct limit_hits hits = {.set = 0};
    struct spf_record parsed;
    struct spf_syntax_error error = {0};
    buffer_append_string(term, "v=spf1 ");
    enum dns_name_error wrong = append_term(kind, span_from_string(text), term);
    if (wrong == DNS_NAME_LABEL_TOO_LONG || wrong == DNS_NAME_TOO_LONG)
        return "this is too long for a domain name";
    if (wrong)
        return "bad_domain_spec";
    if (term->failed)
        return "no_memory";
    return spf_record_parse(buffer_span(term), &hits, &parsed, &error) ? NULL : error.reason;
}

/* include: or redirect= of the very domain: the permerror that comes of it is for sure. */
static bool leads_back(const struct compose *c, const char *option, const char *text)
{
    struct dns_name name;
    if (strcmp(option, "include") != 0 && strcmp(option, "redirect") != 0)
        return false;
    return !dns_name_from_domain(&name, span_from_string(text)) &&
           dns_name_equal(&name, &c->domain_name);
}

int compose_check_spf(struct compose *c, const char *option, const char *text)
{
    const struct kind *kind = find_kind(option);
    struct buffer term;
    assert(kind);
    if (!*text || !is_one_word(text)) {
        complain("--%s: \"%s\": one value without blanks is wanted", option, text);
        return STATUS_USAGE;
    }
    if (leads_back(c, option, text)) {
        complain("--%s: \"%s\": the record would lead back to itself", option, text);
        return STATUS_USAGE;
    }
    buffer_init(&term, TXT_RECORD_BYTES);
    const char *fault = term_fault(kind, text, &term);
    buffer_fini(&term);
    if (!fault)
        return STATUS_OK;
    complain("--%s: \"%s\": %s", option, text, fault_text(fault));
    return STATUS_USAGE;
}

/* The same term stands in the record already. */
static bool stands(struct span text, struct span term)
{
    while (text.n) {
        size_t n = span_find(text, ' ');
        if (span_equal_fold(span_slice(text, 0, n), term))
            return true;
        text = span_skip(text, n < text.n ? n + 1 : n);
    }
    return false;
}

static void add_term(struct compose *c, const struct kind *kind, const char *text)
{
    struct buffer term;
    buffer_init(&term, TXT_RECORD_BYTES);
    enum dns_name_error wrong = append_term(kind, span_from_string(text), &term);
    assert(!wrong); /* compose_check_spf has looked */
    (void)wrong;
    if (stands(buffer_span(&c->text), buffer_span(&term))) {
        compose_warn(c, "--%s: \"%s\" stands twice: left out once", kind->option, text);
    } else {
        buffer_append_byte(&c->text, ' ');
        buffer_append(&c->text, buffer_span(&term));
        c->lookups += kind->asks;
    }
    buffer_fini(&term);
}

static void add_kind(struct compose *c, const struct kind *kind)
{
    const void *place = (const char *)c + kind->offset;
    if (kind->once) {
        const char *text = *(const char *const *)place;
        if (text)
            add_term(c, kind, text);
        return;
    }
    const struct flag_texts *texts = place;
    for (size_t i = 0; i < texts->count; i++)
        add_term(c, kind, texts->texts[i]);
}

static const char *all_term(const char *word)
{
    if (strcmp(word, "pass") == 0)
        return " +all";
    if (strcmp(word, "fail") == 0)
        return " -all";
    return strcmp(word, "neutral") == 0 ? " ?all" : " ~all";
}

static void add_all(struct compose *c)
{
    if (c->redirect)
        return; /* all would make it idle (SP-12) */
    if (!c->all)
        compose_warn(c, "no --all: ~all, mail from elsewhere is suspicious; --all fail refuses it");
    buffer_append_string(&c->text, all_term(c->all ? c->all : "softfail"));
}

static bool has_any(const struct compose *c)
{
    return c->ip4.count || c->ip6.count || c->a.count || c->mx.count || c->include.count ||
           c->exists.count || c->redirect || c->all;
}

static int check_options(const struct compose *c)
{
    if (c->redirect && c->all) {
        complain("--redirect and --all exclude each other: with all, redirect= is never used");
        return STATUS_USAGE;
    }
    if (has_any(c))
        return STATUS_OK;
    complain("record spf wants to know who sends: --ip4, --include, --mx ...; nobody: --all fail");
    return STATUS_USAGE;
}

static int check_text(struct compose *c)
{
    struct limit_hits hits = {.set = 0};
    struct spf_record parsed;
    struct spf_syntax_error error = {0};
    if (c->text.failed) {
        complain("no memory for the record");
        return STATUS_SOFTWARE;
    }
    if (c->lookups > MAX_SPF_LOOKUPS) {
        complain("%u DNS lookups: receivers take %d and give permerror (RFC 7208 4.6.4)",
                 c->lookups, MAX_SPF_LOOKUPS);
        return STATUS_USAGE;
    }
    if (!spf_record_parse(buffer_span(&c->text), &hits, &parsed, &error)) {
        complain("receivers would refuse the record: %s", fault_text(error.reason));
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

int compose_make_spf(struct compose *c)
{
    int status = check_options(c);
    if (status)
        return status;
    buffer_append_string(&c->text, "v=spf1");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kinds[i].option, "exp") == 0)
            add_all(c);
        add_kind(c, &kinds[i]);
    }
    compose_set_name(c, &c->domain_name);
    return check_text(c);
}
