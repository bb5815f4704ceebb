/*
 * DMARC: reading a record, and whole judgements with all answers at hand (discovery, alignment,
 * policy), as they run when the cache has everything; and how both grow with bombs (G01, G02, T20).
 * "tags" grows below MAX_TAGS, where duplicates are looked for; "labels" up to 120.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "dmarc/dmarc.h"
#include "dns/source.h"

static void fail(const char *what)
{
    fprintf(stderr, "dmarc_bench: %s\n", what);
    exit(1);
}

/* --- Records --- */

struct record_job
{
    char text[8192];
    size_t n;
    struct arena arena;
    struct limit_hits hits;
};

static void record_set(struct record_job *job, const char *text)
{
    job->n = (size_t)snprintf(job->text, sizeof job->text, "%s", text);
}

static void record_parse(void *context)
{
    struct record_job *job = context;
    struct dmarc_record record;
    const char *reason;
    arena_reset(&job->arena);
    if (!dmarc_record_parse(span_of(job->text, job->n), &job->arena, &job->hits, &record, &reason))
        fail(reason);
    bench_keep(&record);
}

static void prepare_tags(void *context, unsigned factor)
{
    struct record_job *job = context;
    record_set(job, "v=DMARC1; p=reject");
    for (unsigned i = 2; i < 8 * factor; i++)
        job->n += (size_t)snprintf(job->text + job->n, sizeof job->text - job->n,
                                   "; unknown%02u=a value of this tag", i);
}

static void prepare_bytes(void *context, unsigned factor)
{
    struct record_job *job = context;
    record_set(job, "v=DMARC1; p=reject; rua=");
    while (job->n < 500 * factor)
        job->n += (size_t)snprintf(job->text + job->n, sizeof job->text - job->n,
                                   "mailto:reports@x%zu.example,", job->n);
}

static void bench_records(void)
{
    static struct record_job job;
    static const char *const texts[][2] = {
        {"small", "v=DMARC1; p=reject"},
        {"usual", "v=DMARC1; p=quarantine; sp=reject; rua=mailto:dmarc@example.com; fo=1"},
        {"full", "v=DMARC1; p=reject; sp=reject; np=reject; psd=n; t=n; adkim=s; aspf=s; "
                 "rua=mailto:a@example.com,mailto:b@example.net!10m; ruf=mailto:c@example.com; "
                 "fo=1; pct=100; rf=afrf; ri=86400"},
    };
    arena_init(&job.arena, MAX_ARENA_BYTES);
    bench_title("DMARC records, parsed");
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        record_set(&job, texts[i][1]);
        bench_run(texts[i][0], record_parse, &job,
                  (struct bench_work){.operations = 1, .bytes = job.n});
    }
    bench_title("DMARC records, growing");
    bench_scale("tags, 8 to 64", prepare_tags, record_parse, &job);
    bench_scale("bytes of rua, 500 to 4000", prepare_bytes, record_parse, &job);
    arena_fini(&job.arena);
}

/* --- Judgements --- */

struct judge_job
{
    struct arena dns; /* answers, which stay */
    struct arena arena;
    struct limit_hits hits;
    struct dns_answers answers;
    struct dns_source *source;
    struct mail_from from;
    struct mail_address address;
    struct dns_name dkim[10];
    struct dmarc_identifiers identifiers;
    struct dmarc_options options;
    enum result want;
};

static void judge_once(void *context)
{
    struct judge_job *job = context;
    struct dmarc_judgement judgement;
    arena_reset(&job->arena);
    if (dmarc_judge(&job->from, &job->identifiers, &job->options, &job->answers, &job->arena,
                    &job->hits, &judgement) != JUDGE_DONE ||
        judgement.result != job->want)
        fail("another result than the warm-up's");
    bench_keep(&judgement);
}

/* Asks until the judge is done, so that the measured runs find every answer. */
static void judge_warm(struct judge_job *job)
{
    struct dmarc_judgement judgement;
    while (dmarc_judge(&job->from, &job->identifiers, &job->options, &job->answers, &job->arena,
                       &job->hits, &judgement) == JUDGE_WAITING)
        dns_source_resolve(job->source, &job->answers, INT64_MAX);
    if (judgement.result != job->want)
        fail(result_word(judgement.result));
}

static struct dns_name name_new(const char *text)
{
    struct dns_name name = {0};
    if (dns_name_from_domain(&name, span_from_string(text)) != DNS_NAME_OK)
        fail(text);
    return name;
}

static void judge_init(struct judge_job *job, const char *zone, const char *from, enum result want)
{
    struct dns_error error;
    *job = (struct judge_job){.want = want};
    arena_init(&job->dns, MAX_ARENA_BYTES);
    arena_init(&job->arena, MAX_ARENA_BYTES);
    dns_answers_init(&job->answers, &job->dns, &job->hits);
    job->source = dns_zone_parse(span_from_string(zone), "zone", &error);
    if (!job->source)
        fail(error.text);
    job->from.state = MAIL_FROM_OK;
    job->from.list.count = 1;
    job->address.domain = span_from_string(from);
    job->from.list.addresses = &job->address;
    job->identifiers = (struct dmarc_identifiers){.known = true, .dkim = job->dkim};
}

static void judge_sign(struct judge_job *job, const char *domain)
{
    job->dkim[job->identifiers.dkim_count++] = name_new(domain);
}

static void judge_fini(struct judge_job *job)
{
    dns_source_free(&job->source);
    arena_fini(&job->arena);
    arena_fini(&job->dns);
}

#define ZONE "_dmarc.example.com TXT \"v=DMARC1; p=reject; sp=reject; rua=mailto:d@example.com\"\n"

/* Signed by `from` itself, or by m0, m1 ... under `parent`. */
static void bench_one(const char *name, const char *from, const char *parent, unsigned signers,
                      enum dmarc_mode mode, enum result want)
{
    static struct judge_job job;
    judge_init(&job, ZONE, from, want);
    job.options.mode = mode;
    for (unsigned i = 0; i < signers; i++) {
        char domain[64];
        snprintf(domain, sizeof domain, "m%u.%s", i, parent);
        judge_sign(&job, domain);
    }
    if (signers == 0)
        judge_sign(&job, from);
    judge_warm(&job);
    bench_run(name, judge_once, &job, (struct bench_work){.operations = 1});
    judge_fini(&job);
}

/* Author domains of 15, 30, 60 and 120 labels. */
static void prepare_labels(void *context, unsigned factor)
{
    static char text[256];
    struct judge_job *job = context;
    size_t n = 0;
    for (unsigned i = 0; i < 15 * factor - 2; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "a.");
    snprintf(text + n, sizeof text - n, "b.c");
    if (job->source)
        judge_fini(job);
    judge_init(job, "_dmarc.c TXT \"v=DMARC1; p=reject\"\n", text, RESULT_PASS);
    judge_sign(job, text + 2);
    judge_warm(job);
}

static void bench_judgements(void)
{
    static struct judge_job job;
    bench_title("DMARC judgements, answers at hand");
    bench_one("no record", "a.b.test", "other.test", 1, DMARC_TREE_WALK, RESULT_NONE);
    bench_one("own record, equal d=", "example.com", NULL, 0, DMARC_TREE_WALK, RESULT_PASS);
    bench_one("own record, foreign d=", "example.com", "esp.test", 1, DMARC_TREE_WALK, RESULT_FAIL);
    bench_one("sub-domain, relaxed d=", "news.example.com", "example.com", 1, DMARC_TREE_WALK,
              RESULT_PASS);
    bench_one("ten relaxed d=", "news.example.com", "example.com", 10, DMARC_TREE_WALK,
              RESULT_PASS);
    bench_one("relaxed d=, psl mode", "news.example.com", "example.com", 1, DMARC_PSL, RESULT_PASS);
    bench_one("relaxed d=, compare mode", "news.example.com", "example.com", 1, DMARC_COMPARE,
              RESULT_PASS);
    bench_title("DMARC judgements, growing");
    bench_scale("labels, 15 to 120", prepare_labels, judge_once, &job);
    judge_fini(&job);
}

int main(void)
{
    bench_records();
    bench_judgements();
    return 0;
}
