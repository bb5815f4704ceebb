/* The memo of questions: asked once, limited, complete, and never a pass by accident. */
#include "dns_test_support.h"

#include <stdio.h>

static struct dns_name numbered(int i)
{
    char text[32];
    snprintf(text, sizeof text, "n%d.test", i);
    return name_of(text);
}

static const struct dns_answer empty = {.outcome = DNS_EMPTY, .ttl = 5};

Test(answers, a_question_is_noted_once)
{
    struct asker a;
    asker_init(&a);
    struct dns_name lower = name_of("sel._domainkey.x"), upper = name_of("Sel._DomainKey.X.");
    cr_expect(dns_peek(&a.answers, &lower, DNS_TXT) == NULL && a.answers.count == 0);
    cr_expect(dns_lookup(&a.answers, &lower, DNS_TXT) == NULL);
    cr_expect(dns_lookup(&a.answers, &upper, DNS_TXT) == NULL, "F16");
    cr_expect(a.answers.count == 1 && a.answers.waiting == 1);
    cr_expect(dns_lookup(&a.answers, &lower, DNS_A) == NULL, "the type is part of the question");
    cr_expect(a.answers.count == 2 && a.answers.waiting == 2);
    cr_expect(dns_peek(&a.answers, &lower, DNS_TXT) == NULL, "not answered yet");

    dns_answers_put(&a.answers, a.answers.first, &empty);
    const struct dns_answer *got = dns_lookup(&a.answers, &upper, DNS_TXT);
    cr_assert(got && got->outcome == DNS_EMPTY && got->ttl == 5);
    cr_expect(dns_peek(&a.answers, &lower, DNS_TXT) == got && a.answers.waiting == 1);
    cr_expect(dns_lookup(&a.answers, &lower, DNS_A) == NULL);

    static const struct dns_answer second = {.outcome = DNS_NXDOMAIN};
    dns_answers_put(&a.answers, a.answers.first, &second);
    cr_expect(got->outcome == DNS_EMPTY && a.answers.waiting == 1, "the first answer stays");
    asker_fini(&a);
}

/* MAX_DNS_QUESTIONS at the limit and one above; MAX_DNS_QUESTIONS_ARC more after that. */
Test(answers, ceiling)
{
    struct asker a;
    asker_init(&a);
    for (int i = 0; i < MAX_DNS_QUESTIONS; i++) {
        struct dns_name name = numbered(i);
        cr_assert(dns_lookup(&a.answers, &name, DNS_TXT) == NULL, "question %d", i);
    }
    cr_expect(!a.answers.failed && a.hits.n[LIMIT_DNS_QUESTIONS] == 0);
    struct dns_name over = numbered(MAX_DNS_QUESTIONS);
    for (int again = 0; again < 3; again++) {
        const struct dns_answer *answer = dns_lookup(&a.answers, &over, DNS_TXT);
        cr_assert(answer && answer->outcome == DNS_TEMPFAIL);
        cr_expect(strcmp(answer->reason, limit_word(LIMIT_DNS_QUESTIONS)) == 0);
    }
    cr_expect(a.answers.failed && a.hits.n[LIMIT_DNS_QUESTIONS] == 1, "one hit a message");
    cr_expect(a.answers.count == MAX_DNS_QUESTIONS);

    a.answers.ceiling += MAX_DNS_QUESTIONS_ARC;
    for (int i = 0; i < MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC; i++) {
        struct dns_name name = numbered(i);
        cr_assert(dns_lookup(&a.answers, &name, DNS_TXT) == NULL, "question %d", i);
    }
    cr_expect(a.answers.count == MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC);
    struct dns_name last = numbered(1000);
    cr_expect(dns_lookup(&a.answers, &last, DNS_TXT)->outcome == DNS_TEMPFAIL);

    /* In the order in which they were asked, and all of them found again. */
    int i = 0;
    for (struct dns_question *q = a.answers.first; q; q = q->next, i++) {
        struct dns_name name = numbered(i);
        cr_expect(dns_name_equal(&q->name, &name));
        dns_answers_put(&a.answers, q, &empty);
        cr_expect(dns_lookup(&a.answers, &name, DNS_TXT) == &q->answer);
    }
    cr_expect(a.answers.waiting == 0 && i == MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC);
    asker_fini(&a);
}

Test(answers, arc_alone_over_its_ceiling)
{
    struct asker a;
    asker_init(&a);
    a.answers.ceiling = MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC;
    for (int i = 0; i <= MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC; i++) {
        struct dns_name name = numbered(i);
        (void)!dns_lookup(&a.answers, &name, DNS_TXT);
    }
    cr_expect(a.hits.n[LIMIT_DNS_QUESTIONS_ARC] == 1 && a.hits.n[LIMIT_DNS_QUESTIONS] == 0);
    asker_fini(&a);
}

/* Whatever the moment at which memory ends: TEMPFAIL "no_memory", never an empty answer. */
Test(answers, no_memory)
{
    static uint8_t bytes[2000];
    static const struct dns_record records[2] = {{.text = {bytes, 2000}}, {.text = {bytes, 2000}}};
    static const struct dns_answer answer = {.outcome = DNS_ANSWER, .count = 2, .records = records};
    unsigned answered = 0, failed = 0;
    for (size_t ceiling = 0; ceiling < 8192; ceiling += 64) {
        struct asker a;
        asker_init(&a);
        arena_init(&a.arena, ceiling);
        struct dns_name name = numbered(1);
        const struct dns_answer *got = dns_lookup(&a.answers, &name, DNS_TXT);
        if (!got) {
            dns_answers_put(&a.answers, a.answers.first, &answer);
            got = dns_lookup(&a.answers, &name, DNS_TXT);
        }
        cr_assert(got);
        if (got->outcome == DNS_ANSWER) {
            answered++;
            cr_expect(got->count == 2 && got->records[1].text.n == 2000);
        } else {
            failed++;
            cr_expect(got->outcome == DNS_TEMPFAIL && strcmp(got->reason, "no_memory") == 0);
        }
        asker_fini(&a);
    }
    cr_expect(answered && failed, "%u answered, %u failed", answered, failed);
}

/* F09: MAX_DNS_RECORDS and MAX_DNS_TEXT_BYTES, one below, at, one above. */
Test(answers, cut)
{
    static uint8_t bytes[MAX_DNS_TEXT_BYTES + 1];
    static struct dns_record records[MAX_DNS_RECORDS + 1];
    static const struct
    {
        uint32_t count;
        size_t first_bytes; /* the first record; the others have two bytes */
        uint32_t want;
        enum limit hit; /* LIMIT_COUNT: none */
    } cases[] = {
        {MAX_DNS_RECORDS - 1, 2, MAX_DNS_RECORDS - 1, LIMIT_COUNT},
        {MAX_DNS_RECORDS, 2, MAX_DNS_RECORDS, LIMIT_COUNT},
        {MAX_DNS_RECORDS + 1, 2, MAX_DNS_RECORDS, LIMIT_DNS_RECORDS},
        {2, MAX_DNS_TEXT_BYTES - 3, 2, LIMIT_COUNT},
        {2, MAX_DNS_TEXT_BYTES - 2, 2, LIMIT_COUNT},
        {2, MAX_DNS_TEXT_BYTES - 1, 1, LIMIT_DNS_TEXT_BYTES},
        {1, MAX_DNS_TEXT_BYTES, 1, LIMIT_COUNT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct asker a;
        asker_init(&a);
        for (size_t n = 0; n < COUNT_OF(records); n++)
            records[n].text = span_of(bytes, n ? 2 : cases[i].first_bytes);
        const struct dns_answer answer = {
            .outcome = DNS_ANSWER, .count = cases[i].count, .records = records};
        struct dns_name name = numbered(1);
        (void)!dns_lookup(&a.answers, &name, DNS_TXT);
        dns_answers_put(&a.answers, a.answers.first, &answer);
        const struct dns_answer *got = dns_lookup(&a.answers, &name, DNS_TXT);
        cr_assert(got);
        cr_expect(got->outcome == DNS_ANSWER && got->count == cases[i].want, "case %zu: %u", i,
                  got->count);
        cr_expect(got->cut == (cases[i].hit != LIMIT_COUNT), "case %zu: cut %d", i, got->cut);
        for (enum limit limit = 0; limit < LIMIT_COUNT; limit++)
            cr_expect(a.hits.n[limit] == (limit == cases[i].hit), "case %zu: %s", i,
                      limit_name(limit));
        asker_fini(&a);
    }
}

/* A single text over the limit leaves nothing: an error, not "no record" (F08). */
Test(answers, one_text_over_the_limit)
{
    static uint8_t bytes[MAX_DNS_TEXT_BYTES + 1];
    static const struct dns_record record = {.text = {bytes, sizeof bytes}};
    static const struct dns_answer answer = {.outcome = DNS_ANSWER, .count = 1, .records = &record};
    struct asker a;
    asker_init(&a);
    struct dns_name name = numbered(1);
    (void)!dns_lookup(&a.answers, &name, DNS_TXT);
    dns_answers_put(&a.answers, a.answers.first, &answer);
    const struct dns_answer *got = dns_lookup(&a.answers, &name, DNS_TXT);
    cr_assert(got && got->outcome == DNS_TEMPFAIL && got->count == 0);
    cr_expect(strcmp(got->reason, "dns_answer_too_large") == 0);
    cr_expect(a.hits.n[LIMIT_DNS_TEXT_BYTES] == 1);
    asker_fini(&a);
}

/* A source that forgets a question: dns_source_resolve does not. */
static void resolve_nothing(struct dns_source *source, struct dns_answers *answers,
                            int64_t deadline)
{
    (void)source;
    (void)answers;
    (void)deadline;
}

Test(answers, no_question_stays_open)
{
    static const struct dns_source_ops ops = {.resolve = resolve_nothing};
    struct dns_source source = {.ops = &ops};
    cr_expect(strcmp(ask_line(&source, "a.test", DNS_A, 0), "tempfail timeout") == 0);
}

Test(answers, words)
{
    cr_expect(strcmp(dns_type_text(DNS_AAAA), "AAAA") == 0);
    cr_expect(strcmp(dns_outcome_word(DNS_NXDOMAIN), "nxdomain") == 0);
    cr_expect(strcmp(dns_outcome_word(DNS_UNANSWERED), "tempfail") == 0);
    static const char *const words[] = {"servfail", "timeout", "cname_chain_too_long",
                                        "dns_answer_too_large"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        cr_expect(dns_reason_find(span_from_string(words[i])) != NULL, "%s", words[i]);
    cr_expect(dns_reason_find(SPAN("SERVFAIL")) == NULL && dns_reason_find(SPAN("")) == NULL);
}
