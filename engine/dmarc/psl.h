/* Public Suffix List: the only door to libpsl (dmarc/psl.c). */
#ifndef DMARC_PSL_H
#define DMARC_PSL_H

#include "dns/name.h"

struct dmarc_psl;

/* `path` NULL: libpsl's built-in list. NULL where the file cannot be read, or without memory. */
struct dmarc_psl *dmarc_psl_open(const char *path) MUST_CHECK;
/*
 * No list, but what one has said: name and registrable domain, `pairs` of them. A name that is not
 * among them is its own. Copies the names; NULL without memory.
 */
struct dmarc_psl_pair
{
    struct dns_name name, org;
};
struct dmarc_psl *dmarc_psl_recorded(const struct dmarc_psl_pair *pairs, size_t count) MUST_CHECK;
void dmarc_psl_free(struct dmarc_psl **psl);
/*
 * The registrable domain of `name`, or `name` itself where there is none (a public suffix, a name
 * that is no host name). `psl` NULL: the built-in list. Any number of threads at once.
 */
struct dns_name dmarc_psl_org(const struct dmarc_psl *psl, const struct dns_name *name);

#endif
