/*
 * Faults of SPF syntax. The parser ends at the first one; each term is therefore given to the same
 * parser alone as well, so that a person sees all of them at once.
 */
#include "lint/spf.h"

#include <stdio.h>

struct advice
{
    const char *reason, *what, *instead;
};

/* Reasons of spf_record_parse. */
static const struct advice advice[] = {
    {"unknown_mechanism", "there is no such mechanism",
     "one of all, include:, a, mx, ptr, ip4:, ip6:, exists:"},
    {"missing_argument", "this mechanism needs an argument behind \":\"", NULL},
    {"unexpected_argument", "this mechanism takes no such argument", NULL},
    {"bad_domain_spec", "this is no domain name, nor one with macros",
     "a name with at least two labels, without a prefix length"},
    {"address_as_domain", "an address stands where a domain name belongs", NULL},
    {"bad_prefix",
     "this is no prefix length: /0 to /32 for IPv4, /0 to /128 (with a, mx: //0 to "
     "//128) for IPv6, without leading zeros",
     NULL},
    {"bad_ip4", "this is no IPv4 address: four numbers of 0 to 255 without leading zeros", NULL},
    {"bad_ip6", "this is no IPv6 address", NULL},
    {"bad_macro", "\"%\" begins a macro, and this is none",
     "%{i} and the like, or %% for a percent sign"},
    {"bad_modifier_name", "a modifier's name begins with a letter", NULL},
    {"qualifier_on_modifier", "a modifier takes no qualifier", NULL},
    {"duplicate_redirect", "redirect= stands twice", "one redirect="},
    {"duplicate_exp", "exp= stands twice", "one exp="},
    {"bad_version", "the record does not begin with \"v=spf1\" and a space", NULL},
    {"spf_record_too_long", "no receiver reads a record of so many octets", NULL},
    {"too_many_terms", "no receiver reads so many terms", NULL},
};

/* What people write, and what they mean. */
static const struct
{
    struct span name;
    const char *instead;
} slips[] = {
    {SPAN("ip"), "ip4:"},
    {SPAN("ipv4"), "ip4:"},
    {SPAN("ipv6"), "ip6:"},
    {SPAN("ip-4"), "ip4:"},
    {SPAN("redirect"), "redirect="},
    {SPAN("exp"), "exp="},
    {SPAN("inc"), "include:"},
    {SPAN("includes"), "include:"},
    {SPAN("incude"), "include:"},
    {SPAN("inlcude"), "include:"},
    {SPAN("exist"), "exists:"},
    {SPAN("mx4"), "mx"},
    {SPAN("none"), "-all"},
    {SPAN("al"), "all"},
    {SPAN("any"), "all"},
};

static const struct advice *advice_find(const char *reason)
{
    for (size_t i = 0; i < COUNT_OF(advice); i++)
        if (strcmp(advice[i].reason, reason) == 0)
            return &advice[i];
    return NULL;
}

bool lint_spf_term(struct span text, size_t *at, struct span *term)
{
    while (*at < text.n && text.p[*at] == ' ')
        ++*at;
    if (*at >= text.n)
        return false;
    size_t length = span_find(span_skip(text, *at), ' ');
    *term = span_slice(text, *at, *at + length);
    *at += length;
    return true;
}

/* Behind a qualifier, up to ":", "/" or "=". */
static struct span name_of(struct span term)
{
    size_t begin = term.n && memchr("+-~?", term.p[0], 4) ? 1 : 0;
    size_t end = begin;
    while (end < term.n && !memchr(":/=", term.p[end], 3))
        end++;
    return span_slice(term, begin, end);
}

static struct span argument_of(struct span term)
{
    struct span name = name_of(term);
    size_t at = (size_t)(span_end(name) - term.p);
    return span_skip(term, at < term.n ? at + 1 : at);
}

/* Where the caret goes. */
static struct span fault_in(const char *reason, struct span term)
{
    struct span part = term;
    if (strcmp(reason, "unknown_mechanism") == 0)
        part = name_of(term);
    else if (strcmp(reason, "bad_prefix") == 0)
        part = span_skip(term, span_find(term, '/'));
    else if (strcmp(reason, "bad_macro") == 0)
        part = span_skip(term, span_find(term, '%'));
    else if (strcmp(reason, "bad_domain_spec") == 0 || strncmp(reason, "bad_ip", 6) == 0 ||
             strcmp(reason, "address_as_domain") == 0)
        part = argument_of(term);
    return part.n ? part : term;
}

static void slip_advise(const struct lint_place *place, struct lint_finding *finding,
                        struct span term)
{
    struct span name = name_of(term), argument = argument_of(term);
    struct ip ip;
    for (size_t i = 0; i < COUNT_OF(slips); i++)
        if (span_equal_fold(name, slips[i].name))
            lint_instead(place, finding, "%s%.*s", slips[i].instead, SPAN_ARGS(argument));
    if (ip_parse_v4(span_slice(term, 0, span_find(term, '/')), &ip))
        lint_instead(place, finding, "ip4:%.*s", SPAN_ARGS(term));
    else if (ip_parse_v6(span_slice(term, 0, span_find(term, '/')), &ip))
        lint_instead(place, finding, "ip6:%.*s", SPAN_ARGS(term));
}

/* A fault at any place of a term may be a separator that is none. */
static bool has_separator(struct span term)
{
    return span_find(term, ',') < term.n || span_find(term, ';') < term.n ||
           span_find(term, '\t') < term.n;
}

static void advise(const struct lint_place *place, struct lint_finding *finding, const char *reason,
                   struct span term)
{
    struct span argument = argument_of(term);
    struct ip ip;
    if (has_separator(term))
        lint_instead(place, finding, "spaces between the terms, no \",\", \";\" or tab");
    else if (strcmp(reason, "unknown_mechanism") == 0)
        slip_advise(place, finding, term);
    else if (strcmp(reason, "bad_domain_spec") == 0 && span_find(term, '%') < term.n)
        lint_instead(place, finding, "macros in braces, as %%{i}; %%%% for a percent sign");
    else if (strcmp(reason, "address_as_domain") == 0)
        lint_instead(place, finding, "ip4:%.*s", SPAN_ARGS(argument));
    else if (strcmp(reason, "qualifier_on_modifier") == 0)
        lint_instead(place, finding, "%.*s", SPAN_ARGS(span_skip(term, 1)));
    else if (strcmp(reason, "bad_ip4") == 0 &&
             ip_parse_v6(span_slice(argument, 0, span_find(argument, '/')), &ip))
        lint_instead(place, finding, "ip6:%.*s", SPAN_ARGS(argument));
    else if (strcmp(reason, "bad_ip6") == 0 &&
             ip_parse_v4(span_slice(argument, 0, span_find(argument, '/')), &ip))
        lint_instead(place, finding, "ip4:%.*s", SPAN_ARGS(argument));
}

static void report(const struct lint_place *place, const char *reason, struct span term)
{
    const struct advice *row = advice_find(reason);
    struct lint_finding *finding = lint_find(place, LINT_ERROR, reason, fault_in(reason, term),
                                             "%s", row ? row->what : "receivers refuse this");
    if (row && row->instead)
        lint_instead(place, finding, "%s", row->instead);
    advise(place, finding, reason, term);
}

/* NULL: good, or no memory to tell. */
static const char *term_fault(const struct lint_place *place, struct span term)
{
    static const char version[] = "v=spf1 ";
    struct limit_hits hits = {.set = 0};
    struct spf_record record;
    struct spf_syntax_error error;
    size_t n = sizeof version - 1;
    uint8_t *text = arena_alloc(place->findings->arena, n + term.n);
    if (!text) {
        place->findings->failed = true;
        return NULL;
    }
    memcpy(text, version, n);
    memcpy(text + n, term.p, term.n);
    return spf_record_parse(span_of(text, n + term.n), &hits, &record, &error) ? NULL
                                                                               : error.reason;
}

static void version_fault(const struct lint_place *place)
{
    struct span text = place->text, trimmed = text;
    while (trimmed.n && memchr(" \t\"'", trimmed.p[0], 4))
        trimmed = span_skip(trimmed, 1);
    struct span before = span_slice(text, 0, text.n - trimmed.n);
    struct span head = span_slice(text, 0, span_find(text, ' '));
    struct lint_finding *finding =
        lint_find(place, LINT_ERROR, "bad_version", before.n ? before : head,
                  "the record does not begin with \"v=spf1\" and a space: receivers do not see it");
    if (trimmed.n < text.n && spf_is_record(trimmed))
        lint_instead(place, finding, "nothing in front of \"v=spf1\"");
    else if (span_starts_fold(trimmed, SPAN("spf2.0")))
        lint_instead(place, finding, "nothing: Sender ID (spf2.0) is Historic, remove the record");
    else
        lint_instead(place, finding, "\"v=spf1 \", with one space behind it");
}

void lint_spf_syntax(const struct lint_place *place, const struct spf_syntax_error *error)
{
    const struct span text = place->text;
    uint32_t before = place->findings->total;
    size_t at = 0;
    struct span term;
    if (strcmp(error->reason, "bad_version") == 0) {
        version_fault(place);
        return;
    }
    bool too_much = strcmp(error->reason, limit_word(LIMIT_SPF_RECORD_BYTES)) == 0 ||
                    strcmp(error->reason, limit_word(LIMIT_SPF_TERMS)) == 0;
    bool more = lint_spf_term(text, &at, &term) && !too_much; /* the version */
    while (more && lint_spf_term(text, &at, &term)) {
        const char *reason = term_fault(place, term);
        if (reason)
            report(place, reason, term);
    }
    if (place->findings->total > before)
        return;
    at = error->at; /* a fault of the whole: a term that stands twice, a limit */
    if (!too_much && lint_spf_term(text, &at, &term))
        report(place, error->reason, term);
    else
        report(place, error->reason, (struct span){NULL, 0});
}
