/* Ed25519 by OpenSSL: at the scalar level, and where libsodium does not answer right. */
#include "crypto/ed25519.h"
#include "crypto/openssl.h"

enum verify ed25519_openssl(const struct public_key *key, struct span message,
                            const uint8_t signature[ED25519_SIGNATURE_BYTES])
{
    enum verify result = VERIFY_ERROR;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1)
        result = openssl_outcome(
            EVP_DigestVerify(context, signature, ED25519_SIGNATURE_BYTES, message.p, message.n));
    EVP_MD_CTX_free(context);
    openssl_forget_errors();
    return result;
}
