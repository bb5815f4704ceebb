/* What is written for which judgement: AR-6 to AR-14, by the strict reader and by plain text. */
#include <criterion/criterion.h>

#include "verdict/reader.h"
#include "verdict/sample.h"
#include "verdict/written.h"

Test(results, a_good_message)
{
    struct sample *sample = sample_new();
    sample_seal(sample, 2);
    const char *want =
        "mx.example.net; spf=pass smtp.mailfrom=a.example; dkim=pass header.d=a.example "
        "header.i=@a.example header.s=s1 header.a=rsa-sha256 header.b=AbCdEfGh; arc=pass "
        "smtp.remote-ip=192.0.2.1 header.oldest-pass=0; dmarc=pass header.from=a.example "
        "policy.dmarc=reject";
    struct span got = written_text(sample);
    cr_expect(span_equal(got, span_from_string(want)), "got  %.*s\nwant %s", (int)got.n,
              (const char *)got.p, want);
}

Test(results, a_failing_message_says_why)
{
    struct sample *sample = sample_new();
    sample->spf.checked.result = RESULT_SOFTFAIL;
    sample->verified[0].result = RESULT_FAIL;
    sample->verified[0].reason = "body_hash";
    sample->arc = (struct arc_judgement){.result = RESULT_FAIL, .reason = "cv_fail"};
    sample->dmarc.result = RESULT_FAIL;
    sample->dmarc.reason = "not_aligned";
    sample->dmarc.policy = DMARC_POLICY_QUARANTINE;
    const char *want =
        "mx.example.net; spf=softfail smtp.mailfrom=a.example; dkim=fail reason=\"body_hash\" "
        "header.d=a.example header.i=@a.example header.s=s1 header.a=rsa-sha256 "
        "header.b=AbCdEfGh; arc=fail reason=\"cv_fail\"; dmarc=fail reason=\"not_aligned\" "
        "header.from=a.example policy.dmarc=quarantine";
    struct span got = written_text(sample);
    cr_expect(span_equal(got, span_from_string(want)), "got  %.*s\nwant %s", (int)got.n,
              (const char *)got.p, want);
}

/* A reason explains what is no pass; a note beside a pass is for the JSON. */
Test(results, a_pass_has_no_reason)
{
    struct sample *sample = sample_new();
    sample_seal(sample, 1);
    sample->spf.checked.reason = sample->verified[0].reason = "testing";
    sample->arc.reason = sample->dmarc.reason = "testing";
    const struct ar *ar = written_read(sample);
    for (size_t i = 0; i < ar->count; i++)
        cr_expect(ar->results[i].reason.p == NULL);
    sample->spf.checked.result = sample->verified[0].result = RESULT_FAIL;
    sample->arc.result = sample->dmarc.result = RESULT_FAIL;
    ar = written_read(sample);
    for (size_t i = 0; i < ar->count; i++)
        cr_expect(span_equal(ar->results[i].reason, SPAN("testing")));
}

/* AR-7; without a client address spf is none, once another method was run. */
Test(results, ar_7_methods_that_were_not_run)
{
    struct sample *sample = sample_new();
    sample->verdict.spf_checked = false;
    sample->verdict.dkim = NULL;
    sample->verdict.arc = NULL;
    sample->verdict.dmarc = NULL;
    cr_expect(span_equal(written_text(sample), SPAN("mx.example.net; none")));
    cr_expect(span_equal(written_field(sample),
                         SPAN("Authentication-Results: mx.example.net; none\r\n")));
    sample->verdict.arc = &sample->arc;
    cr_expect(span_equal(written_text(sample),
                         SPAN("mx.example.net; spf=none reason=\"no_client_address\"; arc=none")));
    sample->verdict.spf_checked = true;
    sample->verdict.spf = NULL;
    cr_expect(span_equal(written_text(sample), SPAN("mx.example.net; spf=temperror; arc=none")));
}

/* AR-6: a token stays bare, anything else is quoted and cleaned. */
Test(results, ar_6_authserv_id)
{
    static const struct
    {
        struct span id, want;
    } cases[] = {
        {SPAN("mx.example.net"), SPAN("mx.example.net; none")},
        {SPAN("MX-1"), SPAN("MX-1; none")},
        {SPAN(""), SPAN("\"\"; none")},
        {SPAN("mx;spf=pass"), SPAN("\"mx;spf=pass\"; none")},
        {SPAN("a@b.example"), SPAN("\"a@b.example\"; none")},
        {SPAN("a\"b\\c\r\n"), SPAN("\"a\\\"b\\\\c??\"; none")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = sample_new();
        sample->verdict = (struct verdict){.authserv_id = cases[i].id};
        struct span got = written_text(sample);
        cr_expect(span_equal(got, cases[i].want), "got %.*s", (int)got.n, (const char *)got.p);
    }
}

/* AR-9, AR-11, AR-13, AR-14: each method's own words; whatever is none of them is an error. */
Test(results, every_result_value_of_every_method)
{
    static const struct
    {
        enum result result;
        const char *spf, *dkim, *arc, *dmarc;
    } cases[] = {
        {RESULT_UNSET, "temperror", "temperror", "fail", "temperror"},
        {RESULT_NONE, "none", "none", "none", "none"},
        {RESULT_NEUTRAL, "neutral", "neutral", "fail", "temperror"},
        {RESULT_SOFTFAIL, "softfail", "temperror", "fail", "temperror"},
        {RESULT_FAIL, "fail", "fail", "fail", "fail"},
        {RESULT_POLICY, "policy", "policy", "fail", "temperror"},
        {RESULT_TEMPERROR, "temperror", "temperror", "fail", "temperror"},
        {RESULT_PERMERROR, "permerror", "permerror", "fail", "permerror"},
        {RESULT_PASS, "pass", "pass", "pass", "pass"},
        {(enum result)1, "temperror", "temperror", "fail", "temperror"},
        {(enum result)0x5b, "temperror", "temperror", "fail", "temperror"},
        {(enum result)0x7f, "temperror", "temperror", "fail", "temperror"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = sample_new();
        sample->spf.checked.result = cases[i].result;
        sample->verified[0].result = cases[i].result;
        sample->arc.result = cases[i].result;
        sample->dmarc.result = cases[i].result;
        const struct ar *ar = written_read(sample);
        written_expect_result(ar, "spf", cases[i].spf);
        written_expect_result(ar, "dkim", cases[i].dkim);
        written_expect_result(ar, "arc", cases[i].arc);
        written_expect_result(ar, "dmarc", cases[i].dmarc);
        cr_expect(ar->count == 4, "%zu results", ar->count);
    }
}

/* Cleared judgements, as a fault would leave them, never pass. */
Test(results, cleared_memory_is_no_pass)
{
    struct sample *sample = sample_new();
    sample->spf = (struct spf_judgement){0};
    sample->dkim.verified[0] = (struct dkim_verified){0};
    sample->arc = (struct arc_judgement){0};
    sample->dmarc = (struct dmarc_judgement){0};
    struct span got = written_text(sample);
    cr_expect(span_equal(got, SPAN("mx.example.net; spf=temperror; dkim=temperror; arc=fail; "
                                   "dmarc=temperror")),
              "got %.*s", (int)got.n, (const char *)got.p);
}

/* AR-9, AR-10 */
Test(results, ar_9_messages_without_a_judged_signature)
{
    struct sample *sample = sample_new();
    sample->verdict.arc = NULL;
    sample->verdict.dmarc = NULL;
    sample->dkim = (struct dkim_judgement){.verified = sample->verified};
    cr_expect(span_equal(written_text(sample),
                         SPAN("mx.example.net; spf=pass smtp.mailfrom=a.example; dkim=none")));
    sample->dkim.total = 3;
    cr_expect(span_equal(written_text(sample),
                         SPAN("mx.example.net; spf=pass smtp.mailfrom=a.example; dkim=temperror")));
    sample->dkim.refused = "header_too_large";
    cr_expect(span_equal(written_text(sample),
                         SPAN("mx.example.net; spf=pass smtp.mailfrom=a.example; dkim=permerror "
                              "reason=\"header_too_large\"")));
}

Test(results, ar_9_the_tags_of_a_signature)
{
    struct sample *sample = sample_new();
    struct dkim_signature *signature = &sample->verified[0].signature;
    struct dkim_verified *second = sample_sign(sample, "ZZZZZZZZZZ");
    second->signature.domain = sample_name("b.example");
    signature->identity = SPAN("joe=40x@mail.a.example");
    signature->algorithm = DKIM_ALGORITHM_UNKNOWN;
    const struct ar *ar = written_read(sample);
    const struct ar_result *first = ar_find(ar, "dkim", 0);
    written_expect_value(first, "header.d", SPAN("a.example"));
    written_expect_value(first, "header.i", SPAN("joe=40x@mail.a.example"));
    written_expect_value(first, "header.s", SPAN("s1"));
    written_expect_value(first, "header.b", SPAN("AbCdEfGh"));
    cr_expect(first->count == 4, "an unknown a= is anybody's text: not written");
    written_expect_value(ar_find(ar, "dkim", 1), "header.i", SPAN("@b.example"));
    written_expect_value(ar_find(ar, "dkim", 1), "header.a", SPAN("rsa-sha256"));
    cr_expect(ar_find(ar, "dkim", 2) == NULL, "one resinfo for each signature");
}

/* A pvalue may be bare only as a token, "@domain" or dot-atom "@" domain (RFC 8601 2.2). */
Test(results, ar_8_what_stands_without_quotes)
{
    static const struct
    {
        struct span value, want;
    } cases[] = {
        {SPAN("@a.example"), SPAN("header.i=@a.example ")},
        {SPAN("joe@a.example"), SPAN("header.i=joe@a.example ")},
        {SPAN("joe.b@a.example"), SPAN("header.i=joe.b@a.example ")},
        {SPAN("token"), SPAN("header.i=token ")},
        {SPAN("joe@a_b.example"), SPAN("header.i=\"joe@a_b.example\" ")},
        {SPAN("joe@single"), SPAN("header.i=\"joe@single\" ")},
        {SPAN("joe.@a.example"), SPAN("header.i=\"joe.@a.example\" ")},
        {SPAN(".joe@a.example"), SPAN("header.i=\".joe@a.example\" ")},
        {SPAN("j..oe@a.example"), SPAN("header.i=\"j..oe@a.example\" ")},
        {SPAN("joe@a..example"), SPAN("header.i=\"joe@a..example\" ")},
        {SPAN("joe@-a.example"), SPAN("header.i=\"joe@-a.example\" ")},
        {SPAN("joe@a.example."), SPAN("header.i=\"joe@a.example.\" ")},
        {SPAN("a@b@c.example"), SPAN("header.i=\"a@b@c.example\" ")},
        {SPAN("j=e@a.example"), SPAN("header.i=\"j=e@a.example\" ")},
        {SPAN("j/e@a.example"), SPAN("header.i=\"j/e@a.example\" ")},
        {SPAN("a b"), SPAN("header.i=\"a b\" ")},
        {SPAN("a;b"), SPAN("header.i=\"a;b\" ")},
        {SPAN("(c)"), SPAN("header.i=\"(c)\" ")},
        {SPAN("\""), SPAN("header.i=\"\\\"\" ")},
        {SPAN("\\"), SPAN("header.i=\"\\\\\" ")},
        {SPAN("\t"), SPAN("header.i=\"?\" ")},
        {SPAN("a\0b"), SPAN("header.i=\"a?b\" ")},
        {SPAN("\xc3\xa9"), SPAN("header.i=\"??\" ")},
        {SPAN("\x7f"), SPAN("header.i=\"?\" ")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = sample_new();
        sample->verified[0].signature.identity = cases[i].value;
        struct span got = written_text(sample);
        cr_expect(memmem(got.p, got.n, cases[i].want.p, cases[i].want.n) != NULL,
                  "want %.*s in %.*s", (int)cases[i].want.n, (const char *)cases[i].want.p,
                  (int)got.n, (const char *)got.p);
        (void)written_read(sample);
    }
}

/* RFC 6008 section 4: eight characters or more, so many that they are unique. */
Test(results, ar_9_header_b_tells_signatures_apart)
{
#define SIXTY4 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const struct
    {
        const char *b[3], *want[3];
    } cases[] = {
        {{"AAAAAAAAAA", "BBBBBBBBBB"}, {"AAAAAAAA", "BBBBBBBB"}},
        {{"AAAAAAA1AA", "AAAAAAA2AA"}, {"AAAAAAA1", "AAAAAAA2"}}, /* the 8th differs */
        {{"AAAAAAAA1A", "AAAAAAAA2A"}, {"AAAAAAAA1", "AAAAAAAA2"}},
        {{"AAAAAAAA1A", "AAAAAAAA2A", "AAAAAAAA1B"}, {"AAAAAAAA1A", "AAAAAAAA2", "AAAAAAAA1B"}},
        {{"AAAAAAAAAA", "AAAAAAAAAAB"}, {"AAAAAAAAAA", "AAAAAAAAAAB"}}, /* one begins the other */
        {{"AAAAAAAAAA", "AAAAAAAAAA"}, {"AAAAAAAAAA", "AAAAAAAAAA"}},   /* alike: all there is */
        {{"AB=", "ABCDEFGHIJ"}, {"AB=", "ABCDEFGH"}},
        {{" AA\r\n\tAA AA AA1 ", "AAAAAAAA2"}, {"AAAAAAAA1", "AAAAAAAA2"}}, /* white space in b= */
        {{SIXTY4 "x", SIXTY4 "y"}, {SIXTY4, SIXTY4}}, /* our bound: B_PREFIX_MAX */
        {{"+/+/+/+/", "========="}, {"+/+/+/+/", "========"}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = sample_new();
        sample->dkim.count = 0;
        for (size_t j = 0; j < 3 && cases[i].b[j]; j++)
            sample_sign(sample, cases[i].b[j]);
        const struct ar *ar = written_read(sample);
        for (size_t j = 0; j < 3 && cases[i].b[j]; j++)
            written_expect_value(ar_find(ar, "dkim", j), "header.b",
                                 span_from_string(cases[i].want[j]));
    }
}

#define LOCAL_64 "0123456789012345678901234567890123456789012345678901234567890123"
#define LOCAL_246                                                                                  \
    LOCAL_64 LOCAL_64 LOCAL_64 "012345678901234567890123456789012345678901234567890123"

/* AR-11: the identity that gave the result, its local part only where the record used it. */
Test(results, ar_11_spf_identity)
{
    static const struct
    {
        enum spf_scope scope;
        enum mail_path_kind kind;
        struct span local;
        bool used;
        const char *domain; /* NULL: unusable */
        const char *property;
        struct span want;
    } cases[] = {
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN("user"), false, "a.example", "smtp.mailfrom",
         SPAN("a.example")},
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN("user"), true, "a.example", "smtp.mailfrom",
         SPAN("user@a.example")},
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN("prvs=1=u"), true, "a.example", "smtp.mailfrom",
         SPAN("prvs=1=u@a.example")},
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN("a b"), true, "a.example", "smtp.mailfrom",
         SPAN("\"a b\"@a.example")},
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN("a\"b\\"), true, "a.example", "smtp.mailfrom",
         SPAN("\"a\\\"b\\\\\"@a.example")}, /* J04: local part with a quote */
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN("any@victim.test"), true, "a.example",
         "smtp.mailfrom", SPAN("\"any@victim.test\"@a.example")}, /* A05: two "@" */
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN(".a"), true, "a.example", "smtp.mailfrom",
         SPAN("\".a\"@a.example")},
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN(LOCAL_246), true, "a.example", "smtp.mailfrom",
         SPAN(LOCAL_246 "@a.example")}, /* 256 bytes in all: the limit */
        {SPF_SCOPE_MFROM, MAIL_PATH_ADDRESS, SPAN(LOCAL_246 "x"), true, "a.example",
         "smtp.mailfrom", SPAN("a.example")}, /* one more: the domain alone */
        {SPF_SCOPE_MFROM, MAIL_PATH_MALFORMED, SPAN("user"), true, "a.example", "smtp.mailfrom",
         SPAN("a.example")},
        {SPF_SCOPE_HELO, MAIL_PATH_NULL, SPAN(""), true, "mail.a.example", "smtp.helo",
         SPAN("mail.a.example")},
        {SPF_SCOPE_HELO, MAIL_PATH_ADDRESS, SPAN("user"), true, "mail.a.example", "smtp.helo",
         SPAN("mail.a.example")},
        /* AR-16, A02, J04: an identity that is no name is not shown */
        {SPF_SCOPE_HELO, MAIL_PATH_NULL, SPAN(""), true, NULL, NULL, SPAN("")},
        {SPF_SCOPE_MFROM, MAIL_PATH_MALFORMED, SPAN("user"), true, NULL, NULL, SPAN("")},
        {SPF_SCOPE_NONE, MAIL_PATH_ABSENT, SPAN(""), false, "a.example", NULL, SPAN("")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = sample_new();
        struct spf_check *check = &sample->spf.checked;
        check->scope = cases[i].scope;
        check->uses_local_part = cases[i].used;
        check->domain =
            cases[i].domain ? sample_name(cases[i].domain) : (struct dns_name){.length = 0};
        check->domain_text = SPAN("x\r\nspf=pass");
        sample->path = (struct mail_path){.kind = cases[i].kind, .local = cases[i].local};
        const struct ar_result *spf = ar_find(written_read(sample), "spf", 0);
        cr_expect(spf->count == (cases[i].property != NULL), "case %zu: %zu properties", i,
                  spf->count);
        if (cases[i].property)
            written_expect_value(spf, cases[i].property, cases[i].want);
    }
}

/* AR-14: the address only from the connection, and only for a chain that passes. */
Test(results, ar_14_arc_properties)
{
    static const struct
    {
        struct ip client;
        int oldest_pass;
        const char *ip, *oldest;
    } cases[] = {
        {{.family = IP_V4, .bytes = {192, 0, 2, 1}}, 0, "192.0.2.1", "0"},
        {{.family = IP_V6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}}, 9, "2001:db8::1", "9"},
        {{.family = IP_V4, .bytes = {192, 0, 2, 1}}, 10, "192.0.2.1", "10"},
        {{.family = IP_V4, .bytes = {192, 0, 2, 1}}, MAX_ARC_SETS - 1, "192.0.2.1", "49"},
        {{.family = IP_V4, .bytes = {192, 0, 2, 1}}, MAX_ARC_SETS, "192.0.2.1", "50"},
        {{.family = IP_V4, .bytes = {192, 0, 2, 1}}, MAX_ARC_SETS + 1, "192.0.2.1", NULL},
        {{.family = IP_NONE}, -1, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = sample_new();
        sample_seal(sample, MAX_ARC_SETS);
        sample->verdict.client = cases[i].client;
        sample->arc.oldest_pass = cases[i].oldest_pass;
        const struct ar_result *arc = ar_find(written_read(sample), "arc", 0);
        written_expect_value(arc, "smtp.remote-ip", span_from_string(cases[i].ip));
        written_expect_value(arc, "header.oldest-pass", span_from_string(cases[i].oldest));
        sample->arc.result = RESULT_FAIL;
        cr_expect(ar_find(written_read(sample), "arc", 0)->count == 0);
    }
}

/* AR-13 */
Test(results, ar_13_dmarc_properties)
{
    struct sample *sample = sample_new();
    sample->dmarc = (struct dmarc_judgement){.result = RESULT_NONE, .reason = "no_record"};
    sample->dmarc.discovery.from_domain = sample_name("b.example");
    const struct ar_result *dmarc = ar_find(written_read(sample), "dmarc", 0);
    written_expect_value(dmarc, "header.from", SPAN("b.example"));
    cr_expect(span_equal(dmarc->reason, SPAN("no_record")));
    cr_expect(dmarc->count == 1, "no policy.dmarc where DMARC does not apply");
    sample->dmarc.result = RESULT_PERMERROR;
    sample->dmarc.reason = "multi_from";
    sample->dmarc.discovery.from_domain = (struct dns_name){.length = 0};
    dmarc = ar_find(written_read(sample), "dmarc", 0);
    cr_expect(dmarc->count == 0 && span_equal(dmarc->reason, SPAN("multi_from")));
}
