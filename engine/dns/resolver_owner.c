/*
 * What the owner of a name does: the cache once more, the query in flight, the limits, the source;
 * then the answer into the cache and to every waiter, in this order, so that a worker which wakes
 * finds it there.
 */
#include "dns/resolver_thread.h"

#include <stdlib.h>

#include "dns/zone.h"

enum
{
    OVERTAKE_MS = 100,
};

/* --- back to the asker --- */

static void hand_back(struct resolver_question *question, struct dns_shared *answer, uint32_t age)
{
    question->answer = dns_shared_ref(answer);
    question->age = age;
    question->answered(question);
}

static void refuse(struct resolver_thread *thread, struct resolver_question *question,
                   enum resolver_failure failure)
{
    hand_back(question, thread->resolvers->failures[failure], 0);
}

/* --- the cache --- */

struct key
{
    uint8_t bytes[CACHE_KEY_MAX];
    size_t n;
};

static struct span key_of(struct key *key, const struct dns_name *name, enum dns_type type)
{
    key->n = resolvers_cache_key(name, type, key->bytes);
    return span_of(key->bytes, key->n);
}

/* What the cache has to say now, borrowed from it until the next quiescent state; or NULL. */
static struct dns_shared *find_cached(const struct resolvers *resolvers, struct span key,
                                      uint32_t *age)
{
    struct cache_hit hit;
    if (cache_peek(resolvers->cache, key, resolver_clock_ms(), &hit) == CACHE_MISS || !hit.object)
        return NULL;
    /* The cache's objects are ours: only this file and the snapshots put any. */
    struct dns_shared *shared = (struct dns_shared *)(uintptr_t)hit.object;
    *age = shared->answer.age + (uint32_t)(hit.age_ms / 1000);
    return shared;
}

/* Another waiter's answer may have come while this question was on its way. */
static bool answer_from_cache(struct resolver_thread *thread, struct resolver_question *question)
{
    struct key key;
    uint32_t age = 0;
    if (question->refresh)
        return false;
    struct dns_shared *shared =
        find_cached(thread->resolvers, key_of(&key, &question->name, question->type), &age);
    if (!shared)
        return false;
    COUNT(thread, cached);
    hand_back(question, shared, age);
    return true;
}

/*
 * Keeps an answer. An answer that was asked for before a flush is not kept: the flush counts first
 * and then walks, we put first and then look at the count, so one of the two removes it.
 */
static enum cache_put_result store(const struct flight *flight, struct dns_shared *shared,
                                   struct span key)
{
    struct resolvers *resolvers = flight->owner->resolvers;
    enum cache_put_result result =
        resolvers_cache_put(resolvers->cache, key, shared, resolver_clock_ms());
    if (result == CACHE_STORED && atomic_load(&resolvers->epoch) != flight->epoch)
        cache_remove(resolvers->cache, key);
    return result;
}

/* --- the end of a query --- */

/* Out of the tables; the waiters are the caller's now. */
static struct resolver_question *take_off(struct flight *flight)
{
    struct resolver_thread *thread = flight->owner;
    struct resolver_question *waiters = flight->first;
    flights_remove(&thread->flights, flight);
    query_limits_release(&thread->resolvers->limits, flight->zone);
    COUNT_ADD(thread, in_flight, -1);
    flight->first = NULL;
    return waiters;
}

static void hand_back_all(struct resolver_question *waiters, struct dns_shared *answer,
                          uint32_t age)
{
    while (waiters) {
        struct resolver_question *waiter = waiters;
        waiters = waiter->next; /* `answered` may free it */
        hand_back(waiter, answer, age);
    }
}

static void count_outcome(struct resolver_thread *thread, const struct dns_answer *answer)
{
    switch (answer->outcome) {
    case DNS_ANSWER:
        COUNT(thread, answers);
        return;
    case DNS_EMPTY:
        COUNT(thread, empty);
        return;
    case DNS_NXDOMAIN:
        COUNT(thread, nxdomain);
        return;
    case DNS_UNANSWERED:
    case DNS_TEMPFAIL:
        break;
    }
    COUNT(thread, failures);
    if (strcmp(answer->reason, "timeout") == 0)
        COUNT(thread, timeouts);
}

/* The answer, or the older one that the cache goes on using instead; one reference. */
static struct dns_shared *settle(struct flight *flight, const struct dns_answer *answer,
                                 uint32_t *age)
{
    struct resolver_thread *thread = flight->owner;
    struct resolvers *resolvers = thread->resolvers;
    struct key key;
    struct span name_key = key_of(&key, &flight->query.name, flight->query.type);
    struct dns_shared *shared =
        dns_shared_new(&flight->query.name, flight->query.type, answer, resolvers->prepare);
    if (!shared)
        return dns_shared_ref(resolvers->failures[FAILURE_NO_MEMORY]);
    *age = answer->age;
    if (resolvers_own_failure(answer) || store(flight, shared, name_key) != CACHE_KEPT)
        return shared;
    struct dns_shared *older = find_cached(resolvers, name_key, age);
    if (!older)
        return shared;
    COUNT(thread, stale);
    dns_shared_unref(&shared);
    return dns_shared_ref(older);
}

static void land(struct flight *flight, const struct dns_answer *answer)
{
    uint32_t age = 0;
    struct resolver_question *waiters = take_off(flight);
    count_outcome(flight->owner, answer);
    struct dns_shared *shared = settle(flight, answer, &age);
    free(flight);
    hand_back_all(waiters, shared, age);
    dns_shared_unref(&shared);
}

/* From libunbound, out of the event loop or before unbound_ask returns. */
static void on_answer(struct unbound_query *query, const struct dns_answer *answer)
{
    struct flight *flight = (struct flight *)query;
    resolver_thread_online(flight->owner);
    land(flight, answer);
}

/* --- a query --- */

static void join(struct flight *flight, struct resolver_question *question)
{
    question->next = NULL;
    *flight->last = question;
    flight->last = &question->next;
}

static struct flight *flight_new(struct resolver_thread *thread, struct resolver_question *question,
                                 struct zone_slot *zone, int64_t now_ms)
{
    struct flight *flight = malloc(sizeof *flight);
    if (!flight)
        return NULL;
    *flight = (struct flight){
        .query = {.answered = on_answer, .name = question->name, .type = question->type},
        .owner = thread,
        .zone = zone,
        .hash = question->hash,
        .deadline_ms = now_ms + thread->resolvers->question_ms,
        .epoch = atomic_load(&thread->resolvers->epoch),
        .last = &flight->first,
    };
    join(flight, question);
    flight->wake_ms = flight_wake_ms(flight);
    flights_add(&thread->flights, flight);
    COUNT_ADD(thread, in_flight, 1);
    return flight;
}

static void launch(struct resolver_thread *thread, struct flight *flight)
{
    struct dns_answer answer;
    COUNT(thread, queries);
    if (thread->unbound) {
        unbound_ask(thread->unbound, &flight->query);
        return;
    }
    dns_zone_answer(thread->resolvers->zone, &flight->query.name, flight->query.type,
                    thread->records, &answer);
    land(flight, &answer);
}

static void ask_source(struct resolver_thread *thread, struct resolver_question *question,
                       int64_t now_ms)
{
    struct query_limits *limits = &thread->resolvers->limits;
    struct zone_slot *zone = NULL;
    enum query_permit permit = query_limits_take(limits, &question->name, &zone);
    if (permit == QUERY_BUSY_ZONE) {
        COUNT(thread, refused_zone);
        refuse(thread, question, FAILURE_BUSY_ZONE);
        return;
    }
    if (permit == QUERY_BUSY) {
        COUNT(thread, refused_total);
        refuse(thread, question, FAILURE_BUSY);
        return;
    }
    bool refresh = refresh_is(question);
    struct flight *flight = flight_new(thread, question, zone, now_ms);
    if (!flight) {
        query_limits_release(limits, zone);
        refuse(thread, question, FAILURE_NO_MEMORY);
        return;
    }
    COUNT_ADD(thread, refreshes, refresh);
    launch(thread, flight);
}

/*
 * A follower's question may come before the one that it follows: both are on their way from
 * different threads. Longer ago, that one has been answered, with a failure.
 */
static bool overtook_refresh(const struct resolver_thread *thread,
                             const struct resolver_question *question, int64_t now_ms)
{
    struct key key;
    struct cache_hit hit;
    int64_t asked_ms;
    struct span name_key = key_of(&key, &question->name, question->type);
    return cache_peek(thread->resolvers->cache, name_key, now_ms, &hit) != CACHE_MISS &&
           cache_rotation_state(&hit, now_ms, &asked_ms) == CACHE_ROTATION_ASKED &&
           asked_ms <= OVERTAKE_MS;
}

void owner_take(struct resolver_thread *thread, struct resolver_question *question)
{
    int64_t now_ms = resolver_clock_ms();
    COUNT_ADD(thread, questions, !refresh_is(question));
    if (!question->follow && answer_from_cache(thread, question))
        return;
    if (question->deadline_ms <= now_ms) {
        COUNT(thread, late);
        refuse(thread, question, FAILURE_TIMEOUT);
        return;
    }
    struct flight *flight =
        flights_find(&thread->flights, question->hash, &question->name, question->type);
    if (!flight && question->follow && !overtook_refresh(thread, question, now_ms) &&
        answer_from_cache(thread, question))
        return;
    if (!flight) {
        ask_source(thread, question, now_ms);
        return;
    }
    COUNT(thread, shared);
    join(flight, question);
    int64_t wake_ms = flight_waiter_wake_ms(question);
    if (wake_ms < flight->wake_ms)
        flights_reschedule(&thread->flights, flight, wake_ms);
}

/* --- time --- */

/* The query goes on for the others, and for the cache. */
static void expire_waiters(struct flight *flight, int64_t now_ms)
{
    struct resolver_thread *thread = flight->owner;
    struct resolver_question **link = &flight->first, *late = NULL;
    while (*link) {
        struct resolver_question *waiter = *link;
        if (waiter->deadline_ms > now_ms) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->next = late;
        late = waiter;
        COUNT(thread, late);
    }
    flight->last = link;
    flights_reschedule(&thread->flights, flight, flight_wake_ms(flight));
    hand_back_all(late, thread->resolvers->failures[FAILURE_TIMEOUT], 0);
}

void owner_expire(struct resolver_thread *thread, int64_t now_ms)
{
    static const struct dns_answer timeout = {.outcome = DNS_TEMPFAIL, .reason = "timeout"};
    struct flight *flight;
    while ((flight = flights_soonest(&thread->flights)) && flight->wake_ms <= now_ms) {
        if (flight->deadline_ms > now_ms) {
            expire_waiters(flight, now_ms);
            continue;
        }
        unbound_cancel(&flight->query); /* F11: a late reply finds nobody */
        land(flight, &timeout);
    }
}

void owner_shut_down(struct resolver_thread *thread)
{
    struct dns_shared *shutdown = thread->resolvers->failures[FAILURE_SHUTDOWN];
    struct cds_wfcq_node *node;
    struct flight *flight;
    while ((flight = flights_soonest(&thread->flights))) {
        unbound_cancel(&flight->query);
        struct resolver_question *waiters = take_off(flight);
        free(flight);
        hand_back_all(waiters, shutdown, 0);
    }
    while ((node = question_queue_take(&thread->inbox)))
        hand_back((struct resolver_question *)node, shutdown, 0);
}
