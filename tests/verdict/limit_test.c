/* AR_FIELD_BYTES, and how many signatures there may be, each at the limit and beside it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "verdict/reader.h"
#include "verdict/sample.h"
#include "verdict/written.h"

/* A sample with `count` signatures that fail, told apart by b=, their selectors `n` bytes long. */
static struct sample *many(uint32_t count, size_t n)
{
    static char texts[MAX_SIGNATURES_PARSED][24];
    static uint8_t selector[1024];
    struct sample *sample = sample_new();
    memset(selector, 's', sizeof selector);
    cr_assert(n <= sizeof selector);
    sample->dkim.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "%02uABCDEFGH", i);
        struct dkim_verified *verified = sample_sign(sample, texts[i]);
        verified->result = RESULT_FAIL;
        verified->reason = "signature";
        verified->signature.selector = (struct dns_name){.length = 0};
        verified->signature.selector_text = span_of(selector, n);
    }
    return sample;
}

static size_t count_of(const struct ar *ar, const char *method)
{
    size_t n = 0;
    while (ar_find(ar, method, n))
        n++;
    return n;
}

/* How the field grows by one byte of one value: the exact place where a signature falls out. */
Test(limit, ar_field_bytes)
{
    enum
    {
        SIGNATURES = 12,
        COMMENT = sizeof "\r\n (more results left out)" - 1, /* room that is always kept */
    };
    size_t largest = 0, full = 0;
    for (size_t n = 1; n <= 256; n++) {
        struct sample *sample = many(SIGNATURES, 200);
        sample->verified[SIGNATURES - 1].signature.selector_text.n = n;
        const struct ar *ar = written_read(sample);
        size_t field = written_field(sample).n, signatures = count_of(ar, "dkim");
        largest = field > largest ? field : largest;
        if (signatures == SIGNATURES)
            full = field;
        cr_assert(signatures == SIGNATURES || signatures == SIGNATURES - 1);
        cr_expect((signatures == SIGNATURES) == (ar->comments == 0), "n %zu", n);
        cr_expect(sample->hits.n[LIMIT_AR_FIELD_BYTES] == (signatures < SIGNATURES), "n %zu: %u", n,
                  sample->hits.n[LIMIT_AR_FIELD_BYTES]);
        written_expect_result(ar, "dmarc", "pass");
        free(sample);
    }
    cr_expect(full == MAX_AR_FIELD_BYTES - COMMENT, "all fit up to %zu bytes", full);
    cr_expect(largest <= MAX_AR_FIELD_BYTES);
}

/* The longest of everything: still within the limit, and the verdict is still there. */
Test(limit, ar_field_bytes_with_the_longest_values)
{
    static uint8_t quotes[4096];
    memset(quotes, '"', sizeof quotes);
    struct span value = span_of(quotes, sizeof quotes);
    struct sample *sample = many(MAX_SIGNATURES_PARSED, 1);
    sample_seal(sample, MAX_ARC_SETS);
    sample->verdict.authserv_id = value;
    sample->spf.checked.uses_local_part = true;
    sample->path.local = span_of(quotes, 122);
    sample->spf.checked.result = RESULT_FAIL;
    sample->spf.checked.reason = sample->dmarc.reason = sample->arc.reason = "explained_at_length";
    sample->dmarc.result = RESULT_FAIL;
    for (uint32_t i = 0; i < MAX_SIGNATURES_PARSED; i++) {
        struct dkim_signature *signature = &sample->verified[i].signature;
        signature->domain = (struct dns_name){.length = 0};
        signature->domain_text = signature->selector_text = signature->identity = value;
    }
    const struct ar *ar = written_read(sample);
    written_expect_result(ar, "dmarc", "fail");
    written_expect_result(ar, "arc", "pass");
    written_expect_result(ar, "spf", "fail");
    cr_expect(ar->comments == 1);
    cr_expect(sample->hits.n[LIMIT_AR_FIELD_BYTES] == 1, "counted once for both forms");
}

/* Many bad signatures cannot push the good one out (security.md 0.7). */
Test(limit, a_passing_signature_is_never_pushed_out)
{
    for (uint32_t good = 0; good < MAX_SIGNATURES_PARSED; good++) {
        struct sample *sample = many(MAX_SIGNATURES_PARSED, 200);
        sample->verified[good].result = RESULT_PASS;
        sample->verified[good].reason = NULL;
        const struct ar *ar = written_read(sample);
        written_expect_result(ar, "dkim", "pass");
        cr_expect(ar_find(ar, "dkim", 1) && ar->comments == 1);
        cr_expect(span_equal(ar_find(ar, "dkim", 1)->result, SPAN("fail")));
        free(sample);
    }
}

/* SIGNATURES_PARSED: 31, 32, and 33 of which the judge looked at 32. */
Test(limit, signatures_parsed)
{
    static const struct
    {
        uint32_t total, count;
        size_t comments;
    } cases[] = {
        {0, 0, 0},
        {1, 1, 0},
        {MAX_SIGNATURES_PARSED - 1, MAX_SIGNATURES_PARSED - 1, 0},
        {MAX_SIGNATURES_PARSED, MAX_SIGNATURES_PARSED, 0},
        {MAX_SIGNATURES_PARSED + 1, MAX_SIGNATURES_PARSED, 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample *sample = many(cases[i].count, 1);
        for (uint32_t j = 0; j < cases[i].count; j++) {
            sample->verified[j].reason = NULL; /* 32 short ones fit */
            sample->verified[j].signature.algorithm = DKIM_ALGORITHM_UNKNOWN;
        }
        sample->dkim.total = cases[i].total;
        const struct ar *ar = written_read(sample);
        size_t want = cases[i].count ? cases[i].count : 1; /* dkim=none */
        cr_expect(count_of(ar, "dkim") == want, "%u: %zu", cases[i].total, count_of(ar, "dkim"));
        cr_expect(ar->comments == cases[i].comments, "%u: %zu", cases[i].total, ar->comments);
    }
}

/* A caller's buffer that is too small fails whole; nothing half-written looks like a result. */
Test(limit, a_full_buffer_fails)
{
    struct sample *sample = sample_new();
    size_t n = written_text(sample).n;
    for (size_t ceiling = n - 1; ceiling <= n + 1; ceiling++) {
        struct buffer out;
        buffer_init(&out, ceiling);
        verdict_write_results(&sample->verdict, &out);
        cr_expect(out.failed == (ceiling < n), "ceiling %zu of %zu", ceiling, n);
        buffer_fini(&out);
    }
}

/* Writers append. */
Test(limit, the_field_is_appended)
{
    struct sample *sample = sample_new();
    struct buffer out;
    buffer_init(&out, 4096);
    buffer_append_string(&out, "before");
    verdict_write_results(&sample->verdict, &out);
    cr_expect(span_starts_fold(buffer_span(&out), SPAN("beforemx.example.net; ")));
    buffer_fini(&out);
}
