/*
 * RSA keys that cost nothing to make: the modulus is a prime of RFC 2409 or RFC 3526, so anybody
 * can sign. Their first and last 64 bits are ones.
 */
#ifndef CRYPTO_PRIME_KEY_H
#define CRYPTO_PRIME_KEY_H

#include "crypto/verify.h"

enum
{
    PRIME_KEY_BYTES_MAX = 1024,
};

struct prime_key
{
    struct public_key *key; /* owned */
    unsigned bits;
    uint32_t exponent;
    uint8_t modulus[PRIME_KEY_BYTES_MAX], d[PRIME_KEY_BYTES_MAX];
    size_t n; /* bytes of the modulus, and of every signature */
};

/*
 * `bits`: one of 1024, 1536, 2048, 3072, 4096, 6144, 8192, or up to 200 more (not one more) than
 * one of them: then the prime times a small one. `exponent`: 3, 65537 or another that suits.
 */
void prime_key_make(struct prime_key *key, unsigned bits, uint32_t exponent);
/* The same numbers in a new object, as one made at another kernel level. */
void prime_key_again(struct prime_key *key, const struct prime_key *former);
void prime_key_fini(struct prime_key *key);
/* signature[key->n] of a digest. */
void prime_key_sign(const struct prime_key *key, const uint8_t digest[SHA256_BYTES],
                    uint8_t *signature);

#endif
