/* Slots for zones come from an array that is as large as the queries may be many. */
#include "dns/query_limits.h"

#include <stdlib.h>

enum
{
    ZONE_LABELS = 2,
    SHORT_ZONE_LABELS = 3,  /* below co.uk, com.br ... */
    REVERSE_V4_LABELS = 4,  /* b.a.in-addr.arpa: a /16 */
    REVERSE_V6_LABELS = 10, /* eight nibbles: a /32 */
};

/* The last `labels` labels; all of a name that has no more. */
static struct span last_labels(const struct dns_name *name, unsigned labels)
{
    size_t at = 0;
    for (unsigned drop = name->labels > labels ? name->labels - labels : 0; drop; drop--)
        at += name->wire[at] + 1U;
    return span_of(name->wire + at, name->length - at);
}

/* A last label of two octets and one of at most three before it. */
static bool has_short_end(struct span two)
{
    return two.p[0] <= 3 && two.p[1 + two.p[0]] == 2;
}

struct span query_zone(const struct dns_name *name)
{
    struct span two = last_labels(name, ZONE_LABELS);
    if (name->labels <= ZONE_LABELS)
        return two;
    if (span_equal(two, SPAN("\7in-addr\4arpa\0")))
        return last_labels(name, REVERSE_V4_LABELS);
    if (span_equal(two, SPAN("\3ip6\4arpa\0")))
        return last_labels(name, REVERSE_V6_LABELS);
    return has_short_end(two) ? last_labels(name, SHORT_ZONE_LABELS) : two;
}

bool query_limits_init(struct query_limits *limits, uint32_t max_in_flight, uint32_t max_per_zone,
                       const struct siphash_key *key)
{
    uint32_t buckets = 1;
    while (buckets < max_in_flight && buckets < UINT32_C(1) << 30)
        buckets *= 2;
    *limits = (struct query_limits){
        .max_in_flight = max_in_flight,
        .max_per_zone = max_per_zone,
        .mask = buckets - 1,
        .key = *key,
        .slots = calloc(max_in_flight, sizeof *limits->slots),
        .buckets = calloc(buckets, sizeof(struct zone_slot *)),
    };
    pthread_mutex_init(&limits->lock, NULL);
    if (!limits->slots || !limits->buckets) {
        query_limits_fini(limits);
        return false;
    }
    for (uint32_t i = 0; i < max_in_flight; i++) {
        limits->slots[i].next = limits->free;
        limits->free = &limits->slots[i];
    }
    return true;
}

void query_limits_fini(struct query_limits *limits)
{
    assert(limits->in_flight == 0);
    free(limits->slots);
    free(limits->buckets);
    pthread_mutex_destroy(&limits->lock);
    *limits = (struct query_limits){0};
}

/* Where the zone's slot is linked in, or the end of its bucket. */
static struct zone_slot **find_link(struct query_limits *limits, uint64_t hash)
{
    struct zone_slot **link = &limits->buckets[hash & limits->mask];
    while (*link && (*link)->hash != hash)
        link = &(*link)->next;
    return link;
}

static enum query_permit take_locked(struct query_limits *limits, uint64_t hash,
                                     struct zone_slot **zone)
{
    struct zone_slot **link = find_link(limits, hash);
    if (*link && (*link)->in_flight >= limits->max_per_zone)
        return QUERY_BUSY_ZONE;
    if (limits->in_flight >= limits->max_in_flight)
        return QUERY_BUSY;
    if (!*link) {
        struct zone_slot *slot = limits->free;
        assert(slot); /* no more zones than queries */
        limits->free = slot->next;
        *slot = (struct zone_slot){.hash = hash};
        *link = slot;
    }
    (*link)->in_flight++;
    limits->in_flight++;
    *zone = *link;
    return QUERY_ALLOWED;
}

enum query_permit query_limits_take(struct query_limits *limits, const struct dns_name *name,
                                    struct zone_slot **zone)
{
    uint64_t hash = siphash13(&limits->key, query_zone(name));
    pthread_mutex_lock(&limits->lock);
    enum query_permit permit = take_locked(limits, hash, zone);
    pthread_mutex_unlock(&limits->lock);
    return permit;
}

void query_limits_release(struct query_limits *limits, struct zone_slot *zone)
{
    pthread_mutex_lock(&limits->lock);
    assert(zone->in_flight > 0 && limits->in_flight > 0);
    limits->in_flight--;
    if (--zone->in_flight == 0) {
        *find_link(limits, zone->hash) = zone->next;
        zone->next = limits->free;
        limits->free = zone;
    }
    pthread_mutex_unlock(&limits->lock);
}

uint32_t query_limits_in_flight(struct query_limits *limits)
{
    pthread_mutex_lock(&limits->lock);
    uint32_t in_flight = limits->in_flight;
    pthread_mutex_unlock(&limits->lock);
    return in_flight;
}
