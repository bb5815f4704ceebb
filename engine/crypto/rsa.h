/* RSA public keys as numbers, and verifying with them. Only for this folder and its tests. */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include <openssl/evp.h>

#include "crypto/key.h"
#include "crypto/verify.h"

struct rsa_numbers
{
    struct span modulus; /* borrowed from the DER; big-endian, first byte not zero */
    unsigned bits;
    uint32_t exponent;
};

/* Reads and checks; makes no OpenSSL object. *numbers is untouched on error. */
enum key_error rsa_numbers_read(struct span der, struct rsa_numbers *numbers) MUST_CHECK;
/* NULL without memory. */
EVP_PKEY *rsa_key_make(const struct rsa_numbers *numbers) MUST_CHECK;
/* D09: the signature is as long as the modulus and, read as a number, below it. */
bool rsa_signature_in_range(const struct public_key *key, struct span signature);
enum verify rsa_verify(const struct public_key *key, const uint8_t digest[SHA256_BYTES],
                       struct span signature) MUST_CHECK;

#endif
