/*
 * Verifying signatures: RSA jobs wait for company in lanes and are run when these are full or no
 * job is left (rsa_batch.c); what no kernel takes is verified alone, by the key's type.
 */
#include "crypto/verify.h"

#include "crypto/ed25519.h"
#include "crypto/rsa.h"
#include "crypto/rsa_batch.h"

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

static void start(struct rsa_batch *batch, struct verify_job *job)
{
    if (!rsa_batch_add(batch, job))
        job->result = verify_one(job);
}

void verify_many(struct verify_job *jobs, size_t count)
{
    struct rsa_batch batch;
    rsa_batch_begin(&batch);
    for (size_t i = 0; i < count; i++)
        start(&batch, &jobs[i]);
    rsa_batch_flush(&batch);
}

void verify_gathered(struct verify_job *const *jobs, size_t count)
{
    struct rsa_batch batch;
    rsa_batch_begin(&batch);
    for (size_t i = 0; i < count; i++)
        start(&batch, jobs[i]);
    rsa_batch_flush(&batch);
}

const char *verify_kernel_name(void)
{
    const struct rsa_family *family = rsa_family_active();
    return family ? family->name : "openssl";
}
