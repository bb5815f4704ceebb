/* Policy discovery inside the DMARC judge (RFC 9989 4.10.1): see dmarc.h for what it fills in. */
#ifndef DMARC_DISCOVER_H
#define DMARC_DISCOVER_H

#include "dmarc/dmarc.h"

/* Nothing found: everything that may be read is cleared. */
void dmarc_discovery_init(struct dmarc_discovery *discovery);
/*
 * A discovery that ends in TEMPERROR and still has a record knows the record that applies, with its
 * alignment modes, but not which of its policies: the DNS did not say whether the author domain
 * exists.
 */
enum judge dmarc_policy_find(const struct dns_name *author, const struct dmarc_options *options,
                             const struct dmarc_context *context,
                             struct dmarc_discovery *discovery) MUST_CHECK;

#endif
