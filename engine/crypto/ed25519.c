/*
 * Ed25519 keys and signatures (RFC 8032 5.1).
 *
 * With a key of small order one signature fits every message, and OpenSSL says valid
 * (security.md D10): such keys are refused when they are made. That S is below the group order is
 * OpenSSL's check.
 */
#include "crypto/ed25519.h"

#include "crypto/openssl.h"

enum
{
    ED25519_SIGNATURE_BYTES = 64,
};

/*
 * y of the eight points whose order divides 8, little-endian, sign bit clear. Each has one or two
 * x; where x is 0, a set sign bit is not canonical, so the sign bit is left out of the comparison.
 */
static const uint8_t small_order_y[][ED25519_BYTES] = {
    {0x01},                                           /* order 1: (0, 1) */
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  /* order 2: (0, -1) */
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  /* */
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  /* */
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, /* */
    {0x00},                                           /* order 4 */
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,  /* order 8 */
     0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,  /* */
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,  /* */
     0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}, /* */
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,  /* order 8 */
     0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,  /* */
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,  /* */
     0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}, /* */
};

/* y >= p = 2^255 - 19: only ed..ff in the first byte and ones in all others reach it. */
static bool at_least_p(const uint8_t y[ED25519_BYTES])
{
    if (y[0] < 0xed || y[ED25519_BYTES - 1] != 0x7f)
        return false;
    for (size_t i = 1; i < ED25519_BYTES - 1; i++)
        if (y[i] != 0xff)
            return false;
    return true;
}

bool ed25519_key_is_sound(const uint8_t raw[ED25519_BYTES])
{
    uint8_t y[ED25519_BYTES];
    memcpy(y, raw, sizeof y);
    y[ED25519_BYTES - 1] &= 0x7f;
    if (at_least_p(y))
        return false;
    for (size_t i = 0; i < COUNT_OF(small_order_y); i++)
        if (memcmp(y, small_order_y[i], sizeof y) == 0)
            return false;
    return true;
}

enum verify ed25519_verify(const struct public_key *key, struct span message, struct span signature)
{
    if (signature.n != ED25519_SIGNATURE_BYTES)
        return VERIFY_FAIL;
    enum verify result = VERIFY_ERROR;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1)
        result = openssl_outcome(
            EVP_DigestVerify(context, signature.p, signature.n, message.p, message.n));
    EVP_MD_CTX_free(context);
    openssl_forget_errors();
    return result;
}
