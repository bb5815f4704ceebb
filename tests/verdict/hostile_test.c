/*
 * Hostile values in every place that a message or the DNS can fill (security.md A04, A05, J04): the
 * strict reader finds exactly the results that were put in, with each value in its own property.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/chars.h"
#include "support/guard.h"
#include "verdict/reader.h"
#include "verdict/sample.h"
#include "verdict/written.h"

#define TEN(text) text text text text text text text text text text

static const struct span hostile[] = {
    SPAN("a;spf=pass"), /* J04: a selector that would be a result */
    SPAN("a; dmarc=pass header.from=victim.test"),
    SPAN("a dmarc=pass"),
    SPAN("a\" ; dmarc=pass \""),
    SPAN("a\\\" ; dmarc=pass \""),
    SPAN("a\\"),
    SPAN("\\\\\\\""),
    SPAN("\""),
    SPAN("\"\""),
    SPAN("x\r\nAuthentication-Results: mx.example.net; dmarc=pass"), /* J04: CRLF */
    SPAN("x\r\n dmarc=pass"),
    SPAN("x\r\n\r\nbody"),
    SPAN("x\ny"),
    SPAN("x\ry"),
    SPAN("\r\n"),
    SPAN("victim.test(.attack.test"), /* A04 */
    SPAN("victim.test'a.attack.test"),
    SPAN("victim.test\"=(.attack.test"),
    SPAN("any@victim.test(.attack.test"), /* A05 */
    SPAN("any@victim.test'@a.attack.test"),
    SPAN("any@victim.test@attack.test"),
    SPAN("(a comment) dmarc=pass"),
    SPAN("a)b(c"),
    SPAN("((((("),
    SPAN(")))))"),
    SPAN("(\\)"),
    SPAN("sel._domainkey.attack.test.\0.x"), /* A03 */
    SPAN("\0"),
    SPAN("victim.test\0.attack.test"),
    SPAN("m\xc3\xbcnchen.example"),
    SPAN("\xff\xfe\x80"),
    SPAN("victim.test\xe2\x80\x8b"), /* A17 */
    SPAN("\x1b[31m\x07\x08"),        /* J08 */
    SPAN("%n%n%s"),
    SPAN(" "),
    SPAN("   leading and trailing   "),
    SPAN("\t"),
    SPAN("."),
    SPAN("@"),
    SPAN("@@"),
    SPAN("a@"),
    SPAN("none"),
    SPAN("=pass"),
    SPAN("reason=\"x\""),
    SPAN("<a@b.example>"),
    SPAN("1; x"),
    SPAN(TEN(TEN(TEN("0123456789")))),      /* 10 KB */
    SPAN(TEN(TEN(TEN("\"\\\"\\;()\r\n")))), /* 9 KB of what is escaped */
    SPAN(TEN(TEN("\xf0\x9f\x98\x80"))),
};

/* A place for somebody else's bytes, and the property that they show up in. */
struct place
{
    const char *property;
    void (*put)(struct sample *sample, struct span value);
};

static void put_domain(struct sample *sample, struct span value)
{
    struct dkim_signature *signature = &sample->verified[0].signature;
    signature->domain = (struct dns_name){.length = 0};
    signature->domain_text = value;
    signature->identity = SPAN("@fixed.example");
    sample->verified[0].result = RESULT_PERMERROR;
    sample->verified[0].reason = "bad_domain";
}

static void put_selector(struct sample *sample, struct span value)
{
    struct dkim_signature *signature = &sample->verified[0].signature;
    signature->selector = (struct dns_name){.length = 0};
    signature->selector_text = value;
    sample->verified[0].result = RESULT_PERMERROR;
    sample->verified[0].reason = "bad_selector";
}

static void put_identity(struct sample *sample, struct span value)
{
    sample->verified[0].signature.identity = value;
}

static const struct place places[] = {
    {"header.d", put_domain},
    {"header.s", put_selector},
    {"header.i", put_identity},
};

/* What the sample holds but for the value itself. */
static void check_frame(const struct ar *ar)
{
    static const char *const methods[] = {"spf", "dkim", "arc", "dmarc"};
    cr_assert(ar->count == COUNT_OF(methods), "%zu results", ar->count);
    cr_assert(ar->comments == 0, "%zu comments", ar->comments);
    cr_assert(span_equal(ar->authserv_id, SPAN("mx.example.net")));
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        cr_assert(span_equal(ar->results[i].method, span_from_string(methods[i])));
    cr_assert(span_equal(ar->results[0].result, SPAN("pass")) && ar->results[0].count == 1);
    cr_assert(span_equal(ar->results[2].result, SPAN("none")) && ar->results[2].count == 0);
    cr_assert(span_equal(ar->results[3].result, SPAN("fail")) && ar->results[3].count == 2);
    cr_assert(ar->results[1].count == 5, "%zu properties of dkim", ar->results[1].count);
}

Test(hostile, j04_a04_a05_values_stay_in_their_property)
{
    for (size_t p = 0; p < COUNT_OF(places); p++)
        for (size_t i = 0; i < COUNT_OF(hostile); i++) {
            struct sample *sample = sample_new();
            sample->dmarc.result = RESULT_FAIL;
            places[p].put(sample, guard_copy(hostile[i]));
            const struct ar *ar = written_read(sample);
            check_frame(ar);
            written_expect_value(&ar->results[1], places[p].property, written_clean(hostile[i]));
        }
}

/* Two hostile values beside one another must not join. */
Test(hostile, j04_pairs_of_values_do_not_join)
{
    for (size_t i = 0; i < COUNT_OF(hostile); i++)
        for (size_t j = 0; j < COUNT_OF(hostile); j++) {
            struct sample *sample = sample_new();
            sample->dmarc.result = RESULT_FAIL;
            put_selector(sample, hostile[j]);
            put_identity(sample, hostile[i]);
            const struct ar *ar = written_read(sample);
            check_frame(ar);
            written_expect_value(&ar->results[1], "header.i", written_clean(hostile[i]));
            written_expect_value(&ar->results[1], "header.s", written_clean(hostile[j]));
            free(sample);
        }
}

/* The local part of MAIL FROM: RFC 5321 form, read back to the very bytes where they are shown. */
Test(hostile, j04_a05_local_parts)
{
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct sample *sample = sample_new();
        sample->spf.checked.uses_local_part = true;
        sample->path.local = guard_copy(hostile[i]);
        const struct ar *ar = written_read(sample);
        cr_assert(ar->count == 4 && ar->results[0].count == 1);
        struct span got = ar_value(&ar->results[0], "smtp.mailfrom");
        size_t at = span_find_last(got, '@');
        struct span domain = at < got.n ? span_skip(got, at + 1) : got;
        cr_expect(span_equal(domain, SPAN("a.example")), "case %zu: got %.*s", i, (int)got.n,
                  (const char *)got.p);
        cr_expect(hostile[i].n <= 246 || at == got.n, "case %zu: a long local part is left out", i);
    }
}

/* J04: CRLF in HELO, and what is no name at all: not shown, as it authenticates nothing (AR-16). */
Test(hostile, j04_an_unusable_helo_is_not_shown)
{
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct sample *sample = sample_new();
        sample->spf.checked = (struct spf_check){.result = RESULT_NONE,
                                                 .reason = "bad_helo",
                                                 .scope = SPF_SCOPE_HELO,
                                                 .domain_text = guard_copy(hostile[i]),
                                                 .explanation = hostile[i],
                                                 .mechanism = hostile[i],
                                                 .record = hostile[i]};
        const struct ar *ar = written_read(sample);
        cr_assert(ar->count == 4);
        cr_expect(ar->results[0].count == 0 && span_equal(ar->results[0].result, SPAN("none")));
    }
}

/* A signature's b= may be any text where parsing failed: only base64 characters are shown. */
Test(hostile, j04_b_shows_base64_only)
{
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct sample *sample = sample_new();
        sample->verified[0].signature.b_text = guard_copy(hostile[i]);
        sample->verified[0].signature.algorithm_text = hostile[i];
        const struct ar *ar = written_read(sample);
        cr_assert(ar->count == 4);
        struct span b = ar_value(&ar->results[1], "header.b");
        for (size_t j = 0; j < b.n; j++)
            cr_expect(char_is(b.p[j], CHAR_BASE64) || b.p[j] == '=');
        cr_expect(b.n <= 8);
        written_expect_value(&ar->results[1], "header.a", SPAN("rsa-sha256"));
    }
}

/* The id is the operator's, but the writer does not depend on the check that was made of it. */
Test(hostile, j04_authserv_id)
{
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct sample *sample = sample_new();
        sample->verdict.authserv_id = hostile[i];
        const struct ar *ar = written_read(sample);
        cr_expect(ar->count == 4 && span_equal(ar->authserv_id, written_clean(hostile[i])));
    }
}
