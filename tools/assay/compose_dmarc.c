/*
 * assay record dmarc and report: a policy record (RFC 9989 4.7), and what a receiver of reports
 * publishes so that they may come (RFC 9990 4).
 *
 * Whether a destination belongs to the same organization is told by the Public Suffix List: a tree
 * walk would need the very record that is being made.
 *
 * BUGS: pct, rf and ri are never written (RFC 9989 9.3).
 */
#include "base/chars.h"
#include "dmarc/psl.h"
#include "dmarc/record.h"
#include "dmarc/uri.h"
#include "compose.h"

static struct span next_item(struct span *list)
{
    size_t n = span_find(*list, ',');
    struct span item = span_trim_wsp(span_slice(*list, 0, n));
    *list = span_skip(*list, n < list->n ? n + 1 : n);
    return item;
}

/* RFC 6068 2: what may not stand in a mailto URI, and what a list of URIs needs for itself. */
static void append_local(struct span local, struct buffer *out)
{
    for (size_t i = 0; i < local.n; i++) {
        uint8_t c = local.p[i];
        if (char_is(c, CHAR_UNRESERVED) || (c && strchr("$'*+%", c)))
            buffer_append_byte(out, c);
        else
            buffer_printf(out, "%%%02X", c);
    }
}

bool compose_uri_host(struct span host, struct dns_name *name)
{
    return dns_name_from_domain(name, host) == DNS_NAME_OK && name->labels >= 2;
}

/* user@host becomes mailto:user@host, the host in A-labels; a URI stays as it is. */
static void append_uri(struct span item, struct buffer *out)
{
    struct dns_name host;
    char text[DNS_NAME_TEXT_MAX];
    size_t at = span_find_last(item, '@');
    bool has_scheme = span_find(item, ':') < item.n;
    if (has_scheme || at == item.n || !compose_uri_host(span_skip(item, at + 1), &host)) {
        buffer_append(out, item);
        return;
    }
    buffer_append_string(out, "mailto:");
    append_local(span_slice(item, 0, at), out);
    buffer_append_byte(out, '@');
    buffer_append_string(out, dns_name_text(&host, text));
}

/* Appends the URI of one item, without an obsolete size. False where the engine reads none. */
static bool read_item(struct span item, struct buffer *out, struct dmarc_uri *uri)
{
    struct dns_name host;
    size_t begin = out->n;
    append_uri(item, out);
    struct span list = span_skip(buffer_span(out), begin);
    if (out->failed || !dmarc_uri_next(&list, uri))
        return false;
    out->n = begin + uri->text.n;
    return !uri->mailto || compose_uri_host(uri->host, &host);
}

int compose_check_uris(struct compose *c, const char *option, const char *text)
{
    struct span list = span_from_string(text);
    struct buffer out;
    bool good = list.n > 0;
    (void)c;
    while (good && list.n) {
        struct dmarc_uri uri;
        struct span item = next_item(&list);
        buffer_init(&out, TXT_RECORD_BYTES);
        good = read_item(item, &out, &uri);
        if (!good)
            complain("--%s: \"%.*s\" is no mail address and no mailto: URI", option, (int)item.n,
                     (const char *)item.p);
        buffer_fini(&out);
    }
    if (!good && !*text)
        complain("--%s: an address is wanted", option);
    return good ? STATUS_OK : STATUS_USAGE;
}

/* --- destinations in other organizations --- */

static bool report_name(const struct dns_name *domain, const struct dns_name *host,
                        struct dns_name *name)
{
    struct dns_name dmarc, report;
    return dns_name_prepend(&dmarc, "_dmarc", host) == DNS_NAME_OK &&
           dns_name_prepend(&report, "_report", &dmarc) == DNS_NAME_OK &&
           dns_name_join(name, domain, &report) == DNS_NAME_OK;
}

static bool is_external(const struct dns_name *domain, const struct dns_name *host)
{
    struct dns_name ours = dmarc_psl_org(NULL, domain), theirs = dmarc_psl_org(NULL, host);
    return !dns_name_equal(&ours, &theirs);
}

static int add_report(struct compose *c, const struct dns_name *host)
{
    struct dns_name name;
    if (!is_external(&c->domain_name, host))
        return STATUS_OK;
    for (size_t i = 0; i < c->report_count; i++)
        if (dns_name_equal(&c->reports[i].host, host))
            return STATUS_OK;
    if (!report_name(&c->domain_name, host, &name)) {
        complain("no report can go there: its name with _report._dmarc would be too long");
        return STATUS_USAGE;
    }
    if (c->report_count == COMPOSE_REPORTS_MAX) {
        complain("more than %d destinations in other organizations", COMPOSE_REPORTS_MAX);
        return STATUS_USAGE;
    }
    struct compose_report *report = &c->reports[c->report_count++];
    report->host = *host;
    dns_name_text(&name, report->name);
    return STATUS_OK;
}

static int add_uri(struct compose *c, const char *tag, struct span item)
{
    struct dmarc_uri uri;
    struct dns_name host;
    size_t begin = c->text.n;
    bool sized = span_find(item, '!') < item.n && span_find(item, ':') < item.n;
    if (!read_item(item, &c->text, &uri)) {
        complain("--%s: cannot be written", tag);
        return STATUS_SOFTWARE;
    }
    if (sized && c->text.n - begin != item.n)
        compose_warn(c, "--%s: a size behind \"!\" is left out: RFC 9989 has it no more", tag);
    if (!uri.mailto) {
        compose_warn(c, "--%s: receivers only know mailto: URIs", tag);
        return STATUS_OK;
    }
    if (c->kind == COMPOSE_REPORT)
        return STATUS_OK; /* this very record is what the destination publishes */
    return compose_uri_host(uri.host, &host) ? add_report(c, &host) : STATUS_USAGE;
}

static int add_uris(struct compose *c, const char *tag, const struct flag_texts *texts)
{
    int status = STATUS_OK;
    bool first = true;
    for (size_t i = 0; i < texts->count; i++) {
        struct span list = span_from_string(texts->texts[i]);
        while (!status && list.n) {
            struct span item = next_item(&list);
            buffer_printf(&c->text, first ? "; %s=" : ",", tag);
            first = false;
            status = add_uri(c, tag, item);
        }
    }
    return status;
}

/* --- the record --- */

static void add_tag(struct compose *c, const char *tag, const char *value)
{
    if (value)
        buffer_printf(&c->text, "; %s=%s", tag, value);
}

static void warn_of_removed(struct compose *c, const char *tag, const char *value,
                            const char *instead)
{
    if (value)
        compose_warn(c, "--%s: RFC 9989 has removed it: left out%s", tag, instead);
}

static bool enforces(const char *policy)
{
    return policy && strcmp(policy, "none") != 0;
}

static void warn(struct compose *c)
{
    warn_of_removed(c, "pct", c->pct, "; --t y makes receivers apply one level less");
    warn_of_removed(c, "rf", c->rf, "; there is one format");
    warn_of_removed(c, "ri", c->ri, "; reports come once a day");
    if (!c->p)
        compose_warn(c, "no --p: p=none, which changes nothing for failing mail");
    if (c->fo && !c->ruf.count)
        compose_warn(c, "--fo: means nothing without --ruf: left out");
    if (c->t && strcmp(c->t, "y") == 0 && !enforces(c->p) && !enforces(c->sp) && !enforces(c->np))
        compose_warn(c, "--t: with p=none there is nothing to test");
}

/* Everything that was written has to be understood (RFC 9989 4.8 would pass over the rest). */
static int check_text(const struct compose *c)
{
    struct limit_hits hits = {.set = 0};
    struct arena arena;
    struct dmarc_record parsed;
    const char *reason = NULL;
    if (c->text.failed) {
        complain("no memory for the record");
        return STATUS_SOFTWARE;
    }
    arena_init(&arena, MAX_ARENA_BYTES);
    bool good = dmarc_record_parse(buffer_span(&c->text), &arena, &hits, &parsed, &reason);
    if (good && parsed.faults) {
        good = false;
        reason = "a value is not understood";
    }
    arena_fini(&arena);
    if (good)
        return STATUS_OK;
    complain("receivers would refuse the record: %s", reason);
    return STATUS_USAGE;
}

int compose_make_dmarc(struct compose *c)
{
    struct dns_name name;
    buffer_append_string(&c->text, COMPOSE_REPORT_TEXT);
    add_tag(c, "p", c->p ? c->p : "none");
    add_tag(c, "sp", c->sp);
    add_tag(c, "np", c->np);
    add_tag(c, "psd", c->psd);
    add_tag(c, "t", c->t);
    add_tag(c, "adkim", c->adkim);
    add_tag(c, "aspf", c->aspf);
    int status = add_uris(c, "rua", &c->rua);
    if (!status)
        status = add_uris(c, "ruf", &c->ruf);
    if (status)
        return status;
    add_tag(c, "fo", c->ruf.count ? c->fo : NULL);
    warn(c);
    if (dns_name_prepend(&name, "_dmarc", &c->domain_name) != DNS_NAME_OK) {
        complain("--domain: too long: with _dmarc a name has 253 bytes at most");
        return STATUS_USAGE;
    }
    compose_set_name(c, &name);
    return check_text(c);
}

/* --- what the other side publishes --- */

/* A domain, a mail address or a mailto: URI: what counts is the host. */
int compose_check_to(struct compose *c, const char *option, const char *text)
{
    struct span host = span_from_string(text);
    size_t at = span_find_last(host, '@');
    host = at < host.n ? span_skip(host, at + 1) : host;
    if (compose_uri_host(host, &c->to_name))
        return STATUS_OK;
    complain("--%s: \"%s\" has no domain name of two labels", option, text);
    return STATUS_USAGE;
}

static int check_override(const struct compose *c)
{
    struct dns_name host;
    for (size_t i = 0; i < c->rua.count; i++) {
        struct span list = span_from_string(c->rua.texts[i]);
        while (list.n) {
            struct span item = next_item(&list);
            size_t at = span_find_last(item, '@');
            if (at < item.n && compose_uri_host(span_skip(item, at + 1), &host) &&
                dns_name_equal(&host, &c->to_name))
                continue;
            complain("--rua: \"%.*s\" is not at the host of --to: receivers refuse that",
                     (int)item.n, (const char *)item.p);
            return STATUS_USAGE;
        }
    }
    return STATUS_OK;
}

static int set_report_name(struct compose *c)
{
    struct dns_name name;
    if (c->any) /* "*" is no host name: the label is written by hand */
        c->domain_name = (struct dns_name){.wire = {1, '*', 0}, .length = 3, .labels = 1};
    if (!report_name(&c->domain_name, &c->to_name, &name)) {
        complain("--domain and --to are too long together: a name has 253 bytes at most");
        return STATUS_USAGE;
    }
    compose_set_name(c, &name);
    return STATUS_OK;
}

int compose_make_report(struct compose *c)
{
    int status = check_override(c);
    if (!status && c->any && c->domain) {
        complain("--any and --domain exclude each other");
        status = STATUS_USAGE;
    }
    if (!status && !c->any && !is_external(&c->domain_name, &c->to_name))
        compose_warn(c, "not needed: both names are of one organization");
    if (!status)
        status = set_report_name(c);
    if (status)
        return status;
    buffer_append_string(&c->text, COMPOSE_REPORT_TEXT);
    status = add_uris(c, "rua", &c->rua);
    return status ? status : check_text(c);
}
