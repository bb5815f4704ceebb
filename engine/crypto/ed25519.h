/* Ed25519 (RFC 8032) below the DKIM wrapping. Only for this folder and its tests. */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "crypto/key_parts.h"
#include "crypto/verify.h"

enum
{
    ED25519_SIGNATURE_BYTES = 64,
};

/* False for a point of small order and for a y that is not below p, whatever the sign bit. */
bool ed25519_point_is_sound(const uint8_t encoded[ED25519_BYTES]);
/* PureEdDSA over `message`; `key` is of type KEY_ED25519. */
enum verify ed25519_verify(const struct public_key *key, struct span message,
                           struct span signature) MUST_CHECK;
/* libsodium does the arithmetic now; else OpenSSL. */
bool ed25519_uses_sodium(void);

/* The arithmetic alone, for a key and a signature that keep the rules. */
enum verify ed25519_openssl(const struct public_key *key, struct span message,
                            const uint8_t signature[ED25519_SIGNATURE_BYTES]) MUST_CHECK;
/* False: the library cannot be used. More than once is fine, from any thread. */
bool ed25519_sodium_open(void) MUST_CHECK;
enum verify ed25519_sodium(const uint8_t key[ED25519_BYTES], struct span message,
                           const uint8_t signature[ED25519_SIGNATURE_BYTES]) MUST_CHECK;

#endif
