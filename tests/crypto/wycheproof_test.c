/*
 * The Wycheproof vectors through our own key reader and verifier. Policy: what the files call valid
 * passes, everything else fails: "acceptable" (DigestInfo without NULL, D02), garbage in the
 * parameters and BER lengths (InvalidAsnInPadding, BerEncodedPadding: D03).
 */
#include <criterion/criterion.h>
#include <jansson.h>

#include "crypto/sha256.h"
#include "crypto/ed25519.h"
#include "crypto/sign.h"
#include "crypto/verify.h"
#include "simd/kernel.h"
#include "simd/kernel.h"
#include "support/corpora.h"
#include "support/guard.h"
#include "support/hex.h"

struct tally
{
    size_t cases, agree, valid;
};

static json_t *load(const char *name)
{
    json_error_t error;
    json_t *file = json_load_file(corpora_require(name), 0, &error);
    cr_assert(file != NULL, "%s: %s", name, error.text);
    return file;
}

/* The bytes of a hexadecimal member, ending at an inaccessible page. */
static struct span bytes_of(const json_t *object, const char *member)
{
    struct buffer bytes;
    const char *text = json_string_value(json_object_get(object, member));
    cr_assert(text != NULL, "no member %s", member);
    buffer_init(&bytes, 64 * 1024);
    hex_bytes(text, &bytes);
    struct span copy = guard_copy(buffer_span(&bytes));
    buffer_fini(&bytes);
    return copy;
}

static bool word_is(const json_t *object, const char *member, const char *word)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text && strcmp(text, word) == 0;
}

static void count(struct tally *tally, const json_t *test, enum verify got)
{
    bool valid = word_is(test, "result", "valid");
    enum verify want = valid ? VERIFY_PASS : VERIFY_FAIL;
    tally->cases++;
    tally->valid += valid;
    tally->agree += got == want;
    cr_expect(got == want, "tcId %d (%s): got %#x want %#x",
              (int)json_integer_value(json_object_get(test, "tcId")),
              json_string_value(json_object_get(test, "comment")), got, want);
}

/*
 * All tests of a key in one call, so that at the levels that have kernels these decide, and once
 * more with other company: one job is left out in front.
 */
static size_t verify_together(const struct public_key *key, const json_t *tests)
{
    static struct verify_job jobs[512];
    size_t count = json_array_size(tests), wrong = 0, k;
    json_t *test;
    cr_assert(count <= COUNT_OF(jobs));
    json_array_foreach(tests, k, test)
    {
        jobs[k] = (struct verify_job){.key = key, .signature = bytes_of(test, "sig")};
        sha256_of(bytes_of(test, "msg"), jobs[k].digest);
    }
    for (size_t skipped = 0; skipped < 3 && skipped < count; skipped++) {
        verify_many(jobs + skipped, count - skipped);
        json_array_foreach(tests, k, test)
        {
            enum verify want = word_is(test, "result", "valid") ? VERIFY_PASS : VERIFY_FAIL;
            wrong += k >= skipped && jobs[k].result != want;
        }
    }
    return wrong;
}

/* At every kernel level that the machine has. */
static void run_levels(const char *name)
{
    json_t *file = load(name), *group;
    size_t i;
    for (enum kernel_level level = 0; level < KERNEL_LEVELS; level++) {
        uint64_t before = verify_counts().kernel_signatures;
        if (!kernel_force(level))
            continue;
        json_array_foreach(json_object_get(file, "testGroups"), i, group)
        {
            struct public_key *key = NULL;
            cr_assert(public_key_from_rsa(bytes_of(group, "publicKeyDer"), &key) == KEY_OK);
            size_t wrong = verify_together(key, json_object_get(group, "tests"));
            cr_expect(wrong == 0, "%s %s: %zu wrong", kernel_level_name(level), name, wrong);
            public_key_unref(&key);
        }
        bool used = verify_counts().kernel_signatures > before;
        bool can = strcmp(verify_kernel_name(), "openssl") != 0;
        cr_expect(used == can, "%s: kernels %s", kernel_level_name(level),
                  used ? "used" : "not used");
    }
    json_decref(file);
}

static enum verify verify_rsa(const struct public_key *key, const json_t *test)
{
    struct verify_job job = {.key = key, .signature = bytes_of(test, "sig")};
    sha256_of(bytes_of(test, "msg"), job.digest);
    verify_many(&job, 1);
    return job.result;
}

static void run_rsa(const char *name, size_t cases, size_t valid)
{
    json_t *file = load(name), *group, *test;
    size_t i, k;
    struct tally tally = {0};
    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        struct public_key *key = NULL;
        cr_assert(word_is(group, "sha", "SHA-256"));
        enum key_error error = public_key_from_rsa(bytes_of(group, "publicKeyDer"), &key);
        cr_assert(error == KEY_OK, "%s", key_error_word(error));
        cr_expect(public_key_bits(key) == json_integer_value(json_object_get(group, "keySize")));
        json_array_foreach(json_object_get(group, "tests"), k, test)
            count(&tally, test, verify_rsa(key, test));
        public_key_unref(&key);
    }
    cr_expect(tally.cases == cases && tally.valid == valid, "%zu cases, %zu valid", tally.cases,
              tally.valid);
    suite_report(name, tally.cases, tally.agree, 0);
    json_decref(file);
}

/* clang-format off */
Test(wycheproof, D14_kernels_2048) { run_levels("wycheproof/rsa_signature_2048_sha256_test.json"); }
Test(wycheproof, D14_kernels_3072) { run_levels("wycheproof/rsa_signature_3072_sha256_test.json"); }
Test(wycheproof, D14_kernels_4096) { run_levels("wycheproof/rsa_signature_4096_sha256_test.json"); }
Test(wycheproof, rsa_2048) { run_rsa("wycheproof/rsa_signature_2048_sha256_test.json", 259, 9); }
Test(wycheproof, rsa_3072) { run_rsa("wycheproof/rsa_signature_3072_sha256_test.json", 259, 8); }
Test(wycheproof, rsa_4096) { run_rsa("wycheproof/rsa_signature_4096_sha256_test.json", 258, 7); }
Test(wycheproof, rsa_8192) { run_rsa("wycheproof/rsa_signature_8192_sha256_test.json", 258, 7); }
/* clang-format on */

/* The vectors sign messages of any length, DKIM signs 32-byte digests: the layer below is tested.
 */
Test(wycheproof, ed25519)
{
    json_t *file = load("wycheproof/ed25519_test.json"), *group, *test;
    size_t i, k;
    struct tally tally = {0};
    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        struct public_key *key = NULL;
        struct span raw = bytes_of(json_object_get(group, "publicKey"), "pk");
        cr_assert(public_key_from_ed25519(raw, &key) == KEY_OK);
        json_array_foreach(json_object_get(group, "tests"), k,
                           test) for (enum kernel_level level = 0; level < KERNEL_LEVELS;
                                      level++) if (kernel_force(level))
            count(&tally, test, ed25519_verify(key, bytes_of(test, "msg"), bytes_of(test, "sig")));
        public_key_unref(&key);
    }
    cr_expect(tally.cases % 151 == 0 && tally.cases >= 2 * 151 &&
                  tally.valid == tally.cases / 151 * 88,
              "%zu cases, %zu valid", tally.cases, tally.valid);
    suite_report("wycheproof/ed25519_test.json, every level", tally.cases, tally.agree, 0);
    json_decref(file);
}

/* What our signer makes is, octet for octet, what the vectors hold, and verifies (DV-37: 1024). */
static void sign_group(const json_t *group, struct tally *tally)
{
    const char *error, *pem = json_string_value(json_object_get(group, "privateKeyPem"));
    struct private_key *private = private_key_from_pem(span_from_string(pem), NULL, &error);
    struct public_key *public = NULL;
    struct buffer p;
    json_t *test;
    size_t k;
    cr_assert(private != NULL, "%s", error);
    buffer_init(&p, 4096);
    cr_assert(private_key_public(private, &p));
    cr_assert(public_key_from_rsa(buffer_span(&p), &public) == KEY_OK);
    json_array_foreach(json_object_get(group, "tests"), k, test)
    {
        struct buffer made;
        uint8_t digest[SHA256_BYTES];
        buffer_init(&made, 4096);
        sha256_of(bytes_of(test, "msg"), digest);
        cr_assert(private_key_sign(private, digest, &made));
        bool same = span_equal(buffer_span(&made), bytes_of(test, "sig"));
        cr_expect(same, "case %zu: another signature", k);
        cr_expect(verify_rsa(public, test) == VERIFY_PASS, "case %zu", k);
        tally->cases++;
        tally->agree += same;
        buffer_fini(&made);
    }
    buffer_fini(&p);
    public_key_unref(&public);
    private_key_free(&private);
}

Test(wycheproof, sign_1024)
{
    json_t *file = load("wycheproof/rsa_pkcs1_1024_sig_gen_test.json"), *group;
    size_t i;
    struct tally tally = {0};
    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        if (word_is(group, "sha", "SHA-256"))
            sign_group(group, &tally);
    }
    cr_expect(tally.cases == 9, "%zu cases", tally.cases);
    suite_report("wycheproof/rsa_pkcs1_1024_sig_gen_test.json (SHA-256)", tally.cases, tally.agree,
                 0);
    json_decref(file);
}
