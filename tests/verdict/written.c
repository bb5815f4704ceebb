#include "verdict/written.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct span text_of(struct sample *sample, struct buffer *out,
                           void (*write)(const struct verdict *, struct buffer *))
{
    if (!out->ceiling)
        buffer_init(out, 64 * 1024);
    buffer_reset(out);
    write(&sample->verdict, out);
    cr_assert(!out->failed);
    return buffer_span(out);
}

struct span written_text(struct sample *sample)
{
    static struct buffer out;
    return text_of(sample, &out, verdict_write_results);
}

struct span written_field(struct sample *sample)
{
    static struct buffer out;
    return text_of(sample, &out, verdict_write_results_field);
}

/* Printable ASCII and nothing else: no line can end, begin or hide in it (J04). */
static void check_text(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        cr_assert(text.p[i] >= 0x20 && text.p[i] < 0x7f, "byte 0x%02x at %zu of %.*s", text.p[i], i,
                  (int)text.n, (const char *)text.p);
}

/* One line of a field without its CRLF: not blank, 998 at most, over 78 only as a single piece. */
static void check_line(struct span line, bool first)
{
    struct span content = span_trim_wsp(line);
    check_text(line);
    cr_assert(content.n > 0, "a line of white space ends the header for some");
    cr_assert(line.n <= 998, "a line of %zu bytes", line.n);
    cr_assert(first == (line.p[0] != ' '));
    if (line.n <= 78 || first)
        return;
    bool quoted = false;
    for (size_t i = 0; i < content.n; i++) {
        if (content.p[i] == '\\' && quoted)
            i++;
        else if (content.p[i] == '"')
            quoted = !quoted;
        else
            cr_assert(quoted || content.p[i] != ' ', "this could be folded: %.*s", (int)line.n,
                      (const char *)line.p);
    }
}

/* Takes the CRLFs out: what RFC 5322 2.2.3 calls unfolding. */
static struct span unfold(struct span field, uint8_t *out)
{
    size_t n = 0;
    bool first = true;
    while (field.n) {
        const uint8_t *end = memmem(field.p, field.n, "\r\n", 2);
        cr_assert(end != NULL, "the field does not end in CRLF");
        struct span line = span_slice(field, 0, (size_t)(end - field.p));
        check_line(line, first);
        first = false;
        memcpy(out + n, line.p, line.n);
        n += line.n;
        field = span_skip(field, line.n + 2);
    }
    return span_of(out, n);
}

const struct ar *written_read(struct sample *sample)
{
    static struct arena arena;
    static struct ar ar;
    static uint8_t unfolded[8 * 1024];
    struct span name = SPAN("Authentication-Results: ");
    if (!arena.ceiling_bytes)
        arena_init(&arena, (size_t)64 << 20);
    arena_reset(&arena);
    struct span text = written_text(sample), field = written_field(sample);
    check_text(text);
    cr_assert(field.n <= MAX_AR_FIELD_BYTES, "a field of %zu bytes", field.n);
    struct span plain = unfold(field, unfolded);
    cr_assert(span_starts_fold(plain, name) && span_equal(span_skip(plain, name.n), text),
              "the two forms differ:\n%.*s\n%.*s", (int)plain.n, (const char *)plain.p, (int)text.n,
              (const char *)text.p);
    cr_assert(ar_read(span_skip(field, name.n), &arena, &ar),
              "the field does not parse at %zu: %.*s", ar.error_at, (int)field.n,
              (const char *)field.p);
    cr_assert(ar_read(text, &arena, &ar), "does not parse at %zu: %.*s", ar.error_at, (int)text.n,
              (const char *)text.p);
    return &ar;
}

void written_expect_result(const struct ar *ar, const char *method, const char *want)
{
    const struct ar_result *result = ar_find(ar, method, 0);
    cr_assert(result != NULL, "no %s", method);
    cr_expect(span_equal(result->result, span_from_string(want)), "%s: got %.*s, want %s", method,
              (int)result->result.n, (const char *)result->result.p, want);
}

void written_expect_value(const struct ar_result *result, const char *name, struct span want)
{
    cr_assert(result != NULL);
    struct span got = ar_value(result, name);
    cr_expect((got.p == NULL) == (want.p == NULL) && span_equal(got, want),
              "%s: got %.*s, want %.*s", name, (int)got.n, (const char *)got.p, (int)want.n,
              (const char *)want.p);
}

struct span written_clean(struct span value)
{
    static uint8_t out[256];
    size_t n = value.n < sizeof out ? value.n : sizeof out;
    for (size_t i = 0; i < n; i++)
        out[i] = value.p[i] < 0x20 || value.p[i] > 0x7e ? '?' : value.p[i];
    if (value.n > sizeof out)
        memcpy(out + sizeof out - 3, "...", 3);
    return span_of(out, n);
}
