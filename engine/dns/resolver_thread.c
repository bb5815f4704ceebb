/*
 * A resolver thread's loop: questions from the inbox, the library's events, deadlines, refreshes,
 * a quiescent state; asleep in the event loop, and then offline, when there is nothing to do.
 */
#include "dns/resolver_thread.h"

#include <event2/event.h>

enum
{
    TURN_QUESTIONS = 256, /* then the library gets its turn */
};

void resolver_thread_online(struct resolver_thread *thread)
{
    if (thread->offline)
        cache_thread_online();
    thread->offline = false;
}

/* INT64_MAX: nothing is planned. */
static int64_t next_wake_ms(const struct resolver_thread *thread)
{
    const struct flight *soonest = flights_soonest(&thread->flights);
    int64_t wake_ms = soonest ? soonest->wake_ms : INT64_MAX;
    return thread->next_refresh_ms < wake_ms ? thread->next_refresh_ms : wake_ms;
}

static void set_timer(struct resolver_thread *thread, int64_t left_ms)
{
    struct timeval wait = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
    evtimer_add(thread->timer, &wait);
}

/* Until something happens. The callbacks go online again where they need the cache. */
static void sleep_in_loop(struct resolver_thread *thread, int64_t left_ms)
{
    if (left_ms < INT32_MAX)
        set_timer(thread, left_ms);
    cache_thread_offline();
    thread->offline = true;
    event_base_loop(thread->base, EVLOOP_ONCE);
    resolver_thread_online(thread);
    question_queue_awake(&thread->inbox);
}

static void let_the_library_work(struct resolver_thread *thread, bool more_questions)
{
    int64_t left_ms = next_wake_ms(thread) - resolver_clock_ms();
    if (more_questions || left_ms <= 0 || !question_queue_sleep(&thread->inbox))
        event_base_loop(thread->base, EVLOOP_NONBLOCK);
    else
        sleep_in_loop(thread, left_ms);
}

static bool take_questions(struct resolver_thread *thread)
{
    for (unsigned i = 0; i < TURN_QUESTIONS; i++) {
        struct cds_wfcq_node *node = question_queue_take(&thread->inbox);
        if (!node)
            return false;
        owner_take(thread, (struct resolver_question *)node);
    }
    return true;
}

void *resolver_thread_main(void *argument)
{
    struct resolver_thread *thread = argument;
    struct resolvers *resolvers = thread->resolvers;
    cache_thread_register();
    while (!atomic_load_explicit(&resolvers->stopping, memory_order_acquire)) {
        bool more = take_questions(thread);
        let_the_library_work(thread, more);
        int64_t now_ms = resolver_clock_ms();
        owner_expire(thread, now_ms);
        refresh_run(thread, now_ms);
        cache_thread_quiescent();
    }
    owner_shut_down(thread);
    cache_thread_unregister();
    return NULL;
}
