/*
 * The memo of one message's questions: a hash table over the list of questions, in the arena.
 *
 * The table doubles at half full and its old copies stay in the arena; with at most
 * MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC questions that is a few kilobytes. The same bound makes
 * a keyed hash needless: the worst a sender can do is to have one hundred names compared. Where
 * there is a cache the hash is the one that its table wants, made once for both.
 */
#include "dns/answer.h"

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
    "busy",
    "busy_zone",
    "shutdown",
};

void dns_answers_init(struct dns_answers *answers, struct arena *arena, struct limit_hits *hits)
{
    *answers = (struct dns_answers){
        .arena = arena,
        .hits = hits,
        .ceiling = MAX_DNS_QUESTIONS,
        .table_size = DNS_ANSWERS_TABLE,
    };
    answers->last = &answers->first;
    answers->table = answers->first_table;
}

static uint64_t key_hash(const struct dns_answers *answers, const struct dns_key *key)
{
    const struct dns_near *near = answers->near;
    struct span bytes = dns_key_span(key);
    return near && near->hash_key ? siphash13(near->hash_key, bytes) : dns_name_hash(bytes, 0);
}

static bool is_of_key(const struct dns_question *question, const struct dns_key *key, uint64_t hash)
{
    return question->hash == hash && span_equal(dns_key_span(&question->key), dns_key_span(key));
}

/* The place of a key in the table: its question, or the empty slot where it belongs. */
static inline struct dns_question **find_slot(const struct dns_answers *answers,
                                              const struct dns_key *key, uint64_t hash)
{
    uint32_t mask = answers->table_size - 1;
    uint32_t at = (uint32_t)hash & mask;
    while (answers->table[at] && !is_of_key(answers->table[at], key, hash))
        at = (at + 1) & mask;
    return &answers->table[at];
}

/* False without memory. */
static bool table_double(struct dns_answers *answers)
{
    uint32_t size = 2 * answers->table_size;
    struct dns_question **table = ARENA_ARRAY(answers->arena, size, struct dns_question *);
    if (!table)
        return false;
    answers->table = table;
    answers->table_size = size;
    for (struct dns_question *q = answers->first; q; q = q->next)
        *find_slot(answers, &q->key, q->hash) = q;
    return true;
}

/* A new open question at the end of the list; NULL without memory. `slot` is its place unless
 * the table has to grow. */
static struct dns_question *note_question(struct dns_answers *answers, const struct dns_key *key,
                                          enum dns_type type, uint64_t hash,
                                          struct dns_question **slot)
{
    if (2 * (answers->count + 1) > answers->table_size) { /* at most half full */
        if (!table_double(answers))
            return NULL;
        slot = find_slot(answers, key, hash);
    }
    struct dns_question *question = arena_alloc_raw(answers->arena, sizeof *question);
    if (!question)
        return NULL;
    memset(question, 0, offsetof(struct dns_question, key));
    memcpy(question->key.type, key->type, sizeof key->type);
    dns_name_copy(&question->key.name, &key->name);
    question->type = type;
    question->hash = hash;
    *slot = question;
    *answers->last = question;
    answers->last = &question->next;
    answers->count++;
    answers->waiting++;
    return question;
}

static struct dns_question *find_question(const struct dns_answers *answers,
                                          const struct dns_name *name, enum dns_type type)
{
    struct dns_key key;
    dns_key_set(&key, name, type);
    return *find_slot(answers, &key, key_hash(answers, &key));
}

/* There is an answer, and its records are still there. */
static bool is_answered(const struct dns_answers *answers, const struct dns_question *question)
{
    return question->answer.outcome &&
           (!question->is_near || question->near_epoch == answers->near_epoch);
}

const struct dns_answer *dns_peek(const struct dns_answers *answers, const struct dns_name *name,
                                  enum dns_type type)
{
    const struct dns_question *question = find_question(answers, name, type);
    return question && is_answered(answers, question) ? &question->answer : NULL;
}

/* One hit a message: a judge that runs again meets the same ceiling again. */
static void ceiling_hit(struct dns_answers *answers)
{
    if (!answers->failed)
        limit_hit(answers->hits, answers->ceiling > MAX_DNS_QUESTIONS ? LIMIT_DNS_QUESTIONS_ARC
                                                                      : LIMIT_DNS_QUESTIONS);
    answers->failed = true;
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

void dns_answer_limit(struct dns_answer *answer, enum dns_type type)
{
    assert(answer->outcome && (answer->outcome == DNS_ANSWER) == (answer->count > 0));
    assert((answer->outcome == DNS_TEMPFAIL) == (answer->reason != NULL));
    uint32_t kept = records_within_limits(answer, type);
    if (kept == answer->count)
        return;
    answer->count = kept;
    answer->cut = true;
    answer->prepared = NULL; /* of another set of records */
    /* One record alone over the limit: nothing is left that could be judged, and none is a lie. */
    if (kept == 0)
        *answer = (struct dns_answer){.outcome = DNS_TEMPFAIL,
                                      .reason = limit_word(LIMIT_DNS_TEXT_BYTES)};
}

bool dns_answer_copy_records(struct dns_answer *answer, enum dns_type type, struct arena *arena)
{
    if (answer->count == 0) {
        answer->records = NULL;
        return true;
    }
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

static void count_limits(struct dns_answers *answers, const struct dns_answer *answer)
{
    if (answer->cut)
        limit_hit(answers->hits,
                  answer->count >= MAX_DNS_RECORDS ? LIMIT_DNS_RECORDS : LIMIT_DNS_TEXT_BYTES);
    if (answer->outcome != DNS_TEMPFAIL)
        return;
    if (strcmp(answer->reason, limit_word(LIMIT_DNS_CNAMES)) == 0)
        limit_hit(answers->hits, LIMIT_DNS_CNAMES);
    if (strcmp(answer->reason, limit_word(LIMIT_DNS_TEXT_BYTES)) == 0)
        limit_hit(answers->hits, LIMIT_DNS_TEXT_BYTES);
}

/* Once a question: an answer that is found again counts no second time. */
static inline void count_hits(struct dns_answers *answers, struct dns_question *question)
{
    const struct dns_answer *answer = &question->answer;
    if (!question->counted && (answer->cut || answer->outcome == DNS_TEMPFAIL))
        count_limits(answers, answer);
    question->counted = true;
}

/* Open or answered, in what way ever, to answered by `near`; false where it has none. */
static bool find_near(struct dns_answers *answers, struct dns_question *question)
{
    const struct dns_near *near = answers->near;
    bool was_open = question->answer.outcome == DNS_UNANSWERED;
    if (!near || !near->find(near->context, question, &question->answer))
        return false;
    assert(question->answer.outcome && question->answer.count <= MAX_DNS_RECORDS);
    answers->waiting -= was_open;
    question->is_near = true;
    question->near_epoch = answers->near_epoch;
    count_hits(answers, question);
    return true;
}

/* A renewal failed: the answer that is still near stands, or the failure does. */
static void fall_back(struct dns_answers *answers, struct dns_question *question)
{
    question->falls_back = false;
    if (!find_near(answers, question))
        count_hits(answers, question);
}

/* An answered question to an open one. */
static void reopen(struct dns_answers *answers, struct dns_question *question)
{
    question->answer = (struct dns_answer){.outcome = DNS_UNANSWERED};
    question->is_near = false;
    answers->waiting++;
}

/* The answer to a question that was asked before. */
static const struct dns_answer *known_answer(struct dns_answers *answers,
                                             struct dns_question *question)
{
    if (question->falls_back)
        fall_back(answers, question);
    if (is_answered(answers, question))
        return &question->answer;
    if (!question->answer.outcome)
        return NULL;
    if (find_near(answers, question)) /* it was near, and was forgotten since */
        return &question->answer;
    reopen(answers, question);
    return NULL;
}

const struct dns_answer *dns_lookup(struct dns_answers *answers, const struct dns_name *name,
                                    enum dns_type type)
{
    static const struct dns_answer too_many = {.outcome = DNS_TEMPFAIL,
                                               .reason = "too_many_questions"};
    static const struct dns_answer no_memory = {.outcome = DNS_TEMPFAIL, .reason = "no_memory"};

    struct dns_key key;
    dns_key_set(&key, name, type);
    uint64_t hash = key_hash(answers, &key);
    struct dns_question **slot = find_slot(answers, &key, hash);
    if (*slot)
        return known_answer(answers, *slot);
    if (answers->count >= answers->ceiling) {
        ceiling_hit(answers);
        return &too_many;
    }
    struct dns_question *question = note_question(answers, &key, type, hash, slot);
    if (!question) {
        answers->failed = true;
        return &no_memory;
    }
    return find_near(answers, question) ? &question->answer : NULL;
}

void dns_answers_park(struct dns_answers *answers)
{
    if (!answers->near)
        return;
    answers->near_epoch++;
    for (struct dns_question *q = answers->first; q; q = q->next) {
        if (!q->is_near)
            continue;
        q->answer.records = NULL;
        q->answer.prepared = NULL;
    }
}

bool dns_answers_renew(struct dns_answers *answers, const struct dns_name *name, enum dns_type type)
{
    const struct dns_near *near = answers->near;
    struct dns_question *question = find_question(answers, name, type);
    if (!near || !question)
        return false;
    if (!question->answer.outcome || question->renew)
        return question->renew && !question->answer.outcome;
    if (!near->may_renew || !near->may_renew(near->context, name, type))
        return false;
    reopen(answers, question);
    question->renew = true;
    return true;
}

/*
 * The answer is limited, and its records live as long as the message. Nothing near is looked for
 * here: this may be outside of a round, or in one that the message is not parked at the end of.
 */
static void settle(struct dns_answers *answers, struct dns_question *question,
                   const struct dns_answer *answer)
{
    question->in_flight = false;
    question->answer = *answer;
    question->answer.shared_until_ms = 0;
    question->falls_back = question->renew && answer->outcome == DNS_TEMPFAIL;
    if (!question->falls_back)
        count_hits(answers, question);
    assert(answers->waiting);
    answers->waiting--;
}

void dns_answers_put(struct dns_answers *answers, struct dns_question *question,
                     const struct dns_answer *answer)
{
    if (question->answer.outcome)
        return;
    struct dns_answer kept = *answer;
    dns_answer_limit(&kept, question->type);
    kept.prepared = NULL; /* it may go with the records that were copied */
    if (!dns_answer_copy_records(&kept, question->type, answers->arena))
        kept = (struct dns_answer){.outcome = DNS_TEMPFAIL, .reason = "no_memory"};
    settle(answers, question, &kept);
}

void dns_answers_lend(struct dns_answers *answers, struct dns_question *question,
                      const struct dns_answer *answer)
{
    if (question->answer.outcome)
        return;
    struct dns_answer kept = *answer;
    dns_answer_limit(&kept, question->type);
    settle(answers, question, &kept);
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
