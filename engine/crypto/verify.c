/*
 * Verifying signatures: every job alone, by the key's type.
 *
 * BUGS: jobs of one batch do not share work yet.
 */
#include "crypto/verify.h"

#include "crypto/ed25519.h"
#include "crypto/rsa.h"

static enum verify verify_one(const struct verify_job *job)
{
    switch (public_key_type(job->key)) {
    case KEY_RSA:
        return rsa_verify(job->key, job->digest, job->signature);
    case KEY_ED25519: /* RFC 8463 3: the message of PureEdDSA is the digest */
        return ed25519_verify(job->key, span_of(job->digest, SHA256_BYTES), job->signature);
    }
    return VERIFY_ERROR;
}

void verify_many(struct verify_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jobs[i].result = verify_one(&jobs[i]);
}

void verify_gathered(struct verify_job *const *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jobs[i]->result = verify_one(jobs[i]);
}
