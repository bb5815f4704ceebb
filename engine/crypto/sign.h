/*
 * Private keys and signatures, for the signing tools and for making samples and test messages.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "base/buffer.h"
#include "crypto/sha256.h"
#include "crypto/key.h"

struct private_key; /* opaque; use by one thread at a time */

/*
 * Reads a PEM private key (RSA or Ed25519). `passphrase` may be NULL. Returns NULL with a static
 * word in *error: "unreadable", "wrong_passphrase", "unsupported_key", "no_memory".
 */
struct private_key *private_key_from_pem(struct span pem, const char *passphrase,
                                         const char **error) MUST_CHECK;
/* The same for DER (PKCS#8 or PKCS#1), not encrypted, as opendkim's KeyTable may hold it. */
struct private_key *private_key_from_der(struct span der, const char **error) MUST_CHECK;
struct private_key *private_key_generate(enum key_type type, unsigned bits) MUST_CHECK;
enum key_type private_key_type(const struct private_key *key);
/* Bits of the modulus; 256 for Ed25519. */
unsigned private_key_bits(const struct private_key *key);
/* `public` is the other half of `key`. */
bool private_key_matches(const struct private_key *key, const struct public_key *public);
/* Appends PEM (PKCS#8), when a passphrase is given encrypted with AES-256-CBC under a key derived
 * by PBKDF2 with 100,000 rounds. False on failure. */
bool private_key_to_pem(const struct private_key *key, const char *passphrase,
                        struct buffer *out) MUST_CHECK;
/* Appends what p= holds before base64: SubjectPublicKeyInfo for RSA, 32 raw bytes for Ed25519. */
bool private_key_public(const struct private_key *key, struct buffer *out) MUST_CHECK;
/*
 * The same from a public key in PEM form (SubjectPublicKeyInfo or RSAPublicKey), with its type.
 * False with a static word in *error: "unreadable", "unsupported_key", "no_memory".
 */
bool public_key_pem(struct span pem, enum key_type *type, struct buffer *out,
                    const char **error) MUST_CHECK;
/* Appends the signature over `digest`. False on failure. */
bool private_key_sign(const struct private_key *key, const uint8_t digest[SHA256_BYTES],
                      struct buffer *out) MUST_CHECK;
void private_key_free(struct private_key **key);

#endif
