/*
 * Reads a zone file: RFC 1035 section 5.1 presentation form with one record a line.
 *
 *   line   =  [ entry ] [ blank ] [ ";" comment ]
 *   entry  =  name *( blank ( TTL / "IN" ) ) blank type blank rdata
 *          /  "$TTL" blank TTL
 *   rdata  =  as the type has it / "!" word
 *
 * Names are absolute, with or without the final dot. In place of rdata "!servfail", "!timeout" or
 * another word of dns_reason_find() makes the question fail; "!empty" and "!nxdomain" say that
 * there is nothing, where the other lines would say otherwise; after the records of a set "!cut"
 * and "!age SECONDS" complete an answer as it was recorded. Types that assay never asks for make
 * the name exist and are not read further.
 *
 * More than RFC 1035 has: a TXT string may be longer than 255 bytes when it is written in one
 * piece, since its records are read joined (DV-29) and long keys are pasted that way.
 *
 * BUGS: no $ORIGIN, no $INCLUDE, no parentheses, no line that begins with a blank to repeat the
 * owner, no TTL units: each is an error that says so. No DNAME, since ignoring it would be wrong.
 */
#include <stdio.h>

#include "base/buffer.h"
#include "base/chars.h"
#include "base/number.h"
#include "dns/zone_table.h"

enum
{
    DEFAULT_TTL = 3600,
    TTL_MAX = INT32_MAX, /* RFC 2181 section 8 */
    RDATA_MAX = 65535,
    FOUND_MAX = 40, /* bytes of the input shown in an error */
};

struct reader
{
    struct zone_table *table;
    const char *label;
    struct dns_error *error;
    size_t line_number;
    struct span line;
    size_t at; /* in line */
    uint32_t default_ttl;
    uint32_t ttl; /* of this line */
    struct buffer text;
};

struct token
{
    struct span text; /* borrowed from the line; without its quotes, escapes still inside */
    size_t at;
    bool quoted;
    bool end; /* there was none: end of the line or a comment */
};

/* Always false. The message is cut where it does not fit, the input shown without controls. */
static bool fail(struct reader *r, const char *expected, struct token found)
{
    char shown[FOUND_MAX + 1];
    size_t n = 0;
    for (; n < found.text.n && n < FOUND_MAX; n++)
        shown[n] = char_is(found.text.p[n], CHAR_VCHAR) ? (char)found.text.p[n] : '?';
    shown[n] = '\0';
    const char *quote = found.end ? "" : "\"";
    snprintf(r->error->text, sizeof r->error->text, "%.100s:%zu:%zu: expected %s, found %s%s%s",
             r->label, r->line_number, found.at + 1, expected, quote,
             found.end ? "the end of the line" : shown, quote);
    return false;
}

static bool fail_memory(struct reader *r)
{
    snprintf(r->error->text, sizeof r->error->text, "%.100s:%zu:1: out of memory", r->label,
             r->line_number);
    return false;
}

/* Offset of the first byte that ends an unquoted token, or of the quote that ends a quoted one. */
static size_t token_stop(struct span line, size_t at, bool quoted)
{
    for (; at < line.n; at++) {
        uint8_t c = line.p[at];
        if (c == '\\')
            at++;
        else if (quoted ? c == '"' : char_is_wsp(c) || c == ';' || c == '"')
            return at;
    }
    return line.n;
}

/* The next token of the line. False: a quote that nothing closes, or a parenthesis. */
static bool next_token(struct reader *r, struct token *token)
{
    while (r->at < r->line.n && char_is_wsp(r->line.p[r->at]))
        r->at++;
    *token = (struct token){.at = r->at};
    token->end = r->at == r->line.n || r->line.p[r->at] == ';';
    if (token->end)
        return true;
    uint8_t first = r->line.p[r->at];
    token->quoted = first == '"';
    size_t begin = r->at + token->quoted;
    size_t stop = token_stop(r->line, begin, token->quoted);
    token->text = span_slice(r->line, begin, stop);
    if (first == '(' || first == ')')
        return fail(r, "a record on one line (parentheses are not read)", *token);
    if (token->quoted && stop == r->line.n)
        return fail(r, "a closing quote", (struct token){.at = stop, .end = true});
    r->at = stop + token->quoted;
    return true;
}

/* The next token, which has to be there and unquoted. */
static bool need_word(struct reader *r, const char *expected, struct token *token)
{
    if (!next_token(r, token))
        return false;
    return token->end || token->quoted ? fail(r, expected, *token) : true;
}

static bool need_end(struct reader *r)
{
    struct token token;
    if (!next_token(r, &token))
        return false;
    return token.end ? true : fail(r, "the end of the line", token);
}

static bool need_number(struct reader *r, const char *expected, uint64_t max, uint32_t *number)
{
    struct token token;
    uint64_t value = 0;
    if (!need_word(r, expected, &token))
        return false;
    if (!number_parse(token.text, 10, &value) || value > max)
        return fail(r, expected, token);
    *number = (uint32_t)value;
    return true;
}

static bool need_name(struct reader *r, struct dns_name *name)
{
    static const char expected[] = "an absolute domain name";
    struct token token;
    if (!need_word(r, expected, &token))
        return false;
    if (dns_name_from_zone_text(name, token.text) != DNS_NAME_OK ||
        span_equal(token.text, SPAN("@")))
        return fail(r, expected, token);
    return true;
}

/*
 * character-string = <contiguous> / DQUOTE *( any / "\" X / "\" DDD ) DQUOTE    RFC 1035 5.1
 *
 * Appends what the token stands for to r->text.
 */
static bool append_string(struct reader *r, struct token token)
{
    struct span s = token.text;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c == '\\') {
            size_t taken = dns_escape_read(span_skip(s, i + 1), &c);
            if (taken == 0)
                return fail(r, "an escape \\X or \\DDD up to \\255", token);
            i += taken;
        }
        buffer_append_byte(&r->text, c);
    }
    return r->text.failed ? fail_memory(r) : true;
}

static bool append_record(struct reader *r, struct zone_set *set, uint16_t preference,
                          struct span data)
{
    if (!zone_set_append(r->table, set, preference, data))
        return fail_memory(r);
    set->outcome = DNS_ANSWER;
    return true;
}

static bool read_address(struct reader *r, struct zone_set *set)
{
    bool v4 = set->type == DNS_A;
    const char *expected = v4 ? "an IPv4 address" : "an IPv6 address";
    struct token token;
    struct ip ip;
    if (!need_word(r, expected, &token))
        return false;
    if (!(v4 ? ip_parse_v4(token.text, &ip) : ip_parse_v6(token.text, &ip)))
        return fail(r, expected, token);
    return append_record(r, set, 0, span_of(ip.bytes, v4 ? 4 : 16));
}

static bool read_name(struct reader *r, struct zone_set *set)
{
    struct dns_name name;
    return need_name(r, &name) && append_record(r, set, 0, dns_name_span(&name));
}

static bool read_mx(struct reader *r, struct zone_set *set)
{
    struct dns_name name;
    uint32_t preference = 0;
    return need_number(r, "a preference from 0 to 65535", UINT16_MAX, &preference) &&
           need_name(r, &name) && append_record(r, set, (uint16_t)preference, dns_name_span(&name));
}

static bool read_txt(struct reader *r, struct zone_set *set)
{
    struct token token;
    size_t wire_bytes = 0;
    buffer_reset(&r->text);
    if (!next_token(r, &token))
        return false;
    if (token.end)
        return fail(r, "a string", token);
    while (!token.end) {
        size_t before = r->text.n;
        if (!append_string(r, token))
            return false;
        size_t n = r->text.n - before;
        wire_bytes += n + (n > 255 ? (n + 254) / 255 : 1);
        if (wire_bytes > RDATA_MAX)
            return fail(r, "at most 65535 bytes of strings in a record", token);
        if (!next_token(r, &token))
            return false;
    }
    return append_record(r, set, 0, buffer_span(&r->text));
}

static const struct type_row
{
    const char *word;
    enum dns_type type;
    bool (*read)(struct reader *r, struct zone_set *set);
} types[] = {
    {"A", DNS_A, read_address}, {"AAAA", DNS_AAAA, read_address}, {"MX", DNS_MX, read_mx},
    {"TXT", DNS_TXT, read_txt}, {"PTR", DNS_PTR, read_name},      {"CNAME", DNS_CNAME, read_name},
};

/* Types that only make their name exist. */
static const char *const other_types[] = {
    "NS",      "SOA",   "SRV",   "SPF",   "CAA",        "DS",   "DNSKEY", "CDS",
    "CDNSKEY", "RRSIG", "NSEC",  "NSEC3", "NSEC3PARAM", "TLSA", "SMIMEA", "OPENPGPKEY",
    "NAPTR",   "HINFO", "SSHFP", "LOC",   "HTTPS",      "SVCB", "URI",    "RP",
    "AFSDB",   "CERT",  "WKS",   "CSYNC", "ZONEMD",
};

static const struct type_row *find_type(struct span word)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (span_equal_fold(word, span_from_string(types[i].word)))
            return &types[i];
    return NULL;
}

/* Also TYPE<n> of RFC 3597. */
static bool is_other_type(struct span word)
{
    uint64_t number;
    for (size_t i = 0; i < COUNT_OF(other_types); i++)
        if (span_equal_fold(word, span_from_string(other_types[i])))
            return true;
    return span_starts_fold(word, SPAN("TYPE")) && number_parse(span_skip(word, 4), 5, &number);
}

/* "!age SECONDS" and "!cut": more about records that are there. */
static bool read_note(struct reader *r, struct zone_set *set, struct token word)
{
    if (!set->outcome)
        return fail(r, "the set's other lines before this one", word);
    if (span_equal(word.text, SPAN("!age")))
        return need_number(r, "an age in seconds", TTL_MAX, &set->age);
    set->cut = true;
    return true;
}

static bool read_outcome(struct reader *r, struct zone_set *set, struct token word)
{
    if (span_equal(word.text, SPAN("!age")) || span_equal(word.text, SPAN("!cut")))
        return read_note(r, set, word);
    if (set->outcome)
        return fail(r, "either records or one outcome of a question", word);
    struct span name = span_skip(word.text, 1);
    set->reason = dns_reason_find(name);
    if (set->reason)
        set->outcome = DNS_TEMPFAIL;
    if (span_equal(name, SPAN("empty")))
        set->outcome = DNS_EMPTY;
    if (span_equal(name, SPAN("nxdomain")))
        set->outcome = DNS_NXDOMAIN;
    if (!set->outcome)
        return fail(r, "!servfail, !timeout or another outcome", word);
    return true;
}

/* True when rdata begins with an unquoted "!". */
static bool at_outcome(struct reader *r)
{
    while (r->at < r->line.n && char_is_wsp(r->line.p[r->at]))
        r->at++;
    return r->at < r->line.n && r->line.p[r->at] == '!';
}

static bool read_set(struct reader *r, const struct dns_name *name, const struct type_row *type)
{
    bool outcome = at_outcome(r);
    struct token word = {.at = r->at};
    if (outcome && !need_word(r, "an outcome", &word))
        return false;
    bool exists = !outcome || !span_equal(word.text, SPAN("!nxdomain"));
    struct zone_name *entry = zone_table_add(r->table, name, exists);
    struct zone_set *set = entry ? zone_set_add(r->table, entry, type->type) : NULL;
    if (!set)
        return fail_memory(r);
    if (!outcome && set->outcome && set->outcome != DNS_ANSWER)
        return next_token(r, &word) && fail(r, "either records or one outcome of a question", word);
    if (r->ttl < set->ttl)
        set->ttl = r->ttl;
    return (outcome ? read_outcome(r, set, word) : type->read(r, set)) && need_end(r);
}

/* TTL and class, in either order, each at most once; *type is the token behind them. */
static bool read_ttl_and_class(struct reader *r, struct token *type)
{
    bool ttl_seen = false, class_seen = false;
    r->ttl = r->default_ttl;
    for (;;) {
        if (!need_word(r, "a TTL, IN or a record type", type))
            return false;
        if (!class_seen && span_equal_fold(type->text, SPAN("IN"))) {
            class_seen = true;
            continue;
        }
        if (ttl_seen || !char_is_digit(type->text.p[0]))
            return true;
        uint64_t ttl;
        if (!number_parse(type->text, 10, &ttl) || ttl > TTL_MAX)
            return fail(r, "a TTL from 0 to 2147483647", *type);
        r->ttl = (uint32_t)ttl;
        ttl_seen = true;
    }
}

static bool read_record(struct reader *r)
{
    struct dns_name name;
    struct token word;
    if (!need_name(r, &name) || !read_ttl_and_class(r, &word))
        return false;
    const struct type_row *type = find_type(word.text);
    if (type)
        return read_set(r, &name, type);
    if (!is_other_type(word.text))
        return fail(r, "a record type (A, AAAA, MX, TXT, PTR, CNAME ...)", word);
    return zone_table_add(r->table, &name, true) ? true : fail_memory(r);
}

static bool read_directive(struct reader *r)
{
    struct token word;
    if (!need_word(r, "a directive", &word))
        return false;
    if (!span_equal_fold(word.text, SPAN("$TTL")))
        return fail(r, "$TTL or a record with an absolute name", word);
    return need_number(r, "a TTL from 0 to 2147483647", TTL_MAX, &r->default_ttl) && need_end(r);
}

static bool read_line(struct reader *r)
{
    struct token first;
    if (!next_token(r, &first))
        return false;
    if (first.end)
        return true;
    if (first.at != 0)
        return fail(r, "a name at the beginning of the line", first);
    r->at = 0;
    return first.text.n && first.text.p[0] == '$' ? read_directive(r) : read_record(r);
}

bool zone_text_read(struct zone_table *table, struct span text, const char *label,
                    struct dns_error *error)
{
    struct reader r = {.table = table, .label = label, .error = error, .default_ttl = DEFAULT_TTL};
    bool ok = true;
    buffer_init(&r.text, SIZE_MAX);
    while (ok && text.n) {
        size_t end = span_find(text, '\n');
        r.line = span_slice(text, 0, end);
        if (r.line.n && r.line.p[r.line.n - 1] == '\r')
            r.line.n--;
        text = span_skip(text, end < text.n ? end + 1 : end);
        r.line_number++;
        r.at = 0;
        ok = read_line(&r);
    }
    buffer_fini(&r.text);
    return ok;
}
