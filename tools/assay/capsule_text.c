/*
 * Octets in JSON. What is UTF-8 without control characters is a string that people can read; all
 * else is base64, so that nothing is lost and nothing speaks to a terminal (security.md J08).
 */
#include "base/base64.h"
#include "capsule.h"
#include "verdict/json.h"

static const struct span crlf = {(const uint8_t *)"\r\n", 2};

/* CR and LF stand escaped in the string: a bare one is what people want to see. */
static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
            return true;
        if (c == 0xc2 && i + 1 < text.n && text.p[i + 1] < 0xa0) /* C1 */
            return true;
    }
    return false;
}

static bool is_readable(struct span text)
{
    if (has_control(text))
        return false;
    json_t *string = json_stringn(text.n ? (const char *)text.p : "", text.n);
    json_decref(string);
    return string != NULL; /* NULL also without memory, where base64 does as well */
}

static void put_base64(struct jsonw *json, const char *key, struct span text)
{
    size_t n = BASE64_ENCODED_LENGTH(text.n);
    jsonw_object_open(json, key);
    jsonw_span(json, "base64", (struct span){NULL, 0});
    if (json->out->failed)
        return;
    json->out->n--; /* in front of the closing quote */
    uint8_t *room = buffer_reserve(json->out, n);
    if (room) {
        base64_encode(text, (char *)room);
        buffer_commit(json->out, n);
    }
    buffer_append_byte(json->out, '"');
    jsonw_object_close(json);
}

void capsule_put_text(struct jsonw *json, const char *key, struct span text)
{
    if (!text.p)
        jsonw_null(json, key);
    else if (is_readable(text))
        jsonw_span(json, key, text);
    else
        put_base64(json, key, text);
}

/* Octets in front of the next CRLF. */
static size_t line_length(struct span text)
{
    const uint8_t *at = text.n ? memmem(text.p, text.n, crlf.p, crlf.n) : NULL;
    return at ? (size_t)(at - text.p) : text.n;
}

static size_t count_lines(struct span text)
{
    size_t lines = 1;
    for (;;) {
        size_t n = line_length(text);
        if (n == text.n || lines > CAPSULE_LINES_MAX)
            return lines;
        text = span_skip(text, n + crlf.n);
        lines++;
    }
}

void capsule_put_lines(struct jsonw *json, const char *key, struct span text)
{
    if (count_lines(text) > CAPSULE_LINES_MAX) {
        put_base64(json, key, text);
        return;
    }
    jsonw_array_open(json, key);
    for (;;) {
        size_t n = line_length(text);
        capsule_put_text(json, NULL, span_of(text.p ? text.p : crlf.p, n));
        if (n == text.n)
            break;
        text = span_skip(text, n + crlf.n);
    }
    jsonw_array_close(json);
}

bool capsule_text(const json_t *value, struct arena *arena, struct span *text)
{
    const json_t *string = json_is_object(value) ? json_object_get(value, "base64") : value;
    if (!json_is_string(string))
        return false;
    *text = span_of(json_string_value(string), json_string_length(string));
    if (string == value)
        return true;
    size_t capacity = BASE64_DECODED_MAX(text->n), n = 0;
    uint8_t *bytes = arena_alloc(arena, capacity);
    if (!bytes || !base64_decode(*text, bytes, capacity, &n))
        return false;
    *text = span_of(bytes, n);
    return true;
}

static bool append_line(const json_t *line, struct arena *arena, struct buffer *out)
{
    struct span text;
    if (!capsule_text(line, arena, &text))
        return false;
    buffer_append(out, text);
    return !out->failed;
}

bool capsule_lines(const json_t *value, struct arena *arena, struct span *text)
{
    const json_t *line;
    struct buffer out;
    size_t i;
    if (!json_is_array(value))
        return capsule_text(value, arena, text);
    bool good = json_array_size(value) > 0;
    buffer_init(&out, CAPSULE_BYTES_MAX);
    json_array_foreach(value, i, line)
    {
        if (i)
            buffer_append(&out, crlf);
        good = good && append_line(line, arena, &out);
    }
    uint8_t *bytes = good ? arena_alloc(arena, out.n + 1) : NULL;
    if (bytes && out.n)
        memcpy(bytes, out.p, out.n);
    *text = span_of(bytes, out.n);
    buffer_fini(&out);
    return bytes != NULL;
}
