/*
 * What an RSA signature holds: s^e mod n, read as a PKCS#1 block (RFC 8017 9.2).
 *
 * Only for explaining a signature that has failed. Nothing here verifies: a verifier builds the one
 * block that is right and compares it (DV-48, crypto/verify.h), and no result is ever made of what
 * this call finds.
 */
#ifndef CRYPTO_RECOVER_H
#define CRYPTO_RECOVER_H

#include "crypto/sha256.h"
#include "crypto/key.h"

enum recovered
{
    RECOVERED_NOTHING = 0,   /* no block: another key signed, or the signature is damaged */
    RECOVERED_SHA256 = 0x71, /* a block with a SHA-256 digest, for which the key's owner signed */
    RECOVERED_SHA1,          /* a block with the digest of another hash */
    RECOVERED_SHA512,
    RECOVERED_OTHER,
    RECOVERED_BAD_LENGTH, /* not as long as the modulus: not even a number to look at */
    RECOVERED_ERROR,      /* no memory, failing library, or no RSA key */
};

/* Fills `digest` where it returns RECOVERED_SHA256. Leaves this thread's error queue empty. */
enum recovered rsa_recover(const struct public_key *key, struct span signature,
                           uint8_t digest[SHA256_BYTES]) MUST_CHECK;

#endif
