/*
 * Counts octets that matter for the anomalies of a header or body: NUL, CR, LF, CRLF pairs, 8-bit
 * (security.md B01-B03). Streaming: a CR and its LF may come in different pieces.
 */
#ifndef MAIL_OCTETS_H
#define MAIL_OCTETS_H

#include "base/span.h"
#include "mail/anomaly.h"
#include "simd/text.h"

static inline void mail_octets_count(struct simd_octets *octets, struct span bytes)
{
    simd_text()->count(octets, bytes.p, bytes.n);
}

/* See simd_octets_pass; of nothing, too. */
static inline void mail_octets_pass(struct simd_octets *octets, struct span plain)
{
    if (plain.n)
        simd_octets_pass(octets, plain.p, plain.n);
}

static inline uint64_t mail_octets_bare_cr(const struct simd_octets *octets)
{
    return octets->cr - octets->crlf;
}

static inline uint64_t mail_octets_bare_lf(const struct simd_octets *octets)
{
    return octets->lf - octets->crlf;
}

#endif
