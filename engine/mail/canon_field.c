/*
 * Header fields in canonical form (RFC 6376 3.4.1, 3.4.2). Linear in the field; a field's CRLFs are
 * folds by construction (header.c cuts at every other), so relaxed drops each of them.
 */
#include "base/chars.h"
#include "mail/canon.h"
#include "simd/text.h"

struct relaxed_value
{
    uint8_t *out;
    bool wsp;   /* blanks are due, if more text follows */
    bool begun; /* text has been written: blanks before it are dropped */
};

static bool is_crlf(struct span s)
{
    return s.n >= 2 && s.p[0] == '\r' && s.p[1] == '\n';
}

/* Octet by octet: blanks and folds are one blank, none at the ends; a bare CR is text. */
static void relaxed_octets(struct relaxed_value *value, struct span part)
{
    while (part.n) {
        uint8_t c = part.p[0];
        if (is_crlf(part)) {
            part = span_skip(part, 2);
            continue;
        }
        part = span_skip(part, 1);
        if (char_is_wsp(c)) {
            value->wsp = true;
            continue;
        }
        if (value->wsp && value->begun)
            *value->out++ = ' ';
        *value->out++ = c;
        value->wsp = false;
        value->begun = true;
    }
}

/* Takes blanks and CRLFs off both ends; says whether blanks were among them. */
static struct span trim_gaps(struct span s, bool *wsp_before, bool *wsp_behind)
{
    for (size_t n; s.n && (n = is_crlf(s) ? 2 : char_is_wsp(s.p[0])) != 0; s = span_skip(s, n))
        *wsp_before |= n == 1;
    while (s.n) {
        bool wsp = char_is_wsp(s.p[s.n - 1]);
        if (!wsp && (s.n < 2 || !is_crlf(span_skip(s, s.n - 2))))
            break;
        *wsp_behind |= wsp;
        s.n -= wsp ? 1 : 2;
    }
    return s;
}

/* The same by the kernel, which wants text at both ends. */
static void relaxed_part(struct relaxed_value *value, struct span part)
{
    bool behind = false;
    struct span text = trim_gaps(part, &value->wsp, &behind);
    uint8_t *out = value->out;
    if (text.n) {
        if (value->wsp && value->begun)
            *out++ = ' ';
        size_t n = simd_text()->relax_field(text.p, text.n, out);
        if (n == SIZE_MAX) {
            relaxed_octets(value, text);
            value->wsp |= behind;
            return;
        }
        value->out = out + n;
        value->begun = true;
        value->wsp = false;
    }
    value->wsp |= behind;
}

/* Eight octets at a time where the field has them; what follows the name is written over. */
static void write_name(const struct mail_field *field, uint8_t *out)
{
    const uint8_t *name = field->name.p;
    size_t i = 0;
    for (; i < field->name.n && field->raw.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, name + i, sizeof word);
        word = ascii_lower8(word);
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < field->name.n; i++)
        out[i] = ascii_lower(name[i]);
}

/* DV-24 */
static void canon_field_relaxed(const struct mail_field *field, struct span before,
                                struct span after, struct buffer *out)
{
    uint8_t *begin = buffer_reserve(out, field->raw.n + 2);
    if (!begin)
        return;
    uint8_t *p = begin;
    write_name(field, p);
    p += field->name.n;
    *p++ = ':';
    struct relaxed_value value = {.out = p};
    relaxed_part(&value, before);
    if (after.n)
        relaxed_part(&value, after);
    memcpy(value.out, "\r\n", 2);
    buffer_commit(out, (size_t)(value.out + 2 - begin));
}

void canon_field(enum canon canon, const struct mail_field *field, struct span cut,
                 struct buffer *out)
{
    struct span value = field->value;
    size_t from = cut.n ? (size_t)(cut.p - value.p) : value.n;
    assert(from <= value.n && cut.n <= value.n - from);
    struct span before = span_slice(value, 0, from);
    struct span after = cut.n ? span_skip(value, from + cut.n) : span_slice(value, from, from);
    if (canon == CANON_RELAXED) {
        canon_field_relaxed(field, before, after, out);
        return;
    }
    /* DV-23 */
    buffer_append(out, span_slice(field->raw, 0, (size_t)(value.p - field->raw.p)));
    buffer_append(out, before);
    buffer_append(out, after);
    buffer_append(out, SPAN("\r\n"));
}
