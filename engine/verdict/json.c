/*
 * Append-only JSON (RFC 8259). Strings are copied in runs; only a byte that needs care stops a run.
 *
 *   string    = %x22 *( unescaped / escaped ) %x22
 *   unescaped = %x20-21 / %x23-5B / %x5D-10FFFF
 *
 * More is escaped than the grammar asks: DEL and the C1 controls too, because the output is read on
 * terminals (security.md J08). Ill-formed UTF-8 becomes one U+FFFD for each maximal subpart, as
 * Unicode 3.9 recommends and RFC 3629 section 3 defines "ill-formed": no overlong forms, no
 * surrogates, nothing above U+10FFFF.
 *
 * Limits: the buffer's ceiling. Nesting is the caller's; its state is one flag, because after a
 * close a value always stands before at the outer level.
 *
 * BUGS: no floating point; keys are not escaped, they are constants of ours.
 */
#include "verdict/json.h"

#include "base/bytes16.h"

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1)

static const struct span replacement = {(const uint8_t *)"\xef\xbf\xbd", 3};

void jsonw_begin(struct jsonw *json, struct buffer *out)
{
    *json = (struct jsonw){.out = out};
}

/* Comma and key, before any value. */
static void json_value_begin(struct jsonw *json, const char *key)
{
    size_t length = key ? strlen(key) : 0;
    size_t n = json->comma + (key ? length + strlen("\"\":") : 0);
    uint8_t *at = n ? buffer_reserve(json->out, n) : NULL;
    bool comma = json->comma;
    json->comma = true;
    if (!at)
        return;
    if (comma)
        *at++ = ',';
    if (key) {
        *at = '"';
        memcpy(at + 1, key, length);
        memcpy(at + 1 + length, "\":", 2);
    }
    buffer_commit(json->out, n);
}

static void json_open(struct jsonw *json, const char *key, uint8_t bracket)
{
    json_value_begin(json, key);
    buffer_append_byte(json->out, bracket);
    json->comma = false;
}

static void json_close(struct jsonw *json, uint8_t bracket)
{
    buffer_append_byte(json->out, bracket);
    json->comma = true;
}

void jsonw_object_open(struct jsonw *json, const char *key)
{
    json_open(json, key, '{');
}

void jsonw_object_close(struct jsonw *json)
{
    json_close(json, '}');
}

void jsonw_array_open(struct jsonw *json, const char *key)
{
    json_open(json, key, '[');
}

void jsonw_array_close(struct jsonw *json)
{
    json_close(json, ']');
}

struct utf8_lead
{
    uint8_t first, last;   /* lead bytes of this row */
    uint8_t low, high;     /* what the second byte may be */
    uint8_t continuations; /* bytes behind the lead */
};

/*
 * RFC 3629 section 4:
 *   UTF8-2 = %xC2-DF UTF8-tail
 *   UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
 *            %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 *   UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) / %xF4 %x80-8F 2( UTF8-tail )
 */
static const struct utf8_lead utf8_leads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2}, {0xe1, 0xec, 0x80, 0xbf, 2},
    {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2}, {0xf0, 0xf0, 0x90, 0xbf, 3},
    {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3},
};

static const struct utf8_lead *utf8_lead_find(uint8_t c)
{
    for (size_t i = 0; i < COUNT_OF(utf8_leads); i++)
        if (c >= utf8_leads[i].first && c <= utf8_leads[i].last)
            return &utf8_leads[i];
    return NULL;
}

/*
 * Looks at the non-ASCII bytes at the beginning of `s`, at least one. Returns how many belong
 * together; *valid says whether they are a character or a maximal ill-formed part of one.
 */
static size_t utf8_take(struct span s, bool *valid)
{
    const struct utf8_lead *lead = utf8_lead_find(s.p[0]);
    *valid = false;
    if (!lead)
        return 1;
    size_t n = 1;
    uint8_t low = lead->low, high = lead->high;
    while (n <= lead->continuations && n < s.n && s.p[n] >= low && s.p[n] <= high) {
        low = 0x80, high = 0xbf;
        n++;
    }
    *valid = n == (size_t)lead->continuations + 1;
    return n;
}

static bool needs_care(uint8_t c)
{
    return c < 0x20 || c >= 0x7f || c == '"' || c == '\\';
}

static void json_escape_unit(struct buffer *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t text[] = {'\\', 'u', '0', '0', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15]};
    buffer_append(out, span_of(text, sizeof text));
}

static void json_escape_ascii(struct buffer *out, uint8_t c)
{
    const char *two = NULL;
    switch (c) {
    case '"':
        two = "\\\"";
        break;
    case '\\':
        two = "\\\\";
        break;
    case '\n':
        two = "\\n";
        break;
    case '\r':
        two = "\\r";
        break;
    case '\t':
        two = "\\t";
        break;
    default:
        json_escape_unit(out, c);
        return;
    }
    buffer_append(out, span_of(two, 2));
}

/* Appends what stands for the bytes at the beginning of `s`, and returns how many those are. */
static size_t json_escape(struct buffer *out, struct span s)
{
    if (s.p[0] < 0x80) {
        json_escape_ascii(out, s.p[0]);
        return 1;
    }
    bool valid;
    size_t n = utf8_take(s, &valid);
    if (!valid)
        buffer_append(out, replacement);
    else if (s.p[0] == 0xc2 && s.p[1] < 0xa0)
        json_escape_unit(out, s.p[1]); /* C1: U+0080 to U+009F */
    else
        buffer_append(out, span_slice(s, 0, n));
    return n;
}

static bytes16 careful(bytes16 v)
{
    return (bytes16)(v < 0x20) | (bytes16)(v >= 0x7f) | bytes16_equal(v, '"') |
           bytes16_equal(v, '\\');
}

/* How many bytes at the beginning need no care. */
static size_t plain_run(struct span s)
{
    size_t n = 0;
    for (; s.n - n >= BYTES16; n += BYTES16) {
        bytes16 care = careful(bytes16_load(s.p + n));
        if (bytes16_any(care))
            return n + bytes16_first(care);
    }
    if (n && n < s.n && !bytes16_any(careful(bytes16_load(s.p + s.n - BYTES16))))
        return s.n; /* the last ones together with some that have been seen */
    while (n < s.n && !needs_care(s.p[n]))
        n++;
    return n;
}

/* Nearly all strings are plain. */
static void plain_string(struct buffer *out, struct span s)
{
    uint8_t *at = buffer_reserve(out, s.n + 2);
    if (!at)
        return;
    at[0] = '"';
    if (s.n)
        memcpy(at + 1, s.p, s.n);
    at[s.n + 1] = '"';
    buffer_commit(out, s.n + 2);
}

void jsonw_span(struct jsonw *json, const char *key, struct span value)
{
    json_value_begin(json, key);
    size_t run = plain_run(value);
    if (run == value.n) {
        plain_string(json->out, value);
        return;
    }
    buffer_append_byte(json->out, '"');
    for (; value.n; run = plain_run(value)) {
        buffer_append(json->out, span_slice(value, 0, run));
        value = span_skip(value, run);
        if (value.n)
            value = span_skip(value, json_escape(json->out, value));
    }
    buffer_append_byte(json->out, '"');
}

void jsonw_string(struct jsonw *json, const char *key, const char *value)
{
    if (value)
        jsonw_span(json, key, span_from_string(value));
    else
        jsonw_null(json, key);
}

void jsonw_name(struct jsonw *json, const char *key, const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    jsonw_string(json, key, name->length ? dns_name_text(name, text) : NULL);
}

static void json_digits(struct jsonw *json, uint64_t value)
{
    uint8_t digits[16]; /* of 2^53 - 1 */
    size_t at = sizeof digits;
    if (value > NUMBER_MAX)
        value = NUMBER_MAX;
    do
        digits[--at] = (uint8_t)('0' + value % 10);
    while (value /= 10);
    buffer_append(json->out, span_of(digits + at, sizeof digits - at));
}

void jsonw_uint(struct jsonw *json, const char *key, uint64_t value)
{
    json_value_begin(json, key);
    json_digits(json, value);
}

void jsonw_int(struct jsonw *json, const char *key, int64_t value)
{
    json_value_begin(json, key);
    if (value < 0)
        buffer_append_byte(json->out, '-');
    json_digits(json, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void jsonw_bool(struct jsonw *json, const char *key, bool value)
{
    json_value_begin(json, key);
    buffer_append_string(json->out, value ? "true" : "false");
}

void jsonw_null(struct jsonw *json, const char *key)
{
    json_value_begin(json, key);
    buffer_append(json->out, SPAN("null"));
}
