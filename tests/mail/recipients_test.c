/* Envelope recipients that To and Cc name (C12). */
#include <criterion/criterion.h>

#include "base/buffer.h"
#include "mail_support.h"

enum
{
    UNKNOWN = -1,
};

static const struct
{
    const char *name, *header;
    const char *recipients[4];
    int named;
} cases[] = {
    {"one in To", "To: A <a@x.test>\r\n", {"<a@x.test>"}, 1},
    {"without brackets", "To: a@x.test\r\n", {"a@x.test"}, 1},
    {"domain without case", "To: a@X.Test\r\n", {"<a@x.tEST>"}, 1},
    {"local part with case", "To: A@x.test\r\n", {"<a@x.test>"}, 0},
    {"a final dot", "To: a@x.test.\r\n", {"<a@x.test>"}, 1},
    {"quoted", "To: \"a b\"@x.test\r\n", {"<\"a b\"@x.test>"}, 1},
    {"in Cc, in a group", "Cc: g: b@x.test, a@x.test;\r\n", {"<a@x.test>", "<b@x.test>"}, 2},
    {"two fields of a name", "To: a@x.test\r\nTo: b@x.test\r\n", {"<a@x.test>", "<b@x.test>"}, 2},
    {"one of two", "To: a@x.test\r\n", {"<a@x.test>", "<b@x.test>"}, 1},
    {"nobody is named", "To: undisclosed-recipients:;\r\n", {"<a@x.test>"}, 0},
    {"no To", "Subject: x\r\n", {"<a@x.test>"}, 0},
    {"a recipient that is none", "To: a@x.test\r\n", {"<a@@>", ""}, 0},
    {"To that cannot be read", "To: a@x.test b\r\n", {"<a@x.test>"}, UNKNOWN},
    {"no recipients", "To: a@x.test\r\n", {NULL}, UNKNOWN},
};

Test(recipients, named)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct span recipients[4];
        struct mail_recipients found;
        struct fixture f;
        uint32_t count = 0;
        for (; count < 4 && cases[i].recipients[count]; count++)
            recipients[count] = span_from_string(cases[i].recipients[count]);
        fixture_read(&f, span_from_string(cases[i].header), 0, SIZE_MAX);
        mail_recipients_read(&f.reader.header, recipients, count, &f.arena, &found);
        int got = found.known ? (int)found.named : UNKNOWN;
        cr_expect(got == cases[i].named && found.count == count, "%s: got %d, want %d",
                  cases[i].name, got, cases[i].named);
        fixture_fini(&f);
    }
}

/* 256 names are read; one more, and nothing is known. */
Test(recipients, limit)
{
    for (int extra = -1; extra <= 1; extra++) {
        struct buffer header;
        struct span recipient = SPAN("<n1@x.test>");
        struct mail_recipients found;
        struct fixture f;
        buffer_init(&header, 64 * 1024);
        for (int i = 0; i < 256 + extra; i++)
            buffer_printf(&header, "%sn%d@x.test", i % 32 ? ", " : i ? "\r\nTo: " : "To: ", i);
        buffer_append_string(&header, "\r\n");
        fixture_read(&f, buffer_span(&header), 0, SIZE_MAX);
        mail_recipients_read(&f.reader.header, &recipient, 1, &f.arena, &found);
        cr_expect(found.known == (extra <= 0) && found.named == (extra <= 0), "%d", extra);
        fixture_fini(&f);
        buffer_fini(&header);
    }
}
