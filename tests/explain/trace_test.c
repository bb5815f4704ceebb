/* Dates, Received fields and foreign Authentication-Results, as they come. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "diagnose/date.h"
#include "diagnose/received.h"
#include "base/buffer.h"
#include "diagnose/results_read.h"
#include "support/guard.h"

/* RFC 5322 3.3, 4.3 */
Test(trace, dates)
{
    static const struct
    {
        const char *text;
        int64_t want; /* -1: no date */
    } cases[] = {
        {"Mon, 26 Oct 2026 00:01:00 +0000", 1792972860},
        {"26 Oct 2026 00:01:00 +0000", 1792972860},
        {"Mon, 26 Oct 2026 01:01:00 +0100 (CET)", 1792972860},
        {"Sun, 25 Oct 2026 17:01:00 -0700 (PDT)", 1792972860},
        {"Sun, 25 Oct 2026 17:01:00 PDT", 1792972860},
        {"Mon,\r\n 26 Oct 2026 00:01 GMT", 1792972860},
        {"Mon, 26 Oct 26 00:01:00 +0000", 1792972860},
        {"1 Jan 1970 00:00:00 +0000", 0},
        {"29 Feb 2024 12:00:00 +0000", 1709208000},
        {"1 Mar 2000 00:00:00 +0000", 951868800},
        {"31 Dec 1999 23:59:60 +0000", 946684800},
        {"1 Jan 1970 00:00:00 +0100", -1},
        {"", -1},
        {"Mon", -1},
        {"32 Oct 2026 00:00:00 +0000", -1},
        {"0 Oct 2026 00:00:00 +0000", -1},
        {"1 Oct 2026 24:00:00 +0000", -1},
        {"1 Oct 2026 00:60:00 +0000", -1},
        {"1 Oct 2026 00 +0000", -1},
        {"1 Foo 2026 00:00:00 +0000", -1},
        {"1 Oct 1926 00:00:00 +0000", -1},
        {"2026-10-26T00:00:00Z", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t got = -1;
        bool is_date = date_parse(guard_copy(span_from_string(cases[i].text)), &got);
        cr_expect(is_date == (cases[i].want >= 0) && got == cases[i].want, "%s: got %lld want %lld",
                  cases[i].text, (long long)got, (long long)cases[i].want);
    }
}

static const char *shown(struct span text)
{
    static char texts[8][128];
    static unsigned next;
    char *place = texts[next++ % 8];
    snprintf(place, sizeof texts[0], "%.*s", (int)text.n, text.n ? (const char *)text.p : "");
    return place;
}

Test(trace, received)
{
    static const struct
    {
        const char *name, *value;
        const char *from, *host, *ip, *by, *with, *recipient, *tls;
        enum received_tls is_tls;
        bool time;
    } cases[] = {
        {"Postfix",
         " from mail.a.example (mx1.a.example [192.0.2.10])\r\n\t(using TLSv1.3 with cipher "
         "TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\t(No client certificate requested)\r\n\tby "
         "mx.b.example (Postfix) with ESMTPS id 4B2C\r\n\tfor <ada@b.example>; Mon, 26 Oct 2026 "
         "00:01:00 +0000 (UTC)",
         "mail.a.example", "mx1.a.example", "192.0.2.10", "mx.b.example", "ESMTPS",
         "<ada@b.example>", "TLSv1.3", RECEIVED_TLS_YES, true},
        {"Postfix without a name",
         " from x (unknown [IPv6:2001:db8::1]) by mx.b.example (Postfix) with SMTP id 1; 26 Oct "
         "2026 "
         "00:00:00 +0000",
         "x", "", "2001:db8::1", "mx.b.example", "SMTP", "", "", RECEIVED_TLS_NO, true},
        {"Exim",
         " from [198.51.100.7] (helo=out.mailer.example)\r\n\tby mx.b.example with esmtps "
         "(TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256)\r\n\t(Exim 4.96)\r\n\tid 1q; Mon, 26 Oct 2026 "
         "00:01:00 +0000",
         "out.mailer.example", "", "198.51.100.7", "mx.b.example", "esmtps", "", "TLS1.2",
         RECEIVED_TLS_YES, true},
        {"Exchange",
         " from A.eurprd01.prod.outlook.com (2603:10a6:7::1)\r\n by "
         "B.eurprd01.prod.outlook.com (2603:10a6:8::2) with Microsoft\r\n SMTP Server "
         "(version=TLS1_2, cipher=X) id 15.20; Mon, 26\r\n Oct 2026 00:01:00 +0000",
         "A.eurprd01.prod.outlook.com", "", "2603:10a6:7::1", "B.eurprd01.prod.outlook.com",
         "Microsoft", "", "TLS1_2", RECEIVED_TLS_YES, true},
        {"Google",
         " by 2002:a05:6a00:1:: with SMTP id x1csp; Mon, 26 Oct 2026 00:01:00 -0700 (PDT)", "", "",
         "", "2002:a05:6a00:1::", "SMTP", "", "", RECEIVED_TLS_NO, true},
        {"qmail", " (qmail 1234 invoked by uid 89); 26 Oct 2026 00:01:00 -0000", "", "", "", "", "",
         "", "", RECEIVED_TLS_UNKNOWN, true},
        {"qmail with a client",
         " from unknown (HELO mail.a.example) (192.0.2.9)\r\n  by b.example with SMTP; 26 Oct 2026 "
         "00:01:00 -0000",
         "mail.a.example", "", "192.0.2.9", "b.example", "SMTP", "", "", RECEIVED_TLS_NO, true},
        {"no date", " from a by b", "a", "", "", "b", "", "", "", RECEIVED_TLS_UNKNOWN, false},
        {"nothing", "", "", "", "", "", "", "", "", RECEIVED_TLS_UNKNOWN, false},
        {"an open comment", " from a.example (b.example [192.0.2.1]", "a.example", "b.example",
         "192.0.2.1", "", "", "", "", RECEIVED_TLS_UNKNOWN, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct received got;
        char ip[IP_TEXT_MAX];
        received_read(guard_copy(span_from_string(cases[i].value)), &got);
        cr_expect_str_eq(shown(got.from), cases[i].from, "%s: from %s", cases[i].name,
                         shown(got.from));
        cr_expect_str_eq(shown(got.from_host), cases[i].host, "%s: host %s", cases[i].name,
                         shown(got.from_host));
        cr_expect_str_eq(ip_text(&got.client, ip), cases[i].ip, "%s: ip %s", cases[i].name, ip);
        cr_expect_str_eq(shown(got.by), cases[i].by, "%s: by %s", cases[i].name, shown(got.by));
        cr_expect_str_eq(shown(got.with), cases[i].with, "%s: with", cases[i].name);
        cr_expect_str_eq(shown(got.recipient), cases[i].recipient, "%s: for", cases[i].name);
        cr_expect_str_eq(shown(got.tls_text), cases[i].tls, "%s: tls %s", cases[i].name,
                         shown(got.tls_text));
        cr_expect(got.tls == cases[i].is_tls, "%s: is tls %d", cases[i].name, got.tls);
        cr_expect(got.has_time == cases[i].time, "%s: time", cases[i].name);
    }
}

/* RFC 1918, 4193, 6598 */
Test(trace, inside)
{
    static const struct
    {
        const char *ip;
        bool inside;
    } cases[] = {{"127.0.0.1", true},      {"10.1.2.3", true},
                 {"172.31.255.255", true}, {"172.32.0.0", false},
                 {"192.168.0.1", true},    {"100.127.0.1", true},
                 {"100.128.0.1", false},   {"::1", true},
                 {"::2", false},           {"fd00::1", true},
                 {"fe80::1", true},        {"2001:db8::1", false},
                 {"192.0.2.1", false},     {"::ffff:10.0.0.1", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ip ip;
        cr_assert(ip_parse(span_from_string(cases[i].ip), &ip));
        cr_expect(received_ip_is_inside(&ip) == cases[i].inside, "%s", cases[i].ip);
    }
}

/* RFC 8601 2.2; J03: 10,000 results in one field. */
Test(trace, results)
{
    static const struct
    {
        const char *value, *id;
        unsigned count;
        const char *method, *result, *property, *property_value;
    } cases[] = {
        {" mx.b.example; dkim=pass header.d=a.example header.s=s1", "mx.b.example", 1, "dkim",
         "pass", "header.d", "a.example"},
        {" (x) \"MX.b.example\" 1 ; spf=fail (no) smtp.mailfrom=a.example; dmarc=none",
         "MX.b.example", 2, "spf", "fail", "smtp.mailfrom", "a.example"},
        {"\r\n mx.b.example;\r\n dkim=fail reason=\"a; b\"\r\n header.i=@a.example", "mx.b.example",
         1, "dkim", "fail", "header.i", "@a.example"},
        {" mx.b.example; none", "mx.b.example", 0, NULL, NULL, NULL, NULL},
        {" mx.b.example", "mx.b.example", 0, NULL, NULL, NULL, NULL},
        {" spf=pass (google.com: x) smtp.mailfrom=a@a.example;", "", 0, NULL, NULL, NULL, NULL},
        {"", "", 0, NULL, NULL, NULL, NULL},
        {" mx.b.example; dkim/1=pass (comment (nested)) header.b=\"ab\\\"c\"", "mx.b.example", 1,
         "dkim", "pass", "header.b", "ab\\\"c"},
        {" mx.b.example; dkim=\"pass", "mx.b.example", 1, "dkim", "pass", NULL, NULL},
        {" mx.b.example; (", "mx.b.example", 0, NULL, NULL, NULL, NULL},
    };
    static struct results_read got;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        results_read(guard_copy(span_from_string(cases[i].value)), &got);
        cr_expect_str_eq(shown(got.authserv_id), cases[i].id, "%zu: %s", i, shown(got.authserv_id));
        cr_expect(got.count == cases[i].count, "%zu: %u results", i, got.count);
        if (!cases[i].method || !got.count)
            continue;
        cr_expect_str_eq(shown(got.results[0].method), cases[i].method, "%zu", i);
        cr_expect_str_eq(shown(got.results[0].result), cases[i].result, "%zu", i);
        if (cases[i].property)
            cr_expect_str_eq(
                shown(result_property(&got.results[0], span_from_string(cases[i].property))),
                cases[i].property_value, "%zu", i);
    }
    struct buffer many;
    buffer_init(&many, 1 << 20);
    buffer_append_string(&many, "mx.b.example");
    for (int i = 0; i < 10000; i++)
        buffer_append_string(&many, "; dkim=pass header.d=a.example");
    results_read(buffer_span(&many), &got);
    cr_expect(got.readable && got.count == RESULTS_MAX);
    buffer_fini(&many);
}
