/*
 * The limit that a message's cost is held against, measured in the same process and at the same
 * time: plain SHA-256 of the same messages at the best rate the kernels give, and bare
 * signature checks in full batches, each with its own key.
 *
 *   limit of a message = hashed bytes * hash_us_per_byte + verifications * verify_us
 */
#ifndef BENCH_BENCH_LIMIT_H
#define BENCH_BENCH_LIMIT_H

#include "bench/mail_set.h"
#include "crypto/verify.h"

enum
{
    BENCH_LIMIT_JOBS = 64,
};

struct bench_limit
{
    const struct mail_set *set; /* borrowed: what is hashed */
    unsigned next;              /* message */
    struct verify_job jobs[BENCH_LIMIT_JOBS];
    struct buffer signatures;
    struct public_key *keys[BENCH_LIMIT_JOBS];
};

/* Signatures are by the keys that the set's messages are signed with. */
void bench_limit_open(struct bench_limit *limit, const struct mail_set *set, const char *keys);
void bench_limit_close(struct bench_limit *limit);
/* For contest.h, with a struct bench_limit; operations are bytes, and signatures. */
uint64_t bench_limit_hash(void *context);
uint64_t bench_limit_verify(void *context);

#endif
