/*
 * What is to be asked again (an entry that expires soon, a key that may have been rotated: L09) is
 * noted while the round runs and asked when it has ended, each name by the one who has the cache's
 * claim to it; messages whose question was opened again for it then follow: they get what the cache
 * has by then, so no number of bad signatures makes more than one question (L10).
 */
#include "run/batch.h"

#include <stdlib.h>

#include "cache/tsan.h"
#include "dns/resolvers.h"
#include "engine.h"
#include "run/prepare.h"
#include "run/round.h"

enum
{
    DEFAULT_TIMEOUT_MS = 25 * 1000,
    REFRESHES_MAX = 64, /* of a round; what is over it is claimed again later */
    REFRESH_ARENA_BYTES = 1024 * 1024,
};

struct member /* one message of the round */
{
    struct message *message; /* of the round's stock */
    void *context;
};

struct members
{
    struct member list[ROUND_MESSAGES];
    uint32_t count;
};

struct refreshed
{
    struct dns_name name;
    enum dns_type type;
};

struct batch
{
    struct batch_config config;
    struct round round;
    batch_done *done;
    struct refreshed refreshes[REFRESHES_MAX]; /* to be asked when the round has ended */
    uint32_t refresh_count;
    struct members hashing;   /* said MESSAGE_NEEDS_HASH */
    struct members verifying; /* said MESSAGE_NEEDS_VERIFY */
    struct members waiting;   /* said MESSAGE_NEEDS_ANSWERS */
    struct batch_counts counts;
};

static void note_refresh(void *context, const struct dns_name *name, enum dns_type type)
{
    struct batch *batch = context;
    if (batch->refresh_count < REFRESHES_MAX)
        batch->refreshes[batch->refresh_count++] = (struct refreshed){*name, type};
}

struct batch *batch_open(const struct batch_config *config)
{
    struct batch *batch = aligned_alloc(_Alignof(struct batch), sizeof *batch);
    if (!batch)
        return NULL;
    memset(batch, 0, sizeof *batch);
    batch->config = *config;
    if (!batch->config.timeout_ms)
        batch->config.timeout_ms = DEFAULT_TIMEOUT_MS;
    round_init(&batch->round, config->cache, note_refresh, batch);
    return batch;
}

void batch_close(struct batch **batch)
{
    if (!*batch)
        return;
    round_fini(&(*batch)->round);
    free(*batch);
    *batch = NULL;
}

static void add(struct members *members, struct member member)
{
    assert(members->count < ROUND_MESSAGES);
    members->list[members->count++] = member;
}

static void finish(struct batch *batch, struct member member)
{
    batch->done(member.context, member.message);
    round_end_message(&batch->round, member.message);
    batch->counts.messages++;
}

static void go_on(struct batch *batch, struct member member)
{
    switch (message_step(member.message)) {
    case MESSAGE_NEEDS_ANSWERS:
        add(&batch->waiting, member);
        return;
    case MESSAGE_NEEDS_HASH:
        add(&batch->hashing, member);
        return;
    case MESSAGE_NEEDS_VERIFY:
        add(&batch->verifying, member);
        return;
    case MESSAGE_DONE:
        finish(batch, member);
        return;
    }
}

static void go_on_all(struct batch *batch, const struct members *members)
{
    for (uint32_t i = 0; i < members->count; i++)
        go_on(batch, members->list[i]);
}

static void hash_all(struct batch *batch)
{
    struct members hashed = batch->hashing;
    batch->hashing.count = 0;
    round_hash(&batch->round);
    go_on_all(batch, &hashed);
}

/* Until none is left: a message whose key was renewed may have new jobs. */
static void verify_all(struct batch *batch)
{
    hash_all(batch);
    while (batch->verifying.count) {
        struct message *messages[ROUND_MESSAGES];
        struct members verified = batch->verifying;
        batch->verifying.count = 0;
        for (uint32_t i = 0; i < verified.count; i++)
            messages[i] = verified.list[i].message;
        batch->counts.verify_jobs += round_verify(&batch->round, messages, verified.count);
        go_on_all(batch, &verified);
    }
}

static void read_item(struct batch *batch, const struct batch_item *item)
{
    struct member member = {
        .message = round_begin_message(&batch->round, batch->config.options, &item->envelope,
                                       item->without_evidence),
        .context = item->context,
    };
    if (!member.message) {
        batch->done(item->context, NULL);
        return;
    }
    bool header_ended = message_feed(member.message, item->text);
    (void)header_ended; /* what it asks is found by the first step */
    message_end(member.message);
    go_on(batch, member);
}

/* --- what the cache lacks --- */

/* In the cache, parsed, for the next messages. One that is not kept is asked for again. */
static void keep_answer(struct batch *batch, const struct dns_question *question)
{
    uint8_t key[CACHE_KEY_MAX];
    size_t n = resolvers_cache_key(&question->name, question->type, key);
    struct dns_shared *shared =
        dns_shared_new(&question->name, question->type, &question->answer, run_prepare);
    if (shared)
        (void)!resolvers_cache_put(batch->config.cache, span_of(key, n), shared,
                                   batch->round.now_ms);
    dns_shared_unref(&shared);
}

/* Questions that are open: they are asked now. An answer that was there before is no younger for
 * it, and its time to live must not begin anew (L08). */
struct open_questions
{
    const struct dns_question *list[MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC];
    uint32_t count;
};

static void find_open(const struct dns_answers *answers, struct open_questions *open)
{
    open->count = 0;
    for (const struct dns_question *q = answers->first; q; q = q->next)
        if (!q->answer.outcome && open->count < MAX_DNS_QUESTIONS + MAX_DNS_QUESTIONS_ARC)
            open->list[open->count++] = q;
}

static void keep_answers(struct batch *batch, const struct open_questions *asked)
{
    for (uint32_t i = 0; i < asked->count; i++) {
        const struct dns_question *q = asked->list[i];
        if (q->answer.outcome && !resolvers_own_failure(&q->answer))
            keep_answer(batch, q);
    }
}

/* The thread holds nothing of the cache meanwhile: all messages are parked. */
static void ask_source(struct batch *batch, struct dns_answers *answers)
{
    struct open_questions open;
    find_open(answers, &open);
    cache_thread_offline();
    dns_source_resolve(batch->config.source, answers, engine_clock_ms() + batch->config.timeout_ms);
    cache_thread_online();
    round_begin(&batch->round, engine_clock_ms());
    keep_answers(batch, &open);
}

static void ask_refreshes(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->refresh_count; i++) {
        struct arena arena;
        struct dns_answers answers;
        struct limit_hits nobodys = {.set = 0};
        arena_init(&arena, REFRESH_ARENA_BYTES);
        dns_answers_init(&answers, &arena, &nobodys);
        if (!dns_lookup(&answers, &batch->refreshes[i].name, batch->refreshes[i].type))
            ask_source(batch, &answers);
        arena_fini(&arena);
    }
    batch->refresh_count = 0;
}

/* A question that was opened again: whoever had the claim has asked. */
static void follow(struct batch *batch, struct dns_answers *answers, struct dns_question *question)
{
    uint8_t key[CACHE_KEY_MAX];
    struct cache_hit hit;
    size_t n = resolvers_cache_key(&question->name, question->type, key);
    if (cache_peek(batch->config.cache, span_of(key, n), batch->round.now_ms, &hit) == CACHE_MISS ||
        !hit.object)
        return; /* the source has to say */
    struct dns_answer answer = ((const struct dns_shared *)hit.object)->answer;
    answer.age += (uint32_t)(hit.age_ms / 1000);
    dns_answers_put(answers, question, &answer);
}

static void resolve(struct batch *batch, struct dns_answers *answers)
{
    for (struct dns_question *q = answers->first; q; q = q->next)
        if (q->renew && !q->answer.outcome)
            follow(batch, answers, q);
    if (answers->waiting == 0)
        return;
    ask_source(batch, answers);
    batch->counts.waited++;
}

static void end_round(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->waiting.count; i++)
        message_park(batch->waiting.list[i].message);
    assert(batch->hashing.count == 0 && batch->verifying.count == 0);
    batch->counts.rounds++;
    cache_thread_quiescent();
    ask_refreshes(batch);
}

static void resolve_all(struct batch *batch)
{
    while (batch->waiting.count) {
        struct members resolved = batch->waiting;
        batch->waiting.count = 0;
        for (uint32_t i = 0; i < resolved.count; i++)
            resolve(batch, &resolved.list[i].message->answers);
        go_on_all(batch, &resolved);
        verify_all(batch);
        end_round(batch);
    }
}

void batch_judge(struct batch *batch, const struct batch_item *items, size_t n, batch_done *done)
{
    batch->done = done;
    for (size_t i = 0; i < n;) {
        round_begin(&batch->round, engine_clock_ms());
        for (unsigned k = 0; k < ROUND_MESSAGES && i < n; k++, i++)
            read_item(batch, &items[i]);
        verify_all(batch);
        end_round(batch);
        resolve_all(batch);
    }
}

struct batch_counts batch_counts(const struct batch *batch)
{
    return batch->counts;
}
