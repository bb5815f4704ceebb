/* What a public key is made of. Only for this folder: others hold an opaque pointer. */
#ifndef CRYPTO_KEY_PARTS_H
#define CRYPTO_KEY_PARTS_H

#include <stdatomic.h>

#include <openssl/evp.h>

#include "crypto/key.h"
#include "crypto/rsa_lanes.h"

enum
{
    ED25519_BYTES = 32,
};

/*
 * One prepared verification context, lent to one thread at a time: making one costs 3 µs, a fifth
 * of a 2048-bit check (kernels.md 2). A thread that finds the place empty makes its own, and who
 * returns one to a full place frees it. Both are single atomic exchanges, so no thread ever waits.
 */
struct key_spare
{
    _Atomic(EVP_PKEY_CTX *) context; /* owned; NULL while lent */
};

struct public_key
{
    /* set when made, then read only */
    enum key_type type;
    unsigned bits;
    uint32_t exponent;
    EVP_PKEY *pkey;                    /* owned */
    struct span modulus;               /* big-endian, in `bytes`; empty for Ed25519 */
    const struct rsa_constants *lanes; /* in the same memory, behind `bytes`; NULL: OpenSSL only */
    struct key_spare *spare;           /* to `shared_spare`: a way to it from a constant key */
    /* shared */
    atomic_uint references;
    struct key_spare shared_spare; /* RSA only */
    uint8_t bytes[]; /* of Ed25519: the key itself */
};

#endif
