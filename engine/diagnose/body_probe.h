/*
 * The hash of a body that is put together of pieces, as the signature would hash it: canonical form
 * and l= included. A probe may be copied, so that bodies which begin alike share the work.
 */
#ifndef DIAGNOSE_BODY_PROBE_H
#define DIAGNOSE_BODY_PROBE_H

#include "crypto/digest.h"
#include "mail/body.h"

struct body_probe
{
    struct canon_pipe canon;
    struct digest digest;
    uint64_t octets; /* canonical ones so far */
    uint64_t limit;  /* l=, or BODY_WHOLE */
};

/* Must not be moved. False without memory; fini in any case. */
bool body_probe_init(struct body_probe *probe, enum canon canon, uint64_t limit) MUST_CHECK;
void body_probe_restart(struct body_probe *probe);
/* Makes `to`, an initialised probe, continue where `from` is. */
bool body_probe_copy(const struct body_probe *from, struct body_probe *to) MUST_CHECK;
void body_probe_feed(struct body_probe *probe, struct span bytes);
/* Ends the body. False: a library failure, or the body is shorter than l=. */
bool body_probe_end(struct body_probe *probe, uint8_t out[SHA256_BYTES]) MUST_CHECK;
void body_probe_fini(struct body_probe *probe);

#endif
