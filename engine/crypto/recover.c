/* RSA verify-recover by OpenSSL; the library takes the padding off and checks it. */
#include "crypto/recover.h"

#include <openssl/rsa.h>

#include "base/limit.h"
#include "crypto/key_parts.h"
#include "crypto/openssl.h"

/* DigestInfo in front of the digest, RFC 8017 9.2 note 1. */
static const struct
{
    enum recovered found;
    struct span prefix;
    size_t digest_bytes;
} infos[] = {
    {RECOVERED_SHA256,
     SPAN("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), 32},
    {RECOVERED_SHA1, SPAN("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"), 20},
    {RECOVERED_SHA512,
     SPAN("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"), 64},
};

static enum recovered read_block(struct span block, uint8_t digest[SHA256_BYTES])
{
    for (size_t i = 0; i < COUNT_OF(infos); i++) {
        struct span prefix = infos[i].prefix;
        if (block.n != prefix.n + infos[i].digest_bytes || memcmp(block.p, prefix.p, prefix.n) != 0)
            continue;
        if (infos[i].found == RECOVERED_SHA256)
            memcpy(digest, block.p + prefix.n, SHA256_BYTES);
        return infos[i].found;
    }
    return RECOVERED_OTHER;
}

static enum recovered recover_with(EVP_PKEY_CTX *context, struct span signature,
                                   uint8_t digest[SHA256_BYTES])
{
    uint8_t block[MAX_RSA_BITS_MAX / 8];
    size_t n = sizeof block;
    if (EVP_PKEY_verify_recover_init(context) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1)
        return RECOVERED_ERROR;
    if (EVP_PKEY_verify_recover(context, block, &n, signature.p, signature.n) != 1)
        return RECOVERED_NOTHING;
    return read_block(span_of(block, n), digest);
}

enum recovered rsa_recover(const struct public_key *key, struct span signature,
                           uint8_t digest[SHA256_BYTES])
{
    if (public_key_type(key) != KEY_RSA)
        return RECOVERED_ERROR;
    if (signature.n != key->modulus.n)
        return RECOVERED_BAD_LENGTH;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    enum recovered found = context ? recover_with(context, signature, digest) : RECOVERED_ERROR;
    EVP_PKEY_CTX_free(context);
    openssl_forget_errors();
    return found;
}
