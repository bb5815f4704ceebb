#include "diagnose/mime.h"

#include "base/chars.h"
#include "base/taglist.h"

enum
{
    BOUNDARY_MAX = 200, /* RFC 2046 5.1.1 allows 70 */
};

size_t mime_line_end(struct span body, size_t at)
{
    size_t n = span_find(span_skip(body, at), '\n');
    return at + n < body.n ? at + n + 1 : body.n;
}

static bool is_empty_line(struct span line)
{
    return line.n == 0 || line.p[0] == '\n' ||
           (line.n >= 2 && line.p[0] == '\r' && line.p[1] == '\n');
}

struct span mime_field(struct span fields, struct span name)
{
    for (size_t at = 0; at < fields.n;) {
        size_t end = mime_line_end(fields, at);
        struct span line = span_slice(fields, at, end);
        while (end < fields.n && char_is_wsp(fields.p[end]))
            end = mime_line_end(fields, end);
        if (span_starts_fold(line, name) && line.n > name.n && line.p[name.n] == ':')
            return taglist_trim(span_slice(fields, at + name.n + 1, end));
        at = end;
    }
    return (struct span){NULL, 0};
}

enum mime_encoding mime_encoding_read(struct span value)
{
    if (span_equal_fold(value, SPAN("quoted-printable")))
        return MIME_QUOTED_PRINTABLE;
    return span_equal_fold(value, SPAN("base64")) ? MIME_BASE64 : MIME_IDENTITY;
}

static void add_boundary(struct mime *mime, struct span boundary)
{
    if (boundary.n == 0 || boundary.n > BOUNDARY_MAX || mime->boundary_count == MIME_BOUNDARIES_MAX)
        return;
    for (uint32_t i = 0; i < mime->boundary_count; i++)
        if (span_equal(mime->boundaries[i], boundary))
            return;
    mime->boundaries[mime->boundary_count++] = boundary;
}

/* boundary="..." or boundary=token, at the beginning of `text` */
static void read_boundary(struct mime *mime, struct span text)
{
    bool quoted = text.n && text.p[0] == '"';
    text = span_skip(text, quoted ? 1 : 0);
    size_t n = 0;
    while (n < text.n && n <= BOUNDARY_MAX && text.p[n] != '\r' && text.p[n] != '\n' &&
           (quoted ? text.p[n] != '"' : text.p[n] != ';' && !char_is_wsp(text.p[n])))
        n++;
    add_boundary(mime, span_slice(text, 0, n));
}

static void find_boundaries(struct mime *mime, struct span text)
{
    static const struct span word = SPAN("boundary=");
    for (size_t at = 0; at < text.n && mime->boundary_count < MIME_BOUNDARIES_MAX;) {
        at += span_find(span_skip(text, at), '=');
        if (at >= word.n - 1 && at < text.n &&
            span_equal_fold(span_slice(text, at + 1 - word.n, at + 1), word))
            read_boundary(mime, span_skip(text, at + 1));
        at++;
    }
}

/* dash-boundary = "--" boundary, and "--" behind the last                   RFC 2046 5.1.1 */
static bool is_boundary_line(const struct mime *mime, struct span line, uint32_t *which)
{
    if (line.n < 3 || line.p[0] != '-' || line.p[1] != '-')
        return false;
    line = taglist_trim(span_skip(line, 2));
    for (uint32_t i = 0; i < mime->boundary_count; i++) {
        struct span boundary = mime->boundaries[i];
        bool longer = line.n == boundary.n + 2 && memcmp(line.p + boundary.n, "--", 2) == 0;
        if ((line.n == boundary.n || longer) && memcmp(line.p, boundary.p, boundary.n) == 0) {
            *which = i;
            return true;
        }
    }
    return false;
}

static size_t before_line_end(struct span body, size_t from, size_t at)
{
    if (at > from && body.p[at - 1] == '\n')
        at--;
    if (at > from && body.p[at - 1] == '\r')
        at--;
    return at;
}

/* The part between its boundary line and the next. */
static void read_part(struct span body, struct mime_part *part)
{
    size_t at = part->fields;
    while (at < part->next && !is_empty_line(span_slice(body, at, part->next)))
        at = mime_line_end(body, at);
    struct span fields = span_slice(body, part->fields, at < part->next ? at : part->next);
    part->content = at < part->next ? mime_line_end(body, at) : part->next;
    if (part->content > part->next)
        part->content = part->next;
    part->end = before_line_end(body, part->content, part->next);
    part->type = mime_field(fields, SPAN("Content-Type"));
    part->encoding_value = mime_field(fields, SPAN("Content-Transfer-Encoding"));
    part->encoding = mime_encoding_read(part->encoding_value);
    part->text = part->type.n == 0 || span_starts_fold(part->type, SPAN("text/"));
}

static void find_parts(struct mime *mime, struct span body)
{
    for (size_t at = 0; at < body.n;) {
        uint32_t which = 0;
        size_t end = mime_line_end(body, at);
        if (is_boundary_line(mime, span_slice(body, at, end), &which)) {
            if (mime->count == MAX_DIAGNOSE_PARTS) {
                mime->cut = true;
                return;
            }
            mime->parts[mime->count++] =
                (struct mime_part){.line = at, .fields = end, .boundary = which};
        }
        at = end;
    }
}

void mime_read(const struct mail_header *header, struct span body, struct mime *mime)
{
    const struct mail_field *type = mail_header_lowest(header, SPAN("Content-Type"));
    const struct mail_field *encoding =
        mail_header_lowest(header, SPAN("Content-Transfer-Encoding"));
    *mime = (struct mime){.count = 0};
    if (encoding)
        mime->encoding = mime_encoding_read(taglist_trim(encoding->value));
    if (!type)
        return;
    find_boundaries(mime, type->value);
    if (mime->boundary_count == 0)
        return;
    find_boundaries(mime, body);
    find_parts(mime, body);
    for (uint32_t i = 0; i < mime->count; i++) {
        mime->parts[i].next = i + 1 < mime->count ? mime->parts[i + 1].line : body.n;
        read_part(body, &mime->parts[i]);
    }
}
