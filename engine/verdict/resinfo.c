/*
 * The pieces of Authentication-Results: values made safe, lines folded.
 *
 * Limits: RESINFO_VALUE_MAX bytes of a value are shown. A cut value ends in "...": no domain has an
 * empty label, so no cut name can be taken for another name.
 *
 * BUGS: no EAI form (RFC 8601 section 2.2 as RFC 6532 extends it): 8-bit bytes become "?", names
 * are shown as A-labels.
 */
#include "verdict/resinfo.h"

#include "base/chars.h"

static void resinfo_append(struct resinfo *info, struct span s)
{
    assert(s.n <= sizeof info->text - info->n);
    if (s.n)
        memcpy(info->text + info->n, s.p, s.n);
    info->n = (uint16_t)(info->n + s.n);
}

static void resinfo_end_piece(struct resinfo *info)
{
    assert(info->count < RESINFO_PIECES);
    info->ends[info->count++] = info->n;
}

/* token = 1*<any CHAR except SPACE, CTLs, or tspecials>          RFC 2045 section 5.1 */
static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is(s.p[i], CHAR_TOKEN))
            return false;
    return s.n > 0;
}

/*
 * dot-atom-text = 1*atext *("." 1*atext)                         RFC 5322 section 3.2.3
 * Only of atext that a token may hold too: "=", "/" and "?" are quoted, as readers differ on them.
 */
static bool is_dot_atom(struct span s)
{
    bool after_dot = true;
    for (size_t i = 0; i < s.n; i++) {
        bool dot = s.p[i] == '.';
        if (dot ? after_dot : !(char_is(s.p[i], CHAR_ATEXT) && char_is(s.p[i], CHAR_TOKEN)))
            return false;
        after_dot = dot;
    }
    return !after_dot;
}

/* sub-domain = Let-dig [Ldh-str]                                 RFC 5321 section 4.1.2 */
static bool is_sub_domain(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is(s.p[i], CHAR_ALPHA | CHAR_DIGIT) && s.p[i] != '-')
            return false;
    return s.n && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

/* domain-name = sub-domain 1*("." sub-domain)                    RFC 6376 section 3.5 */
static bool is_domain_name(struct span s)
{
    size_t dots = 0;
    for (;; dots++) {
        size_t end = span_find(s, '.');
        if (!is_sub_domain(span_slice(s, 0, end)))
            return false;
        if (end == s.n)
            return dots > 0;
        s = span_skip(s, end + 1);
    }
}

/* May the value stand without quotes? A domain-name alone is a token. */
static bool is_bare(struct span s)
{
    size_t at = span_find_last(s, '@');
    if (at == s.n)
        return is_token(s);
    struct span local = span_slice(s, 0, at);
    return (local.n == 0 || is_dot_atom(local)) && is_domain_name(span_skip(s, at + 1));
}

/* quoted-string of qtext, SP and quoted-pair; controls and 8-bit bytes become "?". */
static size_t quote(struct span s, uint8_t out[RESINFO_QUOTED_MAX])
{
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c == '"' || c == '\\')
            out[n++] = '\\';
        out[n++] = c == ' ' || char_is(c, CHAR_VCHAR) ? c : '?';
    }
    out[n++] = '"';
    return n;
}

/* At most RESINFO_VALUE_MAX bytes of `s`, in `room` where it had to be cut. */
static struct span cut(struct span s, uint8_t room[RESINFO_VALUE_MAX])
{
    static const struct span mark = {(const uint8_t *)"...", 3};
    if (s.n <= RESINFO_VALUE_MAX)
        return s;
    memcpy(room, s.p, RESINFO_VALUE_MAX - mark.n);
    memcpy(room + RESINFO_VALUE_MAX - mark.n, mark.p, mark.n);
    return span_of(room, RESINFO_VALUE_MAX);
}

void resinfo_begin(struct resinfo *info, const char *method, const char *result)
{
    info->count = 0;
    info->n = 0;
    resinfo_append(info, span_from_string(method));
    resinfo_append(info, SPAN("="));
    resinfo_append(info, span_from_string(result));
    resinfo_end_piece(info);
}

void resinfo_reason(struct resinfo *info, const char *reason)
{
    uint8_t room[RESINFO_VALUE_MAX], quoted[RESINFO_QUOTED_MAX];
    if (!reason)
        return;
    size_t n = quote(cut(span_from_string(reason), room), quoted);
    resinfo_append(info, SPAN("reason="));
    resinfo_append(info, span_of(quoted, n));
    resinfo_end_piece(info);
}

void resinfo_property(struct resinfo *info, const char *name, struct span value)
{
    uint8_t room[RESINFO_VALUE_MAX], quoted[RESINFO_QUOTED_MAX];
    if (value.n == 0)
        return;
    value = cut(value, room);
    if (!is_bare(value))
        value = span_of(quoted, quote(value, quoted));
    resinfo_append(info, span_from_string(name));
    resinfo_append(info, SPAN("="));
    resinfo_append(info, value);
    resinfo_end_piece(info);
}

void resinfo_line_text(struct resinfo_line *line, struct span text)
{
    if (line->out)
        buffer_append(line->out, text);
    line->column += text.n;
    line->total += text.n;
}

void resinfo_line_value(struct resinfo_line *line, struct span value)
{
    uint8_t room[RESINFO_VALUE_MAX], quoted[RESINFO_QUOTED_MAX];
    value = cut(value, room);
    if (!is_token(value))
        value = span_of(quoted, quote(value, quoted));
    resinfo_line_text(line, value);
}

static void line_break(struct resinfo_line *line)
{
    resinfo_line_text(line, SPAN("\r\n"));
    line->column = 0;
}

/* Future proofing: today no line begins with a long piece; if one did, breaking the fresh line once
 * more would write an empty line, which ends the header. */
void resinfo_line_piece(struct resinfo_line *line, struct span piece)
{
    if (line->fold && line->column && line->column + strlen(" ;") + piece.n > RESINFO_LINE)
        line_break(line);
    resinfo_line_text(line, SPAN(" "));
    resinfo_line_text(line, piece);
}

void resinfo_line_add(struct resinfo_line *line, const struct resinfo *info)
{
    resinfo_line_text(line, SPAN(";"));
    if (line->fold)
        line_break(line);
    size_t begin = 0;
    for (uint32_t i = 0; i < info->count; i++) {
        resinfo_line_piece(line, span_of(info->text + begin, info->ends[i] - begin));
        begin = info->ends[i];
    }
}

size_t resinfo_cost(const struct resinfo *info)
{
    struct resinfo_line count = {.fold = true};
    resinfo_line_add(&count, info);
    return count.total;
}
