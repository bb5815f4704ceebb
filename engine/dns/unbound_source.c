/*
 * The network as a source that blocks: the questions of one message are sent through libunbound
 * (dns/unbound.h) and waited for on an event base of our own.
 *
 * A question in flight lives in a slot of the source, never in a message: a callback that comes
 * before unbound_ask has returned, or a cancelled query whose reply comes late, finds memory that
 * is ours. Limits: MAX_DNS_AT_ONCE questions in flight, QUESTION_MS for each (F11).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <event2/event.h>

#include "dns/unbound.h"

enum
{
    QUESTION_MS = 5000,
    SOCKETS = 256, /* cancelled queries go on for a while, and have theirs */
    AT_ONCE = 1024,
};

/* One question in flight. */
struct flight
{
    struct unbound_query query; /* first */
    struct unbound_source *owner;
    struct dns_question *question; /* arena of the message; NULL in a free slot */
    struct dns_answers *answers;   /* borrowed for the call of resolve */
    int64_t deadline_ms;
};

struct unbound_source
{
    struct dns_source source; /* first */
    struct event_base *base;
    struct event *timer; /* ends a turn of the loop at the next deadline */
    struct unbound *unbound;
    struct flight flights[MAX_DNS_AT_ONCE];
    unsigned in_flight;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Frees the slot and gives its question the answer. */
static void land(struct flight *flight, const struct dns_answer *answer)
{
    struct dns_question *question = flight->question;
    flight->question = NULL;
    flight->owner->in_flight--;
    dns_answers_put(flight->answers, question, answer);
}

static void on_answer(struct unbound_query *query, const struct dns_answer *answer)
{
    struct flight *flight = (struct flight *)query;
    assert(flight->question);
    land(flight, answer);
}

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    (void)arg;
}

static struct flight *free_slot(struct unbound_source *source)
{
    for (size_t i = 0; i < COUNT_OF(source->flights); i++)
        if (!source->flights[i].question)
            return &source->flights[i];
    return NULL;
}

/*
 * Sends what fits under MAX_DNS_AT_ONCE, from `next` on; returns where to go on. After the deadline
 * nothing is sent: dns_source_resolve answers what is left.
 */
static struct dns_question *launch_all(struct unbound_source *source, struct dns_answers *answers,
                                       struct dns_question *next, int64_t deadline_ms)
{
    int64_t now = now_ms();
    struct flight *flight;
    if (now >= deadline_ms)
        return next;
    for (; next && (flight = free_slot(source)); next = next->next) {
        if (next->answer.outcome || next->in_flight)
            continue;
        next->in_flight = true;
        *flight = (struct flight){
            .query = {.answered = on_answer, .name = next->name, .type = next->type},
            .owner = source,
            .question = next,
            .answers = answers,
            .deadline_ms = deadline_ms - now < QUESTION_MS ? deadline_ms : now + QUESTION_MS,
        };
        source->in_flight++;
        unbound_ask(source->unbound, &flight->query);
    }
    return next;
}

/* Ends the questions whose time is over; a late reply finds them cancelled (F11). */
static void expire(struct unbound_source *source, int64_t now)
{
    static const struct dns_answer timeout = {.outcome = DNS_TEMPFAIL, .reason = "timeout"};
    for (size_t i = 0; i < COUNT_OF(source->flights); i++) {
        struct flight *flight = &source->flights[i];
        if (!flight->question || flight->deadline_ms > now)
            continue;
        unbound_cancel(&flight->query);
        land(flight, &timeout);
    }
}

static int64_t next_deadline(const struct unbound_source *source)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < COUNT_OF(source->flights); i++) {
        const struct flight *flight = &source->flights[i];
        if (flight->question && flight->deadline_ms < next)
            next = flight->deadline_ms;
    }
    return next;
}

/* Lets the library work until something happened or the next deadline is there. */
static void wait_once(struct unbound_source *source)
{
    int64_t left = next_deadline(source) - now_ms();
    if (left <= 0)
        return;
    struct timeval wait = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
    evtimer_add(source->timer, &wait);
    event_base_loop(source->base, EVLOOP_ONCE);
}

static void source_resolve(struct dns_source *interface, struct dns_answers *answers,
                           int64_t deadline_ms)
{
    struct unbound_source *source = (struct unbound_source *)interface;
    struct dns_question *next = launch_all(source, answers, answers->first, deadline_ms);
    while (source->in_flight) {
        wait_once(source);
        expire(source, now_ms());
        next = launch_all(source, answers, next, deadline_ms);
    }
}

static void source_free(struct dns_source *interface)
{
    struct unbound_source *source = (struct unbound_source *)interface;
    unbound_close(&source->unbound);
    if (source->timer)
        event_free(source->timer);
    if (source->base)
        event_base_free(source->base);
    free(source);
}

static const struct dns_source_ops ops = {.resolve = source_resolve, .free = source_free};

struct dns_source *dns_unbound_open(const char *resolver, struct dns_error *error)
{
    struct unbound_source *source = calloc(1, sizeof *source);
    if (!source) {
        snprintf(error->text, sizeof error->text, "libunbound: out of memory");
        return NULL;
    }
    source->source.ops = &ops;
    source->base = event_base_new();
    source->timer = source->base ? evtimer_new(source->base, on_timer, NULL) : NULL;
    if (!source->timer)
        snprintf(error->text, sizeof error->text, "libevent: no base: %s", strerror(errno));
    const struct unbound_config config = {
        .base = source->base,
        .resolver = resolver,
        .at_once = AT_ONCE,
        .sockets = SOCKETS,
        .keeps_answers = true,
    };
    if (source->timer)
        source->unbound = unbound_open(&config, error);
    if (source->unbound)
        return &source->source;
    source_free(&source->source);
    return NULL;
}
