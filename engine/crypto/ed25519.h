/* Ed25519 (RFC 8032) below the DKIM wrapping. Only for this folder and its tests. */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "crypto/key_parts.h"
#include "crypto/verify.h"

/* False for a point of small order and for a y that is not below p, whatever the sign bit. */
bool ed25519_key_is_sound(const uint8_t raw[ED25519_BYTES]);
/* PureEdDSA over `message`; `key` is of type KEY_ED25519. */
enum verify ed25519_verify(const struct public_key *key, struct span message,
                           struct span signature) MUST_CHECK;

#endif
