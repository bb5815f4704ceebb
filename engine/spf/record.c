/*
 * The SPF record parser (RFC 7208 section 4.6.1 and 12). Limits: MAX_SPF_RECORD_BYTES,
 * MAX_SPF_TERMS.
 *
 * One row of a table per mechanism: its name and the function that reads what follows the name.
 * Those functions return NULL, or the word of the error.
 *
 * BUGS: the version is matched without case, as the ABNF has it; a space that a publisher lost
 * where two strings of one TXT record meet stays lost (SP-8).
 */
#include "spf/record.h"

#include "base/chars.h"
#include "base/number.h"
#include "spf/macro.h"

#define VERSION SPAN("v=spf1")

/* One term, split: [qualifier] name rest. */
struct token
{
    struct span text;
    char qualifier; /* '\0' where none was written */
    struct span name;
    struct span rest; /* from ":", "/" or "=" on; empty */
};

struct mechanism
{
    struct span name;
    enum spf_mechanism id;
    const char *(*parse)(struct span rest, struct spf_term *term);
};

/*
 *   "0" / %x31-39 *DIGIT, up to `most`
 */
static bool prefix_parse(struct span digits, uint64_t most, uint8_t *prefix)
{
    uint64_t value;
    if (!number_parse(digits, 3, &value) || value > most || (digits.n > 1 && digits.p[0] == '0'))
        return false;
    *prefix = (uint8_t)value;
    return true;
}

/*
 *   ip4-cidr-length  = "/" ("0" / %x31-39 0*1DIGIT) ; value range 0-32
 *   ip6-cidr-length  = "/" ("0" / %x31-39 0*2DIGIT) ; value range 0-128
 *   dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]    RFC 7208 5.6, SP-14
 */
static const char *dual_prefix_parse(struct span text, struct spf_term *term)
{
    size_t slash = 0;
    while (slash + 1 < text.n && (text.p[slash] != '/' || text.p[slash + 1] != '/'))
        slash++;
    bool has6 = slash + 1 < text.n;
    struct span prefix4 = span_slice(text, 0, has6 ? slash : text.n);
    if (prefix4.n && !prefix_parse(span_skip(prefix4, 1), 32, &term->prefix4))
        return "bad_prefix";
    if (has6 && !prefix_parse(span_skip(text, slash + 2), 128, &term->prefix6))
        return "bad_prefix";
    return NULL;
}

static const char *domain_spec_error(struct span spec)
{
    struct ip ip;
    if (spf_domain_spec_check(spec))
        return NULL;
    /* A common slip: "a:192.0.2.1" where ip4 was meant. */
    return ip_parse_v4(spec, &ip) ? "address_as_domain" : "bad_domain_spec";
}

/* ":" domain-spec */
static const char *domain_parse(struct span rest, struct spf_term *term)
{
    if (rest.n == 0)
        return "missing_argument";
    if (rest.p[0] != ':')
        return "unexpected_argument";
    term->domain_spec = span_skip(rest, 1);
    return domain_spec_error(term->domain_spec);
}

/* [ ":" domain-spec ] */
static const char *optional_domain_parse(struct span rest, struct spf_term *term)
{
    return rest.n ? domain_parse(rest, term) : NULL;
}

/*
 * [ ":" domain-spec ] [ dual-cidr-length ]
 *
 * A domain-spec may hold "/", but its last label cannot: the prefix lengths are the longest tail
 * of digits and slashes that begins with a slash.
 */
static const char *domain_and_prefix_parse(struct span rest, struct spf_term *term)
{
    size_t tail = rest.n;
    size_t slash = rest.n;
    while (tail > 0 && (char_is_digit(rest.p[tail - 1]) || rest.p[tail - 1] == '/')) {
        tail--;
        if (rest.p[tail] == '/')
            slash = tail;
    }
    const char *error = dual_prefix_parse(span_skip(rest, slash), term);
    return error ? error : optional_domain_parse(span_slice(rest, 0, slash), term);
}

static const char *nothing_parse(struct span rest, struct spf_term *term)
{
    (void)term;
    return rest.n ? "unexpected_argument" : NULL;
}

/* ":" ip4-network [ ip4-cidr-length ] */
static const char *ip4_parse(struct span rest, struct spf_term *term)
{
    if (rest.n == 0 || rest.p[0] != ':')
        return "missing_argument";
    rest = span_skip(rest, 1);
    size_t slash = span_find(rest, '/');
    if (!ip_parse_v4(span_slice(rest, 0, slash), &term->network))
        return "bad_ip4";
    if (slash < rest.n && !prefix_parse(span_skip(rest, slash + 1), 32, &term->prefix4))
        return "bad_prefix";
    return NULL;
}

/* ":" ip6-network [ ip6-cidr-length ] */
static const char *ip6_parse(struct span rest, struct spf_term *term)
{
    if (rest.n == 0 || rest.p[0] != ':')
        return "missing_argument";
    rest = span_skip(rest, 1);
    size_t slash = span_find(rest, '/');
    if (!ip_parse_v6(span_slice(rest, 0, slash), &term->network))
        return "bad_ip6";
    if (slash < rest.n && !prefix_parse(span_skip(rest, slash + 1), 128, &term->prefix6))
        return "bad_prefix";
    return NULL;
}

/* clang-format off */
#define NAME(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}
static const struct mechanism mechanisms[] = {
    /*                            RFC 7208 */
    {NAME("all"),     SPF_ALL,     nothing_parse},           /* 5.1 */
    {NAME("include"), SPF_INCLUDE, domain_parse},            /* 5.2 */
    {NAME("a"),       SPF_A,       domain_and_prefix_parse}, /* 5.3 */
    {NAME("mx"),      SPF_MX,      domain_and_prefix_parse}, /* 5.4 */
    {NAME("ptr"),     SPF_PTR,     optional_domain_parse},   /* 5.5 */
    {NAME("ip4"),     SPF_IP4,     ip4_parse},               /* 5.6 */
    {NAME("ip6"),     SPF_IP6,     ip6_parse},               /* 5.6 */
    {NAME("exists"),  SPF_EXISTS,  domain_parse},            /* 5.7 */
};
#undef NAME
/* clang-format on */

static const struct mechanism *mechanism_find(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++)
        if (span_equal_fold(mechanisms[i].name, name))
            return &mechanisms[i];
    return NULL;
}

/*
 *   terms     =  *( 1*SP ( directive / modifier ) )
 *   directive =  [ qualifier ] mechanism
 *   qualifier =  "+" / "-" / "?" / "~"
 *   name      =  ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )           RFC 7208 4.6.1
 */
static bool token_next(struct span text, size_t *at, struct token *token)
{
    while (*at < text.n && text.p[*at] == ' ') /* SP only, no HTAB (SP-10) */
        ++*at;
    if (*at == text.n)
        return false;
    size_t length = span_find(span_skip(text, *at), ' ');
    struct span whole = span_slice(text, *at, *at + length);
    *at += length;

    uint8_t first = whole.p[0];
    bool qualified = first == '+' || first == '-' || first == '?' || first == '~';
    size_t i = qualified;
    while (i < whole.n && (char_is(whole.p[i], CHAR_ALPHA | CHAR_DIGIT) || whole.p[i] == '-' ||
                           whole.p[i] == '_' || whole.p[i] == '.'))
        i++;
    *token = (struct token){whole, qualified ? (char)first : '\0', span_slice(whole, qualified, i),
                            span_skip(whole, i)};
    return true;
}

static bool token_is_modifier(const struct token *token)
{
    return token->rest.n && token->rest.p[0] == '=';
}

static const char *directive_parse(const struct token *token, struct spf_term *term)
{
    const struct mechanism *mechanism = mechanism_find(token->name);
    if (!mechanism)
        return "unknown_mechanism";
    *term = (struct spf_term){.mechanism = mechanism->id,
                              .qualifier = token->qualifier ? token->qualifier : '+',
                              .text = token->text,
                              .prefix4 = 32,
                              .prefix6 = 128};
    return mechanism->parse(token->rest, term);
}

/*
 *   modifier         =  redirect / explanation / unknown-modifier
 *   redirect         =  "redirect" "=" domain-spec
 *   explanation      =  "exp" "=" domain-spec
 *   unknown-modifier =  name "=" macro-string                         RFC 7208 6
 */
static const char *modifier_add(const struct token *token, struct spf_record *record)
{
    struct span value = span_skip(token->rest, 1);
    if (token->qualifier)
        return "qualifier_on_modifier"; /* SP-15 */
    if (token->name.n == 0 || !char_is(token->name.p[0], CHAR_ALPHA))
        return "bad_modifier_name";
    if (span_equal_fold(token->name, SPAN("redirect"))) {
        if (record->redirect.n)
            return "duplicate_redirect"; /* SP-11 */
        record->redirect = value;
        record->redirect_text = token->text;
        return domain_spec_error(value);
    }
    if (span_equal_fold(token->name, SPAN("exp"))) {
        if (record->exp.n)
            return "duplicate_exp";
        record->exp = value;
        return domain_spec_error(value);
    }
    return spf_macro_check(value, SPF_MACRO_MODIFIER) ? NULL : "bad_macro";
}

static const char *term_add(const struct token *token, struct spf_record *record)
{
    struct spf_term term;
    if (token_is_modifier(token))
        return modifier_add(token, record);
    const char *error = directive_parse(token, &term);
    if (error)
        return error;
    record->count++;
    record->has_all |= term.mechanism == SPF_ALL;
    return NULL;
}

bool spf_is_record(struct span text)
{
    return span_starts_fold(text, VERSION) && (text.n == VERSION.n || text.p[VERSION.n] == ' ');
}

static bool parse_fail(struct spf_syntax_error *error, const char *reason, size_t at)
{
    *error = (struct spf_syntax_error){reason, (uint32_t)at};
    return false;
}

static bool limit_fail(struct spf_syntax_error *error, struct limit_hits *hits, enum limit limit,
                       size_t at)
{
    limit_hit(hits, limit);
    return parse_fail(error, limit_word(limit), at);
}

/*
 *   record =  version terms *SP
 *   version = "v=spf1"                                                RFC 7208 4.5
 */
bool spf_record_parse(struct span text, struct limit_hits *hits, struct spf_record *record,
                      struct spf_syntax_error *error)
{
    struct spf_record parsed = {.text = text};
    struct token token;
    size_t at = VERSION.n;
    if (text.n > MAX_SPF_RECORD_BYTES)
        return limit_fail(error, hits, LIMIT_SPF_RECORD_BYTES, 0);
    if (!spf_is_record(text))
        return parse_fail(error, "bad_version", 0);
    for (uint32_t terms = 0; token_next(text, &at, &token); terms++) {
        size_t begin = (size_t)(token.text.p - text.p);
        if (terms == MAX_SPF_TERMS)
            return limit_fail(error, hits, LIMIT_SPF_TERMS, begin);
        const char *reason = term_add(&token, &parsed);
        if (reason)
            return parse_fail(error, reason, begin);
    }
    *record = parsed;
    return true;
}

bool spf_record_next(const struct spf_record *record, size_t *at, struct spf_term *term)
{
    struct token token;
    if (record->terms) {
        if (*at == record->count)
            return false;
        *term = record->terms[(*at)++];
        return true;
    }
    if (*at == 0)
        *at = VERSION.n;
    while (token_next(record->text, at, &token)) {
        if (token_is_modifier(&token))
            continue;
        const char *error = directive_parse(&token, term);
        assert(!error); /* spf_record_parse saw this very text */
        return !error;
    }
    return false;
}

/* SP-7: the records among an answer's texts; *text is the first. */
static uint32_t records_select(const struct dns_answer *answer, struct span *text)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < answer->count && count < 2; i++)
        if (spf_is_record(answer->records[i].text) && count++ == 0)
            *text = answer->records[i].text;
    return count;
}

static void find_record(const struct dns_answer *answer, struct spf_found *found)
{
    struct span text = {NULL, 0};
    struct limit_hits counted = {.set = 0};
    struct spf_syntax_error error;
    *found = (struct spf_found){.count = records_select(answer, &text)};
    if (found->count != 1)
        return;
    found->record.text = text; /* for the verdict, also where it does not parse */
    if (spf_record_parse(text, &counted, &found->record, &error))
        return;
    found->reason = error.reason;
    found->over = (uint8_t)limit_over(&counted);
}

void spf_answer_read(const struct dns_answer *answer, struct limit_hits *hits,
                     struct spf_found *found)
{
    const struct dns_prepared *prepared = answer->prepared;
    if (prepared && prepared->kind == DNS_PREPARED_SPF)
        *found = ((const struct spf_prepared *)(const void *)prepared)->found;
    else
        find_record(answer, found);
    limit_hit_over(hits, found->over);
}

/* A name is stored where evaluation would come to the same one whatever the macros' values. */
static bool compile_target(struct spf_term *term, struct arena *arena)
{
    static const struct spf_macro_values none = {{{NULL, 0}}};
    struct dns_name name;
    if (term->domain_spec.n == 0 || span_find(term->domain_spec, '%') < term->domain_spec.n ||
        !spf_macro_name(term->domain_spec, &none, &name))
        return true;
    struct span wire = arena_copy(arena, dns_name_span(&name));
    term->literal = (struct spf_literal){wire.p, name.length, name.labels};
    return wire.p != NULL;
}

/* False without memory. */
static bool compile(struct spf_record *record, struct arena *arena)
{
    struct spf_term *terms = ARENA_ARRAY(arena, record->count, struct spf_term);
    size_t at = 0;
    uint32_t targets = 0;
    for (uint32_t i = 0; terms && i < record->count; i++) {
        bool there = spf_record_next(record, &at, &terms[i]);
        assert(there);
        (void)there;
        targets += terms[i].domain_spec.n > 0;
        if (targets <= MAX_SPF_LOOKUPS && !compile_target(&terms[i], arena))
            return false; /* terms behind so many others are never evaluated (SP-24) */
    }
    record->terms = terms;
    return terms != NULL;
}

const struct dns_prepared *spf_prepare(const struct dns_answer *answer, struct arena *arena)
{
    struct spf_found found;
    find_record(answer, &found);
    if (found.count == 0)
        return NULL;
    struct spf_prepared *prepared = ARENA_NEW(arena, struct spf_prepared);
    if (!prepared || (found.count == 1 && !found.reason && !compile(&found.record, arena)))
        return NULL;
    *prepared = (struct spf_prepared){.base = {.kind = DNS_PREPARED_SPF}, .found = found};
    return &prepared->base;
}
