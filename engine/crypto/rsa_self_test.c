/*
 * Known answers for the RSA kernels, before any of them decides about mail.
 *
 * Every class of every kernel gets fixed odd moduli and signatures in its lanes; what they open to
 * is computed by OpenSSL's BN arithmetic, which shares nothing with ours. One lane in three is
 * given a block that is wrong in one bit. Both answers have to be right in every lane.
 *
 * BUGS: a few numbers a class: it finds a kernel that does not work on this processor, not a rare
 * carry. For those there is tests/rsa and the share of checks that is made twice (rsa_batch.c).
 */
#include <stdlib.h>

#include <openssl/bn.h>

#include "crypto/openssl.h"
#include "crypto/rsa_lanes.h"

enum
{
    MODULI = 2, /* of a class; lanes take turns */
    BYTES_MAX = 512,
};

struct sample
{
    struct rsa_constants *constants; /* owned */
    uint64_t signature[RSA_LIMBS_MAX], opened[RSA_LIMBS_MAX];
};

struct test
{
    BN_CTX *context; /* owned, as are all numbers */
    BIGNUM *n, *s, *e, *opened;
};

/* Octets without pattern, the same in every run. */
static void fill(uint8_t *bytes, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        bytes[i] = (uint8_t)(seed >> 56);
    }
}

/* A modulus of exactly shape->bits bits, a signature below it, and what it opens to. */
static bool sample_make(struct sample *sample, const struct rsa_shape *shape, struct test *test,
                        uint64_t seed)
{
    uint8_t modulus[BYTES_MAX], signature[BYTES_MAX];
    size_t n = shape->bits / 8;
    int limbs = (int)rsa_shape_limbs(shape);
    fill(modulus, n, seed);
    fill(signature, n, ~seed);
    modulus[0] |= 0x80;
    signature[0] &= 0x7f;
    modulus[n - 1] |= 1;
    sample->constants = calloc(1, rsa_constants_bytes(shape));
    if (!sample->constants)
        return false;
    rsa_constants_make(shape, span_of(modulus, n), sample->constants);
    rsa_limbs_read(span_of(signature, n), sample->signature, (unsigned)limbs);
    return BN_bin2bn(modulus, (int)n, test->n) && BN_bin2bn(signature, (int)n, test->s) &&
           BN_mod_exp(test->opened, test->s, test->e, test->n, test->context) == 1 &&
           BN_bn2lebinpad(test->opened, (uint8_t *)sample->opened, 8 * limbs) == 8 * limbs;
}

static bool kernel_test(const struct rsa_kernel *kernel, unsigned class,
                        const struct sample *samples, struct rsa_work *work)
{
    uint32_t want = 0;
    for (unsigned i = 0; i < kernel->lanes; i++) {
        const struct sample *sample = &samples[i % MODULI];
        struct rsa_lane *lane = &work->storage[i];
        bool wrong = i % 3 == 1;
        lane->constants = sample->constants;
        memcpy(lane->signature, sample->signature, sizeof lane->signature);
        memcpy(lane->block, sample->opened, sizeof lane->block);
        lane->block[i] ^= (uint64_t)wrong << (i * 7);
        work->lanes[i] = lane;
        want |= (uint32_t)!wrong << i;
    }
    return kernel->match[class](work) == want;
}

static bool class_test(const struct rsa_family *family, unsigned class, struct test *test,
                       struct rsa_work *work)
{
    struct sample samples[MODULI] = {{NULL, {0}, {0}}};
    bool good = true;
    for (unsigned i = 0; good && i < MODULI; i++)
        good = sample_make(&samples[i], &family->shapes[class], test, class * MODULI + i);
    good = good && kernel_test(*family->narrow, class, samples, work) &&
           (!family->wide || kernel_test(*family->wide, class, samples, work));
    for (unsigned i = 0; i < MODULI; i++)
        free(samples[i].constants);
    return good;
}

bool rsa_family_test(const struct rsa_family *family)
{
    struct test test = {BN_CTX_new(), BN_new(), BN_new(), BN_new(), BN_new()};
    struct rsa_work *work = aligned_alloc(64, sizeof *work);
    bool good = test.context && test.n && test.s && test.e && test.opened && work &&
                BN_set_word(test.e, RSA_LANES_EXPONENT);
    for (unsigned class = 0; good && class < RSA_CLASSES; class ++)
        good = class_test(family, class, &test, work);
    free(work);
    BN_free(test.opened);
    BN_free(test.e);
    BN_free(test.s);
    BN_free(test.n);
    BN_CTX_free(test.context);
    openssl_forget_errors();
    return good;
}
