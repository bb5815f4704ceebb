/* Private keys: PEM both ways, and signatures that verify, or do not after any change. */
#include <criterion/criterion.h>

#include "crypto/sign.h"
#include "crypto/verify.h"

static const struct
{
    const char *name;
    enum key_type type;
    unsigned bits;
    size_t signature_bytes;
} kinds[] = {
    {"rsa 1024", KEY_RSA, 1024, 128}, {"rsa 1048", KEY_RSA, 1048, 131},
    {"rsa 2048", KEY_RSA, 2048, 256}, {"rsa 4096", KEY_RSA, 4096, 512},
    {"ed25519", KEY_ED25519, 0, 64},
};

static struct public_key *public_of(const struct private_key *key)
{
    struct public_key *made = NULL;
    struct buffer p;
    buffer_init(&p, 4096);
    cr_assert(private_key_public(key, &p));
    enum key_error error = private_key_type(key) == KEY_RSA
                               ? public_key_from_rsa(buffer_span(&p), &made)
                               : public_key_from_ed25519(buffer_span(&p), &made);
    cr_assert(error == KEY_OK, "got %s", key_error_word(error));
    buffer_fini(&p);
    return made;
}

static enum verify verify_one(const struct public_key *key, const uint8_t digest[SHA256_BYTES],
                              struct span signature)
{
    struct verify_job job = {.key = key, .signature = signature};
    memcpy(job.digest, digest, SHA256_BYTES);
    verify_many(&job, 1);
    return job.result;
}

Test(sign, round_trip_and_every_flipped_bit)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct private_key *private = private_key_generate(kinds[i].type, kinds[i].bits);
        cr_assert(private != NULL, "%s", kinds[i].name);
        struct public_key *public = public_of(private);
        uint8_t digest[SHA256_BYTES];
        struct buffer out;
        buffer_init(&out, 4096);
        sha256_of(span_from_string(kinds[i].name), digest);
        cr_assert(private_key_sign(private, digest, &out));
        cr_expect(out.n == kinds[i].signature_bytes, "%s: %zu bytes", kinds[i].name, out.n);
        cr_expect(verify_one(public, digest, buffer_span(&out)) == VERIFY_PASS, "%s",
                  kinds[i].name);
        for (size_t bit = 0; bit<8 * out.n; bit += kinds[i].bits> 1024 ? 7 : 1) {
            out.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_expect(verify_one(public, digest, buffer_span(&out)) == VERIFY_FAIL,
                      "%s: signature bit %zu", kinds[i].name, bit);
            out.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * SHA256_BYTES; bit++) {
            digest[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_expect(verify_one(public, digest, buffer_span(&out)) == VERIFY_FAIL,
                      "%s: digest bit %zu", kinds[i].name, bit);
            digest[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        cr_expect(verify_one(public, digest, buffer_span(&out)) == VERIFY_PASS, "%s again",
                  kinds[i].name);
        buffer_fini(&out);
        public_key_unref(&public);
        private_key_free(&private);
    }
}

/* D09: one byte short, one byte long with a zero in front or behind, empty. */
Test(sign, other_lengths_fail)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct private_key *private = private_key_generate(kinds[i].type, kinds[i].bits);
        struct public_key *public = public_of(private);
        uint8_t digest[SHA256_BYTES] = {1};
        struct buffer out, longer;
        buffer_init(&out, 4096);
        buffer_init(&longer, 4096);
        cr_assert(private_key_sign(private, digest, &out));
        struct span whole = buffer_span(&out);
        buffer_append_byte(&longer, 0);
        buffer_append(&longer, whole);
        buffer_append_byte(&longer, 0);
        struct span both = buffer_span(&longer);
        const struct span bad[] = {span_slice(whole, 0, whole.n - 1),
                                   span_skip(whole, 1),
                                   span_slice(both, 0, both.n - 1),
                                   span_skip(both, 1),
                                   both,
                                   span_of(NULL, 0)};
        for (size_t k = 0; k < COUNT_OF(bad); k++)
            cr_expect(verify_one(public, digest, bad[k]) == VERIFY_FAIL, "%s: form %zu",
                      kinds[i].name, k);
        cr_expect(verify_one(public, digest, whole) == VERIFY_PASS);
        buffer_fini(&out);
        buffer_fini(&longer);
        public_key_unref(&public);
        private_key_free(&private);
    }
}

/* A key that is not the signer's, of the same and of the other type, passes nothing. */
Test(sign, another_key_fails)
{
    const uint8_t digest[SHA256_BYTES] = {2};
    struct private_key *signer[4], *a;
    struct public_key *public[4];
    for (size_t i = 0; i < 4; i++) {
        signer[i] = private_key_generate(i % 2 ? KEY_RSA : KEY_ED25519, 1024);
        public[i] = public_of(signer[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        struct buffer out;
        a = signer[i];
        buffer_init(&out, 4096);
        cr_assert(private_key_sign(a, digest, &out));
        for (size_t k = 0; k < 4; k++) {
            enum verify want = i == k ? VERIFY_PASS : VERIFY_FAIL;
            enum verify got = verify_one(public[k], digest, buffer_span(&out));
            cr_expect(got == want, "signer %zu, key %zu: got %#x want %#x", i, k, got, want);
        }
        buffer_fini(&out);
    }
    for (size_t i = 0; i < 4; i++) {
        private_key_free(&signer[i]);
        public_key_unref(&public[i]);
    }
}

static void expect_same_key(const struct private_key *a, const struct private_key *b)
{
    struct buffer left, right;
    buffer_init(&left, 4096);
    buffer_init(&right, 4096);
    cr_assert(private_key_public(a, &left));
    cr_assert(private_key_public(b, &right));
    cr_expect(span_equal(buffer_span(&left), buffer_span(&right)));
    buffer_fini(&left);
    buffer_fini(&right);
}

Test(sign, pem_with_and_without_passphrase)
{
    static const char *const passphrases[] = {NULL, "correct horse", "h\xc3\xa4sslich"};
    for (size_t i = 0; i < 2 * COUNT_OF(passphrases); i++) {
        const char *passphrase = passphrases[i / 2], *error;
        struct private_key *key = private_key_generate(i % 2 ? KEY_RSA : KEY_ED25519, 1024);
        struct buffer pem;
        buffer_init(&pem, 16 * 1024);
        cr_assert(private_key_to_pem(key, passphrase, &pem));
        struct span head = passphrase ? SPAN("-----BEGIN ENCRYPTED PRIVATE KEY-----")
                                      : SPAN("-----BEGIN PRIVATE KEY-----");
        cr_expect(span_starts_fold(buffer_span(&pem), head), "case %zu", i);
        struct private_key *read = private_key_from_pem(buffer_span(&pem), passphrase, &error);
        cr_assert(read != NULL, "case %zu: %s", i, error);
        cr_expect(error == NULL);
        expect_same_key(key, read);
        private_key_free(&read);
        buffer_fini(&pem);
        private_key_free(&key);
    }
}

Test(sign, wrong_passphrases)
{
    static const char *const wrong[] = {NULL, "", "correct horsf", "correct horse "};
    struct private_key *key = private_key_generate(KEY_ED25519, 0);
    struct buffer pem;
    buffer_init(&pem, 16 * 1024);
    cr_assert(private_key_to_pem(key, "correct horse", &pem));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *error = NULL;
        struct private_key *read = private_key_from_pem(buffer_span(&pem), wrong[i], &error);
        cr_expect(read == NULL);
        cr_expect(error && strcmp(error, "wrong_passphrase") == 0, "case %zu: %s", i, error);
    }
    buffer_fini(&pem);
    private_key_free(&key);
}

/* openssl ecparam -name prime256v1 -genkey -noout: readable, but no algorithm of DKIM. */
static const char ec_pem[] = "-----BEGIN EC PRIVATE KEY-----\n"
                             "MHcCAQEEIPQ9CHklWsLzy9c8QXoGy5TSG+chmKEsG52DDKCeg/IToAoGCCqGSM49\n"
                             "AwEHoUQDQgAET9w+Yl+tdR1x7GVWZxJMTFtGliSxMaT4HgUNjjl0gjC1Gq/pCF4l\n"
                             "WsZ5LbRUuFIrc6AlwLf7jEn1mzdiB30vXw==\n"
                             "-----END EC PRIVATE KEY-----\n";

Test(sign, unreadable_and_unsupported)
{
    static const struct
    {
        const char *name, *pem, *error;
    } cases[] = {
        {"empty", "", "unreadable"},
        {"no PEM", "hello", "unreadable"},
        {"no key inside", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
         "unreadable"},
        {"cut off", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw", "unreadable"},
        {"elliptic curve", ec_pem, "unsupported_key"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *error = NULL;
        struct private_key *read =
            private_key_from_pem(span_from_string(cases[i].pem), NULL, &error);
        cr_expect(read == NULL, "%s", cases[i].name);
        cr_expect(error && strcmp(error, cases[i].error) == 0, "%s: got %s want %s", cases[i].name,
                  error, cases[i].error);
    }
}

/* RSA_BITS_MIN and RSA_BITS_MAX bind the signer too. */
Test(sign, sizes_refused)
{
    cr_expect(private_key_generate(KEY_RSA, 1023) == NULL);
    cr_expect(private_key_generate(KEY_RSA, 8193) == NULL);
    cr_expect(private_key_generate(KEY_RSA, 0) == NULL);
}

/* A full buffer is a failure, never a cut signature. */
Test(sign, full_buffer_fails)
{
    struct private_key *key = private_key_generate(KEY_ED25519, 0);
    const uint8_t digest[SHA256_BYTES] = {3};
    for (size_t ceiling = 63; ceiling <= 65; ceiling++) {
        struct buffer out;
        buffer_init(&out, ceiling);
        cr_expect(private_key_sign(key, digest, &out) == (ceiling >= 64), "ceiling %zu", ceiling);
        buffer_fini(&out);
    }
    private_key_free(&key);
}
