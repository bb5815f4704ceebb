/* What the files of this folder share about OpenSSL. Not for other folders. */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include <openssl/evp.h>

#include "base/attributes.h"

/* SHA-256, fetched once for the process; static, NULL when the library cannot give it. */
const EVP_MD *openssl_sha256(void);

/* Empties this thread's error queue: called after every failed call, so that no error of one
 * message is seen by the next (security.md D17). */
void openssl_forget_errors(void);

#endif
