/*
 * SHA-256, the only digest that assay verifies with (rsa-sha1 never passes: DV-9, RFC 8301).
 * One of the doors to OpenSSL. A state belongs to one task; states may be used in parallel.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/attributes.h"
#include "base/span.h"

enum
{
    SHA256_BYTES = 32,
};

/* A running hash. Treat as opaque; initialise with digest_init, release with digest_fini. */
struct digest
{
    void *context; /* EVP_MD_CTX, owned */
    bool failed;   /* sticky; the result of a failed state is never compared as equal */
};

/* False without memory; the state is then failed and safe to fini. */
bool digest_init(struct digest *digest) MUST_CHECK;
void digest_update(struct digest *digest, struct span bytes);
/*
 * The hash of all bytes so far, without ending the state: the state goes on (one running state
 * serves every l= of a canonicalization). False on failure, out untouched.
 */
bool digest_peek(const struct digest *digest, uint8_t out[SHA256_BYTES]) MUST_CHECK;
/* The same as if `tail` had been added first: ends a text that goes on differently (AV-9). */
bool digest_peek_with(const struct digest *digest, struct span tail,
                      uint8_t out[SHA256_BYTES]) MUST_CHECK;
/* Makes `to`, an initialised state, go on from where `from` is; `from` stays. False on failure. */
bool digest_copy(const struct digest *from, struct digest *to) MUST_CHECK;
void digest_reset(struct digest *digest);
void digest_fini(struct digest *digest);

/* All at once. */
bool digest_sha256(struct span bytes, uint8_t out[SHA256_BYTES]) MUST_CHECK;

#endif
