/* RSA jobs that wait for company, by size. Only for this folder. */
#ifndef CRYPTO_RSA_BATCH_H
#define CRYPTO_RSA_BATCH_H

#include "crypto/rsa_lanes.h"
#include "crypto/verify.h"

/* Lives within one call of verify_many. */
struct rsa_batch
{
    const struct rsa_family *family; /* static; NULL: no kernel */
    unsigned lanes;                  /* of the widest kernel */
    unsigned counts[RSA_CLASSES];
    struct verify_job *waiting[RSA_CLASSES][RSA_LANES_MAX]; /* borrowed until the flush */
};

void rsa_batch_begin(struct rsa_batch *batch);
/*
 * True: the job's result is set at the latest by rsa_batch_flush. False: this is no job for a
 * kernel (its key, or there is none). Full lanes are run at once.
 */
bool rsa_batch_add(struct rsa_batch *batch, struct verify_job *job) MUST_CHECK;
void rsa_batch_flush(struct rsa_batch *batch);

#endif
