/*
 * The hash of a body that is put together of pieces, as the signature would hash it: canonical form
 * and l= included. A probe may be copied, so that bodies which begin alike share the work.
 */
#ifndef DIAGNOSE_BODY_PROBE_H
#define DIAGNOSE_BODY_PROBE_H

#include "crypto/sha256.h"
#include "mail/body.h"

struct body_probe
{
    struct canon_pipe canon;
    struct sha256 state;
    uint64_t octets; /* canonical ones so far */
    uint64_t limit;  /* l=, or BODY_WHOLE */
};

/* Must not be moved; owns nothing. */
void body_probe_init(struct body_probe *probe, enum canon canon, uint64_t limit);
void body_probe_restart(struct body_probe *probe);
/* Makes `to` continue where `from` is. */
void body_probe_copy(const struct body_probe *from, struct body_probe *to);
void body_probe_feed(struct body_probe *probe, struct span bytes);
/* Ends the body. False: it is shorter than l=. */
bool body_probe_end(struct body_probe *probe, uint8_t out[SHA256_BYTES]) MUST_CHECK;

#endif
