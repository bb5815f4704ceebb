/*
 * Refresh before expiry: what is in demand is asked again while its answer is still good, so that
 * nobody waits for it. The first thread takes what is due out of the cache and asks the owners.
 *
 * Bounded: REFRESH_BATCH keys every REFRESH_PAUSE_MS at most, and none while more than half of all
 * slots are taken. What is due then is claimed by a reader, or expires: nothing is lost but time.
 */
#include "dns/resolver_thread.h"

#include <stdlib.h>

enum
{
    REFRESH_IDLE_MS = 1000,
    REFRESH_PAUSE_MS = 20, /* after a full batch: 800 a second */
};

static void on_refreshed(struct resolver_question *question)
{
    dns_shared_unref(&question->answer);
    free(question);
}

bool refresh_is(const struct resolver_question *question)
{
    return question->answered == on_refreshed;
}

static void ask_again(struct resolver_thread *thread, const struct cache_due_key *due,
                      int64_t now_ms)
{
    struct resolver_question *question = calloc(1, sizeof *question);
    struct span key = span_of(due->key, due->key_n);
    if (!question)
        return;
    if (!resolvers_cache_key_read(key, &question->name, &question->type)) {
        free(question); /* not of our making */
        return;
    }
    question->refresh = true;
    question->deadline_ms = now_ms + thread->resolvers->question_ms;
    question->answered = on_refreshed;
    resolvers_ask(thread->resolvers, question);
}

void refresh_run(struct resolver_thread *thread, int64_t now_ms)
{
    struct resolvers *resolvers = thread->resolvers;
    struct query_limits *limits = &resolvers->limits;
    if (now_ms < thread->next_refresh_ms)
        return;
    thread->next_refresh_ms = now_ms + REFRESH_IDLE_MS;
    if (query_limits_in_flight(limits) > limits->max_in_flight / 2)
        return;
    size_t n = cache_due(resolvers->cache, now_ms, thread->due, REFRESH_BATCH);
    for (size_t i = 0; i < n; i++)
        ask_again(thread, &thread->due[i], now_ms);
    if (n == REFRESH_BATCH)
        thread->next_refresh_ms = now_ms + REFRESH_PAUSE_MS;
}
