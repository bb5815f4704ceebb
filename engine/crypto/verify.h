/*
 * Signature verification over a SHA-256 digest: RSASSA-PKCS1-v1_5 (the whole encoded block is
 * compared, DV-48) and PureEdDSA over the digest bytes (RFC 8463 3). One job or many at once.
 */
#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H

#include "crypto/digest.h"
#include "crypto/key.h"

enum verify
{
    VERIFY_UNSET = 0, /* not looked at */
    VERIFY_FAIL = 0x61,
    VERIFY_ERROR = 0x62, /* no memory, library failure: temperror, never pass */
    VERIFY_PASS = 0xa5,
};

struct verify_job
{
    const struct public_key *key; /* borrowed */
    uint8_t digest[SHA256_BYTES];
    struct span signature; /* borrowed: decoded b= */
    enum verify result;    /* out */
};

/*
 * Sets the result of every job. A signature whose length is not that of the modulus, or that is not
 * below it, fails without arithmetic (D09). Errors of one job do not touch the others. The OpenSSL
 * error queue of this thread is empty afterwards (D17).
 */
void verify_many(struct verify_job *jobs, size_t count);
/* The same for jobs that lie apart: those of several messages. */
void verify_gathered(struct verify_job *const *jobs, size_t count);

#endif
