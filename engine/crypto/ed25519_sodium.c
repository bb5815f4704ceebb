/*
 * Ed25519 by libsodium: the only door to it. Nothing here allocates, so there is no VERIFY_ERROR.
 */
#include <sodium.h>

#include "crypto/ed25519.h"

STATIC_ASSERT(crypto_sign_PUBLICKEYBYTES == ED25519_BYTES);
STATIC_ASSERT(crypto_sign_BYTES == ED25519_SIGNATURE_BYTES);

bool ed25519_sodium_open(void)
{
    return sodium_init() >= 0;
}

enum verify ed25519_sodium(const uint8_t key[ED25519_BYTES], struct span message,
                           const uint8_t signature[ED25519_SIGNATURE_BYTES])
{
    int status = crypto_sign_verify_detached(signature, message.p, message.n, key);
    return status == 0 ? VERIFY_PASS : VERIFY_FAIL;
}
