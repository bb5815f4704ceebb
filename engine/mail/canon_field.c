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

static bool is_gap(uint8_t c)
{
    return char_is_wsp(c) || c == '\r' || c == '\n';
}

/* No blank or CRLF of one part meets one of the other. Bare CR and LF count as if they did. */
static bool parts_are_apart(struct span before, struct span after)
{
    return before.n == 0 || after.n == 0 || !(is_gap(before.p[before.n - 1]) || is_gap(after.p[0]));
}

/* The kernel for all of a field; returns where it ended, or NULL where somebody has to look
 * closely. Names are not that long, and no blank follows them, as a rule. */
static inline uint8_t *relaxed_at_once(const struct mail_field *field, struct span before,
                                       struct span after, uint8_t *out)
{
    size_t head = field->name.n + 1;
    if (before.p != field->name.p + head || head >= SIMD_BLOCK || !parts_are_apart(before, after))
        return NULL;
    size_t n = simd_text()->relax_field(field->name.p, head + before.n, head, out);
    if (n == SIZE_MAX || after.n == 0)
        return n == SIZE_MAX ? NULL : out + n;
    size_t rest = simd_text()->relax_field(after.p, after.n, 0, out + n);
    return rest == SIZE_MAX ? NULL : out + n + rest;
}

/* Rare, so apart: it is what needs a frame. */
static NOINLINE uint8_t *relaxed_closely(const struct mail_field *field, struct span before,
                                         struct span after, uint8_t *out)
{
    for (size_t i = 0; i < field->name.n; i++)
        *out++ = ascii_lower(field->name.p[i]);
    *out++ = ':';
    struct relaxed_value value = {.out = out};
    relaxed_octets(&value, before);
    relaxed_octets(&value, after);
    return value.out;
}

/* DV-24 */
static void canon_field_relaxed(const struct mail_field *field, struct span before,
                                struct span after, struct buffer *out)
{
    uint8_t *begin = buffer_reserve(out, field->raw.n + 2 + SIMD_SLACK);
    if (!begin)
        return;
    uint8_t *p = relaxed_at_once(field, before, after, begin);
    if (!p)
        p = relaxed_closely(field, before, after, begin);
    memcpy(p, "\r\n", 2);
    buffer_commit(out, (size_t)(p + 2 - begin));
}

/* DV-23 */
static void canon_field_simple(const struct mail_field *field, struct span before,
                               struct span after, struct buffer *out)
{
    buffer_append(out, span_slice(field->raw, 0, (size_t)(field->value.p - field->raw.p)));
    buffer_append(out, before);
    buffer_append(out, after);
    buffer_append(out, SPAN("\r\n"));
}

void canon_field(enum canon canon, const struct mail_field *field, struct span cut,
                 struct buffer *out)
{
    struct span value = field->value;
    size_t from = cut.n ? (size_t)(cut.p - value.p) : value.n;
    assert(from <= value.n && cut.n <= value.n - from);
    struct span before = span_of(value.p, from);
    struct span after = span_skip(value, from + cut.n);
    if (canon == CANON_RELAXED)
        canon_field_relaxed(field, before, after, out);
    else
        canon_field_simple(field, before, after, out);
}
