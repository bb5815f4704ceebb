/* exp= (SP-37, security.md E13). */
#include <criterion/criterion.h>

#include "base/buffer.h"
#include "harness.h"

/* The text at e.example, which a.example's exp= names. */
static struct dns_source *zone_with(const char *records)
{
    struct buffer zone;
    buffer_init(&zone, 65536);
    buffer_append_string(&zone, "a.example TXT \"v=spf1 ip4:192.0.2.9 -all exp=e.example\"\n");
    buffer_append_string(&zone, records);
    buffer_append_byte(&zone, '\0');
    struct dns_source *source = spf_zone((const char *)zone.p);
    buffer_fini(&zone);
    return source;
}

static const struct explanation_case
{
    const char *records;
    const char *want;
} explanation_cases[] = {
    {"e.example TXT \"No mail from %{c}, %{o}.\"\n", "No mail from 192.0.2.1, a.example."},
    {"e.example TXT \"%{S} %{h} %{r} %{t}\"\n", "joe%40a.example one mx.example.org 1700000000"},
    {"e.example TXT \"%{p}\"\n", "unknown"},
    {"e.example TXT \"two \" \"strings\"\n", "two strings"},
    {"e.example TXT \"trailing dot.\"\n", "trailing dot."},
    {"e.example TXT \"\"\n", ""},
    /* E13: never a format string, never other bytes than printable ASCII */
    {"e.example TXT \"%n%s\"\n", ""},
    {"e.example TXT \"a\\013\\010Subject: x\"\n", ""},
    {"e.example TXT \"a\\000b\"\n", ""},
    {"e.example TXT \"a\\009b\"\n", ""},
    {"e.example TXT \"\\239\\187\\191text\"\n", ""},
    {"e.example TXT \"%{x}\"\n", ""},
    {"e.example TXT \"one\"\ne.example TXT \"two\"\n", ""},
    {"e.example TXT !timeout\n", ""},
    {"e.example A 192.0.2.1\n", ""},
    {"", ""},
    /* through a CNAME, as any lookup */
    {"e.example CNAME f.example\nf.example TXT \"f\"\n", "f"},
};

Test(spf_explanation, E13_texts)
{
    for (size_t i = 0; i < COUNT_OF(explanation_cases); i++) {
        const struct explanation_case *c = &explanation_cases[i];
        struct dns_source *source = zone_with(c->records);
        struct spf_trial trial;
        spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@a.example"), source);
        const struct spf_check *check = &trial.judgement.checked;
        cr_expect(check->result == RESULT_FAIL && !check->reason && check->voids == 0);
        cr_expect(span_equal(check->explanation, span_from_string(c->want)),
                  "%s: got \"%.*s\", want \"%s\"", c->records, (int)check->explanation.n,
                  (const char *)check->explanation.p, c->want);
        cr_expect(span_equal(check->path, SPAN("-all")));
        spf_trial_end(&trial);
        dns_source_free(&source);
    }
}

/* A non-ASCII local part in the text: the text is not shown, the verdict stays. */
Test(spf_explanation, E13_local_part_with_other_bytes)
{
    struct dns_source *source = zone_with("e.example TXT \"for %{l}\"\n");
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "j\xc3\xb6@a.example"), source);
    cr_expect(trial.judgement.checked.result == RESULT_FAIL);
    cr_expect(trial.judgement.checked.explanation.n == 0);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

/* Off by default: the text is not even asked for. Nor is it after anything but a fail. */
Test(spf_explanation, E13_only_on_request_and_on_fail)
{
    struct dns_source *source = zone_with("e.example TXT \"text\"\n");
    struct spf_request request = *spf_request_text("192.0.2.1", "one", "joe@a.example");
    struct spf_trial trial;
    request.want_explanation = false;
    spf_trial_run(&trial, &request, source);
    cr_expect(trial.judgement.checked.explanation.n == 0 && trial.answers.count == 1);
    spf_trial_end(&trial);
    spf_trial_run(&trial, spf_request_text("192.0.2.9", "one", "joe@a.example"), source);
    cr_expect(trial.judgement.checked.result == RESULT_PASS);
    cr_expect(trial.judgement.checked.explanation.n == 0 && trial.answers.count == 1);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

/* SP-18: include uses the including record's text, redirect the target's. */
Test(spf_explanation, whose_text)
{
    struct dns_source *source =
        spf_zone("a.example TXT \"v=spf1 -include:b.example exp=ea.%{d}\"\n"
                 "b.example TXT \"v=spf1 all exp=eb.example\"\n"
                 "ea.a.example TXT \"a's\"\n"
                 "eb.example TXT \"b's\"\n"
                 "c.example TXT \"v=spf1 exp=eb.example redirect=d.example\"\n"
                 "d.example TXT \"v=spf1 -all exp=ed.%{d}\"\n"
                 "ed.d.example TXT \"%{d}'s for %{o}\"\n");
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@a.example"), source);
    cr_expect(span_equal(trial.judgement.checked.explanation, SPAN("a's")));
    spf_trial_end(&trial);
    spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@c.example"), source);
    cr_expect(span_equal(trial.judgement.checked.explanation, SPAN("d.example's for c.example")));
    spf_trial_end(&trial);
    dns_source_free(&source);
}

/* MAX_SPF_EXPLANATION_BYTES - 1, as many, one more: whole or not at all, and counted. */
Test(spf_explanation, limit_bytes)
{
    for (size_t n = MAX_SPF_EXPLANATION_BYTES - 1; n <= MAX_SPF_EXPLANATION_BYTES + 1; n++) {
        struct buffer records;
        struct spf_trial trial;
        buffer_init(&records, 4096);
        buffer_append_string(&records, "e.example TXT \"%{d}");
        for (size_t i = sizeof "a.example" - 1; i < n; i++)
            buffer_append_byte(&records, 'x');
        buffer_append(&records, SPAN("\"\n\0"));
        struct dns_source *source = zone_with((const char *)records.p);
        spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@a.example"), source);
        bool over = n > MAX_SPF_EXPLANATION_BYTES;
        cr_expect(trial.judgement.checked.explanation.n == (over ? 0 : n), "%zu: got %zu", n,
                  trial.judgement.checked.explanation.n);
        cr_expect(trial.hits.n[LIMIT_SPF_EXPLANATION_BYTES] == over);
        spf_trial_end(&trial);
        dns_source_free(&source);
        buffer_fini(&records);
    }
}
