/*
 * SPF: reading a record, judging a typical include chain with all answers at hand and with none,
 * and how records and macros grow (security.md E05, E08).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "bench/bench.h"
#include "dns/source.h"
#include "spf/macro.h"
#include "spf/spf.h"

static struct limit_hits hits;

static void fail(const char *what)
{
    fprintf(stderr, "spf_bench: %s\n", what);
    abort();
}

/* Records */

static const char typical_record[] =
    "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/22 ip4:203.0.113.17 ip6:2001:db8:40::/44 a mx "
    "include:_spf.mailer.example include:_spf.shop.example include:_spf.desk.example ~all";

struct parse_job
{
    struct span text;
    uint32_t directives;
};

static void parse_call(void *context)
{
    struct parse_job *job = context;
    struct spf_record record;
    struct spf_syntax_error error;
    if (!spf_record_parse(job->text, &hits, &record, &error))
        fail(error.reason);
    job->directives += record.count;
    bench_keep(&record);
}

/* Judging */

/* A company whose mail comes from a mailer behind two includes: six questions. */
static const char chain_zone[] =
    "company.example TXT \"v=spf1 ip4:203.0.113.17 a include:_spf.desk.example "
    "include:_spf.mailer.example ~all\"\n"
    "company.example A 203.0.113.18\n"
    "_spf.desk.example TXT \"v=spf1 ip4:192.0.2.0/25 ip6:2001:db8:4::/48 ~all\"\n"
    "_spf.mailer.example TXT \"v=spf1 include:_nb1.mailer.example include:_nb2.mailer.example "
    "~all\"\n"
    "_nb1.mailer.example TXT \"v=spf1 ip4:198.51.100.0/26 ip4:198.51.100.64/26 ip4:192.0.2.128/26 "
    "ip4:203.0.113.64/27 ip4:203.0.113.96/27 ip4:203.0.113.128/27 ip4:203.0.113.160/27 ~all\"\n"
    "_nb2.mailer.example TXT \"v=spf1 ip6:2001:db8:10::/48 ip6:2001:db8:11::/48 "
    "ip4:198.51.100.128/26 ip4:198.51.100.192/26 ~all\"\n";

struct judge_job
{
    struct dns_source *source;
    struct spf_request request;
    struct mail_path path;
    struct dns_answers answers;
    struct arena arena;   /* of the answers */
    struct arena scratch; /* of the judge */
    uint64_t passes;
};

static void judge_until_done(struct judge_job *job)
{
    struct spf_judgement judgement;
    while (spf_judge(&job->request, &job->answers, &job->scratch, &hits, &judgement) ==
           JUDGE_WAITING)
        dns_source_resolve(job->source, &job->answers, INT64_MAX);
    job->passes += judgement.checked.result == RESULT_PASS;
}

static void warm_call(void *context)
{
    struct judge_job *job = context;
    arena_reset(&job->scratch);
    judge_until_done(job);
}

static void cold_call(void *context)
{
    struct judge_job *job = context;
    arena_reset(&job->arena);
    dns_answers_init(&job->answers, &job->arena, &hits);
    warm_call(context);
}

static void judge_job_init(struct judge_job *job, const char *zone)
{
    struct dns_error error;
    *job = (struct judge_job){
        .path = {.kind = MAIL_PATH_ADDRESS,
                 .local = SPAN("bounce"),
                 .domain = SPAN("company.example")},
        .request = {.helo = SPAN("localhost"), .void_limit = MAX_SPF_VOID_LOOKUPS},
    };
    job->request.path = &job->path;
    job->source = dns_zone_parse(span_from_string(zone), "bench", &error);
    if (!job->source)
        fail(error.text);
    if (!ip_parse_v4(SPAN("198.51.100.200"), &job->request.client))
        fail("address");
    arena_init(&job->arena, MAX_ARENA_BYTES);
    arena_init(&job->scratch, MAX_ARENA_BYTES);
    dns_answers_init(&job->answers, &job->arena, &hits);
    judge_until_done(job);
    if (job->passes != 1)
        fail("the chain does not pass");
}

static void judge_job_fini(struct judge_job *job)
{
    arena_fini(&job->arena);
    arena_fini(&job->scratch);
    dns_source_free(&job->source);
}

/* Scaling */

enum
{
    TERMS = MAX_SPF_TERMS / 8,
    MACRO_BYTES = MAX_SPF_RECORD_BYTES / 8,
};

struct scale_job
{
    struct buffer text;
    struct spf_macro_values values;
};

static void terms_prepare(void *context, unsigned factor)
{
    struct scale_job *job = context;
    buffer_reset(&job->text);
    buffer_append_string(&job->text, "v=spf1");
    for (unsigned i = 0; i < TERMS * factor; i++)
        buffer_append_string(&job->text, " ip6:2001:db8:1234:5678::/64");
}

static void terms_call(void *context)
{
    struct scale_job *job = context;
    struct parse_job parse = {.text = buffer_span(&job->text)};
    struct spf_record record;
    struct spf_syntax_error error;
    struct spf_term term;
    size_t at = 0;
    parse_call(&parse);
    if (!spf_record_parse(parse.text, &hits, &record, &error))
        fail(error.reason);
    while (spf_record_next(&record, &at, &term))
        bench_keep(&term);
}

static void macros_prepare(void *context, unsigned factor)
{
    struct scale_job *job = context;
    buffer_reset(&job->text);
    while (job->text.n + 6 <= MACRO_BYTES * factor)
        buffer_append_string(&job->text, "%{S1r}");
}

static void macros_call(void *context)
{
    struct scale_job *job = context;
    struct dns_name name;
    if (!spf_macro_check(buffer_span(&job->text), SPF_MACRO_DOMAIN))
        fail("macros");
    if (spf_macro_name(buffer_span(&job->text), &job->values, &name))
        bench_keep(&name);
}

static void scale_all(void)
{
    struct scale_job job = {.values = {{{NULL, 0}}}};
    uint8_t local[MAX_PATH_BYTES];
    memset(local, 0xff, sizeof local);
    job.values.of['s' - 'a'] = span_of(local, sizeof local);
    buffer_init(&job.text, MAX_SPF_RECORD_BYTES);
    bench_scale("terms of a record, 32 to 256", terms_prepare, terms_call, &job);
    bench_scale("macros of a term, 2 to 16 KiB", macros_prepare, macros_call, &job);
    buffer_fini(&job.text);
}

int main(void)
{
    static struct judge_job job;
    struct parse_job parse = {.text = span_from_string(typical_record)};
    bench_title("SPF");
    bench_run("record of ten terms", parse_call, &parse,
              (struct bench_work){.operations = 1, .bytes = parse.text.n});
    judge_job_init(&job, chain_zone);
    printf("  the chain asks %u questions\n", job.answers.count);
    bench_run("include chain, answers at hand", warm_call, &job,
              (struct bench_work){.operations = 1});
    bench_run("include chain, all rounds", cold_call, &job, (struct bench_work){.operations = 1});
    printf("  %llu passes\n", (unsigned long long)job.passes);
    judge_job_fini(&job);
    scale_all();
    return 0;
}
