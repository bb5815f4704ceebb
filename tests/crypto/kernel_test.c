/*
 * The RSA kernels (security.md D14): each against OpenSSL's arithmetic, and what verify_many makes
 * of them at every kernel level. `make test` runs a seeded few thousand cases a kernel and size;
 * tests/diff/rsa.c is the same without end.
 */
#include <criterion/criterion.h>
#include <openssl/bn.h>

#include "crypto/key_parts.h"
#include "crypto/prime_key.h"
#include "crypto/rsa_lanes.h"
#include "diff/rsa_cases.h"
#include "simd/kernel.h"

static const enum kernel_level levels[] = {KERNEL_SCALAR, KERNEL_SSE, KERNEL_AVX2, KERNEL_AVX512};

static bool machine_runs(const struct rsa_kernel *kernel)
{
    enum kernel_level level = kernel == rsa_kernel_avx2 ? KERNEL_AVX2 : KERNEL_AVX512;
    enum kernel_feature feature = kernel == rsa_kernel_avx2 ? KERNEL_HAS_AVX2 : KERNEL_HAS_IFMA;
    return kernel && kernel_force(level) && kernel_has(feature);
}

/* Kernels against arithmetic */

static struct rsa_work work;

static void compare_kernel(const struct rsa_kernel *kernel, const struct rsa_family *family,
                           unsigned class, unsigned steps)
{
    struct rsa_cases *cases = rsa_cases_new(family->shapes[class].bits, 0x5eed);
    struct rsa_round_keys keys;
    struct rsa_case step[RSA_LANES_MAX];
    unsigned wrong = 0;
    for (unsigned i = 0; i < steps; i++) {
        if (i % 32 == 0) {
            if (i)
                rsa_round_keys_free(&keys);
            rsa_cases_round(cases, i / 32);
            rsa_round_keys_make(&keys, family, cases);
        }
        rsa_cases_step(cases, step);
        wrong += rsa_cases_run(kernel, class, &keys, step, i, &work);
    }
    cr_expect(wrong == 0, "%s %u: %u of %u wrong", kernel->name, family->shapes[class].bits, wrong,
              steps * RSA_LANES_MAX);
    rsa_round_keys_free(&keys);
    rsa_cases_free(&cases);
}

static void compare(const struct rsa_kernel *kernel, const struct rsa_family *family)
{
    if (!machine_runs(kernel))
        cr_skip_test("this machine does not run %s", family->name);
    for (unsigned class = 0; class < RSA_CLASSES; class ++)
        compare_kernel(kernel, family, class, 512 >> class);
}

Test(kernel, D14_ifma8_against_openssl)
{
    compare(rsa_kernel_ifma8, &rsa_family_ifma);
}

Test(kernel, D14_ifma4_against_openssl)
{
    compare(rsa_kernel_ifma4, &rsa_family_ifma);
}

Test(kernel, D14_avx2_against_openssl)
{
    compare(rsa_kernel_avx2, &rsa_family_avx2);
}

/* The comparison sees: one bit wrong in one lane's constants. */
static uint32_t sight(const struct rsa_kernel *kernel, const struct rsa_family *family,
                      enum rsa_number number)
{
    struct rsa_cases *cases = rsa_cases_new(2048, 1);
    struct rsa_round_keys keys;
    struct rsa_case step[RSA_LANES_MAX];
    uint32_t wrong = 0;
    rsa_cases_round(cases, 0);
    rsa_round_keys_make(&keys, family, cases);
    for (unsigned i = 0; i < 12; i++)
        rsa_cases_step(cases, step);
    cr_expect(rsa_cases_run(kernel, 1, &keys, step, 0, &work) == 0);
    keys.lanes[3]->numbers[number * rsa_shape_limbs(&family->shapes[1])] ^= 1 << 5;
    rsa_cases_quiet = true;
    for (unsigned salt = 0; salt < 4; salt++)
        wrong += rsa_cases_run(kernel, 1, &keys, step, salt, &work);
    rsa_round_keys_free(&keys);
    rsa_cases_free(&cases);
    return wrong;
}

Test(kernel, D14_the_comparison_sees_a_wrong_bit)
{
    if (!machine_runs(rsa_kernel_avx2))
        cr_skip_test("no AVX2");
    for (enum rsa_number number = 0; number < RSA_NUMBERS; number++)
        cr_expect(sight(rsa_kernel_avx2, &rsa_family_avx2, number) > 0, "number %d", (int)number);
}

/* What is known of a modulus, computed the plain way. */
static void check_power(const BIGNUM *n, int exponent, const uint64_t *got, unsigned limbs)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *power = BN_new(), *have = BN_lebin2bn((const uint8_t *)got, 8 * (int)limbs, NULL);
    cr_assert(BN_set_bit(power, exponent < 0 ? -exponent : exponent));
    cr_assert(BN_mod(power, power, n, context));
    if (exponent < 0)
        cr_assert(BN_mod_inverse(power, power, n, context));
    cr_expect(BN_cmp(power, have) == 0, "2^%d mod n of %d bits", exponent, BN_num_bits(n));
    BN_free(have);
    BN_free(power);
    BN_CTX_free(context);
}

static void check_constants(const struct rsa_family *family, unsigned class, uint64_t round)
{
    const struct rsa_shape *shape = &family->shapes[class];
    unsigned limbs = rsa_shape_limbs(shape);
    struct rsa_cases *cases = rsa_cases_new(shape->bits, 7);
    struct rsa_round_keys keys;
    rsa_cases_round(cases, round);
    rsa_round_keys_make(&keys, family, cases);
    for (unsigned i = 0; i < RSA_LANES_MAX; i++) {
        const struct rsa_constants *made = keys.lanes[i];
        struct span modulus = rsa_cases_modulus(cases, i);
        BIGNUM *n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
        cr_expect(made->inverse * made->numbers[0] == UINT64_MAX);
        check_power(n, -(int)(shape->digit_bits * shape->block), rsa_number(made, RSA_SHIFT_DOWN),
                    limbs);
        check_power(n, 2 * (int)(shape->digit_bits * shape->digits), rsa_number(made, RSA_SQUARE),
                    limbs);
        BN_free(n);
    }
    rsa_round_keys_free(&keys);
    rsa_cases_free(&cases);
}

Test(kernel, constants_of_a_modulus)
{
    for (unsigned class = 0; class < RSA_CLASSES; class ++) {
        for (uint64_t round = 0; round < 12; round++) {
            check_constants(&rsa_family_ifma, class, round);
            check_constants(&rsa_family_avx2, class, round);
        }
    }
}

/* The known answers pass, which is what lets a family be used at all. */
Test(kernel, self_test)
{
    if (machine_runs(rsa_kernel_ifma8))
        cr_expect(rsa_family_test(&rsa_family_ifma));
    if (machine_runs(rsa_kernel_avx2))
        cr_expect(rsa_family_test(&rsa_family_avx2));
}

/* verify_many over kernels */

enum
{
    SIGNATURES = 2,
    JOBS_MAX = 24,
};

struct signer
{
    struct prime_key key;
    uint8_t digests[SIGNATURES][SHA256_BYTES];
    uint8_t signatures[SIGNATURES][PRIME_KEY_BYTES_MAX];
};

/* 1026 and 1032 bits: one octet more than the class below. 1040, 2104: two and seven octets more
 * than whole limbs. 4100 bits, e = 3: OpenSSL's. */
static const struct
{
    unsigned bits;
    uint32_t exponent;
} kinds[] = {
    {1024, 65537}, {1026, 65537}, {1032, 65537}, {1536, 65537}, {2048, 65537},
    {2048, 3},     {1040, 65537}, {2104, 65537}, {2053, 65537}, {3072, 65537},
    {3080, 65537}, {4096, 65537}, {4100, 65537}, {1024, 17},
};

static struct signer signers[COUNT_OF(kinds)];

/* The keys at the level in use. Signatures are made once: numbers are the same at each. */
static void make_signers(void)
{
    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        struct signer *signer = &signers[i];
        struct prime_key former = signer->key;
        if (former.key)
            prime_key_again(&signer->key, &former);
        else
            prime_key_make(&signer->key, kinds[i].bits, kinds[i].exponent);
        for (unsigned k = 0; !former.key && k < SIGNATURES; k++) {
            memset(signer->digests[k], (int)(16 * i + k), SHA256_BYTES);
            prime_key_sign(&signer->key, signer->digests[k], signer->signatures[k]);
        }
        prime_key_fini(&former);
    }
}

struct trial
{
    struct verify_job jobs[JOBS_MAX];
    uint8_t signatures[JOBS_MAX][PRIME_KEY_BYTES_MAX];
    enum verify want[JOBS_MAX];
};

enum damage
{
    INTACT,
    BIT_OF_SIGNATURE,
    BIT_OF_DIGEST,
    LAST_OCTET_MISSING,
    OCTET_TOO_MUCH,
    ZERO,
    ONE,
    MODULUS_LESS_ONE,
    MODULUS,
    ALL_ONES,
    OTHER_SIGNATURE,
    DAMAGES,
};

static void put_job(struct trial *trial, unsigned at, const struct signer *signer, unsigned which,
                    enum damage damage, unsigned salt)
{
    struct verify_job *job = &trial->jobs[at];
    uint8_t *bytes = trial->signatures[at];
    size_t n = signer->key.n;
    memcpy(bytes, signer->signatures[which], n);
    *job = (struct verify_job){.key = signer->key.key, .signature = span_of(bytes, n)};
    memcpy(job->digest, signer->digests[which], SHA256_BYTES);
    trial->want[at] = damage == INTACT ? VERIFY_PASS : VERIFY_FAIL;
    if (damage == BIT_OF_SIGNATURE)
        bytes[salt / 8 % n] ^= (uint8_t)(1 << salt % 8);
    if (damage == BIT_OF_DIGEST)
        job->digest[salt / 8 % SHA256_BYTES] ^= (uint8_t)(1 << salt % 8);
    if (damage == LAST_OCTET_MISSING)
        job->signature.n--;
    if (damage == OCTET_TOO_MUCH)
        bytes[job->signature.n++ % PRIME_KEY_BYTES_MAX] = 0;
    if (damage == ZERO || damage == ONE)
        memset(bytes, 0, n);
    if (damage == ONE)
        bytes[n - 1] = 1;
    if (damage == MODULUS || damage == MODULUS_LESS_ONE)
        memcpy(bytes, signer->key.modulus, n);
    if (damage == MODULUS_LESS_ONE)
        bytes[n - 1]--;
    if (damage == ALL_ONES)
        memset(bytes, 0xff, n);
    if (damage == OTHER_SIGNATURE)
        memcpy(bytes, signer->signatures[(which + 1) % SIGNATURES], n);
}

static unsigned wrong_results(const struct trial *trial, unsigned count)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < count; i++)
        wrong += trial->jobs[i].result != trial->want[i];
    return wrong;
}

/* What kernels decide at a level: AVX2 calls want three jobs, IFMA calls one. */
static unsigned least_for_kernel(enum kernel_level level)
{
    return level == KERNEL_AVX512 ? 1 : level == KERNEL_AVX2 ? 3 : JOBS_MAX + 1;
}

/* 1 to 17 jobs of one key, a bad one at each place: only that one fails. */
static void one_bad_job(enum kernel_level level, const struct signer *signer)
{
    static struct trial trial;
    unsigned wrong = 0;
    for (unsigned count = 1; count <= 17; count++) {
        uint64_t before = verify_counts().kernel_signatures;
        for (unsigned bad = 0; bad < count; bad++) {
            for (unsigned i = 0; i < count; i++)
                put_job(&trial, i, signer, i % SIGNATURES, i == bad ? BIT_OF_SIGNATURE : INTACT,
                        count * 8 + i);
            verify_many(trial.jobs, count);
            wrong += wrong_results(&trial, count);
        }
        bool used = verify_counts().kernel_signatures > before;
        cr_expect(used == (count >= least_for_kernel(level)), "%s: %u jobs",
                  kernel_level_name(level), count);
    }
    cr_expect(wrong == 0, "%s, %u bits: %u wrong", kernel_level_name(level), signer->key.bits,
              wrong);
}

Test(kernel, one_bad_job_among_good_ones_at_every_level)
{
    for (unsigned i = 0; i < COUNT_OF(levels); i++) {
        if (!kernel_force(levels[i]))
            continue;
        make_signers();
        one_bad_job(levels[i], &signers[0]); /* 1024 */
        one_bad_job(levels[i], &signers[4]); /* 2048 */
    }
}

static uint64_t random_state = 0x5eed;

static unsigned random_below(unsigned bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % bound;
}

/* Jobs of all keys and kinds of damage mixed, by value and by pointer in any order. */
static unsigned mixed_round(void)
{
    static struct trial trial;
    struct verify_job *order[JOBS_MAX];
    unsigned count = 1 + random_below(JOBS_MAX);
    for (unsigned i = 0; i < count; i++) {
        unsigned who = random_below(3) ? random_below(COUNT_OF(kinds)) : 4;
        enum damage damage = random_below(2) ? INTACT : (enum damage)random_below(DAMAGES);
        put_job(&trial, i, &signers[who], random_below(SIGNATURES), damage, random_below(1 << 16));
        order[i] = &trial.jobs[i];
    }
    if (random_below(2)) {
        verify_many(trial.jobs, count);
        return wrong_results(&trial, count);
    }
    for (unsigned i = count; i > 1; i--) {
        unsigned k = random_below(i);
        struct verify_job *swapped = order[i - 1];
        order[i - 1] = order[k];
        order[k] = swapped;
    }
    verify_gathered(order, count);
    return wrong_results(&trial, count);
}

Test(kernel, jobs_of_all_sizes_and_damages_mixed)
{
    verify_set_check(16);
    for (unsigned i = 0; i < COUNT_OF(levels); i++) {
        unsigned wrong = 0;
        if (!kernel_force(levels[i]))
            continue;
        make_signers();
        for (unsigned round = 0; round < 200; round++)
            wrong += mixed_round();
        cr_expect(wrong == 0, "%s: %u wrong", kernel_level_name(levels[i]), wrong);
    }
    cr_expect(verify_counts().mismatches == 0);
}

/*
 * D09: s + n opens to the same block as s. In 129 octets there is room for it: the modulus has 1026
 * bits. Nothing but the range check stands against it.
 */
Test(kernel, D09_signature_plus_modulus)
{
    for (unsigned i = 0; i < COUNT_OF(levels); i++) {
        static struct trial trial;
        if (!kernel_force(levels[i]))
            continue;
        make_signers();
        const struct signer *signer = &signers[1];
        BIGNUM *n = BN_bin2bn(signer->key.modulus, (int)signer->key.n, NULL);
        for (unsigned k = 0; k < 8; k++) {
            put_job(&trial, k, signer, k % SIGNATURES, INTACT, 0);
            BIGNUM *s = BN_bin2bn(trial.signatures[k], (int)signer->key.n, NULL);
            cr_assert(BN_add(s, s, n));
            cr_assert(BN_bn2binpad(s, trial.signatures[k], (int)signer->key.n) > 0);
            trial.want[k] = VERIFY_FAIL;
            BN_free(s);
        }
        verify_many(trial.jobs, 8);
        cr_expect(wrong_results(&trial, 8) == 0, "%s", kernel_level_name(levels[i]));
        BN_free(n);
    }
}

/* A key made at one level goes to OpenSSL at another, and back. */
Test(kernel, keys_outlive_a_change_of_level)
{
    static struct trial trial;
    make_signers();
    for (unsigned i = 0; i < COUNT_OF(levels); i++) {
        if (!kernel_force(levels[i]))
            continue;
        for (unsigned k = 0; k < JOBS_MAX; k++)
            put_job(&trial, k, &signers[k % COUNT_OF(kinds)], k % SIGNATURES,
                    k % 5 ? INTACT : BIT_OF_DIGEST, k);
        verify_many(trial.jobs, JOBS_MAX);
        cr_expect(wrong_results(&trial, JOBS_MAX) == 0, "%s", kernel_level_name(levels[i]));
    }
}

/* What the kernels know of a key is in its size. */
Test(kernel, bytes_of_a_key)
{
    struct prime_key plain, with;
    kernel_force(KERNEL_SCALAR);
    prime_key_make(&plain, 2048, 65537);
    cr_expect(plain.key->lanes == NULL);
    if (!kernel_force(KERNEL_AVX2))
        cr_skip_test("no AVX2");
    prime_key_make(&with, 2048, 65537);
    cr_assert(with.key->lanes != NULL);
    cr_expect(public_key_bytes(with.key) ==
              public_key_bytes(plain.key) + rsa_constants_bytes(with.key->lanes->shape));
    prime_key_fini(&plain);
    prime_key_fini(&with);
}

/* The second look (D14) */

struct heard
{
    unsigned times;
    char kernel[16];
};

static void hear(void *context, const char *kernel)
{
    struct heard *heard = context;
    heard->times++;
    snprintf(heard->kernel, sizeof heard->kernel, "%s", kernel);
}

/*
 * A signer whose key makes a kernel pass what OpenSSL does not: OpenSSL's part of it has another
 * exponent.
 */
static struct signer faulty_signer(const struct signer *sound, const struct signer *other)
{
    struct signer faulty = *sound;
    prime_key_again(&faulty.key, &sound->key);
    cr_assert(EVP_PKEY_up_ref(other->key.key->pkey) == 1);
    EVP_PKEY_free(faulty.key.key->pkey);
    faulty.key.key->pkey = other->key.key->pkey;
    return faulty;
}

static void check_share(uint32_t interval)
{
    static struct trial trial;
    struct heard heard = {0, ""};
    unsigned passed = 0;
    make_signers();
    struct signer faulty = faulty_signer(&signers[4], &signers[5]);
    verify_set_check(interval);
    verify_set_alarm(hear, &heard);
    cr_expect_str_neq(verify_kernel_name(), "openssl");
    for (unsigned round = 0; heard.times == 0 && round < 2 * interval; round++) {
        uint64_t mismatches = verify_counts().mismatches;
        for (unsigned k = 0; k < 8; k++)
            put_job(&trial, k, k == 5 ? &faulty : &signers[4], k % SIGNATURES, INTACT, 0);
        verify_many(trial.jobs, 8);
        for (unsigned k = 0; k < 8; k++)
            cr_expect(k == 5 || trial.jobs[k].result == VERIFY_PASS);
        passed += trial.jobs[5].result == VERIFY_PASS;
        cr_expect(trial.jobs[5].result == VERIFY_PASS || heard.times == 1);
        cr_expect(verify_counts().mismatches == mismatches + heard.times);
    }
    cr_expect(heard.times == 1, "the fault was not found");
    cr_expect(strlen(heard.kernel) > 0 && verify_counts().checked > 0);
    cr_expect(trial.jobs[5].result == VERIFY_ERROR, "got %#x", trial.jobs[5].result);
    cr_expect(interval > 1 || passed == 0);
    cr_expect_str_eq(verify_kernel_name(), "openssl");
    uint64_t by_kernels = verify_counts().kernel_signatures;
    verify_many(trial.jobs, 8);
    cr_expect(verify_counts().kernel_signatures == by_kernels, "the kernel is not off");
    cr_expect(trial.jobs[5].result == VERIFY_FAIL);
    cr_expect(trial.jobs[4].result == VERIFY_PASS);
    prime_key_fini(&faulty.key);
}

Test(kernel, D14_every_pass_is_checked_and_the_fault_found)
{
    if (!kernel_force(KERNEL_AVX2))
        cr_skip_test("no AVX2");
    check_share(1);
}

Test(kernel, D14_a_share_of_passes_is_checked_and_the_fault_found)
{
    if (!kernel_force(KERNEL_AVX512))
        cr_skip_test("no AVX-512");
    check_share(61);
}

/* The other way round: a bit of what the kernels know of a key has flipped, and they refuse what is
 * right. That is no verdict either. */
Test(kernel, D14_a_failure_that_openssl_does_not_find_is_an_error)
{
    static struct trial trial;
    struct heard heard = {0, ""};
    if (!kernel_force(KERNEL_AVX2))
        cr_skip_test("no AVX2");
    make_signers();
    verify_set_check(1);
    verify_set_alarm(hear, &heard);
    struct rsa_constants *known = (struct rsa_constants *)(uintptr_t)signers[4].key.key->lanes;
    known->numbers[3] ^= 1 << 7;
    for (unsigned k = 0; k < 4; k++)
        put_job(&trial, k, &signers[4], k % SIGNATURES, INTACT, 0);
    verify_many(trial.jobs, 4);
    cr_expect(trial.jobs[0].result == VERIFY_ERROR, "got %#x", trial.jobs[0].result);
    for (unsigned k = 1; k < 4; k++) /* by OpenSSL */
        cr_expect(trial.jobs[k].result == VERIFY_PASS, "job %u: got %#x", k, trial.jobs[k].result);
    cr_expect(heard.times == 1);
    cr_expect_str_eq(heard.kernel, "avx2");
    cr_expect_str_eq(verify_kernel_name(), "openssl");
}
