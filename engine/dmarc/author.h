/* The author domains of a message (RFC 9989 5.3.1, 11.5; DP-1 to DP-4). */
#ifndef DMARC_AUTHOR_H
#define DMARC_AUTHOR_H

#include "dmarc/dmarc.h"

struct dmarc_authors
{
    struct dns_name names[MAX_AUTHOR_DOMAINS]; /* distinct, in order of appearance */
    uint32_t count;
    bool too_many;
    const char *error; /* static: permerror for this reason; NULL where all is well */
};

/* One domain, or up to MAX_AUTHOR_DOMAINS with strictest_of_several; else `error`. */
void dmarc_authors_read(const struct mail_from *from, const struct dmarc_options *options,
                        struct dmarc_authors *authors);

#endif
