#include "harness.h"

#include <criterion/criterion.h>

static void expect_same_check(const struct spf_check *a, const struct spf_check *b)
{
    cr_expect(a->result == b->result && a->reason == b->reason && a->scope == b->scope &&
                  a->prefix == b->prefix && a->lookups == b->lookups && a->voids == b->voids &&
                  a->uses_local_part == b->uses_local_part,
              "R3: a rerun says %s (%s), it was %s (%s)", result_word(b->result),
              b->reason ? b->reason : "-", result_word(a->result), a->reason ? a->reason : "-");
    cr_expect(span_equal(a->path, b->path) && span_equal(a->mechanism, b->mechanism) &&
                  span_equal(a->explanation, b->explanation) && span_equal(a->record, b->record),
              "R3: a rerun gives other evidence");
}

static void expect_same(const struct spf_judgement *a, const struct spf_judgement *b)
{
    expect_same_check(&a->checked, &b->checked);
    expect_same_check(&a->helo, &b->helo);
    cr_expect(a->mail_from_malformed == b->mail_from_malformed);
}

/* --- SP-36: results that other messages take --- */

static struct result_cache *results; /* of the judgement under test */

/* What the trial was told, as the shared cache would tell it. */
static bool find_told(void *context, const struct dns_question *question, struct dns_answer *answer)
{
    struct spf_trial *trial = context;
    const struct dns_answer *told = dns_peek(&trial->answers, &question->name, question->type);
    if (!told)
        return false;
    *answer = *told;
    answer->shared_until_ms = 1000;
    return true;
}

/* The same request of another message. */
static void run_sharing(struct spf_trial *trial, const struct spf_request *request,
                        struct spf_judgement *judgement, struct arena *arena)
{
    const struct dns_near near = {.find = find_told, .context = trial, .results = {.spf = results}};
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    dns_answers_init(&answers, arena, &hits);
    answers.near = &near;
    answers.results = near.results;
    cr_assert(spf_judge(request, &answers, arena, &hits, judgement) == JUDGE_DONE);
    cr_expect(memcmp(&hits, &trial->hits, sizeof hits) == 0, "SP-36: other limits were hit");
    cr_expect(answers.count <= trial->answers.count &&
                  answers.count + judgement->spared >= trial->answers.count,
              "SP-36: %u asked and %u spared of %u", answers.count, judgement->spared,
              trial->answers.count);
}

/* The first leaves its results behind and the second takes them, where that may be. */
static void expect_same_sharing(struct spf_trial *trial, const struct spf_request *request)
{
    struct spf_judgement first, second;
    struct arena arena;
    arena_init(&arena, MAX_ARENA_BYTES);
    results = result_cache_new(1, 1024, 0);
    cr_assert(results != NULL);
    run_sharing(trial, request, &first, &arena);
    run_sharing(trial, request, &second, &arena);
    expect_same(&first, &trial->judgement);
    expect_same(&second, &trial->judgement);
    cr_expect(first.spared == 0);
    trial->spared = second.spared;
    result_cache_free(&results);
    arena_fini(&arena);
}

void spf_trial_run(struct spf_trial *trial, const struct spf_request *request,
                   struct dns_source *source)
{
    struct spf_judgement again;
    struct limit_hits hits = {.set = 0};
    *trial = (struct spf_trial){.rounds = 0};
    arena_init(&trial->arena, MAX_ARENA_BYTES);
    dns_answers_init(&trial->answers, &trial->arena, &trial->hits);
    while (spf_judge(request, &trial->answers, &trial->arena, &trial->hits, &trial->judgement) ==
           JUDGE_WAITING) {
        cr_assert(trial->answers.waiting > 0, "waiting for nothing");
        cr_assert(++trial->rounds <= MAX_DNS_QUESTIONS, "waits for ever");
        dns_source_resolve(source, &trial->answers, INT64_MAX);
    }
    cr_assert(spf_judge(request, &trial->answers, &trial->arena, &hits, &again) == JUDGE_DONE);
    expect_same(&trial->judgement, &again);
    expect_same_sharing(trial, request);
}

void spf_trial_end(struct spf_trial *trial)
{
    arena_fini(&trial->arena);
}

struct dns_source *spf_zone(const char *text)
{
    struct dns_error error;
    struct dns_source *source = dns_zone_parse(span_from_string(text), "zone", &error);
    cr_assert(source != NULL, "%s", error.text);
    return source;
}

const struct spf_request *spf_request_of(const char *ip, struct span helo, struct span mail_from)
{
    static struct spf_request request;
    static struct mail_path path;
    path = (struct mail_path){.kind = MAIL_PATH_NULL, .text = mail_from};
    request = (struct spf_request){.helo = helo,
                                   .path = &path,
                                   .receiver = SPAN("mx.example.org"),
                                   .now = 1700000000,
                                   .void_limit = MAX_SPF_VOID_LOOKUPS,
                                   .want_explanation = true};
    cr_assert(ip_parse_v4(span_from_string(ip), &request.client) ||
                  ip_parse_v6(span_from_string(ip), &request.client),
              "%s", ip);
    if (!mail_from.p)
        path.kind = MAIL_PATH_ABSENT;
    if (mail_from.n == 0 || span_equal(mail_from, SPAN("<>")))
        return &request;
    size_t at = span_find_last(mail_from, '@');
    cr_assert(at < mail_from.n, "no @ in %.*s", (int)mail_from.n, (const char *)mail_from.p);
    path.kind = MAIL_PATH_ADDRESS;
    path.local = span_slice(mail_from, 0, at);
    path.domain = span_skip(mail_from, at + 1);
    return &request;
}

const struct spf_request *spf_request_text(const char *ip, const char *helo, const char *mail_from)
{
    return spf_request_of(ip, span_from_string(helo), span_from_string(mail_from));
}
