/* Attacks on signatures: security.md 1.4 (D01 to D17), with the recipes of its section 7.3. */
#include <glob.h>
#include <pthread.h>

#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/err.h>

#include "crypto/der_build.h"
#include "crypto/ed25519.h"
#include "crypto/openssl.h"
#include "crypto/sign.h"
#include "crypto/verify.h"
#include "support/corpora.h"

/* DigestInfo of SHA-256 (RFC 8017 9.2), with and without the NULL. */
#define WITH_NULL "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
#define WITHOUT_NULL "\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"

static const uint8_t digest[SHA256_BYTES] = {0xd1, 0x6e, 0x57};

static enum verify verify_one(const struct public_key *key, struct span signature)
{
    struct verify_job job = {.key = key, .signature = signature};
    memcpy(job.digest, digest, SHA256_BYTES);
    verify_many(&job, 1);
    return job.result;
}

static struct public_key *key_of(struct span modulus, struct span exponent)
{
    struct public_key *key = NULL;
    struct buffer der;
    buffer_init(&der, DER_BUILD_MAX);
    der_put_rsa(&der, modulus, exponent);
    enum key_error error = public_key_from_rsa(buffer_span(&der), &key);
    cr_assert(error == KEY_OK, "%s", key_error_word(error));
    buffer_fini(&der);
    return key;
}

/* The least s with s^3 >= target, by bisection. */
static void cube_root_up(const BIGNUM *target, BIGNUM *s)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *cube = BN_new();
    BN_zero(s);
    for (int bit = BN_num_bits(target) / 3 + 1; bit >= 0; bit--) {
        BN_set_bit(s, bit);
        BN_sqr(cube, s, context);
        BN_mul(cube, cube, s, context);
        if (BN_cmp(cube, target) >= 0)
            BN_clear_bit(s, bit);
    }
    BN_add_word(s, 1);
    BN_free(cube);
    BN_CTX_free(context);
}

/*
 * D01: with e = 3 a signature can be computed whose cube begins with the right block and ends in
 * garbage: no private key needed, and any 2048-bit modulus is above the cube. A verifier that stops
 * after the hash accepts it.
 */
static void forge(struct span digest_info)
{
    struct buffer block, modulus;
    uint8_t signature[256], opened[256];
    buffer_init(&block, 256);
    buffer_init(&modulus, DER_BUILD_MAX);
    buffer_append(&block, SPAN("\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00"));
    buffer_append(&block, digest_info);
    buffer_append(&block, span_of(digest, sizeof digest));
    size_t begins = block.n;
    while (block.n < 256)
        buffer_append_byte(&block, 0);

    BIGNUM *target = BN_bin2bn(block.p, (int)block.n, NULL), *s = BN_new(), *cube = BN_new();
    BN_CTX *context = BN_CTX_new();
    cube_root_up(target, s);
    BN_sqr(cube, s, context);
    BN_mul(cube, cube, s, context);
    cr_assert(BN_bn2binpad(cube, opened, sizeof opened) == 256);
    cr_assert(memcmp(opened, block.p, begins) == 0, "the forgery is not one");
    cr_assert(BN_bn2binpad(s, signature, sizeof signature) == 256);

    der_odd_number(&modulus, 2048);
    struct public_key *key = key_of(buffer_span(&modulus), SPAN("\x03"));
    cr_expect(verify_one(key, span_of(signature, sizeof signature)) == VERIFY_FAIL);
    public_key_unref(&key);
    BN_free(target);
    BN_free(s);
    BN_free(cube);
    BN_CTX_free(context);
    buffer_fini(&block);
    buffer_fini(&modulus);
}

Test(attack, D01_cube_root_forgery)
{
    forge(SPAN(WITH_NULL));
}

Test(attack, D01_D02_cube_root_forgery_without_null)
{
    forge(SPAN(WITHOUT_NULL));
}

/* D08: with e = 1 the signature is the block itself. Such a key is never made. */
Test(attack, D08_exponent_one)
{
    struct buffer modulus, der;
    struct public_key *key = NULL;
    buffer_init(&modulus, DER_BUILD_MAX);
    buffer_init(&der, DER_BUILD_MAX);
    der_odd_number(&modulus, 2048);
    der_put_rsa(&der, buffer_span(&modulus), SPAN("\x01"));
    cr_expect(public_key_from_rsa(buffer_span(&der), &key) == KEY_BAD_EXPONENT);
    cr_expect(key == NULL);
    buffer_fini(&modulus);
    buffer_fini(&der);
}

/* D09: numbers with a known power: 0, 1, n - 1, and those that are not below n. */
Test(attack, D09_special_numbers)
{
    struct buffer modulus, number;
    buffer_init(&modulus, DER_BUILD_MAX);
    buffer_init(&number, DER_BUILD_MAX);
    der_odd_number(&modulus, 2048);
    struct public_key *key = key_of(buffer_span(&modulus), SPAN("\x01\x00\x01"));
    struct span n = span_skip(buffer_span(&modulus), 1);
    uint8_t s[256] = {0};
    struct span signature = span_of(s, sizeof s);
    cr_assert(n.n == sizeof s);
    cr_expect(verify_one(key, signature) == VERIFY_FAIL, "s = 0");
    s[255] = 1;
    cr_expect(verify_one(key, signature) == VERIFY_FAIL, "s = 1");
    memcpy(s, n.p, sizeof s);
    cr_expect(verify_one(key, signature) == VERIFY_FAIL, "s = n");
    s[255]--;
    cr_expect(verify_one(key, signature) == VERIFY_FAIL, "s = n - 1");
    s[255] += 2;
    cr_expect(verify_one(key, signature) == VERIFY_FAIL, "s = n + 1");
    memset(s, 0xff, sizeof s);
    cr_expect(verify_one(key, signature) == VERIFY_FAIL, "all ones");
    public_key_unref(&key);
    buffer_fini(&modulus);
    buffer_fini(&number);
}

/* D09, malleability: s + n of a good signature has the same power and must fail all the same. */
Test(attack, D09_signature_plus_modulus)
{
    size_t tried = 0;
    for (size_t i = 0; i < 40 && tried < 3; i++) {
        struct private_key *private = private_key_generate(KEY_RSA, 1024);
        struct public_key *public = NULL;
        struct buffer p, signature;
        buffer_init(&p, 4096);
        buffer_init(&signature, 4096);
        cr_assert(private_key_public(private, &p));
        cr_assert(public_key_from_rsa(buffer_span(&p), &public) == KEY_OK);
        cr_assert(private_key_sign(private, digest, &signature));
        uint8_t sum[128];
        unsigned carry = 0;
        for (size_t k = sizeof sum; k-- > 0;) {
            carry += signature.p[k] + public->modulus.p[k];
            sum[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry == 0) { /* it fits the modulus's length: the dangerous case */
            tried++;
            cr_expect(verify_one(public, span_of(sum, sizeof sum)) == VERIFY_FAIL);
        }
        cr_expect(verify_one(public, buffer_span(&signature)) == VERIFY_PASS);
        buffer_fini(&p);
        buffer_fini(&signature);
        public_key_unref(&public);
        private_key_free(&private);
    }
    cr_expect(tried > 0, "no sum fitted");
}

/*
 * D10: under the identity as key, R = identity and S = 0 verify for every message. The test holds
 * that OpenSSL says so, so that the refusal in our key reader is known to matter.
 */
Test(attack, D10_identity_key)
{
    uint8_t identity[32] = {1}, signature[64] = {1};
    struct public_key *key = NULL;
    cr_expect(public_key_from_ed25519(span_of(identity, 32), &key) == KEY_SMALL_ORDER);
    cr_expect(key == NULL);
    EVP_PKEY *raw = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, identity, 32);
    struct public_key bare = {.type = KEY_ED25519, .pkey = raw};
    cr_expect(ed25519_openssl(&bare, SPAN("any message"), signature) == VERIFY_PASS,
              "the library has become stricter: good, this test may go");
    EVP_PKEY_free(raw);
}

/* D10: S + L is the same scalar; a verifier that takes both has two signatures for one message. */
Test(attack, D10_scalar_not_reduced)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct private_key *private = private_key_generate(KEY_ED25519, 0);
    struct public_key *public = NULL;
    struct buffer p, signature;
    buffer_init(&p, 64);
    buffer_init(&signature, 64);
    cr_assert(private_key_public(private, &p));
    cr_assert(public_key_from_ed25519(buffer_span(&p), &public) == KEY_OK);
    cr_assert(private_key_sign(private, digest, &signature));
    cr_expect(verify_one(public, buffer_span(&signature)) == VERIFY_PASS);
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += signature.p[32 + i] + order[i];
        signature.p[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    cr_assert(carry == 0);
    cr_expect(verify_one(public, buffer_span(&signature)) == VERIFY_FAIL);
    buffer_fini(&p);
    buffer_fini(&signature);
    public_key_unref(&public);
    private_key_free(&private);
}

/* D13: calls that are slow or lax on hostile numbers appear nowhere in the engine. */
Test(attack, D13_calls_that_must_not_appear)
{
    static const char *const banned[] = {"_public_check", "_pairwise_check", "d2i_PUBKEY",
                                         "d2i_RSA",       "EVP_PKEY_check",  "_param_check"};
    glob_t files = {0};
    cr_assert(glob("engine/*/*.c", 0, NULL, &files) == 0 && files.gl_pathc > 20,
              "run from the top of the tree");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *path = files.gl_pathv[i];
        const char *text = (const char *)file_read(path).p;
        bool own = strstr(path, "engine/crypto/") != NULL;
        cr_expect(own || !strstr(text, "<openssl/"), "%s includes OpenSSL", path);
        for (size_t k = 0; k < COUNT_OF(banned); k++) {
            char call[64];
            snprintf(call, sizeof call, "%s(", banned[k]);
            cr_expect(!strstr(text, call), "%s calls %s", path, banned[k]);
        }
    }
    globfree(&files);
}

/* D15: pass is exactly 1. */
Test(attack, D15_status_is_not_a_boolean)
{
    cr_expect(openssl_outcome(1) == VERIFY_PASS);
    cr_expect(openssl_outcome(0) == VERIFY_FAIL);
    static const int others[] = {-2, -1, 2, 3, 256, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        cr_expect(openssl_outcome(others[i]) == VERIFY_ERROR, "status %d", others[i]);
}

/* Without memory "does not verify" is not known: an error, which ends in temperror. */
Test(attack, D15_no_memory_is_an_error)
{
    ERR_raise(ERR_LIB_RSA, ERR_R_MALLOC_FAILURE);
    cr_expect(openssl_outcome(0) == VERIFY_ERROR);
    cr_expect(ERR_peek_error() == 0, "the queue was left full");
    ERR_raise(ERR_LIB_RSA, ERR_R_INTERNAL_ERROR);
    cr_expect(openssl_outcome(0) == VERIFY_FAIL);
    cr_expect(ERR_peek_error() == 0, "the queue was left full");
}

/* Under AddressSanitizer freed memory stays with it for a while; it has a leak check instead. */
static long resident_pages(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 0;
#endif
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file && fscanf(file, "%ld %ld", &total, &resident) == 2);
    fclose(file);
    return resident;
}

static void fail_often(const struct public_key *key, size_t signature_bytes, size_t times)
{
    uint8_t s[512] = {0};
    for (size_t i = 0; i < times; i++) {
        s[signature_bytes - 1] = (uint8_t)i;
        s[signature_bytes - 2] = (uint8_t)(i >> 8);
        cr_assert(verify_one(key, span_of(s, signature_bytes)) == VERIFY_FAIL);
        cr_assert(ERR_peek_error() == 0, "error queue not empty after %zu", i);
    }
}

/* D17: 20,000 failures leave no error behind and no memory. */
Test(attack, D17_failures_leave_nothing)
{
    struct buffer modulus;
    uint8_t raw[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                       0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                       0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
    struct public_key *ed25519 = NULL;
    buffer_init(&modulus, DER_BUILD_MAX);
    der_odd_number(&modulus, 1024);
    struct public_key *rsa = key_of(buffer_span(&modulus), SPAN("\x01\x00\x01"));
    cr_assert(public_key_from_ed25519(span_of(raw, 32), &ed25519) == KEY_OK);
    fail_often(rsa, 128, 2000);
    fail_often(ed25519, 64, 200);
    long before = resident_pages();
    fail_often(rsa, 128, 18000);
    fail_often(ed25519, 64, 1800);
    long grown = resident_pages() - before;
    cr_expect(grown < 64, "%ld pages grown", grown);
    public_key_unref(&rsa);
    public_key_unref(&ed25519);
    buffer_fini(&modulus);
}

/* D17: a refused key leaves no error behind either, and a job before it is not touched by it. */
Test(attack, D17_jobs_do_not_touch_each_other)
{
    struct private_key *private = private_key_generate(KEY_RSA, 1024);
    struct public_key *public = NULL;
    struct buffer p, signature;
    buffer_init(&p, 4096);
    buffer_init(&signature, 4096);
    cr_assert(private_key_public(private, &p));
    cr_assert(public_key_from_rsa(buffer_span(&p), &public) == KEY_OK);
    cr_assert(private_key_sign(private, digest, &signature));
    struct verify_job jobs[9];
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i] = (struct verify_job){.key = public, .signature = buffer_span(&signature)};
        memcpy(jobs[i].digest, digest, SHA256_BYTES);
        jobs[i].digest[0] ^= (uint8_t)(i % 3);
        jobs[i].signature.n -= i % 3 == 2;
    }
    verify_many(jobs, COUNT_OF(jobs));
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        enum verify want = i % 3 ? VERIFY_FAIL : VERIFY_PASS;
        cr_expect(jobs[i].result == want, "job %zu: got %#x", i, jobs[i].result);
    }
    cr_expect(ERR_peek_error() == 0);
    verify_many(NULL, 0);
    buffer_fini(&p);
    buffer_fini(&signature);
    public_key_unref(&public);
    private_key_free(&private);
}

struct shared_work
{
    struct public_key *key;
    struct span good;
    size_t wrong; /* own thread's; joined before it is read */
};

static void *verify_in_thread(void *data)
{
    struct shared_work *work = data;
    struct public_key *key = public_key_ref(work->key);
    uint8_t bad[512];
    memcpy(bad, work->good.p, work->good.n);
    for (size_t i = 0; i < 500; i++) {
        bad[work->good.n - 1] = (uint8_t)(work->good.p[work->good.n - 1] ^ (1 + i % 255));
        work->wrong += verify_one(key, work->good) != VERIFY_PASS;
        work->wrong += verify_one(key, span_of(bad, work->good.n)) != VERIFY_FAIL;
        work->wrong += ERR_peek_error() != 0;
    }
    public_key_unref(&key);
    return NULL;
}

/* D17: four threads, one key, good and bad signatures mixed; the last to go frees the key. */
static void share_key(enum key_type type)
{
    struct private_key *private = private_key_generate(type, 1024);
    struct public_key *public = NULL;
    struct buffer p, signature;
    pthread_t threads[4];
    struct shared_work work[4];
    buffer_init(&p, 4096);
    buffer_init(&signature, 4096);
    cr_assert(private_key_public(private, &p));
    enum key_error error = type == KEY_RSA ? public_key_from_rsa(buffer_span(&p), &public)
                                           : public_key_from_ed25519(buffer_span(&p), &public);
    cr_assert(error == KEY_OK);
    cr_assert(private_key_sign(private, digest, &signature));
    for (size_t i = 0; i < 4; i++) {
        work[i] = (struct shared_work){.key = public, .good = buffer_span(&signature)};
        cr_assert(pthread_create(&threads[i], NULL, verify_in_thread, &work[i]) == 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect(work[i].wrong == 0, "thread %zu: %zu wrong results", i, work[i].wrong);
    }
    public_key_unref(&public);
    buffer_fini(&p);
    buffer_fini(&signature);
    private_key_free(&private);
}

Test(attack, D17_one_rsa_key_in_four_threads)
{
    share_key(KEY_RSA);
}

Test(attack, D17_one_ed25519_key_in_four_threads)
{
    share_key(KEY_ED25519);
}
