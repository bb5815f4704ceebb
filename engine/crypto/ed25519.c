/*
 * Ed25519 keys and signatures (RFC 8032 5.1): the rules, which are ours, and the choice of the
 * library that does the arithmetic.
 *
 * Rules, before any library looks at a signature (security.md D10):
 *   key   its y is below p, and it is none of the points of small order: with one of those one
 *         signature fits every message, and OpenSSL says valid
 *   R     likewise. A signer meets such an R with a chance of 2^-250. libsodium refuses it, OpenSSL
 *         does not; without the rule the verdict would depend on the kernel level
 *   S     is below the order of the group: S + L would be a second signature for the same message
 * What is left both decide alike: S B - h A is computed and its encoding is compared with R, octet
 * by octet (no cofactor). A key may have a component of small order; then it verifies what OpenSSL
 * lets it verify, and libsodium agrees (tests/crypto/ed25519_test.c).
 *
 * libsodium takes 46 microseconds, OpenSSL 102 (Zen 4). It is used at every level but scalar, once
 * it has given right answers.
 */
#include "crypto/ed25519.h"

#include <stdatomic.h>

#include "simd/kernel.h"

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

bool ed25519_point_is_sound(const uint8_t encoded[ED25519_BYTES])
{
    uint8_t y[ED25519_BYTES];
    memcpy(y, encoded, sizeof y);
    y[ED25519_BYTES - 1] &= 0x7f;
    if (at_least_p(y))
        return false;
    for (size_t i = 0; i < COUNT_OF(small_order_y); i++)
        if (memcmp(y, small_order_y[i], sizeof y) == 0)
            return false;
    return true;
}

/* Below L = 2^252 + 27742317777372353535851937790883648493. */
static bool scalar_is_reduced(const uint8_t scalar[ED25519_BYTES])
{
    static const uint8_t order[ED25519_BYTES] = {
        0xed,
        0xd3,
        0xf5,
        0x5c,
        0x1a,
        0x63,
        0x12,
        0x58,
        0xd6,
        0x9c,
        0xf7,
        0xa2,
        0xde,
        0xf9,
        0xde,
        0x14,
        [ED25519_BYTES - 1] = 0x10,
    };
    for (size_t i = ED25519_BYTES; i-- > 0;)
        if (scalar[i] != order[i])
            return scalar[i] < order[i];
    return false;
}

/* RFC 8032 7.1, test 3, and the same with one bit of each part changed. */
static bool sodium_answers_right(void)
{
    static const uint8_t key[ED25519_BYTES] = {
        0xfc, 0x51, 0xcd, 0x8e, 0x62, 0x18, 0xa1, 0xa3, 0x8d, 0xa4, 0x7e,
        0xd0, 0x02, 0x30, 0xf0, 0x58, 0x08, 0x16, 0xed, 0x13, 0xba, 0x33,
        0x03, 0xac, 0x5d, 0xeb, 0x91, 0x15, 0x48, 0x90, 0x80, 0x25,
    };
    static const uint8_t good[ED25519_SIGNATURE_BYTES] = {
        0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c, 0x3a,
        0xbe, 0x01, 0xa3, 0x0c, 0xe5, 0x48, 0xa2, 0x84, 0x74, 0x3a, 0x44, 0x5e, 0x36,
        0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac, 0x18, 0xff, 0x9b, 0x53, 0x8d, 0x16, 0xf2,
        0x90, 0xae, 0x67, 0xf7, 0x60, 0x98, 0x4d, 0xc6, 0x59, 0x4a, 0x7c, 0x15, 0xe9,
        0x71, 0x6e, 0xd2, 0x8d, 0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a,
    };
    static const struct span message = SPAN("\xaf\x82");
    uint8_t bad[ED25519_SIGNATURE_BYTES];
    if (!ed25519_sodium_open() || ed25519_sodium(key, message, good) != VERIFY_PASS)
        return false;
    for (size_t at = 0; at < sizeof bad; at += ED25519_BYTES - 1) { /* R, both ends; S */
        memcpy(bad, good, sizeof bad);
        bad[at] ^= 1;
        if (ed25519_sodium(key, message, bad) != VERIFY_FAIL)
            return false;
    }
    return ed25519_sodium(key, SPAN("\xaf\x83"), good) == VERIFY_FAIL;
}

bool ed25519_uses_sodium(void)
{
    enum
    {
        UNTRIED = 0,
        RIGHT,
        WRONG,
    };
    static _Atomic int outcome; /* threads that come first together find the same */
    if (kernel_level() == KERNEL_SCALAR)
        return false;
    int now = atomic_load_explicit(&outcome, memory_order_acquire);
    if (now == UNTRIED) {
        now = sodium_answers_right() ? RIGHT : WRONG;
        atomic_store_explicit(&outcome, now, memory_order_release);
    }
    return now == RIGHT;
}

enum verify ed25519_verify(const struct public_key *key, struct span message, struct span signature)
{
    if (signature.n != ED25519_SIGNATURE_BYTES || !ed25519_point_is_sound(signature.p) ||
        !scalar_is_reduced(signature.p + ED25519_BYTES))
        return VERIFY_FAIL;
    if (ed25519_uses_sodium())
        return ed25519_sodium(key->bytes, message, signature.p);
    return ed25519_openssl(key, message, signature.p);
}
