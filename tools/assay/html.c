#include "html.h"

void html_raw(struct buffer *out, const char *markup)
{
    buffer_append_string(out, markup);
}

/* Length of the UTF-8 sequence at the beginning, its character in *c; 0: there is none. Overlong
 * forms and surrogates are none. */
static size_t read_utf8(struct span text, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.p[0];
    size_t n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    *c = n == 1 ? first : first & (0x7fU >> n);
    if (n == 0 || n > text.n || first > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((text.p[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (text.p[i] & 0x3fU);
    }
    bool surrogate = *c >= 0xd800 && *c <= 0xdfff;
    return (n > 1 && *c < least[n]) || surrogate || *c > 0x10ffff ? 0 : n;
}

/* Controls, directions, what has no width, tags. */
static bool is_hidden(uint32_t c)
{
    static const struct
    {
        uint32_t from, to;
    } ranges[] = {{0, 8},           {0x0b, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},
                  {0x61c, 0x61c},   {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},
                  {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

static const char *entity(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_span(struct buffer *out, struct span text)
{
    while (text.n) {
        uint32_t c;
        size_t n = read_utf8(text, &c);
        const char *name = n == 1 ? entity(c) : NULL;
        if (c == '\r' && text.n > 1 && text.p[1] == '\n')
            ; /* CRLF is a line's end */
        else if (n == 0)
            buffer_printf(out, "<span class=\"esc\">\\x%02x</span>", text.p[0]);
        else if (is_hidden(c))
            buffer_printf(out, "<span class=\"esc\">\\u{%04X}</span>", (unsigned)c);
        else if (name)
            buffer_append_string(out, name);
        else
            buffer_append(out, span_slice(text, 0, n));
        text = span_skip(text, n ? n : 1);
    }
}

void html_text(struct buffer *out, const char *text)
{
    html_span(out, span_from_string(text));
}

void html_json(struct buffer *out, const json_t *value)
{
    if (json_is_string(value))
        html_span(out, span_of(json_string_value(value), json_string_length(value)));
    if (json_is_integer(value))
        buffer_printf(out, "%lld", json_integer_value(value));
}

static void open_tag(struct buffer *out, const char *tag, const char *class)
{
    buffer_append_byte(out, '<');
    html_raw(out, tag);
    if (class) {
        html_raw(out, " class=\"");
        html_raw(out, class);
        html_raw(out, "\"");
    }
    buffer_append_byte(out, '>');
}

static void close_tag(struct buffer *out, const char *tag)
{
    html_raw(out, "</");
    html_raw(out, tag);
    html_raw(out, ">\n");
}

void html_element(struct buffer *out, const char *tag, const char *class, const json_t *value)
{
    if (!json_is_string(value) && !json_is_integer(value))
        return;
    open_tag(out, tag, class);
    html_json(out, value);
    close_tag(out, tag);
}

void html_element_text(struct buffer *out, const char *tag, const char *class, const char *text)
{
    open_tag(out, tag, class);
    html_text(out, text);
    close_tag(out, tag);
}
