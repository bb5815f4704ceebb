#include "diagnose/transfer.h"

#include "base/base64.h"
#include "base/chars.h"

enum
{
    QUOTED_LINE_MAX = 76,
    BASE64_GROUP = 57, /* octets decoded at once: a line of 76 */
};

static bool is_line_end(struct span text, size_t at)
{
    return at + 1 < text.n && text.p[at] == '\r' && text.p[at + 1] == '\n';
}

/* "=" blanks CRLF: how long it is, or 0 */
static size_t soft_break(struct span text, size_t at)
{
    size_t end = at + 1;
    while (end < text.n && char_is_wsp(text.p[end]))
        end++;
    return is_line_end(text, end) ? end + 2 - at : 0;
}

void transfer_decode_quoted(struct span text, struct buffer *out)
{
    for (size_t at = 0; at < text.n;) {
        size_t plain = span_find(span_skip(text, at), '=');
        buffer_append(out, span_slice(text, at, at + plain));
        at += plain;
        if (at == text.n)
            return;
        size_t soft = soft_break(text, at);
        int high = at + 2 < text.n ? char_hex_value(text.p[at + 1]) : -1;
        int low = high >= 0 ? char_hex_value(text.p[at + 2]) : -1;
        if (soft == 0)
            buffer_append_byte(out, low >= 0 ? (uint8_t)(high * 16 + low) : '=');
        at += soft ? soft : low >= 0 ? 3 : 1;
    }
}

bool transfer_decode_base64(struct span text, struct buffer *out)
{
    uint8_t *room = buffer_reserve(out, BASE64_DECODED_MAX(text.n));
    size_t n = 0;
    if (!room || !base64_decode(text, room, BASE64_DECODED_MAX(text.n), &n))
        return false;
    buffer_commit(out, n);
    return true;
}

static bool must_quote(struct span text, size_t at, size_t line, enum quoted_style style)
{
    uint8_t c = text.p[at];
    if (c == '=' || c > 126 || (c < 32 && c != '\t'))
        return true;
    if (char_is_wsp(c))
        return at + 1 == text.n || is_line_end(text, at + 1);
    if (style == QUOTED_PLAIN || line > 0)
        return false;
    return c == '.' || span_starts_fold(span_skip(text, at), SPAN("From "));
}

void transfer_encode_quoted(struct span text, enum quoted_style style, struct buffer *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t line = 0;
    for (size_t at = 0; at < text.n; at++) {
        if (is_line_end(text, at)) {
            buffer_append(out, SPAN("\r\n"));
            line = 0;
            at++;
            continue;
        }
        bool quote = must_quote(text, at, line, style);
        size_t width = quote ? 3 : 1;
        bool last = at + 1 == text.n || is_line_end(text, at + 1);
        if (line + width > (size_t)QUOTED_LINE_MAX - (last ? 0 : 1)) {
            buffer_append(out, SPAN("=\r\n"));
            line = 0;
        }
        uint8_t c = text.p[at];
        uint8_t escape[3] = {'=', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15]};
        buffer_append(out, quote ? span_of(escape, 3) : span_of(&c, 1));
        line += width;
    }
}

void transfer_encode_base64(struct span text, size_t width, struct buffer *out)
{
    size_t octets = width / 4 * 3;
    char line[BASE64_ENCODED_LENGTH(BASE64_GROUP)];
    assert(octets <= BASE64_GROUP);
    for (size_t at = 0; at < text.n; at += octets) {
        size_t n = text.n - at < octets ? text.n - at : octets;
        base64_encode(span_slice(text, at, at + n), line);
        buffer_append(out, span_of(line, BASE64_ENCODED_LENGTH(n)));
        buffer_append(out, SPAN("\r\n"));
    }
}
