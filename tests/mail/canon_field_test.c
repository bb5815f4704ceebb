/* Header fields in canonical form: RFC 6376 3.4.1, 3.4.2, 3.4.5, and blanked values (DV-22). */
#include <criterion/criterion.h>

#include "mail_support.h"
#include "support/guard.h"
#include "mail/canon.h"
#include "simd/text.h"

struct field_case
{
    const char *name;
    struct span raw;
    const char *cut; /* NULL, or the part of the value to drop */
    struct span simple, relaxed;
};

static const struct field_case field_cases[] = {
    {"RFC 6376 3.4.5: A", TEXT("A: X\r\n"), NULL, TEXT("A: X\r\n"), TEXT("a:X\r\n")},
    {"RFC 6376 3.4.5: B", TEXT("B : Y\t\r\n\tZ  \r\n"), NULL, TEXT("B : Y\t\r\n\tZ  \r\n"),
     TEXT("b:Y Z\r\n")},
    {"DV-24: empty value", TEXT("A:\r\n"), NULL, TEXT("A:\r\n"), TEXT("a:\r\n")},
    {"DV-24: blanks only", TEXT("A: \t\r\n \r\n"), NULL, TEXT("A: \t\r\n \r\n"), TEXT("a:\r\n")},
    {"DV-24: no blank", TEXT("aB:cD\r\n"), NULL, TEXT("aB:cD\r\n"), TEXT("ab:cD\r\n")},
    {"DV-24: fold without other blanks", TEXT("A:b\r\n c\r\n"), NULL, TEXT("A:b\r\n c\r\n"),
     TEXT("a:b c\r\n")},
    {"DV-24: fold first", TEXT("A:\r\n b\r\n"), NULL, TEXT("A:\r\n b\r\n"), TEXT("a:b\r\n")},
    {"DV-24: colons in the value", TEXT("A: b : c:\r\n"), NULL, TEXT("A: b : c:\r\n"),
     TEXT("a:b : c:\r\n")},
    {"DV-24: WSP is SP and HTAB only", TEXT("A: \v b\f \xa0\r\n"), NULL, TEXT("A: \v b\f \xa0\r\n"),
     TEXT("a:\v b\f \xa0\r\n")},
    {"DV-24: ASCII lower case only", TEXT("\xc3\x84Z: \xc3\x84Z\r\n"), NULL,
     TEXT("\xc3\x84Z: \xc3\x84Z\r\n"), TEXT("\xc3\x84z:\xc3\x84Z\r\n")},
    {"DV-2: bare CR and LF are content", TEXT("A: b \r c\nd\r\r\n"), NULL,
     TEXT("A: b \r c\nd\r\r\n"), TEXT("a:b \r c\nd\r\r\n")},
    {"DV-1: NUL", TEXT("A: b\0 \0c\r\n"), NULL, TEXT("A: b\0 \0c\r\n"), TEXT("a:b\0 \0c\r\n")},
    {"DV-3: the message ended in the field", TEXT("A: b"), NULL, TEXT("A: b\r\n"), TEXT("a:b\r\n")},
    {"DV-22: value dropped", TEXT("S: a; b=xyz; c\r\n"), "xyz", TEXT("S: a; b=; c\r\n"),
     TEXT("s:a; b=; c\r\n")},
    {"DV-22: with the blanks around it", TEXT("S: a; b= x\r\n  y ; c\r\n"), " x\r\n  y ",
     TEXT("S: a; b=; c\r\n"), TEXT("s:a; b=; c\r\n")},
    {"DV-22: at the end", TEXT("S: a; b=xyz\r\n"), "xyz", TEXT("S: a; b=\r\n"),
     TEXT("s:a; b=\r\n")},
    {"DV-22: all of the value", TEXT("S:xyz\r\n"), "xyz", TEXT("S:\r\n"), TEXT("s:\r\n")},
    {"DV-22: blanks that meet are one", TEXT("S: a xyz b\r\n"), "xyz", TEXT("S: a  b\r\n"),
     TEXT("s:a b\r\n")},
};

static void check(const struct field_case *c, enum canon canon, struct span want)
{
    struct fixture f;
    struct buffer out;
    fixture_read(&f, joined(c->raw, SPAN(""), SPAN("")), 0, SIZE_MAX);
    cr_assert(f.reader.header.count == 1);
    const struct mail_field *field = &f.reader.header.fields[0];
    struct span cut = {NULL, 0};
    if (c->cut) {
        cut.p = memmem(field->value.p, field->value.n, c->cut, strlen(c->cut));
        cut.n = strlen(c->cut);
        cr_assert(cut.p != NULL);
    }
    buffer_init(&out, 1024);
    buffer_append(&out, SPAN("before"));
    canon_field(canon, field, cut, &out);
    struct span got = span_skip(buffer_span(&out), 6);
    cr_expect(!out.failed && span_equal(got, want), "%s, canon %d: got \"%.*s\", want \"%.*s\"",
              c->name, canon, (int)got.n, (const char *)got.p, (int)want.n, (const char *)want.p);
    buffer_fini(&out);
    fixture_fini(&f);
}

Test(canon_field, named_cases)
{
    for (size_t i = 0; i < COUNT_OF(field_cases); i++) {
        check(&field_cases[i], CANON_SIMPLE, field_cases[i].simple);
        check(&field_cases[i], CANON_RELAXED, field_cases[i].relaxed);
    }
}

/* Relaxed as the RFC words it, one step after the other over the whole value. */
static size_t relaxed_reference(struct span value, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) { /* "Unfold all header field continuation lines" */
        if (i + 1 < value.n && value.p[i] == '\r' && value.p[i + 1] == '\n')
            i++;
        else
            out[n++] = value.p[i] == '\t' ? ' ' : value.p[i];
    }
    for (size_t i = 0; i + 1 < n;) { /* "Convert all sequences of one or more WSP" */
        if (out[i] == ' ' && out[i + 1] == ' ')
            memmove(out + i, out + i + 1, n-- - i - 1);
        else
            i++;
    }
    while (n && out[n - 1] == ' ') /* "Delete all WSP characters at the end" */
        n--;
    if (n && out[0] == ' ') /* "Delete any WSP characters remaining before and after the colon" */
        memmove(out, out + 1, --n);
    memcpy(out + n, "\r\n", 2);
    return n + 2;
}

static const struct span value_pieces[] = {TEXT("\r\n "), TEXT(" "),  TEXT("\t"),
                                           TEXT("\r"),    TEXT("\n"), TEXT("a")};

/* Value `number` of those of `length` pieces goes behind raw[0..n); returns where it ends. */
static size_t value_write(uint32_t number, uint32_t length, uint8_t *raw, size_t n)
{
    for (uint32_t i = 0; i < length; i++, number /= COUNT_OF(value_pieces)) {
        struct span piece = value_pieces[number % COUNT_OF(value_pieces)];
        memcpy(raw + n, piece.p, piece.n);
        n += piece.n;
    }
    return n;
}

/* With a part cut out, the field is canonical as if it had never had it. */
static void compare_cut(const uint8_t *raw, size_t n, size_t from, size_t to, struct buffer *out)
{
    uint8_t rest[64], want[64];
    struct mail_field field = {
        .raw = span_of(raw, n), .name = span_of(raw, 1), .value = span_of(raw + 2, n - 2)};
    memcpy(rest, raw + 2, from - 2);
    memcpy(rest + from - 2, raw + to, n - to);
    size_t wanted = relaxed_reference(span_of(rest, n - 2 - (to - from)), want);
    buffer_reset(out);
    canon_field(CANON_RELAXED, &field, span_of(raw + from, to - from), out);
    struct span got = span_skip(buffer_span(out), 2);
    cr_assert(span_equal(got, span_of(want, wanted)), "\"%.*s\" without %zu to %zu: got \"%.*s\"",
              (int)n, (const char *)raw, from, to, (int)got.n, (const char *)got.p);
}

/* Every value up to 7 pieces of {fold, SP, HTAB, CR, LF, a}. */
Test(canon_field, every_short_value_equals_the_reference)
{
    struct buffer out;
    buffer_init(&out, 1024);
    for (uint32_t length = 0, count = 1; length <= 7; length++, count *= 6) {
        for (uint32_t number = 0; number < count; number++) {
            uint8_t raw[64] = "A:";
            size_t n = value_write(number, length, raw, 2);
            compare_cut(raw, n, n, n, &out);
        }
    }
    buffer_fini(&out);
}

/* DV-22: every cut through every value up to 5 pieces, but where a CR and a LF would meet: they
 * were no line end. */
Test(canon_field, every_cut_through_a_short_value)
{
    struct buffer out;
    uint32_t cuts = 0;
    buffer_init(&out, 1024);
    for (uint32_t length = 1, count = 6; length <= 5; length++, count *= 6) {
        for (uint32_t number = 0; number < count; number++) {
            uint8_t raw[64] = "A:";
            size_t n = value_write(number, length, raw, 2);
            for (size_t from = 2; from < n; from++) {
                for (size_t to = from + 1; to <= n; to++) {
                    if (raw[from - 1] == '\r' && to < n && raw[to] == '\n')
                        continue;
                    compare_cut(raw, n, from, to, &out);
                    cuts++;
                }
            }
        }
    }
    cr_expect(cuts > 100000, "%u cuts", cuts);
    buffer_fini(&out);
}

/* Names longer than a block of the kernel, and with a blank behind them. */
Test(canon_field, names_of_every_length)
{
    for (size_t length = 1; length <= 2 * SIMD_BLOCK + 2; length++) {
        for (size_t blanks = 0; blanks < 2; blanks++) {
            uint8_t raw[256], want[256];
            struct buffer out;
            buffer_init(&out, 1024);
            for (size_t i = 0; i < length; i++)
                raw[i] = (uint8_t) "Az@[`{-9"[i % 8], want[i] = (uint8_t) "az@[`{-9"[i % 8];
            memcpy(raw + length, " : B\tC \r\n" + !blanks, 9 + blanks);
            memcpy(want + length, ":B C\r\n", 6);
            struct mail_field field = {.raw = span_of(raw, length + 9 + blanks),
                                       .name = span_of(raw, length),
                                       .value = span_of(raw + length + 1 + blanks, 5)};
            canon_field(CANON_RELAXED, &field, (struct span){NULL, 0}, &out);
            cr_expect(span_equal(buffer_span(&out), span_of(want, length + 6)), "%zu: \"%.*s\"",
                      length, (int)out.n, (const char *)out.p);
            buffer_fini(&out);
        }
    }
}

/* Over the buffer's ceiling: failed, nothing cut short. */
Test(canon_field, ceiling)
{
    struct mail_field field = {.raw = SPAN("A: b\r\n"), .name = SPAN("A"), .value = SPAN(" b")};
    field.name.p = field.raw.p;
    field.value.p = field.raw.p + 2;
    for (int canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
        struct buffer out;
        buffer_init(&out, 3);
        canon_field((enum canon)canon, &field, (struct span){NULL, 0}, &out);
        cr_expect(out.failed);
        buffer_fini(&out);
    }
}
