/*
 * The memo of one message's questions: a hash table over the list of questions, in the arena.
 *
 * The table doubles at half full and its old copies stay in the arena; with at most
 * MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC questions that is a few kilobytes. The same bound makes
 * a keyed hash needless: the worst a sender can do is to have one hundred names compared.
 */
#include "dns/answer.h"

enum
{
    FIRST_TABLE_SIZE = 32, /* a power of two */
};

/* Reasons of DNS_TEMPFAIL. A reason is compared by pointer nowhere, but must live for ever. */
static const char *const reasons[] = {
    "servfail",
    "timeout",
    "refused",
    "formerr",
    "notimp",
    "error_code",
    "bogus",
    "truncated",
    "malformed",
    "cname_loop",
    "cname_chain_too_long",
    "dns_answer_too_large",
    "resolver_error",
    "no_memory",
};

void dns_answers_init(struct dns_answers *answers, struct arena *arena, struct limit_hits *hits)
{
    *answers = (struct dns_answers){
        .arena = arena,
        .hits = hits,
        .ceiling = MAX_DNS_QUESTIONS,
    };
    answers->last = &answers->first;
}

/* The place of (name, type) in the table: its question, or the empty slot where it belongs. */
static struct dns_question **find_slot(const struct dns_answers *answers,
                                       const struct dns_name *name, enum dns_type type)
{
    uint32_t mask = answers->table_size - 1;
    uint32_t at = (uint32_t)dns_name_hash(dns_name_span(name), (uint64_t)type) & mask;
    for (;; at = (at + 1) & mask) {
        struct dns_question *question = answers->table[at];
        if (!question || (question->type == type && dns_name_equal(&question->name, name)))
            return &answers->table[at];
    }
}

/* Keeps the table at most half full after one more question. */
static bool table_make_room(struct dns_answers *answers)
{
    if (2 * (answers->count + 1) <= answers->table_size)
        return true;
    uint32_t size = answers->table_size ? 2 * answers->table_size : FIRST_TABLE_SIZE;
    struct dns_question **table = ARENA_ARRAY(answers->arena, size, struct dns_question *);
    if (!table)
        return false;
    answers->table = table;
    answers->table_size = size;
    for (struct dns_question *q = answers->first; q; q = q->next)
        *find_slot(answers, &q->name, q->type) = q;
    return true;
}

static bool note_question(struct dns_answers *answers, const struct dns_name *name,
                          enum dns_type type)
{
    if (!table_make_room(answers))
        return false;
    struct dns_question *question = ARENA_NEW(answers->arena, struct dns_question);
    if (!question)
        return false;
    question->name = *name;
    question->type = type;
    *find_slot(answers, name, type) = question;
    *answers->last = question;
    answers->last = &question->next;
    answers->count++;
    answers->waiting++;
    return true;
}

static struct dns_question *find_question(const struct dns_answers *answers,
                                          const struct dns_name *name, enum dns_type type)
{
    assert(name->length);
    return answers->table_size ? *find_slot(answers, name, type) : NULL;
}

const struct dns_answer *dns_peek(const struct dns_answers *answers, const struct dns_name *name,
                                  enum dns_type type)
{
    const struct dns_question *question = find_question(answers, name, type);
    return question && question->answer.outcome ? &question->answer : NULL;
}

/* One hit a message: a judge that runs again meets the same ceiling again. */
static void ceiling_hit(struct dns_answers *answers)
{
    if (!answers->failed)
        limit_hit(answers->hits, answers->ceiling > MAX_DNS_QUESTIONS ? LIMIT_DNS_QUESTIONS_ARC
                                                                      : LIMIT_DNS_QUESTIONS);
    answers->failed = true;
}

const struct dns_answer *dns_lookup(struct dns_answers *answers, const struct dns_name *name,
                                    enum dns_type type)
{
    static const struct dns_answer too_many = {.outcome = DNS_TEMPFAIL,
                                               .reason = "too_many_questions"};
    static const struct dns_answer no_memory = {.outcome = DNS_TEMPFAIL, .reason = "no_memory"};

    const struct dns_question *question = find_question(answers, name, type);
    if (question)
        return question->answer.outcome ? &question->answer : NULL;
    if (answers->count >= answers->ceiling) {
        ceiling_hit(answers);
        return &too_many;
    }
    if (!note_question(answers, name, type)) {
        answers->failed = true;
        return &no_memory;
    }
    return NULL;
}

/* How many records stay under both limits (F09). */
static uint32_t records_within_limits(const struct dns_answer *answer, enum dns_type type)
{
    size_t text_bytes = 0;
    uint32_t n = 0;
    for (; n < answer->count && n < MAX_DNS_RECORDS; n++) {
        text_bytes += type == DNS_TXT ? answer->records[n].text.n : 0;
        if (text_bytes > MAX_DNS_TEXT_BYTES)
            break;
    }
    return n;
}

static bool copy_records(struct arena *arena, struct dns_answer *answer, enum dns_type type)
{
    if (answer->count == 0)
        return true;
    struct dns_record *copies = ARENA_ARRAY(arena, answer->count, struct dns_record);
    if (!copies)
        return false;
    for (uint32_t i = 0; i < answer->count; i++) {
        copies[i] = answer->records[i];
        if (type == DNS_TXT)
            copies[i].text = arena_copy(arena, answer->records[i].text);
        if (type == DNS_TXT && !copies[i].text.p)
            return false;
    }
    answer->records = copies;
    return true;
}

static void count_hits(struct limit_hits *hits, const struct dns_answer *answer)
{
    if (answer->cut)
        limit_hit(hits,
                  answer->count >= MAX_DNS_RECORDS ? LIMIT_DNS_RECORDS : LIMIT_DNS_TEXT_BYTES);
    if (answer->outcome == DNS_TEMPFAIL &&
        span_equal(span_from_string(answer->reason),
                   span_from_string(limit_word(LIMIT_DNS_CNAMES))))
        limit_hit(hits, LIMIT_DNS_CNAMES);
}

void dns_answers_put(struct dns_answers *answers, struct dns_question *question,
                     const struct dns_answer *answer)
{
    assert(answer->outcome && (answer->outcome == DNS_ANSWER) == (answer->count > 0));
    assert((answer->outcome == DNS_TEMPFAIL) == (answer->reason != NULL));
    if (question->answer.outcome)
        return;
    struct dns_answer kept = *answer;
    kept.count = records_within_limits(answer, question->type);
    kept.cut = answer->cut || kept.count < answer->count;
    count_hits(answers->hits, &kept);
    /* One record alone over the limit: nothing is left that could be judged, and none is a lie. */
    if (answer->count && kept.count == 0)
        kept = (struct dns_answer){.outcome = DNS_TEMPFAIL,
                                   .reason = limit_word(LIMIT_DNS_TEXT_BYTES)};
    if (!copy_records(answers->arena, &kept, question->type))
        kept = (struct dns_answer){.outcome = DNS_TEMPFAIL, .reason = "no_memory"};
    question->answer = kept;
    question->in_flight = false;
    assert(answers->waiting);
    answers->waiting--;
}

const char *dns_type_text(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_CNAME:
        return "CNAME";
    case DNS_PTR:
        return "PTR";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    }
    return "?";
}

const char *dns_outcome_word(enum dns_outcome outcome)
{
    switch (outcome) {
    case DNS_ANSWER:
        return "answer";
    case DNS_EMPTY:
        return "empty";
    case DNS_NXDOMAIN:
        return "nxdomain";
    case DNS_UNANSWERED:
    case DNS_TEMPFAIL:
        break;
    }
    return "tempfail";
}

const char *dns_reason_find(struct span word)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (span_equal(word, span_from_string(reasons[i])))
            return reasons[i];
    return NULL;
}
