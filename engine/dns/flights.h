/*
 * The queries that one resolver thread has in flight: found by question, so that a second waiter
 * joins the first, and by time, so that none waits for ever.
 *
 * A hash table with chains and a binary heap over the same flights. Thread: the owner alone.
 */
#ifndef DNS_FLIGHTS_H
#define DNS_FLIGHTS_H

#include "dns/resolvers.h"
#include "dns/unbound.h"

struct flight
{
    struct unbound_query query;    /* first; the question, too */
    struct resolver_thread *owner; /* borrowed */
    struct zone_slot *zone;        /* what it counts for */
    uint64_t hash;
    struct flight *bucket_next;
    int64_t deadline_ms;             /* of the query */
    int64_t wake_ms;                 /* the heap's key: this or a waiter's deadline, if earlier */
    uint32_t heap_at;                /* place in the heap */
    uint32_t epoch;                  /* of the last flush when the query left */
    struct resolver_question *first; /* waiters, in the order in which they came */
    struct resolver_question **last;
};

struct flights
{
    struct flight **buckets; /* owned */
    struct flight **heap;    /* owned */
    uint32_t mask;
    uint32_t count;
    uint32_t capacity;
};

/* False: no memory. */
bool flights_init(struct flights *flights, uint32_t capacity) MUST_CHECK;
/* Must be empty. */
void flights_fini(struct flights *flights);

/* NULL: none. `hash` is the same for each flight of this name and type. */
struct flight *flights_find(const struct flights *flights, uint64_t hash,
                            const struct dns_name *name, enum dns_type type);
/* With query.name, query.type, hash and wake_ms set. Requires count < capacity. */
void flights_add(struct flights *flights, struct flight *flight);
void flights_remove(struct flights *flights, struct flight *flight);
/* The flight with the earliest wake_ms; NULL: none. */
struct flight *flights_soonest(const struct flights *flights);
void flights_reschedule(struct flights *flights, struct flight *flight, int64_t wake_ms);

/*
 * When to look at `flight` again: its own deadline, or its waiters', rounded up to the next
 * FLIGHT_TICK_MS, so that a thousand waiters with a deadline each are walked over only so often.
 */
int64_t flight_wake_ms(const struct flight *flight);
int64_t flight_waiter_wake_ms(const struct resolver_question *waiter);

enum
{
    FLIGHT_TICK_MS = 8, /* a power of two */
};

#endif
