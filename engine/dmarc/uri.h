/* Report URIs of rua= and ruf= (RFC 9989 4.6, 4.8; DP-13). */
#ifndef DMARC_URI_H
#define DMARC_URI_H

#include "base/attributes.h"
#include "base/span.h"

struct dmarc_uri
{
    struct span text;    /* borrowed: the URI without an obsolete "!size" */
    bool mailto;         /* the only scheme that a receiver must know */
    struct span address; /* mailto: local@host, still percent-encoded; empty otherwise */
    struct span host;    /* mailto: what stands behind the last "@" */
};

/* The next good URI of a list; malformed ones are passed over (AG-23). False at the end. */
bool dmarc_uri_next(struct span *list, struct dmarc_uri *uri) MUST_CHECK;

#endif
