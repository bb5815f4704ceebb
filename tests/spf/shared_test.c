/* SP-36, RFC 7208 7.3: which results of check_host() stand for other messages, and how long. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/attributes.h"
#include "harness.h"

static const char zone[] =
    "plain.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
    "deep.example TXT \"v=spf1 include:plain.example a:host.example -all\"\n"
    "over.example TXT \"v=spf1 redirect=plain.example\"\n"
    "host.example A 203.0.113.5\n"
    "local.example TXT \"v=spf1 exists:%{l}.users.example -all\"\n"
    "sender.example TXT \"v=spf1 exists:%{s}.users.example -all\"\n"
    "origin.example TXT \"v=spf1 exists:%{o}.users.example -all\"\n"
    "greeting.example TXT \"v=spf1 exists:%{h}.users.example -all\"\n"
    "upper.example TXT \"v=spf1 exists:%{L}.users.example -all\"\n"
    "below.example TXT \"v=spf1 include:local.example -all\"\n"
    "aside.example TXT \"v=spf1 redirect=local.example\"\n"
    "never.example TXT \"v=spf1 ip4:192.0.2.0/24 exists:%{l}.users.example -all\"\n"
    "address.example TXT \"v=spf1 exists:%{ir}.%{v}.%{d}.list.example -all\"\n"
    "1.2.0.192.in-addr.address.example.list.example A 127.0.0.2\n"
    "named.example TXT \"v=spf1 exists:%{p}.names.example -all\"\n"
    "1.2.0.192.in-addr.arpa PTR client.named.example\n"
    "client.named.example A 192.0.2.1\nclient.named.example.names.example A 127.0.0.2\n"
    "says.example TXT \"v=spf1 ip4:192.0.2.1 -all exp=why.example\"\n"
    "why.example TXT \"%{l} may not send\"\n"
    "broken.example TXT \"v=spf1 foo:bar -all\"\n"
    "fails.example TXT \"v=spf1 a:gone.example -all\"\ngone.example A !servfail\n"
    "void.example TXT \"v=spf1 a:n1.example a:n2.example -all\"\n"
    "voids.example TXT \"v=spf1 a:n1.example a:n2.example a:n3.example -all\"\n"
    "turns.example TXT \"v=spf1 ptr -all\"\n9.2.0.192.in-addr.arpa PTR !timeout\n";

static const struct row
{
    const char *ip, *domain;
    enum result result;
    uint32_t spared; /* of a second message; 0: the result is for one message alone */
} rows[] = {
    {"192.0.2.1", "plain.example", RESULT_PASS, 1},
    {"198.51.100.1", "plain.example", RESULT_FAIL, 1},
    {"192.0.2.1", "deep.example", RESULT_PASS, 2},
    {"203.0.113.5", "deep.example", RESULT_PASS, 3},
    {"192.0.2.1", "over.example", RESULT_PASS, 2},
    {"192.0.2.1", "none.example", RESULT_NONE, 1},
    {"192.0.2.1", "host.example", RESULT_NONE, 1},
    {"192.0.2.1", "broken.example", RESULT_PERMERROR, 1},
    {"2001:db8::1", "plain.example", RESULT_FAIL, 1},
    /* s, l, o and h, wherever they were evaluated; not where they were not reached */
    {"192.0.2.1", "local.example", RESULT_FAIL, 0},
    {"192.0.2.1", "upper.example", RESULT_FAIL, 0},
    {"192.0.2.1", "sender.example", RESULT_FAIL, 0},
    {"192.0.2.1", "origin.example", RESULT_FAIL, 0},
    {"192.0.2.1", "greeting.example", RESULT_FAIL, 0},
    {"192.0.2.1", "below.example", RESULT_FAIL, 0},
    {"192.0.2.1", "aside.example", RESULT_FAIL, 0},
    {"192.0.2.1", "never.example", RESULT_PASS, 1},
    {"198.51.100.1", "never.example", RESULT_FAIL, 0},
    /* the other macros hang on domain and address */
    {"192.0.2.1", "address.example", RESULT_PASS, 2},
    {"192.0.2.1", "named.example", RESULT_PASS, 4},
    /* a failure of the DNS says nothing of the next message, also where it is no error (5.5) */
    {"192.0.2.1", "fails.example", RESULT_TEMPERROR, 0},
    {"192.0.2.9", "turns.example", RESULT_FAIL, 0},
    /* limits are counted in each message that meets them */
    {"192.0.2.1", "void.example", RESULT_FAIL, 3},
    {"192.0.2.1", "voids.example", RESULT_PERMERROR, 0},
};

/* The verdicts are compared by spf_trial_run. */
Test(spf_shared, which_results_are_shared)
{
    struct dns_source *source = spf_zone(zone);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct spf_trial trial;
        char sender[64];
        snprintf(sender, sizeof sender, "user@%s", rows[i].domain);
        struct spf_request request = *spf_request_text(rows[i].ip, "", sender);
        request.want_explanation = false;
        spf_trial_run(&trial, &request, source);
        enum result got = trial.judgement.checked.result;
        cr_expect(got == rows[i].result, "%s: %s", sender, result_word(got));
        cr_expect(trial.spared == rows[i].spared, "%s %s: %u spared, want %u", rows[i].ip, sender,
                  trial.spared, rows[i].spared);
        spf_trial_end(&trial);
    }
    dns_source_free(&source);
}

/* SP-37: the text may have any macro, so a fail is shared only among those who want no text. */
Test(spf_shared, an_explanation_is_its_messages_own)
{
    struct dns_source *source = spf_zone(zone);
    struct spf_trial trial;
    struct spf_request request = *spf_request_text("198.51.100.1", "", "user@says.example");
    spf_trial_run(&trial, &request, source);
    cr_expect(span_equal(trial.judgement.checked.explanation, SPAN("user may not send")));
    cr_expect(trial.spared == 0);
    spf_trial_end(&trial);
    request.want_explanation = false;
    spf_trial_run(&trial, &request, source);
    cr_expect(trial.judgement.checked.result == RESULT_FAIL && trial.spared == 1);
    spf_trial_end(&trial);
    request = *spf_request_text("192.0.2.1", "", "user@says.example");
    spf_trial_run(&trial, &request, source);
    cr_expect(trial.judgement.checked.result == RESULT_PASS && trial.spared == 1);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

/* --- several messages and one table --- */

struct told
{
    struct dns_source *source;
    struct result_cache *results;
    struct dns_name early; /* this one ends at 500, all others at 1,000 */
    uint32_t asked;        /* by the last message */
};

static bool find(void *context, const struct dns_question *question, struct dns_answer *answer)
{
    static struct arena arena; /* of a test's process: never freed */
    struct told *told = context;
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    if (!told->asked++)
        arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    (void)!dns_lookup(&answers, &question->name, question->type);
    dns_source_resolve(told->source, &answers, INT64_MAX);
    *answer = *dns_lookup(&answers, &question->name, question->type);
    answer->shared_until_ms = dns_name_equal(&question->name, &told->early) ? 500 : 1000;
    return true;
}

/* One message at `now_ms`; returns how many questions it asked. */
static uint32_t ask(struct told *told, const struct spf_request *request, int64_t now_ms,
                    struct spf_judgement *judgement)
{
    static struct arena arena; /* likewise */
    struct dns_near near = {.find = find, .context = told, .results = {.spf = told->results}};
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    result_cache_begin(told->results, now_ms, 0);
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    answers.near = &near;
    answers.results = near.results;
    told->asked = 0;
    cr_assert(spf_judge(request, &answers, &arena, &hits, judgement) == JUDGE_DONE);
    return told->asked;
}

static void told_open(struct told *told)
{
    *told = (struct told){.source = spf_zone(zone), .results = result_cache_new(4, 384, 7)};
    cr_assert(told->results != NULL);
}

static void told_close(struct told *told)
{
    result_cache_free(&told->results);
    dns_source_free(&told->source);
}

/* An include that ends makes the result end though the record above it lives. */
Test(spf_shared, stands_as_long_as_the_answer_that_ends_first)
{
    struct told told;
    struct spf_judgement judgement;
    told_open(&told);
    cr_assert(dns_name_from_domain(&told.early, SPAN("plain.example")) == DNS_NAME_OK);
    const struct spf_request *request = spf_request_text("192.0.2.1", "", "a@deep.example");
    cr_expect(ask(&told, request, 0, &judgement) == 2);
    cr_expect(ask(&told, request, 499, &judgement) == 0 && judgement.spared == 2);
    cr_expect(ask(&told, request, 500, &judgement) == 2, "the include has ended");
    cr_expect(span_equal(judgement.checked.path, SPAN("include:plain.example ip4:192.0.2.0/24")));
    cr_expect(ask(&told, request, 501, &judgement) == 2, "and still does not stand");
    told_close(&told);
}

/* The key: domain without case, address, scope's budget, limit of void lookups; nothing else. */
Test(spf_shared, what_a_result_hangs_on)
{
    struct told told;
    struct spf_judgement judgement;
    told_open(&told);
    struct spf_request request = *spf_request_text("192.0.2.1", "deep.example", "a@plain.example");
    request.want_explanation = false;
    cr_expect(ask(&told, &request, 0, &judgement) == 2 && judgement.spared == 0);
    cr_expect(ask(&told, &request, 1, &judgement) == 0 && judgement.spared == 3);
    cr_expect(judgement.helo.result == RESULT_PASS && judgement.helo.scope == SPF_SCOPE_HELO);

    request = *spf_request_text("192.0.2.1", "deep.example", "another.one@PLAIN.example");
    cr_expect(ask(&told, &request, 1, &judgement) == 0);
    cr_expect(span_equal(judgement.checked.domain_text, SPAN("PLAIN.example")), "as given");
    cr_expect(judgement.checked.scope == SPF_SCOPE_MFROM);

    request = *spf_request_text("192.0.2.1", "plain.example", "<>");
    cr_expect(ask(&told, &request, 1, &judgement) == 0, "the null path: MAIL FROM's budget");
    cr_expect(judgement.checked.scope == SPF_SCOPE_HELO && judgement.checked.result == RESULT_PASS);

    request = *spf_request_text("192.0.2.1", "", "a@deep.example");
    cr_expect(ask(&told, &request, 1, &judgement) == 2, "known only beside MAIL FROM");
    request = *spf_request_text("192.0.2.2", "", "a@plain.example");
    cr_expect(ask(&told, &request, 1, &judgement) == 1, "another address");
    request = *spf_request_text("::ffff:192.0.2.1", "", "a@plain.example");
    cr_expect(ask(&told, &request, 1, &judgement) == 0, "E11: the same address");
    request.void_limit = 1;
    cr_expect(ask(&told, &request, 1, &judgement) == 1, "another limit");
    told_close(&told);
}

/* A message whose evidence will be looked at. */
Test(spf_shared, without_a_table_nothing_is_shared)
{
    struct told told;
    struct spf_judgement judgement;
    told_open(&told);
    const struct spf_request *request = spf_request_text("192.0.2.1", "", "a@deep.example");
    cr_expect(ask(&told, request, 0, &judgement) == 2);
    struct result_cache *results = told.results;
    struct arena arena;
    struct limit_hits hits = {.set = 0};
    struct dns_answers answers;
    struct dns_near near = {.find = find, .context = &told};
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    answers.near = &near;
    cr_assert(spf_judge(request, &answers, &arena, &hits, &judgement) == JUDGE_DONE);
    cr_expect(answers.count == 2 && judgement.spared == 0);
    cr_expect(results->hits == 0, "evidence is the message's own");
    arena_fini(&arena);
    told_close(&told);
}
