/* LF files as CRLF: the first line end decides, at any split. */
#include <criterion/criterion.h>

#include "mail_support.h"
#include "mail/line_ends.h"
#include "support/guard.h"

struct line_ends_case
{
    const char *name;
    struct span in, out;
};

static const struct line_ends_case line_ends_cases[] = {
    {"empty", TEXT(""), TEXT("")},
    {"no line end", TEXT("a"), TEXT("a")},
    {"LF file", TEXT("a\nb\n\nc\n"), TEXT("a\r\nb\r\n\r\nc\r\n")},
    {"LF file: CRLF stays", TEXT("a\nb\r\nc\n"), TEXT("a\r\nb\r\nc\r\n")},
    {"LF file: bare CR stays", TEXT("a\rb\nc\r"), TEXT("a\rb\r\nc\r")},
    {"LF first", TEXT("\na\n"), TEXT("\r\na\r\n")},
    {"CRLF file", TEXT("a\r\nb\r\n"), TEXT("a\r\nb\r\n")},
    {"CRLF file: bare LF stays", TEXT("a\r\nb\nc\r\n\n"), TEXT("a\r\nb\nc\r\n\n")},
    {"CRLF first", TEXT("\r\na\n"), TEXT("\r\na\n")},
    {"CR only", TEXT("a\rb\r"), TEXT("a\rb\r")},
    {"CR CR LF", TEXT("a\r\r\nb\n"), TEXT("a\r\r\nb\n")},
    {"NUL", TEXT("a\0\nb\0"), TEXT("a\0\r\nb\0")},
};

struct joined_out
{
    size_t n;
    uint8_t bytes[64];
};

static void take(void *context, struct span bytes)
{
    struct joined_out *out = context;
    cr_assert(bytes.n > 0 && bytes.n <= sizeof out->bytes - out->n);
    memcpy(out->bytes + out->n, bytes.p, bytes.n);
    out->n += bytes.n;
}

static void check(const struct line_ends_case *c, size_t split, size_t step)
{
    struct joined_out out = {0};
    struct line_ends ends;
    struct span in = guard_copy(c->in);
    line_ends_init(&ends, take, &out);
    for (size_t at = 0; at < in.n;) {
        size_t end = in.n - at > step ? at + step : in.n;
        if (at < split && split < end)
            end = split;
        line_ends_feed(&ends, span_slice(in, at, end));
        at = end;
    }
    cr_expect(span_equal(span_of(out.bytes, out.n), c->out), "%s (%zu, %zu): got \"%.*s\"", c->name,
              split, step, (int)out.n, (const char *)out.bytes);
}

Test(line_ends, named_cases_at_every_split)
{
    for (size_t i = 0; i < COUNT_OF(line_ends_cases); i++) {
        for (size_t split = 0; split <= line_ends_cases[i].in.n; split++)
            check(&line_ends_cases[i], split, 64);
        check(&line_ends_cases[i], 0, 1);
    }
}
