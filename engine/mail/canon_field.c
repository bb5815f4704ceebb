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

/* Takes blanks and CRLFs off both ends. */
static inline struct span trim_gaps(struct span s)
{
    for (size_t n; s.n && (n = is_crlf(s) ? 2 : char_is_wsp(s.p[0])) != 0;)
        s = span_of(s.p + n, s.n - n);
    while (s.n && is_gap(s.p[s.n - 1])) {
        if (!char_is_wsp(s.p[s.n - 1]) && (s.n < 2 || !is_crlf(span_skip(s, s.n - 2))))
            break;
        s.n -= char_is_wsp(s.p[s.n - 1]) ? 1 : 2;
    }
    return s;
}

/* The same by the kernel, which wants text at both ends: returns where it ended, or NULL where it
 * wants somebody to look closely. */
static inline uint8_t *relaxed_text(struct span part, uint8_t *out)
{
    struct span text = trim_gaps(part);
    if (text.n == 0)
        return out;
    size_t n = simd_text()->relax_field(text.p, text.n, out);
    return n == SIZE_MAX ? NULL : out + n;
}

/* No blank or CRLF of one part meets one of the other. Bare CR and LF count as if they did. */
static bool parts_are_apart(struct span before, struct span after)
{
    return before.n == 0 || after.n == 0 || !(is_gap(before.p[before.n - 1]) || is_gap(after.p[0]));
}

static uint8_t *write_value(struct span before, struct span after, uint8_t *out)
{
    if (parts_are_apart(before, after)) {
        uint8_t *end = relaxed_text(before, out);
        end = end && after.n ? relaxed_text(after, end) : end;
        if (end)
            return end;
    }
    struct relaxed_value value = {.out = out};
    relaxed_octets(&value, before);
    relaxed_octets(&value, after);
    return value.out;
}

/* Eight octets at a time where the field has them; what follows the name is written over. */
static inline void write_name(const struct mail_field *field, uint8_t *out)
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
    uint8_t *begin = buffer_reserve(out, field->raw.n + 2 + SIMD_SLACK);
    if (!begin)
        return;
    write_name(field, begin);
    uint8_t *p = begin + field->name.n;
    *p++ = ':';
    p = write_value(before, after, p);
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
