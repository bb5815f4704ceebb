/*
 * Counts octets that matter for the anomalies of a header or body: NUL, CR, LF, CRLF pairs, 8-bit
 * (security.md B01-B03). Streaming: a CR and its LF may come in different pieces.
 */
#ifndef MAIL_OCTETS_H
#define MAIL_OCTETS_H

#include "base/span.h"
#include "mail/anomaly.h"

struct mail_octets
{
    uint64_t nul;
    uint64_t cr;
    uint64_t lf;
    uint64_t crlf;
    uint64_t high; /* above 127 */
    bool after_cr; /* the last octet was a CR */
};

void mail_octets_count(struct mail_octets *octets, struct span bytes);
/*
 * Passes over octets that somebody has looked at: no NUL, and in the text around them a LF stands
 * behind each CR and a CR before each LF but the first octet. Bare ones and NUL come out as if all
 * had been counted; cr, lf, crlf and high lack what is inside.
 */
void mail_octets_pass(struct mail_octets *octets, struct span plain);

static inline uint64_t mail_octets_bare_cr(const struct mail_octets *octets)
{
    return octets->cr - octets->crlf;
}

static inline uint64_t mail_octets_bare_lf(const struct mail_octets *octets)
{
    return octets->lf - octets->crlf;
}

#endif
