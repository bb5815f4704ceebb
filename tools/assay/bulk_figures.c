/*
 * What a daemon says of DNS, cache and work: its counters before and after the run. Other clients'
 * work in that time is in them.
 */
#include <jansson.h>

#include "bulk_summary.h"

struct counter
{
    const char *section, *key;
    size_t offset; /* of a uint64_t; several counters may add up in one */
    bool total;    /* it is how much there is now, not how often since the start */
};

#define AT(field) offsetof(struct bulk_figures, field)

static const struct counter counters[] = {
    {"pool", "workers", AT(workers), true},
    {"pool", "cpu_ns", AT(cpu_ns), false},
    {"pool", "rounds", AT(rounds), false},
    {"pool", "parked", AT(parked), false},
    {"resolvers", "questions", AT(questions), false},
    {"resolvers", "shared", AT(shared), false},
    {"resolvers", "queries", AT(queries), false},
    {"resolvers", "answers", AT(answers), false},
    {"resolvers", "empty", AT(empty), false},
    {"resolvers", "nxdomain", AT(nxdomain), false},
    {"resolvers", "failures", AT(failures), false},
    {"resolvers", "timeouts", AT(timeouts), false},
    {"resolvers", "refused_zone", AT(refused), false},
    {"resolvers", "refused_total", AT(refused), false},
    {"cache", "hits", AT(hits), false},
    {"cache", "hits_negative", AT(hits), false},
    {"cache", "hits_failure", AT(hits), false},
    {"cache", "hits", AT(lookups), false},
    {"cache", "hits_negative", AT(lookups), false},
    {"cache", "hits_failure", AT(lookups), false},
    {"cache", "stale", AT(lookups), false},
    {"cache", "misses", AT(lookups), false},
    {"cache", "stale", AT(stale), false},
    {"cache", "entries", AT(entries), true},
    {"cache", "bytes", AT(entry_bytes), true},
};

static uint64_t *place(struct bulk_figures *figures, const struct counter *counter)
{
    return (uint64_t *)(void *)((uint8_t *)figures + counter->offset);
}

bool bulk_figures_read(struct bulk_figures *figures, struct span json)
{
    *figures = (struct bulk_figures){.known = false};
    json_t *stats = json.n ? json_loadb((const char *)json.p, json.n, 0, NULL) : NULL;
    for (size_t i = 0; stats && i < COUNT_OF(counters); i++) {
        const json_t *section = json_object_get(stats, counters[i].section);
        json_int_t value = json_integer_value(json_object_get(section, counters[i].key));
        *place(figures, &counters[i]) += value > 0 ? (uint64_t)value : 0;
    }
    figures->known = stats != NULL;
    json_decref(stats);
    return figures->known;
}

void bulk_figures_since(struct bulk_figures *figures, struct bulk_figures *before)
{
    for (size_t i = 0; i < COUNT_OF(counters); i++) {
        uint64_t *now = place(figures, &counters[i]), *then = place(before, &counters[i]);
        if (counters[i].total)
            continue;
        *now -= *then < *now ? *then : *now;
        *then = 0; /* the next counter of the same place has nothing left to take away */
    }
}
