/*
 * How many queries may be in flight: to one zone, so that one slow zone cannot take all slots, and
 * in all (security.md F12). One table for all resolver threads, since a zone's names belong to
 * several of them.
 *
 * A zone is known by 64 bits of a keyed hash: two zones that share a count are a matter of chance,
 * and of one in 2^52 where the table is full.
 */
#ifndef DNS_QUERY_LIMITS_H
#define DNS_QUERY_LIMITS_H

#include <pthread.h>

#include "cache/siphash.h"
#include "dns/name.h"

struct zone_slot
{
    struct zone_slot *next; /* same bucket, or the next free one */
    uint64_t hash;
    uint32_t in_flight;
};

struct query_limits
{
    /* set at start */
    uint32_t max_in_flight;
    uint32_t max_per_zone;
    uint32_t mask;
    struct siphash_key key;
    struct zone_slot *slots; /* owned: one for each query there may be */
    struct zone_slot **buckets;
    /* Protects all that follows, the slots and the buckets. Held for a few dozen instructions. */
    pthread_mutex_t lock;
    struct zone_slot *free;
    uint32_t in_flight;
};

enum query_permit
{
    QUERY_ALLOWED = 1,
    QUERY_BUSY_ZONE,
    QUERY_BUSY,
};

/* Both limits are at least 1. False: no memory. */
bool query_limits_init(struct query_limits *limits, uint32_t max_in_flight, uint32_t max_per_zone,
                       const struct siphash_key *key) MUST_CHECK;
void query_limits_fini(struct query_limits *limits);

/* One query more to the zone of `name`, if it is allowed: then *zone is for query_limits_release.
 */
enum query_permit query_limits_take(struct query_limits *limits, const struct dns_name *name,
                                    struct zone_slot **zone) MUST_CHECK;
void query_limits_release(struct query_limits *limits, struct zone_slot *zone);
/* Now. */
uint32_t query_limits_in_flight(struct query_limits *limits);

/* The end of `name` that is its zone (dns/resolvers.h). Borrowed from `name`. */
struct span query_zone(const struct dns_name *name);

#endif
