/* Attacks B01 to B14: framing and headers. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "e2e/attack.h"

static struct assay_engine *engine;

static void setup(void)
{
    engine = attack_engine(NULL);
}

static void teardown(void)
{
    assay_engine_close(&engine);
}

TestSuite(attack_framing, .init = setup, .fini = teardown);

static json_t *judge(struct span mail)
{
    return attack_judge(engine, mail, NULL, NULL);
}

static json_t *judge_signed(struct span header, struct span body)
{
    return judge(attack_signed(header, body, BY_ATTACKER, -1));
}

/* The same verdict in pieces of every size up to `most`. */
static void expect_same_in_pieces(const char *row, struct span mail, size_t most)
{
    struct assay_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = "192.0.2.66",
        .helo = "attack.test",
        .mail_from = "a@attack.test",
        .received_at = 1792972860,
    };
    struct judged whole = judge_text(engine, &envelope, mail, 0);
    for (size_t piece = 1; piece <= most; piece++) {
        struct judged pieces = judge_text(engine, &envelope, mail, piece);
        cr_expect(span_equal(whole.json, pieces.json), "%s: pieces of %zu: %.*s", row, piece,
                  (int)pieces.json.n, (const char *)pieces.json.p);
    }
}

/* B01: what another hop may take for the end of DATA is body; a bare LF ends no line. */
Test(attack_framing, smuggled_ends_of_data)
{
    static const char *const ends[] = {"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char body[256];
        snprintf(body, sizeof body, "one\r\n%sMAIL FROM:<x@victim.test>\r\n" FROM_VICTIM, ends[i]);
        struct span mail =
            attack_signed(SPAN(FROM_ATTACKER), span_from_string(body), BY_ATTACKER, -1);
        json_t *verdict = judge(mail);
        attack_expect("B01", verdict, "dmarc.result", "pass");
        attack_expect("B01", verdict, "dmarc.from_domain", "attack.test");
        cr_expect(attack_has(verdict, "\"body_bare_lf\"") ||
                      attack_has(verdict, "\"body_bare_cr\""),
                  "B01: %zu is not told", i);
        expect_same_in_pieces("B01", mail, 40);
        json_decref(verdict);
        /* Made into CRLF on the way, the signature breaks: the hash was over the bare octet. */
        const uint8_t *bare = memmem(mail.p, mail.n, i == 2 ? "\r.\r" : ".\n", 2);
        if (i == 0 && bare) {
            struct buffer repaired;
            buffer_init(&repaired, mail.n + 1);
            buffer_append(&repaired, span_slice(mail, 0, (size_t)(bare + 1 - mail.p)));
            buffer_append_string(&repaired, "\r");
            buffer_append(&repaired, span_skip(mail, (size_t)(bare + 1 - mail.p)));
            verdict = judge(buffer_span(&repaired));
            attack_expect("B01", verdict, "dkim.0.result", "fail");
            json_decref(verdict);
            buffer_fini(&repaired);
        }
    }
}

/* B02, B03: a bare CR, a bare LF or a NUL in the header: told, and nothing passes. */
Test(attack_framing, bare_line_ends_and_nul_in_the_header)
{
    static const struct
    {
        const char *row;
        struct span field;
        const char *word;
    } cases[] = {
        {"B02", SPAN_OF("Subject: x\rFrom: admin@victim.test\r\n"), "\"hdr_bare_cr\""},
        {"B02", SPAN_OF("Subject: x\nFrom: admin@victim.test\r\n"), "\"hdr_bare_lf\""},
        {"B03", SPAN_OF("X-A: a@attack.test\0@victim.test\r\n"), "\"hdr_nul\""},
    };
    struct span good = attack_signed(SPAN(FROM_ATTACKER), SPAN("x\r\n"), BY_ATTACKER, -1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer mail;
        buffer_init(&mail, good.n + cases[i].field.n);
        /* not on top: the first line end of a file says how it is read */
        size_t first = span_find(good, '\n') + 1;
        while (good.p[first] == ' ' || good.p[first] == '\t')
            first += span_find(span_skip(good, first), '\n') + 1;
        buffer_append(&mail, span_slice(good, 0, first));
        buffer_append(&mail, cases[i].field);
        buffer_append(&mail, span_skip(good, first));
        json_t *verdict = judge(buffer_span(&mail));
        attack_expect_no_pass(cases[i].row, verdict);
        cr_expect(attack_has(verdict, cases[i].word), "%s: no %s", cases[i].row, cases[i].word);
        json_decref(verdict);
        buffer_fini(&mail);
    }
    json_t *verdict = judge(
        attack_signed(SPAN("From: a@attack.test\0@victim.test\r\n"), SPAN("x"), UNSIGNED, -1));
    attack_expect("B03", verdict, "dmarc.result", "permerror");
    json_decref(verdict);
}

/* B03: NULs in the body are octets like others: all of it is hashed. */
Test(attack_framing, nul_in_the_body)
{
    struct span mail = attack_signed(SPAN(FROM_ATTACKER), SPAN("a\0b\r\nc\0\r\n"), BY_ATTACKER, -1);
    json_t *verdict = judge(mail);
    attack_expect("B03", verdict, "dkim.0.result", "pass");
    cr_expect(attack_has(verdict, "\"body_nul\""));
    json_decref(verdict);
    ((uint8_t *)(uintptr_t)mail.p)[mail.n - 4] ^= 1; /* the octet before the second NUL */
    verdict = judge(mail);
    attack_expect("B03", verdict, "dkim.0.result", "fail");
    json_decref(verdict);
}

/* B04: what stands between the colon and the value is kept: simple canonicalization sees it. */
Test(attack_framing, a_fold_right_behind_the_colon)
{
    static const char *const fields[] = {"Message-ID:\r\n <x@attack.test>\r\n",
                                         "Message-ID:<x@attack.test>\r\n",
                                         "Message-ID: \t <x@attack.test> \r\n"};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        char header[256];
        snprintf(header, sizeof header, "%s" FROM_ATTACKER, fields[i]);
        json_t *verdict = judge(attack_signed_simple(span_from_string(header), SPAN("x\r\n")));
        attack_expect("B04", verdict, "dkim.0.result", "pass");
        attack_expect("B04", verdict, "dkim.0.canonicalization", "simple/simple");
        json_decref(verdict);
    }
}

/* B05: the verdict is the same however the message is cut. */
Test(attack_framing, pieces_of_every_size)
{
    struct span mail = attack_signed(SPAN("X-A: b \r\n\t c\r\n" FROM_ATTACKER SUBJECT),
                                     SPAN("a  b \r\n\r\n \r\nc\r\n\r\n\r\n"), BY_ATTACKER, -1);
    json_t *verdict = judge(mail);
    attack_expect("B05", verdict, "dmarc.result", "pass");
    json_decref(verdict);
    expect_same_in_pieces("B05", mail, mail.n);
}

static const struct attack headers[] = {
    {"B06",
     "a line without a colon between two From",
     SPAN_OF("From: a@attack.test\r\nGARBAGE\r\nFrom: b@victim.test\r\n"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     "\"hdr_malformed\"",
     NULL},
    {"B06",
     "From in the body is no From",
     SPAN_OF("Subject: x\r\n\r\nFrom: a@attack.test\r\n"),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "permerror",
     "\"no_from\"",
     NULL},
    {"B07",
     "an empty name, names of 8-bit and control octets",
     SPAN_OF(": x\r\n\xff\xfe: x\r\n\x01: y\r\n" FROM_ATTACKER),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "pass",
     "\"hdr_odd_name\"",
     NULL},
    {"B13",
     "a line of mbox first",
     SPAN_OF("From x Mon Jan  1 00:00:00 2026\r\n" FROM_ATTACKER),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "pass",
     "\"mbox_from_line\"",
     NULL},
    {"B13",
     "a byte order mark first",
     SPAN_OF("\xef\xbb\xbfX-A: b\r\n" FROM_ATTACKER),
     {0},
     UNSIGNED,
     NULL,
     NULL,
     NULL,
     "pass",
     NULL,
     "pass",
     "\"bom\"",
     NULL},
};

Test(attack_framing, odd_headers)
{
    attack_run(headers, COUNT_OF(headers));
}

static struct span repeated(const char *text, size_t times)
{
    size_t n = strlen(text);
    uint8_t *p = malloc(n * times + 1);
    cr_assert(p != NULL);
    for (size_t i = 0; i < times; i++)
        memcpy(p + i * n, text, n);
    return span_of(p, n * times);
}

/* A header with `part` in it so many times, between From and the end. */
static struct span bomb(const char *begin, const char *part, size_t times, const char *end)
{
    struct buffer mail;
    struct span parts = repeated(part, times);
    buffer_init(&mail, parts.n + 4096);
    buffer_append_string(&mail, FROM_ATTACKER);
    buffer_append_string(&mail, begin);
    buffer_append(&mail, parts);
    buffer_append_string(&mail, end);
    buffer_append_string(&mail, "\r\nbody\r\n");
    return buffer_span(&mail);
}

/* B07, B10: over a limit of the header nothing is read further and nothing passes. */
Test(attack_framing, header_bombs)
{
    static const struct
    {
        const char *row, *begin, *part;
        size_t times;
        const char *end, *reason;
    } bombs[] = {
        {"B10", "", "A: b\r\n", 1500, "", "too_many_fields"},
        {"B10", "", "A: b\r\n", 100 * 1000, "", "header_too_large"},
        {"B10", "X: ", "y", 50 * 1000 * 1000, "\r\n", "header_too_large"},
        {"B10", "X: ", "y", 101 * 1024, "\r\n", "field_too_large"},
        {"B10", "X: y", "\r\n z", 256 * 1024, "\r\n", "header_too_large"},
    };
    for (size_t i = 0; i < COUNT_OF(bombs); i++) {
        struct span mail = bomb(bombs[i].begin, bombs[i].part, bombs[i].times, bombs[i].end);
        json_t *verdict = judge(mail);
        attack_expect_no_pass(bombs[i].row, verdict);
        attack_expect(bombs[i].row, verdict, "spf.result", "pass");
        attack_expect(bombs[i].row, verdict, "dmarc.reason", bombs[i].reason);
        cr_expect(attack_has(verdict, "\"too_large\""));
        json_decref(verdict);
        free((void *)(uintptr_t)mail.p);
    }
    json_t *verdict = judge(bomb("", "N", 70 * 1000, ": x\r\n"));
    attack_expect("B07", verdict, "dmarc.result", "pass");
    cr_expect(attack_has(verdict, "\"hdr_name_too_long\""));
    json_decref(verdict);
}

/* B08: bodies of nothing, of line ends, without an end; each signature is over just that. */
Test(attack_framing, bodies_without_an_end)
{
    static const char *const bodies[] = {"",       "\r\n", "\r\n\r\n", "x",   "x\r\n\r\n",
                                         "x\r\n ", " ",    "\r",       "x\r", "\n"};
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct span mail =
            attack_signed(SPAN(FROM_ATTACKER), span_from_string(bodies[i]), BY_ATTACKER, -1);
        json_t *verdict = judge(mail);
        attack_expect("B08", verdict, "dkim.0.result", "pass");
        json_decref(verdict);
        expect_same_in_pieces("B08", mail, 16);
    }
}

/* B09: one line of 20 MB. */
Test(attack_framing, a_very_long_line)
{
    struct span body = repeated("x ", 10 * 1000 * 1000);
    json_t *verdict = judge_signed(SPAN(FROM_ATTACKER), body);
    attack_expect("B09", verdict, "dkim.0.result", "pass");
    json_decref(verdict);
}

static double seconds_for(struct span mail)
{
    struct timespec begin, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    json_decref(judge(mail));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

/* B11, B14: what is quadratic somewhere else. A bound of seconds where a quadratic scan takes
 * minutes: 60,000 folds of a field, 990 equal fields under 250 equal items of h=, multipart 10,000
 * deep. */
Test(attack_framing, nothing_is_quadratic)
{
    static const char h[] = "DKIM-Signature: v=1; a=rsa-sha256; d=attack.test; s=a;\r\n"
                            " bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA; h=from";
    struct span folds = bomb("X: y", "\r\n ", 30 * 1000, "z\r\n");
    cr_expect(seconds_for(folds) < 5, "B11: folds");
    struct buffer many;
    buffer_init(&many, 1024 * 1024);
    buffer_append_string(&many, h);
    buffer_append(&many, repeated(":x", 250));
    buffer_append_string(&many, "\r\n" FROM_ATTACKER);
    buffer_append(&many, repeated("X: y\r\n", 990));
    buffer_append_string(&many, "\r\nbody\r\n");
    cr_expect(seconds_for(buffer_span(&many)) < 5, "B11: names");
    struct span parts =
        bomb("Content-Type: multipart/mixed; boundary=b\r\n\r\n",
             "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", 10 * 1000, "");
    cr_expect(seconds_for(parts) < 5, "B14: multipart");
    json_t *verdict = judge(parts);
    attack_expect("B14", verdict, "dmarc.result", "pass");
    json_decref(verdict);
}

/* B12: lines of dots are what they are: the interface takes unstuffed text. */
Test(attack_framing, lines_of_dots)
{
    struct span mail =
        attack_signed(SPAN(FROM_ATTACKER), SPAN(".\r\n..\r\n...x\r\n.\r\n"), BY_ATTACKER, -1);
    json_t *verdict = judge(mail);
    attack_expect("B12", verdict, "dkim.0.result", "pass");
    attack_expect("B12", verdict, "dmarc.result", "pass");
    json_decref(verdict);
    expect_same_in_pieces("B12", mail, 8);
}
