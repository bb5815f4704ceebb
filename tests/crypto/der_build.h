/* Writes DER for tests, right and wrong. */
#ifndef CRYPTO_DER_BUILD_H
#define CRYPTO_DER_BUILD_H

#include "base/buffer.h"

enum
{
    DER_BUILD_MAX = 8192,
};

/* tag, length in shortest form, contents. */
void der_put(struct buffer *out, uint8_t tag, struct span contents);
/* RSAPublicKey of two INTEGERs whose contents are given as they stand. */
void der_put_rsa(struct buffer *out, struct span modulus, struct span exponent);
/* SubjectPublicKeyInfo around an RSAPublicKey: `parameters` are the octets after the OID. */
void der_put_spki(struct buffer *out, struct span parameters, struct span rsa);
/*
 * INTEGER contents of an odd number that has exactly `bits` bits and no zero octet: the octet for
 * the sign is there when the top bit needs it.
 */
void der_odd_number(struct buffer *out, unsigned bits);

#endif
