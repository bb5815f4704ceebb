/* The table and heap of queries in flight against an array that is searched. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/flights.h"
#include "fixture.h"

enum
{
    CAPACITY = 300,
    NAMES = 60, /* fewer hashes than flights: chains */
};

static unsigned random_state = 1;

static unsigned draw(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) % below;
}

static struct flight *flight_make(unsigned number)
{
    struct flight *flight = calloc(1, sizeof *flight);
    char name[32];
    cr_assert(flight);
    snprintf(name, sizeof name, "n%u.test", number);
    flight->query.name = name_of(name);
    flight->query.type = number % 2 ? DNS_A : DNS_TXT;
    flight->hash = number % NAMES;
    flight->wake_ms = draw(1000);
    return flight;
}

static void check(const struct flights *flights, struct flight *const *model)
{
    int64_t soonest = INT64_MAX;
    unsigned count = 0;
    for (unsigned i = 0; i < CAPACITY; i++) {
        if (!model[i])
            continue;
        count++;
        soonest = model[i]->wake_ms < soonest ? model[i]->wake_ms : soonest;
        cr_assert(flights_find(flights, model[i]->hash, &model[i]->query.name,
                               model[i]->query.type) == model[i]);
    }
    cr_assert(count == flights->count);
    cr_assert(count == 0 ? !flights_soonest(flights)
                         : flights_soonest(flights)->wake_ms == soonest);
}

Test(flights, against_a_model)
{
    struct flights flights;
    struct flight *model[CAPACITY] = {NULL};
    cr_assert(flights_init(&flights, CAPACITY));
    for (unsigned step = 0; step < 6000; step++) {
        unsigned i = draw(CAPACITY);
        if (!model[i]) {
            flights_add(&flights, model[i] = flight_make(i));
        } else if (draw(3) == 0) {
            flights_remove(&flights, model[i]);
            free(model[i]);
            model[i] = NULL;
        } else {
            flights_reschedule(&flights, model[i], draw(1000));
        }
        if (step % 16 == 0)
            check(&flights, model);
    }
    struct dns_name absent = name_of("absent.test");
    cr_expect(!flights_find(&flights, 1, &absent, DNS_A));
    int64_t last = 0;
    while (flights.count) {
        struct flight *flight = flights_soonest(&flights);
        cr_assert(flight->wake_ms >= last);
        last = flight->wake_ms;
        flights_remove(&flights, flight);
        free(flight);
    }
    flights_fini(&flights);
}

Test(flights, wake_times_are_rounded_up)
{
    static const int64_t cases[][2] = {
        {0, 0}, {1, 8}, {8, 8}, {9, 16}, {-1, 0}, {INT64_MAX, INT64_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resolver_question waiter = {.deadline_ms = cases[i][0]};
        cr_expect(flight_waiter_wake_ms(&waiter) == cases[i][1], "%ld", (long)cases[i][0]);
        struct flight flight = {.deadline_ms = INT64_MAX, .first = &waiter};
        cr_expect(flight_wake_ms(&flight) == cases[i][1]);
        flight.deadline_ms = -9;
        cr_expect(flight_wake_ms(&flight) == -9, "the query's own is exact");
    }
}
