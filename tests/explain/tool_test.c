/* assay explain as people use it: whole messages, their way, forged results, exit status. */
#include <stdio.h>
#include <stdlib.h>

#include "dkim/signing.h"
#include "support/tool.h"

#define TAGS                                                                                       \
    "v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.test; s=s1; "                                    \
    "h=from:from:to:subject:date:reply-to:message-id; bh=@; b=@"

/* What the sender made. */
static const char sent[] = "From: The Shop <orders@shop.test>\r\n"
                           "To: ada@receiver.test\r\n"
                           "Subject: Your order 4711\r\n"
                           "Date: Mon, 26 Oct 2026 00:00:00 +0000\r\n"
                           "Message-ID: <1@shop.test>\r\n"
                           "\r\n"
                           "Dear Ada,\r\n"
                           "\r\n"
                           "your order is on its way.\r\n";

/* The way: written from a notebook to the shop's server, to the receiver's border, to its store. */
static const char way[] =
    "Return-Path: <bounce@shop.test>\r\n"
    "Authentication-Results: mx.receiver.test; spf=pass smtp.mailfrom=shop.test;\r\n"
    " dkim=pass header.d=shop.test; dmarc=pass header.from=shop.test\r\n"
    "Received: from mx.receiver.test (mx.receiver.test [10.0.0.2])\r\n"
    "\tby store.receiver.test (Postfix) with ESMTP id 3;\r\n"
    "\tMon, 26 Oct 2026 00:14:58 +0000 (UTC)\r\n"
    "Received: from mail.shop.test (mail.shop.test [192.0.2.10])\r\n"
    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
    "\tby mx.receiver.test (Postfix) with ESMTPS id 2\r\n"
    "\tfor <ada@receiver.test>; Mon, 26 Oct 2026 00:15:00 +0000 (UTC)\r\n"
    "Received: from notebook (host.isp.test [198.51.100.9])\r\n"
    "\tby mail.shop.test (Postfix) with ESMTPSA id 1;\r\n"
    "\tMon, 26 Oct 2026 01:00:10 +0100\r\n";

static const char *zone(void)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    zone_add_txt(&text, SPAN("shop.test"), SPAN("v=spf1 ip4:192.0.2.10 -all"));
    zone_add_txt(&text, SPAN("_dmarc.shop.test"), SPAN("v=DMARC1; p=reject"));
    zone_add_key(&text, "shop.test", "s1", "", KEY_RSA, 1024);
    return temporary_file("zone.txt", buffer_span(&text));
}

static char *letter(void)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    sign_message(&out, "DKIM-Signature", TAGS, signing_key(KEY_RSA, 1024), span_from_string(sent));
    buffer_append_byte(&out, '\0');
    return (char *)out.p;
}

static char *joined(const char *a, const char *b)
{
    char *text = NULL;
    cr_assert(asprintf(&text, "%s%s", a, b) >= 0);
    return text;
}

static json_t *document_of(const char *text)
{
    struct outcome o = ASSAY_INPUT(span_from_string(text), "explain", "--json", "--dns", zone());
    cr_assert(o.status == 0, "%d: %s", o.status, o.err);
    cr_assert(count_lines(o.out) == 1);
    return json_line(o.out, 0);
}

static void expect_text(const json_t *document, const char *path, const char *want)
{
    const char *got = json_text(document, path);
    cr_expect(want ? got && strcmp(got, want) == 0 : got == NULL, "%s: got %s want %s", path,
              got ? got : "null", want ? want : "null");
}

/* Lights, envelope, hops and results of a message that is as it should be. */
Test(explain, a_good_message)
{
    json_t *d = document_of(joined(way, letter()));
    expect_text(d, "lights.spf.colour", "green");
    expect_text(d, "lights.dkim.colour", "green");
    expect_text(d, "lights.dmarc.colour", "green");
    expect_text(d, "lights.arc.colour", "grey");
    expect_text(d, "lights.dkim.domain", "shop.test");
    expect_text(d, "verdict.dmarc.result", "pass");
    expect_text(d, "message.subject", "Your order 4711");
    expect_text(d, "signatures.0.result", "pass");
    cr_expect(json_is_null(json_at(d, "signatures.0.diagnosis")));
    expect_text(d, "authentication_results.0.authserv_id", "mx.receiver.test");
    cr_expect(json_is_true(json_at(d, "authentication_results.0.trusted")));
    cr_expect(json_is_true(json_at(d, "authentication_results.0.ours")));
    cr_expect(json_is_false(json_at(d, "authentication_results.0.forged")));
    cr_expect(json_array_size(json_at(d, "authentication_results.0.differences")) == 0);
    cr_expect(json_array_size(json_at(d, "authentication_results.0.results")) == 3);
    json_decref(d);
}

/* The topmost hop that came from outside: inner hops are passed over, and it is said to be a guess.
 */
Test(explain, guessed_envelope)
{
    json_t *d = document_of(joined(way, letter()));
    expect_text(d, "envelope.ip.value", "192.0.2.10");
    expect_text(d, "envelope.ip.source", "received");
    expect_text(d, "envelope.helo.value", "mail.shop.test");
    expect_text(d, "envelope.mail_from.value", "<bounce@shop.test>");
    expect_text(d, "envelope.mail_from.source", "return_path");
    cr_expect(json_is_true(json_at(d, "envelope.ip.guess")));
    cr_expect(strstr(json_text(d, "envelope.sentence"), "guess") != NULL);
    expect_text(d, "judged_at.source", "received");
    cr_expect(json_integer_value(json_at(d, "judged_at.value")) == 1792972860 + 838);
    json_decref(d);

    struct outcome o = ASSAY_INPUT(span_from_string(joined(way, letter())), "explain", "--json",
                                   "--dns", zone(), "--ip", "203.0.113.9", "--helo", "x.test",
                                   "--mail-from", "<>", "--now", "1792972860");
    d = json_line(o.out, 0);
    expect_text(d, "envelope.ip.source", "option");
    cr_expect(json_is_null(json_at(d, "envelope.sentence")));
    cr_expect(json_integer_value(json_at(d, "judged_at.value")) == 1792972860);
    /* No field names this client: the border is not in the message, so nobody in it is trusted. */
    cr_expect(json_is_false(json_at(d, "authentication_results.0.trusted")));
    cr_expect(json_is_false(json_at(d, "hops.1.receiving")));
    json_decref(d);
}

Test(explain, hops_in_order_of_time)
{
    static const struct
    {
        const char *from, *ip, *by, *tls_text, *anomaly;
        int delay; /* -999: null */
        bool receiving;
    } want[] = {
        {"notebook", "198.51.100.9", "mail.shop.test", NULL, NULL, -999, false},
        {"mail.shop.test", "192.0.2.10", "mx.receiver.test", "TLSv1.3", "long_delay", 890, true},
        {"mx.receiver.test", "10.0.0.2", "store.receiver.test", NULL, NULL, -2, false},
    };
    json_t *d = document_of(joined(way, letter()));
    cr_assert(json_array_size(json_at(d, "hops")) == 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *hop = json_array_get(json_at(d, "hops"), i);
        const json_t *delay = json_at(hop, "delay");
        expect_text(hop, "from", want[i].from);
        expect_text(hop, "ip", want[i].ip);
        expect_text(hop, "by", want[i].by);
        expect_text(hop, "tls_text", want[i].tls_text);
        expect_text(hop, "anomalies.0.word", want[i].anomaly);
        cr_expect(json_integer_value(json_at(hop, "number")) == (int)i + 1);
        cr_expect(want[i].delay == -999 ? json_is_null(delay)
                                        : json_integer_value(delay) == want[i].delay,
                  "hop %zu: delay %lld", i, json_integer_value(delay));
        cr_expect(json_is_true(json_at(hop, "receiving")) == want[i].receiving, "hop %zu", i);
    }
    cr_expect(json_integer_value(json_at(d, "transit")) == 888);
    cr_expect(json_integer_value(json_at(d, "hops_total")) == 3);
    json_decref(d);
}

/* A clock that is wrong, clear text, no date. */
Test(explain, odd_hops)
{
    static const char odd[] = "Received: from b.test (b.test [192.0.2.2]) by c.test with SMTP; 26 "
                              "Oct 2026 00:00:00 +0000\r\n"
                              "Received: from a.test (a.test [192.0.2.1]) by b.test with ESMTP; 26 "
                              "Oct 2026 01:00:00 +0000\r\n"
                              "Received: from x by a.test with ESMTPS; yesterday\r\n";
    json_t *d = document_of(joined(odd, sent));
    expect_text(d, "hops.0.anomalies.0.word", "no_time");
    expect_text(d, "hops.1.anomalies.0.word", "future");
    expect_text(d, "hops.1.anomalies.1.word", "clear_text");
    expect_text(d, "hops.2.anomalies.0.word", "negative_delay");
    cr_expect(json_integer_value(json_at(d, "hops.2.delay")) == -3600);
    json_decref(d);
}

/* AR-1, AR-18, J01: a field with the receiver's name below the border is forged, however it is
 * written, and does not count; another host's is not trusted either. */
Test(explain, forged_results)
{
    static const struct
    {
        const char *field;
        bool forged;
    } cases[] = {
        {"Authentication-Results: mx.receiver.test; dmarc=pass header.from=bank.test\r\n", true},
        {"Authentication-Results: (x) \"MX.receiver.TEST\" 1;\r\n dkim=pass header.d=bank.test\r\n",
         true},
        {"authentication-results: receiver.test; spf=pass\r\n", true},
        {"Authentication-Results: mail.shop.test; dkim=pass header.d=shop.test\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *below = joined(cases[i].field, letter());
        json_t *d = document_of(joined(way, below));
        cr_assert(json_array_size(json_at(d, "authentication_results")) == 2, "%zu", i);
        const json_t *field = json_at(d, "authentication_results.1");
        cr_expect(json_is_false(json_at(field, "trusted")), "%zu", i);
        cr_expect(json_is_true(json_at(field, "forged")) == cases[i].forged, "%zu", i);
        cr_expect(strstr(json_text(field, "why"), "below the Received field of mx.receiver.test"),
                  "%zu: %s", i, json_text(field, "why"));
        const char *advice = json_text(d, "advice.0.word");
        cr_expect(cases[i].forged == (advice && strcmp(advice, "forged_results") == 0), "%zu: %s",
                  i, advice);
        json_decref(d);
    }
}

/* It said pass, and the message does not: the difference is told. */
Test(explain, differences)
{
    char *text = joined(way, letter());
    *strstr(text, "on its way") = 'i';
    json_t *d = document_of(text);
    expect_text(d, "authentication_results.0.differences.0.method", "dkim");
    expect_text(d, "authentication_results.0.differences.0.domain", "shop.test");
    expect_text(d, "authentication_results.0.differences.0.theirs", "pass");
    expect_text(d, "authentication_results.0.differences.0.ours", "fail");
    json_decref(d);
}

/* Google writes below its own Received field. */
Test(explain, results_below_their_own_hop)
{
    static const char google[] =
        "Received: from mail.shop.test (mail.shop.test. [192.0.2.10])\r\n"
        "        by mx.google.com with ESMTPS id x; Mon, 26 Oct 2026 00:01:00 -0700 (PDT)\r\n"
        "Authentication-Results: mx.google.com; dkim=pass header.i=@shop.test\r\n";
    json_t *d = document_of(joined(google, letter()));
    cr_expect(json_is_true(json_at(d, "authentication_results.0.trusted")));
    cr_expect(json_array_size(json_at(d, "authentication_results.0.differences")) == 0);
    json_decref(d);
}

/* A mailing list: the cause with its evidence, advice, and the same in the text. */
Test(explain, a_list_changed_it)
{
    char *text = joined(way, letter());
    char *tagged = NULL, *subject = strstr(text, "Your order");
    cr_assert(asprintf(&tagged, "%.*s[list] %s__________\r\nlist info\r\n", (int)(subject - text),
                       text, subject) > 0);
    json_t *d = document_of(tagged);
    expect_text(d, "signatures.0.result", "fail");
    expect_text(d, "signatures.0.reason", "body_hash");
    cr_expect(json_is_true(json_at(d, "signatures.0.diagnosis.found")));
    expect_text(d, "signatures.0.diagnosis.causes.0.cause", "footer_appended");
    expect_text(d, "signatures.0.diagnosis.causes.0.part", "body");
    expect_text(d, "signatures.0.diagnosis.causes.0.evidence.text", "__________\r\nlist info\r\n");
    expect_text(d, "signatures.0.diagnosis.causes.1.cause", "subject_prefix");
    expect_text(d, "signatures.0.diagnosis.causes.1.evidence.before", "Your order 4711");
    expect_text(d, "signatures.0.diagnosis.causes.1.evidence.after", "[list] Your order 4711");
    expect_text(d, "signatures.0.diagnosis.body.state", "changed");
    expect_text(d, "signatures.0.diagnosis.header.state", "changed");
    expect_text(d, "signatures.0.diagnosis.key.state", "right");
    cr_expect(strlen(json_text(d, "signatures.0.diagnosis.header.expected")) == 64);
    json_decref(d);
    struct outcome o = ASSAY_INPUT(span_from_string(tagged), "explain", "--dns", zone());
    cr_expect(o.status == 0 && strstr(o.out, "Text was appended to the body"), "%s", o.out);
    cr_expect(strstr(o.out, "signed: Your order 4711") != NULL);
    cr_expect(strstr(o.out, "\033") == NULL, "no colours into a pipe");
}

/* The engine asks for no key where b= cannot be read; the diagnosis does. */
Test(explain, unreadable_signature)
{
    char *text = letter();
    char *b = strstr(text, " b=") + 3, *end = strchr(b, '\r');
    for (char *p = b; p < end && *b != '+'; p++)
        *p = *p == '+' ? ' ' : *p;
    json_t *d = document_of(text);
    bool damaged = memchr(b, ' ', (size_t)(end - b)) != NULL;
    if (damaged)
        expect_text(d, "signatures.0.diagnosis.causes.0.cause", "signature_damaged");
    else
        expect_text(d, "signatures.0.result", "pass");
    json_decref(d);
}

Test(explain, no_signature_and_no_key)
{
    json_t *d = document_of(joined(way, sent));
    expect_text(d, "lights.dkim.colour", "grey");
    expect_text(d, "lights.spf.colour", "green");
    cr_expect(json_array_size(json_at(d, "signatures")) == 0);
    json_decref(d);
    char *text = letter();
    memcpy(strstr(text, "s=s1"), "s=s9", 4);
    d = document_of(text);
    expect_text(d, "signatures.0.reason", "no_key");
    expect_text(d, "signatures.0.diagnosis.key.state", "none");
    expect_text(d, "signatures.0.diagnosis.body.state", "intact");
    expect_text(d, "advice.0.word", "no_key");
    json_decref(d);
}

static size_t widest_line(const char *text)
{
    size_t widest = 0;
    while (*text) {
        size_t n = strcspn(text, "\n");
        widest = n > widest ? n : widest;
        text += n + (text[n] == '\n');
    }
    return widest;
}

/* Wrapped at the width; only a word that is longer than a line goes over it. */
Test(explain, width)
{
    static const char *const widths[] = {"60", "80", "120"};
    size_t previous = 0;
    for (size_t i = 0; i < 3; i++) {
        setenv("COLUMNS", widths[i], 1);
        struct outcome o =
            ASSAY_INPUT(span_from_string(joined(way, letter())), "explain", "--dns", zone());
        size_t widest = widest_line(o.out);
        cr_expect(widest <= (size_t)atoi(widths[i]), "%s: %zu\n%s", widths[i], widest, o.out);
        cr_expect(widest > previous);
        previous = widest;
    }
}

/* J08: a message does not speak to the terminal. */
Test(explain, control_characters)
{
    struct outcome o = ASSAY_INPUT(SPAN("From: a@a.test\r\nSubject: \033[2Jgone \x9b x\r\n"
                                        "Authentication-Results: \033]0;x; dkim=pass\r\n\r\nx\r\n"),
                                   "explain", "--dns", zone());
    cr_expect(o.status == 0 && strchr(o.out, '\033') == NULL && strchr(o.out, '\x9b') == NULL);
    cr_expect(strstr(o.out, "\\x1b[2Jgone") != NULL, "%s", o.out);
}

/* The contract of the command line. */
Test(explain, exit_status)
{
    const char *good = temporary_file("good.eml", span_from_string(letter()));
    const char *bad = temporary_file("bad.eml", SPAN("no header at all\n"));
    struct outcome o = ASSAY("explain", "--dns", zone(), "--json", good, good);
    cr_expect(o.status == 0 && count_lines(o.out) == 2);
    expect_text(json_line(o.out, 1), "file", good);
    o = ASSAY("explain", "--dns", zone(), bad);
    cr_expect(o.status == 65 && !*o.out && strstr(o.err, "no message"), "%d %s", o.status, o.err);
    o = ASSAY("explain", "--dns", zone(), "/nonexistent.eml");
    cr_expect(o.status == 66 && count_lines(o.err) == 1, "%d %s", o.status, o.err);
    o = ASSAY("explain", "--dns", "/nonexistent.zone", good);
    cr_expect(o.status == 66, "%d %s", o.status, o.err);
    o = ASSAY("explain", "--ip", "x", good);
    cr_expect(o.status == 64, "%d %s", o.status, o.err);
    o = ASSAY("explain", "--nonsense", good);
    cr_expect(o.status == 64, "%d %s", o.status, o.err);
    o = ASSAY_INPUT(SPAN(""), "explain", "--dns", zone(), "-");
    cr_expect(o.status == 65, "%d %s", o.status, o.err);
}
