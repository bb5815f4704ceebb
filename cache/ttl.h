/*
 * How long an answer is kept: floors, ceilings and the rules for errors (security.md section 2,
 * row "key cache"; L07, L08). Pure arithmetic, no clock.
 */
#ifndef CACHE_TTL_H
#define CACHE_TTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/* What the DNS said. The values are written to snapshots: never renumber them. */
enum cache_outcome
{
    CACHE_ANSWER = 1, /* there are records */
    CACHE_EMPTY,      /* the name exists, the type does not */
    CACHE_NXDOMAIN,   /* the name does not exist */
    CACHE_FAILURE,    /* no answer: timeout, SERVFAIL ...; says nothing about the name */
};

struct cache_ttl_rules
{
    uint32_t answer_min_s;
    uint32_t answer_max_s;    /* a revoked key lives no longer than this (L08) */
    uint32_t negative_min_s;  /* CACHE_EMPTY and CACHE_NXDOMAIN */
    uint32_t negative_max_s;  /* (L07) */
    uint32_t failure_first_s; /* the first failure; doubles with each further one ... */
    uint32_t failure_max_s;   /* ... up to this (L07) */
    uint32_t stale_s;         /* past its expiry an answer is used so long while the DNS fails */
    uint32_t rotation_s;      /* one forced refresh per entry in this time (L09, L10) */
};

/*
 * Stale: RFC 8767 allows days; a key that was withdrawn during an outage is a reason to stop at
 * an hour.
 */
#define CACHE_TTL_RULES_DEFAULT                                                                    \
    {                                                                                              \
        .answer_min_s = 30, .answer_max_s = 3600, .negative_min_s = 30, .negative_max_s = 300,     \
        .failure_first_s = 5, .failure_max_s = 60, .stale_s = 3600, .rotation_s = 60,              \
    }

enum
{
    CACHE_TTL_MAX_S = 86400, /* no rule may be above: a day */
};

/* Floors are not above ceilings, nothing is 0 where 0 means "ask for ever", all within a day. */
bool cache_ttl_rules_valid(const struct cache_ttl_rules *rules) MUST_CHECK;

/*
 * Seconds that an answer with this TTL is kept. A TTL with the top bit set counts as 0 (RFC 2181
 * section 8), and 0 as the floor. Not for CACHE_FAILURE, which has no TTL.
 */
uint32_t cache_ttl_seconds(const struct cache_ttl_rules *rules, enum cache_outcome outcome,
                           uint32_t ttl_s);

/* Seconds until the next try after `failures` failures in a row; requires failures >= 1. */
uint32_t cache_ttl_failure_seconds(const struct cache_ttl_rules *rules, uint32_t failures);

/*
 * Milliseconds before its expiry at which an entry in demand is asked again: a tenth of its life,
 * at least 3 s for the resolver's work and at most 60 s, and up to twice that by `spread` (any
 * 8 bits of the hash), so that entries which came together do not go together.
 */
int64_t cache_ttl_refresh_lead_ms(uint32_t ttl_s, uint8_t spread);

#endif
