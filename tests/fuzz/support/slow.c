#include "fuzz/support/slow.h"

#include <stdlib.h>

#include "fuzz/support/fuzz.h"
#include "mail/canon_reference.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* RFC 6376 3.4.2 step by step: name, unfold, reduce, trim. Returns the length. */
static size_t slow_relaxed(const struct mail_field *field, uint8_t *out)
{
    size_t n = 0, name;
    struct span value = field->value;
    for (size_t i = 0; i < field->name.n; i++)
        out[n++] = ascii_lower(field->name.p[i]);
    out[n++] = ':';
    name = n;
    for (size_t i = 0; i < value.n; i++) {
        bool fold = i + 2 < value.n && value.p[i] == '\r' && value.p[i + 1] == '\n' &&
                    is_blank(value.p[i + 2]);
        if (fold)
            i++;
        else if (!is_blank(value.p[i]))
            out[n++] = value.p[i];
        else if (n > name && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    while (n > name && out[n - 1] == ' ')
        n--;
    memcpy(out + n, "\r\n", 2);
    return n + 2;
}

void slow_check_field(const struct mail_field *field)
{
    struct buffer out;
    uint8_t *slow = malloc(field->raw.n + 3);
    FUZZ_CHECK(slow != NULL);
    buffer_init(&out, field->raw.n + 2 + SIMD_SLACK);
    canon_field(CANON_RELAXED, field, (struct span){NULL, 0}, &out);
    FUZZ_CHECK(!out.failed &&
               span_equal(buffer_span(&out), span_of(slow, slow_relaxed(field, slow))));
    buffer_reset(&out);
    canon_field(CANON_SIMPLE, field, (struct span){NULL, 0}, &out);
    bool ends = field->raw.n >= 2 && memcmp(span_end(field->raw) - 2, "\r\n", 2) == 0;
    FUZZ_CHECK(!out.failed && out.n == field->raw.n + (ends ? 0 : 2));
    FUZZ_CHECK(memcmp(out.p, field->raw.p, field->raw.n) == 0);
    buffer_fini(&out);
    free(slow);
}

static void collect(void *context, struct span bytes)
{
    buffer_append(context, bytes);
}

static void canonicalize(enum canon canon, struct span body, size_t piece, struct buffer *out)
{
    struct canon_pipe state;
    canon_pipe_init(&state, canon, collect, out);
    while (body.n) {
        size_t n = piece < body.n ? piece : body.n;
        canon_pipe_feed(&state, span_slice(body, 0, n));
        body = span_skip(body, n);
    }
    canon_pipe_end(&state);
}

void slow_check_body(struct span body, size_t piece)
{
    uint8_t *slow = malloc(body.n + 2);
    struct buffer out;
    FUZZ_CHECK(slow != NULL);
    buffer_init(&out, body.n + 2);
    for (enum canon canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
        struct span want = span_of(slow, canon_reference(canon, body, slow));
        for (unsigned i = 0; i < 2; i++) {
            buffer_reset(&out);
            canonicalize(canon, body, i ? piece : SIZE_MAX, &out);
            FUZZ_CHECK(!out.failed && span_equal(buffer_span(&out), want));
        }
    }
    buffer_fini(&out);
    free(slow);
}
