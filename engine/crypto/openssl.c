/*
 * The one place where OpenSSL algorithms are fetched.
 *
 * The fetched algorithm is kept until the process ends: other threads may still hash while exit
 * handlers run, and OpenSSL drops its own reference with its library context.
 */
#include "crypto/openssl.h"

#include <pthread.h>

#include <openssl/err.h>

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *fetched_sha256; /* set once, then read only */

static void fetch_algorithms(void)
{
    fetched_sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    openssl_forget_errors();
}

const EVP_MD *openssl_sha256(void)
{
    pthread_once(&fetch_once, fetch_algorithms);
    return fetched_sha256;
}

void openssl_forget_errors(void)
{
    ERR_clear_error();
}

/* A failed allocation inside OpenSSL comes back as "does not verify"; only the queue tells. */
static bool queue_speaks_of_memory(void)
{
    bool found = false;
    for (unsigned long error = ERR_get_error(); error; error = ERR_get_error())
        found |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    return found;
}

enum verify openssl_outcome(int status)
{
    bool memory = queue_speaks_of_memory();
    if (status == 1)
        return VERIFY_PASS;
    return status == 0 && !memory ? VERIFY_FAIL : VERIFY_ERROR;
}
