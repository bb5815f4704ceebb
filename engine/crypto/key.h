/*
 * Public keys from DNS data. Sizes, exponents and encodings are checked by our own DER reader
 * before any arithmetic or OpenSSL object exists (security.md D04-D08, D10, D12, D13).
 *
 * A key is immutable after it was made and reference counted: any thread may verify with it.
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include "base/attributes.h"
#include "base/span.h"

enum key_type
{
    KEY_RSA = 1,
    KEY_ED25519,
};

enum key_error
{
    KEY_OK = 0,
    KEY_BAD_ENCODING, /* not DER, trailing bytes, wrong OID, wrong length */
    KEY_TOO_SMALL,    /* RSA below 1024 bits (RFC 8301) */
    KEY_TOO_LARGE,    /* RSA above 8192 bits */
    KEY_BAD_EXPONENT, /* not odd, below 3, or above 32 bits */
    KEY_BAD_MODULUS,  /* even, zero, negative */
    KEY_SMALL_ORDER,  /* Ed25519: one of the small-order points, or not canonical */
    KEY_NO_MEMORY,
};

struct public_key; /* opaque */

/* SubjectPublicKeyInfo or bare RSAPublicKey, without trailing bytes (DV-35). */
enum key_error public_key_from_rsa(struct span der, struct public_key **key) MUST_CHECK;
/* Exactly 32 raw bytes (DV-36). */
enum key_error public_key_from_ed25519(struct span raw, struct public_key **key) MUST_CHECK;

enum key_type public_key_type(const struct public_key *key);
/* Bits of the modulus; 256 for Ed25519. */
unsigned public_key_bits(const struct public_key *key);
/* RSA public exponent; 0 for Ed25519. */
uint32_t public_key_exponent(const struct public_key *key);
/* About how much memory it takes once it has verified something, the library's share included. */
size_t public_key_bytes(const struct public_key *key);

struct public_key *public_key_ref(struct public_key *key);
/* Drops one reference and nulls the pointer; NULL inside is fine. */
void public_key_unref(struct public_key **key);

/* Stable snake_case word, e.g. "key_too_small". Static. */
const char *key_error_word(enum key_error error);

#endif
