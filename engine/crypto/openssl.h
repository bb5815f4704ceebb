/* What the files of this folder share about OpenSSL. Not for other folders. */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include <openssl/evp.h>

#include "base/attributes.h"
#include "crypto/verify.h"

/* SHA-256, fetched once for the process; static, NULL when the library cannot give it. */
const EVP_MD *openssl_sha256(void);

/* Empties this thread's error queue: called after every failed call, so that no error of one
 * message is seen by the next (security.md D17). */
void openssl_forget_errors(void);

/*
 * What a verify call's status means (D15): exactly 1 is pass, 0 is fail unless this thread's error
 * queue speaks of memory, everything else is an error. Empties the queue.
 */
enum verify openssl_outcome(int status) MUST_CHECK;

#endif
