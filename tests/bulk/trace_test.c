/* The envelope from Return-Path and Received: only the usual forms, nothing guessed. */
#include <criterion/criterion.h>

#include "mail/trace.h"
#include "support/guard.h"

struct trace_case
{
    const char *name, *header;
    unsigned hop;
    const char *client, *helo, *mail_from; /* "": not known */
};

#define END "Subject: x\r\n\r\nbody\r\n"

static const struct trace_case cases[] = {
    {"Postfix",
     "Return-Path: <a@b.example>\r\nReceived: from h.example (r.example [192.0.2.1])\r\n\tby mx; "
     "x\r\n" END,
     1, "192.0.2.1", "h.example", "<a@b.example>"},
    {"Postfix, name unknown", "Received: from h.example (unknown [192.0.2.1])\r\n\tby mx\r\n" END,
     1, "192.0.2.1", "h.example", ""},
    {"IPv6", "Received: from h.example (r.example [IPv6:2001:db8::1])\r\n by mx\r\n" END, 1,
     "2001:db8::1", "h.example", ""},
    {"IPv6 without its tag", "Received: from h (r [2001:db8::1]) by mx\r\n" END, 1, "2001:db8::1",
     "h", ""},
    {"mapped", "Received: from h (r [::ffff:192.0.2.1]) by mx\r\n" END, 1, "192.0.2.1", "h", ""},
    {"Sendmail", "Received: from h (r [192.0.2.1] (may be forged))\r\n by mx\r\n" END, 1,
     "192.0.2.1", "h", ""},
    {"Sendmail, ident", "Received: from h (IDENT:x@r [192.0.2.1]) by mx\r\n" END, 1, "192.0.2.1",
     "h", ""},
    {"address alone", "Received: from h ([192.0.2.1]) by mx\r\n" END, 1, "192.0.2.1", "h", ""},
    {"HELO is a literal", "Received: from [192.0.2.9] (r [192.0.2.1]) by mx\r\n" END, 1,
     "192.0.2.1", "[192.0.2.9]", ""},
    {"folded everywhere",
     "Received:\r\n from\r\n\th\r\n (r\r\n [192.0.2.1]\r\n )\r\n by mx\r\n" END, 1, "192.0.2.1",
     "h", ""},
    {"LF line ends", "Return-Path: <a@b>\nReceived: from h (r [192.0.2.1])\n by mx\nX: y\n\n", 1,
     "192.0.2.1", "h", "<a@b>"},
    {"any case", "RETURN-PATH: <a@b>\r\nreceived: FROM h (r [192.0.2.1])\r\n" END, 1, "192.0.2.1",
     "h", "<a@b>"},
    {"null reverse-path", "Return-Path: <>\r\n" END, 1, "", "", "<>"},
    {"the topmost of each",
     "Return-Path: <a@b>\r\nReceived: from h (r [192.0.2.1])\r\nReturn-Path: <c@d>\r\n"
     "Received: from i (s [192.0.2.2])\r\n" END,
     1, "192.0.2.1", "h", "<a@b>"},
    {"second hop", "Received: from h (r [192.0.2.1])\r\nReceived: from i (s [192.0.2.2])\r\n" END,
     2, "192.0.2.2", "i", ""},
    {"a hop that is not there", "Received: from h (r [192.0.2.1])\r\n" END, 2, "", "", ""},

    /* Unknown stays unknown. */
    {"topmost has no client, the next does not count",
     "Received: by mx with local\r\nReceived: from h (r [192.0.2.1])\r\n" END, 1, "", "", ""},
    {"Exim", "Received: from r ([192.0.2.1] helo=h) by mx\r\n" END, 1, "", "", ""},
    {"Exim, other form", "Received: from [192.0.2.1] (helo=h) by mx\r\n" END, 1, "", "", ""},
    {"without brackets", "Received: from h (192.0.2.1) by mx\r\n" END, 1, "", "", ""},
    {"no address", "Received: from h (r [192.0.2.999]) by mx\r\n" END, 1, "", "", ""},
    {"open bracket", "Received: from h (r [192.0.2.1) by mx\r\n" END, 1, "", "", ""},
    {"no parenthesis", "Received: from h [192.0.2.1] by mx\r\n" END, 1, "", "", ""},
    {"two names", "Received: from h (r s [192.0.2.1]) by mx\r\n" END, 1, "", "", ""},
    {"no HELO", "Received: from (r [192.0.2.1]) by mx\r\n" END, 1, "", "", ""},
    {"no angle brackets", "Return-Path: a@b\r\n" END, 1, "", "", ""},
    {"text behind the path", "Return-Path: <a@b> x\r\n" END, 1, "", "", ""},
    {"a fold in the path", "Return-Path: <a\r\n b@c>\r\n" END, 1, "", "", ""},
    {"first Return-Path is none, the next does not count",
     "Return-Path: x\r\nReturn-Path: <a@b>\r\n" END, 1, "", "", ""},
    {"in the body", "Subject: x\r\n\r\nReturn-Path: <a@b>\r\nReceived: from h (r [192.0.2.1])\r\n",
     1, "", "", ""},
    {"another field's continuation", "X: y\r\n Return-Path: <a@b>\r\n" END, 1, "", "", ""},
    {"a longer name", "X-Return-Path: <a@b>\r\nReturn-Pathology: <a@b>\r\n" END, 1, "", "", ""},
    {"cut in the field", "Return-Path: <a@b>\r\nReceived: from h (r [192.0.2.1])", 1, "", "",
     "<a@b>"},
    {"cut behind the field, which may go on", "Received: from h (r [192.0.2.1])\r\n", 1, "", "",
     ""},
    {"nothing", "", 1, "", "", ""},
};

static void expect_span(const char *name, const char *what, struct span got, const char *want)
{
    bool known = *want != '\0';
    cr_expect(known == (got.p != NULL) && (!known || span_equal(got, span_from_string(want))),
              "%s: %s is %.*s, want %s", name, what, (int)got.n, got.p ? (const char *)got.p : "",
              want);
}

Test(trace, forms_that_are_read_and_forms_that_are_not)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mail_trace trace;
        char text[IP_TEXT_MAX];
        mail_trace_read(guard_copy(span_from_string(cases[i].header)), cases[i].hop, &trace);
        cr_expect_str_eq(ip_text(&trace.client, text), cases[i].client, "%s: client is %s",
                         cases[i].name, text);
        expect_span(cases[i].name, "HELO", trace.helo, cases[i].helo);
        expect_span(cases[i].name, "MAIL FROM", trace.mail_from, cases[i].mail_from);
    }
}
