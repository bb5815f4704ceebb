/*
 * A stand-in for the shared cache, made to catch whoever keeps a pointer too long: it answers from
 * a zone, each time with an object of its own, and at the end of a round it overwrites and frees
 * all of them. Under AddressSanitizer a late read ends the test; without it, the verdict differs.
 */
#ifndef TESTS_ENGINE_NEAR_SOURCE_H
#define TESTS_ENGINE_NEAR_SOURCE_H

#include "dns/shared.h"
#include "dns/source.h"

enum
{
    NEAR_LENT_MAX = 256, /* answers of one round */
};

struct near_source
{
    struct dns_near near;
    struct dns_source *zone; /* borrowed */
    dns_prepare *prepare;    /* NULL: answers stay unparsed */
    unsigned miss_every;     /* each so-manieth find has no answer; 0: never */
    bool may_renew;
    unsigned finds;
    unsigned renewals; /* asked for */
    struct dns_shared *lent[NEAR_LENT_MAX];
    bool lent_texts[NEAR_LENT_MAX]; /* of type TXT */
    unsigned lent_count;
};

void near_source_init(struct near_source *source, struct dns_source *zone, dns_prepare *prepare);
/* The round is over: what was lent is overwritten and freed. */
void near_source_end_round(struct near_source *source);

#endif
