/*
 * RSA signatures in lanes: up to eight of one class of size to a call of a kernel.
 *
 * A kernel only says whether signature^65537 mod n is the one block that the digest allows, built
 * whole (RFC 8017 9.2; DV-48, D01-D03). What it is given was checked before: e = 65537, an odd n of
 * 1024 to 4096 bits (rsa_numbers.c), a signature as long as n and below it (D09).
 *
 * One pass and one failure in verify_check_interval() that a kernel finds is found again by
 * OpenSSL (D14). Where they disagree, the job is an error, the kernels are off for the rest of the
 * process, the other jobs of the call are done again by OpenSSL, and the alarm is raised.
 */
#include "crypto/rsa_batch.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/limit.h"
#include "crypto/key_parts.h"
#include "crypto/rsa.h"
#include "crypto/verify_check.h"

/* What stands in front of the hash: filling, 00, DigestInfo of SHA-256 (RFC 8017 9.2 note 1). */
static const uint8_t before_hash[24] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x30, 0x31, 0x30,
                                        0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
                                        0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

static pthread_once_t work_once = PTHREAD_ONCE_INIT;
static pthread_key_t work_key;
static bool work_key_made; /* set once, then read only */

static void make_work_key(void)
{
    work_key_made = pthread_key_create(&work_key, free) == 0;
}

/* This thread's work area, 45 KB, kept until the thread ends. NULL without memory. */
static struct rsa_work *thread_work(void)
{
    pthread_once(&work_once, make_work_key);
    if (!work_key_made)
        return NULL;
    struct rsa_work *work = pthread_getspecific(work_key);
    if (work)
        return work;
    work = aligned_alloc(_Alignof(struct rsa_work), sizeof *work);
    if (work && pthread_setspecific(work_key, work) != 0) {
        free(work);
        return NULL;
    }
    return work;
}

/*
 *   EM = 00 01 FF..FF 00 DigestInfo H       (RFC 8017 9.2), of n octets, 128 at least
 *
 * As a number it is 8n - 15 ones, of which the last 56 octets are replaced.
 */
static void build_block(const uint8_t digest[SHA256_BYTES], size_t n, uint64_t *limbs,
                        unsigned count)
{
    enum
    {
        DIGEST_LIMBS = SHA256_BYTES / 8,
        BEFORE_LIMBS = sizeof before_hash / 8,
    };
    unsigned ones = 8 * (unsigned)n - 15, whole = ones / 64;
    assert(n >= MAX_RSA_BITS_MIN / 8 && whole < count);
    memset(limbs, 0xff, whole * sizeof *limbs);
    memset(limbs + whole, 0, (count - whole) * sizeof *limbs);
    limbs[whole] = (UINT64_C(1) << ones % 64) - 1;
    rsa_limbs_read(span_of(digest, SHA256_BYTES), limbs, DIGEST_LIMBS);
    rsa_limbs_read(span_of(before_hash, sizeof before_hash), limbs + DIGEST_LIMBS, BEFORE_LIMBS);
}

static void fill_lane(struct rsa_lane *lane, const struct verify_job *job)
{
    unsigned limbs = rsa_shape_limbs(job->key->lanes->shape);
    lane->constants = job->key->lanes;
    rsa_limbs_read(job->signature, lane->signature, limbs);
    build_block(job->digest, job->signature.n, lane->block, limbs);
}

static void by_openssl(struct verify_job *const *jobs, unsigned count, const struct verify_job *but)
{
    for (unsigned i = 0; i < count; i++)
        if (jobs[i] != but)
            jobs[i]->result = rsa_verify(jobs[i]->key, jobs[i]->digest, jobs[i]->signature);
}

/* What the kernel found, and for a share of it what OpenSSL finds. False: they disagree about
 * `*wrong`, whose result is an error. */
static bool take_results(struct verify_job *const *jobs, unsigned count, uint32_t found,
                         const struct verify_job **wrong)
{
    for (unsigned i = 0; i < count; i++) {
        struct verify_job *job = jobs[i];
        enum verify result = found >> i & 1 ? VERIFY_PASS : VERIFY_FAIL;
        job->result = result;
        if (!verify_check_is_due(result))
            continue;
        enum verify again = rsa_verify(job->key, job->digest, job->signature);
        if (again == result)
            continue;
        job->result = VERIFY_ERROR;
        *wrong = job;
        if (again != VERIFY_ERROR)
            return false;
    }
    return true;
}

static void run(const struct rsa_batch *batch, unsigned class)
{
    struct verify_job *const *jobs = batch->waiting[class];
    unsigned count = batch->counts[class];
    const struct rsa_family *family = batch->family;
    const struct rsa_kernel *kernel = *family->narrow;
    struct rsa_work *work = count >= family->least ? thread_work() : NULL;
    const struct verify_job *wrong = NULL;
    if (count > kernel->lanes)
        kernel = *family->wide;
    if (!work || rsa_family_is_off(family)) {
        by_openssl(jobs, count, NULL);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        fill_lane(&work->storage[i], jobs[i]);
    for (unsigned i = 0; i < kernel->lanes; i++)
        work->lanes[i] = &work->storage[i < count ? i : 0];
    uint32_t found = kernel->match[class](work);
#ifdef RSA_KERNEL_FAULT /* a control for the tests: assayd-kernel-fault */
    found = UINT32_MAX;
#endif
    verify_count_kernel(count);
    if (take_results(jobs, count, found, &wrong))
        return;
    rsa_family_turn_off(family);
    by_openssl(jobs, count, wrong);
    verify_raise_alarm(kernel->name);
}

void rsa_batch_begin(struct rsa_batch *batch)
{
    batch->family = rsa_family_active();
    if (!batch->family)
        return;
    batch->lanes =
        batch->family->wide ? (*batch->family->wide)->lanes : (*batch->family->narrow)->lanes;
    memset(batch->counts, 0, sizeof batch->counts);
}

static bool has_lane(const struct rsa_family *family, const struct public_key *key, unsigned *class)
{
    if (!family || !key->lanes)
        return false;
    *class = rsa_class_of(family, key->bits);
    return *class < RSA_CLASSES && key->lanes->shape == &family->shapes[*class];
}

bool rsa_batch_add(struct rsa_batch *batch, struct verify_job *job)
{
    unsigned class;
    if (!has_lane(batch->family, job->key, &class))
        return false;
    job->result = VERIFY_FAIL;
    if (!rsa_signature_in_range(job->key, job->signature))
        return true;
    job->result = VERIFY_UNSET;
    batch->waiting[class][batch->counts[class]++] = job;
    if (batch->counts[class] == batch->lanes) {
        run(batch, class);
        batch->counts[class] = 0;
    }
    return true;
}

void rsa_batch_flush(struct rsa_batch *batch)
{
    if (!batch->family)
        return;
    for (unsigned class = 0; class < RSA_CLASSES; class ++)
        if (batch->counts[class])
            run(batch, class);
}
