/* Answers that are there for a round: found once, forgotten, found again, renewed. */
#include "dns_test_support.h"

#include <stdio.h>

/* Has an answer for as long as `has` says; counts what it is asked. */
struct cupboard
{
    struct dns_near near;
    bool has, renews;
    struct dns_answer answer;
    unsigned finds, renewals;
};

static bool find(void *context, const struct dns_question *question, struct dns_answer *answer)
{
    struct cupboard *cupboard = context;
    struct dns_key key;
    dns_key_set(&key, &question->name, question->type);
    cr_expect(span_equal(dns_key_span(&question->key), dns_key_span(&key)));
    if (cupboard->near.hash_key)
        cr_expect(question->hash == siphash13(cupboard->near.hash_key, dns_key_span(&key)));
    cupboard->finds++;
    if (cupboard->has)
        *answer = cupboard->answer;
    return cupboard->has;
}

static bool may_renew(void *context, const struct dns_name *name, enum dns_type type)
{
    struct cupboard *cupboard = context;
    (void)name;
    (void)type;
    cupboard->renewals++;
    return cupboard->renews;
}

static const struct dns_record old_record = {.text = {(const uint8_t *)"old", 3}};
static const struct dns_record new_record = {.text = {(const uint8_t *)"new", 3}};
static const struct dns_answer old_answer = {
    .outcome = DNS_ANSWER, .count = 1, .ttl = 60, .age = 7, .records = &old_record};
static const struct dns_answer new_answer = {
    .outcome = DNS_ANSWER, .count = 1, .ttl = 60, .records = &new_record};
static const struct dns_answer timeout = {.outcome = DNS_TEMPFAIL, .reason = "timeout"};

static void begin(struct asker *a, struct cupboard *cupboard)
{
    asker_init(a);
    *cupboard = (struct cupboard){.has = true, .answer = old_answer};
    cupboard->near = (struct dns_near){.find = find, .may_renew = may_renew, .context = cupboard};
    a->answers.near = &cupboard->near;
}

static const char *looked_up(struct asker *a)
{
    struct dns_name name = name_of("a.test");
    const struct dns_answer *answer = dns_lookup(&a->answers, &name, DNS_TXT);
    return answer ? answer_line(answer, DNS_TXT) : "(waiting)";
}

static void expect(struct asker *a, const char *want, uint32_t count, uint32_t waiting)
{
    const char *got = looked_up(a);
    cr_expect(strcmp(got, want) == 0, "got %s, want %s", got, want);
    cr_expect(a->answers.count == count && a->answers.waiting == waiting, "%u noted, %u waiting",
              a->answers.count, a->answers.waiting);
}

Test(near, found_once_a_round)
{
    struct asker a;
    struct cupboard cupboard;
    begin(&a, &cupboard);
    expect(&a, "answer [old]", 1, 0);
    expect(&a, "answer [old]", 1, 0);
    cr_expect(cupboard.finds == 1);
    cr_expect(a.answers.first->answer.records == &old_record, "nothing is copied");
    struct dns_name name = name_of("a.test");
    cr_expect(dns_peek(&a.answers, &name, DNS_TXT) != NULL);
    dns_answers_park(&a.answers);
    cr_expect(dns_peek(&a.answers, &name, DNS_TXT) == NULL, "forgotten");
    cr_expect(a.answers.first->answer.records == NULL, "and no pointer left");
    cr_expect(a.answers.first->answer.outcome == DNS_ANSWER && a.answers.first->answer.age == 7 &&
                  a.answers.first->answer.count == 1,
              "what the verdict lists stays");
    cr_expect(a.answers.waiting == 0, "nobody needs it yet");
    cupboard.answer = new_answer;
    expect(&a, "answer [new]", 1, 0);
    cr_expect(cupboard.finds == 2);
    asker_fini(&a);
}

/* What `find` is given: the key, and its hash as the cache wants it; 40 questions, so that the
 * table grows. */
Test(near, hashed_as_the_cache_wants_it)
{
    static const struct siphash_key hash_key = {1, 2};
    struct asker a;
    struct cupboard cupboard;
    begin(&a, &cupboard);
    cupboard.near.hash_key = &hash_key;
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < 20; i++) {
            char text[32];
            snprintf(text, sizeof text, "n%d.test", i);
            struct dns_name name = name_of(text);
            cr_expect(dns_lookup(&a.answers, &name, DNS_TXT) != NULL);
            cr_expect(dns_lookup(&a.answers, &name, DNS_A) != NULL);
        }
        cr_expect(a.answers.count == 40 && cupboard.finds == 40, "%u noted, %u found",
                  a.answers.count, cupboard.finds);
    }
    asker_fini(&a);
}

Test(near, gone_after_the_round)
{
    struct asker a;
    struct cupboard cupboard;
    begin(&a, &cupboard);
    expect(&a, "answer [old]", 1, 0);
    dns_answers_park(&a.answers);
    cupboard.has = false;
    expect(&a, "(waiting)", 1, 1);
    cupboard.has = true;
    expect(&a, "(waiting)", 1, 1);
    cr_expect(cupboard.finds == 2, "an open question is the resolvers': %u", cupboard.finds);
    dns_answers_put(&a.answers, a.answers.first, &new_answer);
    expect(&a, "answer [new]", 1, 0);
    dns_answers_park(&a.answers);
    dns_answers_park(&a.answers);
    expect(&a, "answer [new]", 1, 0);
    cr_expect(cupboard.finds == 2, "what was put stays");
    asker_fini(&a);
}

Test(near, not_there)
{
    struct asker a;
    struct cupboard cupboard;
    begin(&a, &cupboard);
    cupboard.has = false;
    expect(&a, "(waiting)", 1, 1);
    dns_answers_park(&a.answers);
    expect(&a, "(waiting)", 1, 1);
    dns_answers_lend(&a.answers, a.answers.first, &new_answer);
    expect(&a, "answer [new]", 1, 0);
    cr_expect(a.answers.first->answer.records == &new_record, "lent, not copied");
    dns_answers_park(&a.answers);
    expect(&a, "answer [new]", 1, 0);
    asker_fini(&a);
}

/* Near or not, a question counts once: at the ceiling, one below and above, parked between. */
Test(near, ceiling)
{
    struct asker a;
    struct cupboard cupboard;
    begin(&a, &cupboard);
    for (int again = 0; again < 3; again++) {
        for (int i = 0; i <= MAX_DNS_QUESTIONS; i++) {
            char text[32];
            snprintf(text, sizeof text, "n%d.test", i);
            struct dns_name name = name_of(text);
            const struct dns_answer *answer = dns_lookup(&a.answers, &name, DNS_TXT);
            cr_assert(answer != NULL);
            cr_expect((answer->outcome == DNS_ANSWER) == (i < MAX_DNS_QUESTIONS), "%d", i);
        }
        cr_expect(a.answers.count == MAX_DNS_QUESTIONS);
        dns_answers_park(&a.answers);
    }
    cr_expect(a.hits.n[LIMIT_DNS_QUESTIONS] == 1);
    asker_fini(&a);
}

/* F09 near: the limits hold, and count once however often it is found. */
Test(near, limits)
{
    static struct dns_record many[MAX_DNS_RECORDS + 1];
    struct asker a;
    struct cupboard cupboard;
    begin(&a, &cupboard);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i].text = SPAN("x");
    cupboard.answer =
        (struct dns_answer){.outcome = DNS_ANSWER, .count = COUNT_OF(many), .records = many};
    dns_answer_limit(&cupboard.answer, DNS_TXT); /* by who keeps it */
    struct dns_name name = name_of("a.test");
    for (int i = 0; i < 3; i++) {
        const struct dns_answer *answer = dns_lookup(&a.answers, &name, DNS_TXT);
        cr_assert(answer && answer->cut && answer->count == MAX_DNS_RECORDS);
        dns_answers_park(&a.answers);
    }
    cr_expect(a.hits.n[LIMIT_DNS_RECORDS] == 1, "%u", a.hits.n[LIMIT_DNS_RECORDS]);
    asker_fini(&a);
}

/* L09: once a question, and only where the cache says so. */
Test(near, renewed)
{
    struct asker a;
    struct cupboard cupboard;
    struct dns_name name = name_of("a.test");
    begin(&a, &cupboard);
    cr_expect(!dns_answers_renew(&a.answers, &name, DNS_TXT), "not asked at all");
    expect(&a, "answer [old]", 1, 0);
    cr_expect(!dns_answers_renew(&a.answers, &name, DNS_TXT) && cupboard.renewals == 1, "refused");
    expect(&a, "answer [old]", 1, 0);
    cupboard.renews = true;
    cr_expect(dns_answers_renew(&a.answers, &name, DNS_TXT) && a.answers.first->renew);
    cr_expect(dns_answers_renew(&a.answers, &name, DNS_TXT), "open, so true for who asks too");
    cr_expect(cupboard.renewals == 2, "but asked once");
    expect(&a, "(waiting)", 1, 1);
    dns_answers_park(&a.answers);
    expect(&a, "(waiting)", 1, 1);
    dns_answers_put(&a.answers, a.answers.first, &new_answer);
    expect(&a, "answer [new]", 1, 0);
    cr_expect(!dns_answers_renew(&a.answers, &name, DNS_TXT) && cupboard.renewals == 2, "final");
    asker_fini(&a);
}

/* Also where it was forgotten meanwhile, and where it was put. */
Test(near, renewed_after_the_round)
{
    struct asker a;
    struct cupboard cupboard;
    struct dns_name name = name_of("a.test");
    begin(&a, &cupboard);
    cupboard.renews = true;
    expect(&a, "answer [old]", 1, 0);
    dns_answers_park(&a.answers);
    cr_expect(dns_answers_renew(&a.answers, &name, DNS_TXT));
    expect(&a, "(waiting)", 1, 1);
    asker_fini(&a);
    begin(&a, &cupboard);
    cupboard.renews = true;
    cupboard.has = false;
    expect(&a, "(waiting)", 1, 1);
    cr_expect(!dns_answers_renew(&a.answers, &name, DNS_TXT), "open already");
    dns_answers_put(&a.answers, a.answers.first, &old_answer);
    cr_expect(dns_answers_renew(&a.answers, &name, DNS_TXT));
    expect(&a, "(waiting)", 1, 1);
    asker_fini(&a);
}

/*
 * An answer may come while no round runs (a batch resolves with its thread offline) or in one in
 * which the message does not (a worker has more to do than fits): nothing is looked for then, since
 * nobody would park it. The record that was near meanwhile is gone when the judge comes.
 */
Test(near, a_failed_renewal_touches_nothing_near)
{
    struct asker a;
    struct cupboard cupboard;
    struct dns_name name = name_of("a.test");
    begin(&a, &cupboard);
    cupboard.renews = true;
    expect(&a, "answer [old]", 1, 0);
    cr_assert(dns_answers_renew(&a.answers, &name, DNS_TXT));
    dns_answers_park(&a.answers);
    unsigned finds = cupboard.finds;
    dns_answers_lend(&a.answers, a.answers.first, &timeout);
    cr_expect(cupboard.finds == finds, "looked for outside of a round");
    cr_expect(a.answers.waiting == 0 && a.answers.first->answer.records == NULL);
    cupboard.answer = new_answer;
    expect(&a, "answer [new]", 1, 0);
    asker_fini(&a);
}

/* A renewal that fails: what is still near stands; without that, the failure. */
Test(near, renewal_fails)
{
    struct asker a;
    struct cupboard cupboard;
    struct dns_name name = name_of("a.test");
    for (int has = 0; has < 2; has++) {
        begin(&a, &cupboard);
        cupboard.renews = true;
        expect(&a, "answer [old]", 1, 0);
        cr_assert(dns_answers_renew(&a.answers, &name, DNS_TXT));
        cupboard.has = has;
        dns_answers_put(&a.answers, a.answers.first, &timeout);
        expect(&a, has ? "answer [old]" : "tempfail timeout", 1, 0);
        dns_answers_park(&a.answers);
        expect(&a, has ? "answer [old]" : "tempfail timeout", 1, 0);
        cr_expect(!dns_answers_renew(&a.answers, &name, DNS_TXT), "once");
        asker_fini(&a);
    }
}

Test(near, no_near_no_renewal)
{
    struct asker a;
    struct dns_name name = name_of("a.test");
    asker_init(&a);
    (void)!dns_lookup(&a.answers, &name, DNS_TXT);
    dns_answers_put(&a.answers, a.answers.first, &old_answer);
    cr_expect(!dns_answers_renew(&a.answers, &name, DNS_TXT));
    dns_answers_park(&a.answers);
    expect(&a, "answer [old]", 1, 0);
    asker_fini(&a);
}
