/*
 * Header fields in canonical form (RFC 6376 3.4.1, 3.4.2). Linear in the field; a field's CRLFs are
 * folds by construction (header.c cuts at every other), so relaxed drops each of them.
 */
#include "base/bytes16.h"
#include "base/chars.h"
#include "mail/canon.h"

struct relaxed_value
{
    uint8_t *out;
    bool wsp;   /* blanks are due, if more text follows */
    bool begun; /* text has been written: blanks before it are dropped */
};

/* Bytes up to the first SP, HTAB or CR. */
static size_t text_length(struct span s)
{
    size_t i = 0;
    for (; s.n - i >= BYTES16; i += BYTES16) {
        bytes16 v = bytes16_load(s.p + i);
        bytes16 hits = bytes16_equal(v, ' ') | bytes16_equal(v, '\t') | bytes16_equal(v, '\r');
        if (bytes16_any(hits))
            return i + bytes16_first(hits);
    }
    while (i < s.n && !char_is_wsp(s.p[i]) && s.p[i] != '\r')
        i++;
    return i;
}

static void relaxed_text(struct relaxed_value *value, struct span text)
{
    if (value->wsp && value->begun)
        *value->out++ = ' ';
    memcpy(value->out, text.p, text.n);
    value->out += text.n;
    value->wsp = false;
    value->begun = true;
}

/* Blanks and folds are one blank, none at the ends; a bare CR is text. */
static void relaxed_part(struct relaxed_value *value, struct span part)
{
    while (part.n) {
        size_t n = text_length(part);
        if (n == 0 && part.p[0] != '\r') {
            value->wsp = true;
            part = span_skip(part, 1);
            continue;
        }
        if (n == 0 && part.n >= 2 && part.p[1] == '\n') {
            part = span_skip(part, 2);
            continue;
        }
        n = n ? n : 1;
        relaxed_text(value, span_slice(part, 0, n));
        part = span_skip(part, n);
    }
}

/* DV-24 */
static void canon_field_relaxed(const struct mail_field *field, struct span before,
                                struct span after, struct buffer *out)
{
    uint8_t *begin = buffer_reserve(out, field->raw.n + 2);
    if (!begin)
        return;
    uint8_t *p = begin;
    for (size_t i = 0; i < field->name.n; i++)
        *p++ = ascii_lower(field->name.p[i]);
    *p++ = ':';
    struct relaxed_value value = {.out = p};
    relaxed_part(&value, before);
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
