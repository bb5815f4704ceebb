/*
 * RSASSA-PKCS1-v1_5 with SHA-256 by OpenSSL (RFC 8017 8.2.2).
 *
 * EVP_PKEY_verify builds the one block that the digest allows and compares it whole: short padding,
 * bytes after the hash, a DigestInfo without NULL and BER forms all fail (DV-48, D01-D03).
 *
 * BUGS: one job at a time; for many there are the kernels (rsa_batch.h).
 */
#include "crypto/rsa.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "base/limit.h"
#include "crypto/key_parts.h"
#include "crypto/openssl.h"

/* OSSL_PARAM numbers are in the machine's byte order. */
STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

EVP_PKEY *rsa_key_make(const struct rsa_numbers *numbers)
{
    uint8_t modulus[MAX_RSA_BITS_MAX / 8];
    uint32_t exponent = numbers->exponent;
    size_t n = numbers->modulus.n;
    assert(n <= sizeof modulus);
    for (size_t i = 0; i < n; i++)
        modulus[i] = numbers->modulus.p[n - 1 - i];
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, n),
        OSSL_PARAM_construct_uint32(OSSL_PKEY_PARAM_RSA_E, &exponent),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (context && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    openssl_forget_errors();
    return pkey;
}

static EVP_PKEY_CTX *context_new(const struct public_key *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (context && EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context, openssl_sha256()) == 1)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static EVP_PKEY_CTX *context_borrow(const struct public_key *key)
{
    EVP_PKEY_CTX *spare = atomic_exchange(&key->spare->context, NULL);
    return spare ? spare : context_new(key);
}

static void context_return(const struct public_key *key, EVP_PKEY_CTX *context)
{
    EVP_PKEY_CTX_free(atomic_exchange(&key->spare->context, context));
}

/* Equal lengths compare as bytes. */
bool rsa_signature_in_range(const struct public_key *key, struct span signature)
{
    return signature.n == key->modulus.n && memcmp(signature.p, key->modulus.p, signature.n) < 0;
}

enum verify rsa_verify(const struct public_key *key, const uint8_t digest[SHA256_BYTES],
                       struct span signature)
{
    if (!rsa_signature_in_range(key, signature))
        return VERIFY_FAIL;
    EVP_PKEY_CTX *context = openssl_sha256() ? context_borrow(key) : NULL;
    if (!context) {
        openssl_forget_errors();
        return VERIFY_ERROR;
    }
    enum verify result =
        openssl_outcome(EVP_PKEY_verify(context, signature.p, signature.n, digest, SHA256_BYTES));
    if (result != VERIFY_ERROR)
        context_return(key, context);
    if (result == VERIFY_ERROR)
        EVP_PKEY_CTX_free(context);
    return result;
}
