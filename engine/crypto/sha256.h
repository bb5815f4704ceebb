/*
 * SHA-256 (FIPS 180-4), the only digest that assay verifies with (rsa-sha1 never passes: DV-9,
 * RFC 8301).
 *
 * A state is plain memory: it may be copied, needs no release, and nothing here can fail. States
 * belong to one thread at a time. What computes the blocks is chosen once (sha256_kernel.h).
 */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "base/attributes.h"
#include "base/span.h"

enum
{
    SHA256_BYTES = 32,
    SHA256_BLOCK_BYTES = 64,
    SHA256_PADDING_MAX = 72, /* most octets that padding adds to a text */
};

struct sha256
{
    uint32_t h[8];                     /* after all whole blocks */
    uint64_t bytes;                    /* so far */
    uint8_t block[SHA256_BLOCK_BYTES]; /* the last bytes % 64 of them */
};

void sha256_init(struct sha256 *state);
void sha256_update(struct sha256 *state, struct span bytes);
/* The hash of all bytes so far. The state goes on: one running state serves every l= of a
 * canonicalization. */
void sha256_peek(const struct sha256 *state, uint8_t out[SHA256_BYTES]);
/* The same as if `tail` had been added first: ends a text that goes on differently (AV-9). */
void sha256_peek_with(const struct sha256 *state, struct span tail, uint8_t out[SHA256_BYTES]);

/* All at once. */
void sha256_of(struct span bytes, uint8_t out[SHA256_BYTES]);

/*
 * Writes what ends a text of `bytes` octets in all to `out`, which has room for
 * SHA256_PADDING_MAX: 0x80, zeros, the length in bits. Returns how many octets: text and padding
 * together are whole blocks.
 */
size_t sha256_pad(uint8_t *out, uint64_t bytes);
/* The digest in octets, of a state whose padding has been hashed. */
void sha256_give(const uint32_t h[8], uint8_t out[SHA256_BYTES]);

/* What computes: "sha-ni" or "openssl". Static. */
const char *sha256_kernel_name(void);

#endif
