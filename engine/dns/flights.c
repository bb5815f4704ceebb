/* Chains in a table of fixed size, and a heap that knows where each flight stands in it. */
#include "dns/flights.h"

#include <stdlib.h>

bool flights_init(struct flights *flights, uint32_t capacity)
{
    uint32_t buckets = 1;
    while (buckets < capacity && buckets < UINT32_C(1) << 30)
        buckets *= 2;
    *flights = (struct flights){
        .buckets = calloc(buckets, sizeof(struct flight *)),
        .heap = calloc(capacity, sizeof(struct flight *)),
        .mask = buckets - 1,
        .capacity = capacity,
    };
    if (flights->buckets && flights->heap)
        return true;
    flights_fini(flights);
    return false;
}

void flights_fini(struct flights *flights)
{
    assert(flights->count == 0);
    free(flights->buckets);
    free(flights->heap);
    *flights = (struct flights){0};
}

/* --- by question --- */

struct flight *flights_find(const struct flights *flights, uint64_t hash,
                            const struct dns_name *name, enum dns_type type)
{
    struct flight *flight = flights->buckets[hash & flights->mask];
    for (; flight; flight = flight->bucket_next)
        if (flight->hash == hash && flight->query.type == type &&
            dns_name_equal(&flight->query.name, name))
            return flight;
    return NULL;
}

static void bucket_remove(struct flights *flights, struct flight *flight)
{
    struct flight **link = &flights->buckets[flight->hash & flights->mask];
    while (*link != flight)
        link = &(*link)->bucket_next;
    *link = flight->bucket_next;
}

/* --- by time --- */

static void heap_set(struct flights *flights, uint32_t at, struct flight *flight)
{
    flights->heap[at] = flight;
    flight->heap_at = at;
}

static void heap_up(struct flights *flights, struct flight *flight)
{
    uint32_t at = flight->heap_at;
    while (at > 0 && flights->heap[(at - 1) / 2]->wake_ms > flight->wake_ms) {
        heap_set(flights, at, flights->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(flights, at, flight);
}

static void heap_down(struct flights *flights, struct flight *flight)
{
    uint32_t at = flight->heap_at;
    for (uint32_t child = 2 * at + 1; child < flights->count; child = 2 * at + 1) {
        if (child + 1 < flights->count &&
            flights->heap[child + 1]->wake_ms < flights->heap[child]->wake_ms)
            child++;
        if (flights->heap[child]->wake_ms >= flight->wake_ms)
            break;
        heap_set(flights, at, flights->heap[child]);
        at = child;
    }
    heap_set(flights, at, flight);
}

struct flight *flights_soonest(const struct flights *flights)
{
    return flights->count ? flights->heap[0] : NULL;
}

void flights_reschedule(struct flights *flights, struct flight *flight, int64_t wake_ms)
{
    flight->wake_ms = wake_ms;
    heap_up(flights, flight);
    heap_down(flights, flight);
}

/* --- both --- */

void flights_add(struct flights *flights, struct flight *flight)
{
    struct flight **bucket = &flights->buckets[flight->hash & flights->mask];
    assert(flights->count < flights->capacity);
    flight->bucket_next = *bucket;
    *bucket = flight;
    heap_set(flights, flights->count++, flight);
    heap_up(flights, flight);
}

void flights_remove(struct flights *flights, struct flight *flight)
{
    uint32_t at = flight->heap_at;
    bucket_remove(flights, flight);
    struct flight *last = flights->heap[--flights->count];
    if (last == flight)
        return;
    heap_set(flights, at, last);
    flights_reschedule(flights, last, last->wake_ms);
}

int64_t flight_waiter_wake_ms(const struct resolver_question *waiter)
{
    return waiter->deadline_ms > INT64_MAX - FLIGHT_TICK_MS
               ? INT64_MAX
               : (waiter->deadline_ms + FLIGHT_TICK_MS - 1) & ~(int64_t)(FLIGHT_TICK_MS - 1);
}

int64_t flight_wake_ms(const struct flight *flight)
{
    int64_t soonest = flight->deadline_ms;
    for (const struct resolver_question *waiter = flight->first; waiter; waiter = waiter->next) {
        int64_t wake = flight_waiter_wake_ms(waiter);
        soonest = wake < soonest ? wake : soonest;
    }
    return soonest;
}
