/*
 * Policy discoveries that stand for other messages of the same author domain, as SPF results do
 * (spf/shared.h). A discovery hangs on the author domain and the options alone; it is shared where
 * no answer failed and no limit was met. Its records go with it, but for their lists of tags, which
 * no verdict shows.
 */
#ifndef DMARC_SHARED_H
#define DMARC_SHARED_H

#include "dmarc/dmarc.h"

/* True where there was one: all of *discovery is set, `spared` too; its records are in `arena`. */
bool dmarc_shared_take(struct result_cache *cache, const struct dns_name *author,
                       const struct dmarc_options *options, struct arena *arena,
                       struct dmarc_discovery *discovery) MUST_CHECK;
/* Keeps a discovery that asked these questions and met no limit; or not. */
void dmarc_shared_keep(struct result_cache *cache, const struct dmarc_options *options,
                       const struct dmarc_discovery *discovery, const struct dmarc_asked *asked);

#endif
