#include "verdict/reader.h"

#include <criterion/criterion.h>

struct reader
{
    struct span text;
    size_t at;
    struct arena *arena;
    size_t comments;
};

static int peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : -1;
}

static bool take(struct reader *r, char c)
{
    if (peek(r) != (uint8_t)c)
        return false;
    r->at++;
    return true;
}

static bool is_alnum(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 5322 3.2.3, written out */
static bool is_atext(int c)
{
    return is_alnum(c) || (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* RFC 2045 5.1: CHAR but SPACE, CTLs and tspecials */
static bool is_token_char(int c)
{
    return c > 0x20 && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* FWS = [*WSP CRLF] 1*WSP; obs-FWS is refused: no line of white space alone */
static bool fws(struct reader *r)
{
    size_t begin = r->at;
    while (peek(r) == ' ' || peek(r) == '\t')
        r->at++;
    if (peek(r) != '\r')
        return r->at > begin;
    size_t line_end = r->at++;
    if (!take(r, '\n') || (peek(r) != ' ' && peek(r) != '\t')) {
        r->at = line_end;
        return line_end > begin;
    }
    while (peek(r) == ' ' || peek(r) == '\t')
        r->at++;
    return true;
}

/* comment = "(" *([FWS] ccontent) [FWS] ")" */
static bool comment(struct reader *r)
{
    if (!take(r, '('))
        return false;
    for (unsigned depth = 1; depth;) {
        int c = peek(r);
        if (c == '\\' && r->at + 1 < r->text.n && r->text.p[r->at + 1] >= 0x20 &&
            r->text.p[r->at + 1] < 0x7f)
            r->at += 2;
        else if (c == '(')
            depth++, r->at++;
        else if (c == ')')
            depth--, r->at++;
        else if (c > 0x20 && c < 0x7f && c != '\\')
            r->at++;
        else if (!fws(r))
            return false;
    }
    r->comments++;
    return true;
}

/* [CFWS]; true when there was any */
static bool cfws(struct reader *r)
{
    size_t begin = r->at;
    for (;;) {
        size_t before = r->at;
        bool space = fws(r);
        if (peek(r) == '(' && !comment(r)) {
            r->at = before;
            break;
        }
        if (!space && r->at == before)
            break;
    }
    return r->at > begin;
}

/* Keyword = Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig */
static bool keyword(struct reader *r, struct span *word)
{
    size_t begin = r->at;
    while (is_alnum(peek(r)) || peek(r) == '-')
        r->at++;
    *word = span_slice(r->text, begin, r->at);
    return word->n > 0 && is_alnum(word->p[word->n - 1]);
}

static struct span keep(struct reader *r, const uint8_t *bytes, size_t n)
{
    uint8_t *copy = arena_alloc(r->arena, n + 1);
    cr_assert(copy != NULL);
    if (n)
        memcpy(copy, bytes, n);
    return span_of(copy, n);
}

/* quoted-string of RFC 5322 3.2.4, content unquoted */
static bool quoted_string(struct reader *r, struct span *value)
{
    uint8_t *bytes = arena_alloc(r->arena, r->text.n + 1);
    cr_assert(bytes != NULL);
    size_t n = 0;
    if (!take(r, '"'))
        return false;
    while (peek(r) != '"') {
        int c = peek(r);
        if (c == '\\') {
            r->at++;
            c = peek(r);
            if (c != '\t' && (c < 0x20 || c > 0x7e))
                return false;
        } else if (c != ' ' && c != '\t' && (c < 0x21 || c > 0x7e)) {
            size_t before = r->at;
            if (!fws(r))
                return false;
            for (size_t i = before; i < r->at; i++)
                if (r->text.p[i] != '\r' && r->text.p[i] != '\n')
                    bytes[n++] = r->text.p[i];
            continue;
        }
        bytes[n++] = (uint8_t)c;
        r->at++;
    }
    r->at++;
    *value = span_of(bytes, n);
    return true;
}

/* value = token / quoted-string */
static bool value(struct reader *r, struct span *out)
{
    if (peek(r) == '"')
        return quoted_string(r, out);
    size_t begin = r->at;
    while (is_token_char(peek(r)))
        r->at++;
    *out = keep(r, r->text.p + begin, r->at - begin);
    return r->at > begin;
}

/* domain-name = sub-domain 1*("." sub-domain), RFC 6376 3.5 */
static bool domain_name(struct reader *r)
{
    for (unsigned labels = 1;; labels++) {
        struct span label;
        if (!is_alnum(peek(r)) || !keyword(r, &label))
            return false;
        if (!take(r, '.'))
            return labels > 1;
    }
}

static bool dot_atom(struct reader *r)
{
    do {
        if (!is_atext(peek(r)))
            return false;
        while (is_atext(peek(r)))
            r->at++;
    } while (take(r, '.'));
    return true;
}

/* [ [ local-part ] "@" ] domain-name with the "@" there; the rest of pvalue is value() */
static bool address(struct reader *r, struct span *out)
{
    size_t begin = r->at;
    struct span local;
    if (peek(r) == '"' ? !quoted_string(r, &local) : peek(r) != '@' && !dot_atom(r))
        return false;
    if (!take(r, '@') || !domain_name(r))
        return false;
    *out = keep(r, r->text.p + begin, r->at - begin);
    return true;
}

/* A pvalue ends where CFWS, the next resinfo or the text begins or ends. */
static bool at_end_of_value(const struct reader *r)
{
    int c = peek(r);
    return c == -1 || (c && strchr(" \t\r;(", c) != NULL);
}

static bool pvalue(struct reader *r, struct span *out)
{
    size_t begin = r->at;
    if (address(r, out) && at_end_of_value(r))
        return true;
    r->at = begin;
    return value(r, out) && at_end_of_value(r);
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" [CFWS] pvalue */
static bool propspec(struct reader *r, struct ar_property *property)
{
    struct span ptype, name;
    if (!keyword(r, &ptype))
        return false;
    cfws(r);
    if (!take(r, '.'))
        return false;
    cfws(r);
    if (!keyword(r, &name))
        return false;
    cfws(r);
    if (!take(r, '='))
        return false;
    cfws(r);
    uint8_t *full = arena_alloc(r->arena, ptype.n + 1 + name.n);
    cr_assert(full != NULL);
    memcpy(full, ptype.p, ptype.n);
    full[ptype.n] = '.';
    memcpy(full + ptype.n + 1, name.p, name.n);
    property->name = span_of(full, ptype.n + 1 + name.n);
    return pvalue(r, &property->value);
}

/* [ "/" version ] */
static bool version(struct reader *r)
{
    size_t digits = 0;
    cfws(r);
    if (!take(r, '/'))
        return true;
    cfws(r);
    for (; peek(r) >= '0' && peek(r) <= '9'; digits++)
        r->at++;
    cfws(r);
    return digits > 0;
}

static bool reasonspec(struct reader *r, struct span *reason)
{
    size_t begin = r->at;
    struct span word;
    if (keyword(r, &word) && span_equal_fold(word, SPAN("reason"))) {
        cfws(r);
        if (take(r, '=')) {
            cfws(r);
            return value(r, reason) && at_end_of_value(r);
        }
    }
    r->at = begin;
    return true;
}

/* Behind the ";": methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ] */
static bool resinfo(struct reader *r, struct ar_result *result)
{
    cfws(r);
    if (!keyword(r, &result->method) || !version(r) || !take(r, '='))
        return false;
    cfws(r);
    if (!keyword(r, &result->result))
        return false;
    bool space = cfws(r);
    if (space && peek(r) != ';' && peek(r) != -1 && !reasonspec(r, &result->reason))
        return false;
    if (result->reason.p)
        space = cfws(r);
    while (space && peek(r) != ';' && peek(r) != -1 && peek(r) != '\r') {
        cr_assert(result->count < COUNT_OF(result->properties));
        if (!propspec(r, &result->properties[result->count++]))
            return false;
        space = cfws(r);
    }
    return true;
}

static bool no_result(struct reader *r)
{
    size_t begin = r->at;
    struct span word;
    cfws(r);
    if (keyword(r, &word) && span_equal_fold(word, SPAN("none"))) {
        cfws(r);
        if (peek(r) == -1 || peek(r) == '\r')
            return true;
    }
    r->at = begin;
    return false;
}

static bool payload(struct reader *r, struct ar *ar)
{
    cfws(r);
    if (!value(r, &ar->authserv_id))
        return false;
    if (cfws(r) && peek(r) >= '0' && peek(r) <= '9') {
        while (peek(r) >= '0' && peek(r) <= '9')
            r->at++;
        cfws(r);
    }
    if (!take(r, ';'))
        return false;
    ar->none = no_result(r);
    if (ar->none)
        return true;
    do {
        cr_assert(ar->count < COUNT_OF(ar->results));
        if (!resinfo(r, &ar->results[ar->count++]))
            return false;
    } while (take(r, ';'));
    return true;
}

bool ar_read(struct span text, struct arena *arena, struct ar *ar)
{
    struct reader r = {.text = text, .arena = arena};
    memset(ar, 0, sizeof *ar);
    bool good = payload(&r, ar);
    if (good && take(&r, '\r'))
        good = take(&r, '\n');
    ar->comments = r.comments;
    ar->error_at = r.at;
    return good && r.at == text.n;
}

struct span ar_value(const struct ar_result *result, const char *name)
{
    for (size_t i = 0; i < result->count; i++)
        if (span_equal(result->properties[i].name, span_from_string(name)))
            return result->properties[i].value;
    return (struct span){NULL, 0};
}

const struct ar_result *ar_find(const struct ar *ar, const char *method, size_t nth)
{
    for (size_t i = 0; i < ar->count; i++)
        if (span_equal(ar->results[i].method, span_from_string(method)) && nth-- == 0)
            return &ar->results[i];
    return NULL;
}
