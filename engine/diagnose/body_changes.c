/*
 * Changes of the whole body that can be undone: line ends, blanks, quoting, transfer encodings. One
 * row of the table for each; behind each also what was appended is looked for, since lists do both.
 */
#include "base/chars.h"
#include "diagnose/body_search.h"
#include "diagnose/transfer.h"

enum
{
    GROWTH = 4, /* a body encoded anew is at most this much longer */
    LONG_LINE = 900,
};

/* Puts into `out` what the body may have been. False: it was not, nothing to try. */
typedef bool undo(const struct body_search *bodies, struct buffer *out);

static bool undo_bare_lf(const struct body_search *bodies, struct buffer *out)
{
    struct span body = bodies->body;
    for (size_t i = 0; i < body.n; i++)
        if (body.p[i] != '\r' || i + 1 == body.n || body.p[i + 1] != '\n')
            buffer_append_byte(out, body.p[i]);
    return out->n < body.n;
}

/* The same, but for the last line end, which a program wrote in another way. */
static bool undo_bare_lf_inside(const struct body_search *bodies, struct buffer *out)
{
    struct span body = bodies->body;
    if (!undo_bare_lf(bodies, out) || body.n < 2 || memcmp(body.p + body.n - 2, "\r\n", 2) != 0)
        return false;
    out->n--;
    buffer_append(out, SPAN("\r\n"));
    return true;
}

/* CR CR LF, CR and LF alone: each one line end. */
static bool undo_broken_ends(const struct body_search *bodies, struct buffer *out)
{
    struct span body = bodies->body;
    bool changed = false;
    for (size_t i = 0; i < body.n; i++) {
        uint8_t c = body.p[i];
        if (c != '\r' && c != '\n') {
            buffer_append_byte(out, c);
            continue;
        }
        size_t n = 1;
        while (c == '\r' && i + n < body.n && body.p[i + n] == '\r' && n < 3)
            n++;
        if (c == '\r' && i + n < body.n && body.p[i + n] == '\n')
            n++;
        changed = changed || n != 2 || c != '\r';
        buffer_append(out, SPAN("\r\n"));
        i += n - 1;
    }
    return changed;
}

/* Calls `line` for each line (without its end) and puts the ends back. */
static bool each_line(struct span body, struct buffer *out,
                      struct span (*line)(struct span text, struct buffer *out))
{
    bool changed = false;
    for (size_t at = 0; at < body.n;) {
        size_t end = mime_line_end(body, at), text_end = end;
        if (text_end > at && body.p[text_end - 1] == '\n')
            text_end--;
        if (text_end > at && body.p[text_end - 1] == '\r')
            text_end--;
        size_t before = out->n;
        struct span text = span_slice(body, at, text_end);
        struct span kept = line(text, out);
        buffer_append(out, kept);
        changed = changed || kept.n != text.n || out->n - before != text.n;
        buffer_append(out, span_slice(body, text_end, end));
        at = end;
    }
    return changed;
}

static struct span without_trailing_blanks(struct span text, struct buffer *out)
{
    (void)out;
    while (text.n && char_is_wsp(text.p[text.n - 1]))
        text.n--;
    return text;
}

static bool undo_trailing_blanks(const struct body_search *bodies, struct buffer *out)
{
    return each_line(bodies->body, out, without_trailing_blanks);
}

/* The line above a signature lost its blank. */
static struct span with_signature_blank(struct span text, struct buffer *out)
{
    if (!span_equal(text, SPAN("--")))
        return text;
    buffer_append(out, SPAN("-- "));
    return (struct span){NULL, 0};
}

static bool undo_stripped_blanks(const struct body_search *bodies, struct buffer *out)
{
    return each_line(bodies->body, out, with_signature_blank);
}

static struct span without_quote(struct span text, struct buffer *out)
{
    (void)out;
    size_t n = 0;
    while (n < text.n && text.p[n] == '>')
        n++;
    bool quoted = n > 0 && text.n >= n + 5 && memcmp(text.p + n, "From ", 5) == 0;
    return quoted ? span_skip(text, 1) : text;
}

static bool undo_from_quoting(const struct body_search *bodies, struct buffer *out)
{
    return each_line(bodies->body, out, without_quote);
}

static struct span without_dot(struct span text, struct buffer *out)
{
    (void)out;
    return text.n >= 2 && text.p[0] == '.' && text.p[1] == '.' ? span_skip(text, 1) : text;
}

static bool undo_dots(const struct body_search *bodies, struct buffer *out)
{
    return each_line(bodies->body, out, without_dot);
}

static bool undo_leading_lines(const struct body_search *bodies, struct buffer *out)
{
    struct span body = bodies->body;
    size_t at = 0;
    while (at + 1 < body.n && body.p[at] == '\r' && body.p[at + 1] == '\n')
        at += 2;
    buffer_append(out, span_skip(body, at));
    return at > 0;
}

static bool undo_lost_leading_line(const struct body_search *bodies, struct buffer *out)
{
    buffer_append(out, SPAN("\r\n"));
    buffer_append(out, bodies->body);
    return true;
}

/* Sendmail breaks a long line with "!" CRLF SP. */
static bool undo_sendmail_breaks(const struct body_search *bodies, struct buffer *out)
{
    struct span body = bodies->body;
    for (size_t at = 0; at < body.n; at++) {
        bool broken = at + 4 <= body.n && memcmp(body.p + at, "!\r\n ", 4) == 0;
        if (broken)
            at += 3;
        else
            buffer_append_byte(out, body.p[at]);
    }
    return out->n < body.n;
}

/* Behind a long line: CRLF, for Postfix with a SP behind it (smtp_line_length_limit). */
static bool undo_breaks(struct span body, size_t blanks, struct buffer *out)
{
    for (size_t at = 0; at < body.n;) {
        size_t end = mime_line_end(body, at);
        bool is_long = end - at >= LONG_LINE && body.p[end - 1] == '\n' && body.p[end - 2] == '\r';
        bool blank = end < body.n && body.p[end] == ' ';
        bool broken = is_long && (blanks == 0 || blank);
        buffer_append(out, span_slice(body, at, broken ? end - 2 : end));
        at = broken ? end + blanks : end;
    }
    return out->n < body.n;
}

static bool undo_postfix_breaks(const struct body_search *bodies, struct buffer *out)
{
    return undo_breaks(bodies->body, 1, out);
}

static bool undo_plain_breaks(const struct body_search *bodies, struct buffer *out)
{
    return undo_breaks(bodies->body, 0, out);
}

/* --- transfer encodings --- */

struct form
{
    enum mime_encoding encoding;
    enum quoted_style style;
    size_t width;
    const char *word; /* in the part's field */
};

static const struct form forms[] = {
    {MIME_IDENTITY, QUOTED_PLAIN, 0, "8bit"},
    {MIME_IDENTITY, QUOTED_PLAIN, 0, "7bit"},
    {MIME_QUOTED_PRINTABLE, QUOTED_PLAIN, 0, "quoted-printable"},
    {MIME_QUOTED_PRINTABLE, QUOTED_STRICT, 0, "quoted-printable"},
    {MIME_BASE64, QUOTED_PLAIN, 76, "base64"},
    {MIME_BASE64, QUOTED_PLAIN, 72, "base64"},
    {MIME_BASE64, QUOTED_PLAIN, 64, "base64"},
    {MIME_BASE64, QUOTED_PLAIN, 60, "base64"},
    {MIME_IDENTITY, QUOTED_PLAIN, 0, NULL}, /* its part had no such field */
};

static void append_crlf(struct span text, struct buffer *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
            buffer_append_byte(out, '\r');
        buffer_append_byte(out, text.p[i]);
    }
}

/* `text` decoded and encoded anew; `plain` is scratch. */
static bool convert(struct span text, enum mime_encoding from, const struct form *form,
                    struct buffer *plain, struct buffer *out)
{
    buffer_reset(plain);
    if (from == MIME_BASE64 && !transfer_decode_base64(text, plain))
        return false;
    if (from == MIME_QUOTED_PRINTABLE)
        transfer_decode_quoted(text, plain);
    if (from == MIME_IDENTITY)
        buffer_append(plain, text);
    struct span decoded = buffer_span(plain);
    if (form->encoding == MIME_IDENTITY)
        append_crlf(decoded, out);
    else if (form->encoding == MIME_BASE64)
        transfer_encode_base64(decoded, form->width, out);
    else
        transfer_encode_quoted(decoded, form->style, out);
    return !plain->failed;
}

/* The fields of a part with another encoding named in them, or without the field. */
static void append_fields(struct span body, const struct mime_part *part, const struct form *form,
                          struct buffer *out)
{
    struct span value = part->encoding_value;
    size_t from = (size_t)(value.p - body.p), to = from + value.n;
    if (!form->word) {
        size_t lf = span_find_last(span_slice(body, part->line, from), '\n');
        from = part->line + lf + 1;
        to = mime_line_end(body, to);
    }
    buffer_append(out, span_slice(body, part->line, from));
    if (form->word)
        buffer_append_string(out, form->word);
    buffer_append(out, span_slice(body, to, part->content));
}

static bool converts_part(const struct mime_part *part, const struct form *form)
{
    bool same_word =
        form->word && span_equal_fold(part->encoding_value, span_from_string(form->word));
    bool same_kind = part->encoding == MIME_IDENTITY && form->encoding == MIME_IDENTITY;
    return part->text && part->encoding_value.n && !same_word && !same_kind;
}

/* Every text part that has another encoding. */
static bool convert_parts(const struct body_search *bodies, const struct form *form,
                          struct buffer *plain, struct buffer *out)
{
    struct span body = bodies->body;
    size_t at = 0;
    for (uint32_t i = 0; i < bodies->mime.count; i++) {
        const struct mime_part *part = &bodies->mime.parts[i];
        if (!converts_part(part, form))
            continue;
        buffer_append(out, span_slice(body, at, part->line));
        append_fields(body, part, form, out);
        if (!convert(span_slice(body, part->content, part->end), part->encoding, form, plain, out))
            return false;
        /* An encoder ends its last line; the CRLF of the boundary is there already. */
        if (form->encoding == MIME_BASE64 && out->n >= 2)
            out->n -= 2;
        at = part->end;
    }
    buffer_append(out, span_skip(body, at));
    return at > 0;
}

static bool convert_body(const struct body_search *bodies, const struct form *form,
                         struct buffer *out)
{
    struct buffer plain;
    bool whole = bodies->mime.count == 0;
    bool both_plain = bodies->mime.encoding == MIME_IDENTITY && form->encoding == MIME_IDENTITY;
    if (whole && (both_plain || !form->word || strcmp(form->word, "7bit") == 0))
        return false;
    buffer_init(&plain, GROWTH * bodies->body.n + 1024);
    bool done = whole ? convert(bodies->body, bodies->mime.encoding, form, &plain, out)
                      : convert_parts(bodies, form, &plain, out);
    buffer_fini(&plain);
    return done && !span_equal(buffer_span(out), bodies->body);
}

/* --- the table --- */

static const struct change
{
    enum diagnose_cause cause;
    undo *undo;
    const char *before, *after;
} changes[] = {
    {CAUSE_BARE_LF, undo_bare_lf, "LF", "CRLF"},
    {CAUSE_BARE_LF, undo_bare_lf_inside, "LF", "CRLF"},
    {CAUSE_BARE_LF, undo_broken_ends, "CRLF", "bare CR or LF"},
    {CAUSE_TRAILING_BLANKS, undo_trailing_blanks, "no blanks at line ends", "blanks"},
    {CAUSE_TRAILING_BLANKS, undo_stripped_blanks, "\"-- \"", "\"--\""},
    {CAUSE_BLANK_LINES, undo_leading_lines, "no empty line in front", "empty lines in front"},
    {CAUSE_BLANK_LINES, undo_lost_leading_line, "an empty line in front", "none"},
    {CAUSE_FROM_QUOTED, undo_from_quoting, "From ", ">From "},
    {CAUSE_DOTS, undo_dots, ".", ".."},
    {CAUSE_LINES_WRAPPED, undo_sendmail_breaks, "long lines", "broken with \"!\""},
    {CAUSE_LINES_WRAPPED, undo_postfix_breaks, "long lines", "broken lines"},
    {CAUSE_LINES_WRAPPED, undo_plain_breaks, "long lines", "broken lines"},
};

/* A footer in the changed body: `undone` is what it is looked for in. */
static bool footer_behind(struct body_search *bodies, struct span undone)
{
    struct span received = bodies->body;
    bodies->body = undone;
    cuts_at_the_end(bodies);
    bool found = cuts_try(bodies, MAX_DIAGNOSE_BYTES / 32, false);
    bodies->body = received;
    return found;
}

static bool try_change(struct body_search *bodies, enum diagnose_cause cause, const char *before,
                       const char *after, struct span undone)
{
    uint32_t count = bodies->search->out->count;
    if (!body_pieces_match(bodies, &undone, 1) && !footer_behind(bodies, undone))
        return false;
    struct diagnosis *out = bodies->search->out;
    if (out->count > count && out->findings[out->count - 1].cause == CAUSE_BLANK_LINES &&
        cause == CAUSE_TRAILING_BLANKS)
        out->count--;
    struct diagnose_finding *finding = search_note(bodies->search, cause, true);
    finding->before = span_from_string(before);
    finding->after = span_from_string(after);
    return true;
}

static const char *encoding_word(const struct body_search *bodies)
{
    enum mime_encoding encoding = bodies->mime.encoding;
    for (uint32_t i = 0; i < bodies->mime.count && encoding == MIME_IDENTITY; i++)
        encoding = bodies->mime.parts[i].encoding;
    if (encoding == MIME_BASE64)
        return "base64";
    return encoding == MIME_QUOTED_PRINTABLE ? "quoted-printable" : "8bit";
}

static bool try_table(struct body_search *bodies, struct buffer *out)
{
    for (size_t i = 0; i < COUNT_OF(changes) && !search_is_over(bodies->search); i++) {
        const struct change *change = &changes[i];
        buffer_reset(out);
        if (!search_try(bodies->search, bodies->body.n)) /* rewriting costs as much as hashing */
            return false;
        if (change->undo(bodies, out) && !out->failed &&
            try_change(bodies, change->cause, change->before, change->after, buffer_span(out)))
            return true;
    }
    return false;
}

static bool try_encodings(struct body_search *bodies, struct buffer *out)
{
    for (size_t i = 0; i < COUNT_OF(forms) && !search_is_over(bodies->search); i++) {
        const char *before = forms[i].word ? forms[i].word : "nothing";
        buffer_reset(out);
        if (!search_try(bodies->search, bodies->body.n))
            return false;
        if (convert_body(bodies, &forms[i], out) && !out->failed &&
            try_change(bodies, CAUSE_TRANSFER_ENCODING, before, encoding_word(bodies),
                       buffer_span(out)))
            return true;
    }
    return false;
}

bool changes_try(struct body_search *bodies)
{
    struct buffer out;
    buffer_init(&out, GROWTH * bodies->body.n + 1024);
    bool found = try_table(bodies, &out) || try_encodings(bodies, &out);
    buffer_fini(&out);
    return found;
}
