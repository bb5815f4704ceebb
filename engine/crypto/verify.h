/*
 * Signature verification over a SHA-256 digest: RSASSA-PKCS1-v1_5 (the whole encoded block is
 * compared, DV-48) and PureEdDSA over the digest bytes (RFC 8463 3). One job or many at once.
 */
#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H

#include "crypto/sha256.h"
#include "crypto/key.h"

enum verify
{
    VERIFY_UNSET = 0, /* not looked at */
    VERIFY_FAIL = 0x61,
    VERIFY_ERROR = 0x62, /* no memory, library failure: temperror, never pass */
    VERIFY_PASS = 0xa5,
};

struct verify_job
{
    const struct public_key *key; /* borrowed */
    uint8_t digest[SHA256_BYTES];
    struct span signature; /* borrowed: decoded b= */
    enum verify result;    /* out */
};

/*
 * Sets the result of every job. A signature whose length is not that of the modulus, or that is not
 * below it, fails without arithmetic (D09). Errors of one job do not touch the others. The OpenSSL
 * error queue of this thread is empty afterwards (D17).
 */
void verify_many(struct verify_job *jobs, size_t count);
/* The same for jobs that lie apart: those of several messages. */
void verify_gathered(struct verify_job *const *jobs, size_t count);

/*
 * Several RSA signatures at once are verified by kernels of our own where the processor has what
 * they need (simd/kernel.h). A share of what they find is found again by OpenSSL: one pass and one
 * failure in so many, by each thread. A disagreement is an error of that job, turns the kernels off
 * for the rest of the process and raises the alarm.
 */
enum
{
    VERIFY_CHECK_INTERVAL = 1024,
};

/* 1: every one. 0 counts as 1. Any thread. */
void verify_set_check(uint32_t one_in);
/* Called by the thread that found the disagreement, or that a kernel fails its first test (also for
 * want of memory); `kernel` is static. Set before other threads
 * verify. */
typedef void verify_alarm(void *context, const char *kernel);
void verify_set_alarm(verify_alarm *call, void *context);

struct verify_counts /* of this process */
{
    uint64_t kernel_signatures; /* decided by kernels */
    uint64_t checked;           /* of these, found again by OpenSSL */
    uint64_t mismatches;
};

struct verify_counts verify_counts(void);
/* What verifies RSA signatures in company: "ifma", "avx2", or "openssl". Static. Whoever asks first
 * waits for the kernels' first test (half a millisecond). */
const char *verify_kernel_name(void);

#endif
