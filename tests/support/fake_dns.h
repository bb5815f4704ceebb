/*
 * A source of DNS answers that a test fills record by record, for corpora whose zones are not zone
 * files. Names are raw labels: any byte but a dot may stand in them. Answers at once.
 */
#ifndef SUPPORT_FAKE_DNS_H
#define SUPPORT_FAKE_DNS_H

#include "dns/source.h"

/* An empty source: every name is NXDOMAIN. Fails the test without memory. Free it with
 * dns_source_free. */
struct dns_source *fake_dns_new(void);

/* One record; `owner` is read by dns_name_from_raw. The spans of a TXT record are borrowed. */
void fake_dns_add(struct dns_source *source, struct span owner, enum dns_type type,
                  const struct dns_record *record);
/* The name exists, but there is nothing of any type unless it is added. */
void fake_dns_add_name(struct dns_source *source, struct span owner);
/* Questions for `owner` fail from here on ("timeout", "servfail": static), but for types of which
 * a record was added before. */
void fake_dns_add_failure(struct dns_source *source, struct span owner, const char *reason);

#endif
