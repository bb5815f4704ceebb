/* The zone-file source for who asks one question at a time: the resolver threads. */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "dns/source.h"

/*
 * The answer to (name, type) at once. `zone` is of dns_zone_open or dns_zone_parse and only read:
 * any number of threads may ask. The answer's records are in `records`, their texts in the zone.
 */
void dns_zone_answer(const struct dns_source *zone, const struct dns_name *name, enum dns_type type,
                     struct dns_record records[MAX_DNS_RECORDS], struct dns_answer *answer);

/* The file has records or an outcome for just this name and type: no wildcard, no CNAME. */
bool dns_zone_has(const struct dns_source *zone, const struct dns_name *name,
                  enum dns_type type) MUST_CHECK;

#endif
