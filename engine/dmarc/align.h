/* Identifier Alignment inside the DMARC judge (RFC 9989 4.4, 4.10.2; DP-29 to DP-34). */
#ifndef DMARC_ALIGN_H
#define DMARC_ALIGN_H

#include "dmarc/dmarc.h"

enum dmarc_aligned
{
    DMARC_ALIGNED_UNSET = 0,
    DMARC_ALIGNED_WAITING = 0x31,
    DMARC_ALIGNED_NO = 0x32,
    DMARC_ALIGNED_TEMPERROR = 0x33, /* the DNS did not tell */
    DMARC_ALIGNED_PERMERROR = 0x34, /* a limit kept us from reading what tells */
    DMARC_ALIGNED_YES = 0x5a,
};

/* Is `identifier` aligned with the author domain of `discovery`, which is complete? */
enum dmarc_aligned dmarc_align(const struct dmarc_discovery *discovery,
                               const struct dns_name *identifier, bool strict,
                               const struct dmarc_options *options,
                               const struct dmarc_context *context) MUST_CHECK;

#endif
