/* The author domains of a message (RFC 9989 5.3.1, 11.5; DP-1 to DP-4). */
#ifndef DMARC_AUTHOR_H
#define DMARC_AUTHOR_H

#include "dmarc/dmarc.h"

/* How many names dmarc_authors_read may want room for; MAX_AUTHOR_DOMAINS at most. */
uint32_t dmarc_authors_most(const struct mail_from *from);
/*
 * One domain, or up to MAX_AUTHOR_DOMAINS with strictest_of_several; else `error`, and those names
 * that could be read all the same. `names` is the room for them, borrowed.
 */
void dmarc_authors_read(const struct mail_from *from, const struct dmarc_options *options,
                        struct dns_name *names, struct dmarc_authors *authors);

#endif
