/*
 * Ed25519: the rules of ed25519.c, and that both libraries then give the same verdict, on vectors,
 * edges and a seeded run of signatures that were changed.
 *
 * Keys with a component of small order are made here with libsodium's point arithmetic: they are
 * where implementations part (with or without the cofactor).
 */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "crypto/ed25519.h"
#include "simd/kernel.h"
#include "support/hex.h"

enum
{
    CASES = 3000,
    SCALAR = 32,
};

/* One signature, its key and what it signs. */
struct signed_text
{
    uint8_t key[ED25519_BYTES];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    uint8_t text[SHA256_BYTES];
};

static uint32_t seed = 20261122;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * n >> 32);
}

static void random_bytes(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)random_below(256);
}

static void random_scalar(uint8_t scalar[SCALAR])
{
    uint8_t wide[64];
    random_bytes(wide, sizeof wide);
    crypto_core_ed25519_scalar_reduce(scalar, wide);
}

static void unhex(const char *text, uint8_t out[ED25519_BYTES])
{
    struct buffer bytes;
    buffer_init(&bytes, ED25519_BYTES);
    hex_bytes(text, &bytes);
    cr_assert(bytes.n == ED25519_BYTES);
    memcpy(out, bytes.p, bytes.n);
    buffer_fini(&bytes);
}

/* A point of order 8 (RFC 7748's curve in Edwards form; its encoding stands in ed25519.c too). */
static void torsion(unsigned times, uint8_t point[ED25519_BYTES])
{
    static const char *const order_8 =
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    uint8_t once[ED25519_BYTES], sum[ED25519_BYTES] = {1}; /* the identity */
    unhex(order_8, once);
    for (unsigned i = 0; i < times; i++)
        cr_assert(crypto_core_ed25519_add(sum, sum, once) == 0);
    memcpy(point, sum, sizeof sum);
}

static void add_torsion(uint8_t point[ED25519_BYTES], unsigned times)
{
    uint8_t t[ED25519_BYTES];
    torsion(times, t);
    if (times % 8)
        cr_assert(crypto_core_ed25519_add(point, point, t) == 0);
}

/* R and A get these multiples of a point of order 8; `no_r`: r is 0, so R is of small order. */
struct recipe
{
    unsigned r_torsion, key_torsion;
    bool no_r;
};

static void sign(const struct recipe *recipe, struct signed_text *out)
{
    uint8_t a[SCALAR], r[SCALAR] = {0}, wide[64], h[SCALAR], product[SCALAR];
    crypto_hash_sha512_state state;
    random_scalar(a);
    random_bytes(out->text, sizeof out->text);
    cr_assert(crypto_scalarmult_ed25519_base_noclamp(out->key, a) == 0);
    add_torsion(out->key, recipe->key_torsion);
    memset(out->signature, 0, sizeof out->signature);
    out->signature[0] = 1; /* the identity */
    if (!recipe->no_r) {
        random_scalar(r);
        cr_assert(crypto_scalarmult_ed25519_base_noclamp(out->signature, r) == 0);
    }
    add_torsion(out->signature, recipe->r_torsion);
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, out->signature, ED25519_BYTES);
    crypto_hash_sha512_update(&state, out->key, sizeof out->key);
    crypto_hash_sha512_update(&state, out->text, sizeof out->text);
    crypto_hash_sha512_final(&state, wide);
    crypto_core_ed25519_scalar_reduce(h, wide);
    crypto_core_ed25519_scalar_mul(product, h, a);
    crypto_core_ed25519_scalar_add(out->signature + ED25519_BYTES, r, product);
}

/* The verdict at one level; a key that is refused fails. */
static enum verify verdict_at(enum kernel_level level, const struct signed_text *text)
{
    struct public_key *key = NULL;
    if (public_key_from_ed25519(span_of(text->key, sizeof text->key), &key) != KEY_OK)
        return VERIFY_FAIL;
    cr_assert(kernel_force(level));
    enum verify result = ed25519_verify(key, span_of(text->text, sizeof text->text),
                                        span_of(text->signature, sizeof text->signature));
    public_key_unref(&key);
    return result;
}

static enum kernel_level best_level(void)
{
    enum kernel_level level = KERNEL_LEVELS;
    while (!kernel_level_available(--level))
        continue;
    return level;
}

/* The verdict of both libraries. */
static enum verify verdict(const char *name, const struct signed_text *text)
{
    enum verify by_openssl = verdict_at(KERNEL_SCALAR, text);
    enum verify by_best = verdict_at(best_level(), text);
    cr_expect(by_openssl == by_best, "%s: OpenSSL %#x, libsodium %#x", name, by_openssl, by_best);
    return by_openssl;
}

Test(ed25519, libraries_follow_the_level)
{
    cr_assert(kernel_force(KERNEL_SCALAR));
    cr_expect(!ed25519_uses_sodium());
    if (!kernel_force(KERNEL_SSE) && !kernel_force(KERNEL_NEON))
        return;
    cr_expect(ed25519_uses_sodium());
}

/* What was signed verifies; a bit anywhere in key, signature or text makes it fail. */
static void change(struct signed_text *text, unsigned how)
{
    uint8_t *at[] = {text->signature, text->signature + ED25519_BYTES, text->key, text->text};
    at[how % COUNT_OF(at)][random_below(32)] ^= (uint8_t)(1u << random_below(8));
}

Test(ed25519, seeded_run)
{
    unsigned passed = 0;
    for (unsigned i = 0; i < CASES; i++) {
        struct signed_text text;
        sign(&(struct recipe){0}, &text);
        if (i % 5)
            change(&text, i % 5 - 1);
        enum verify got = verdict("seeded", &text);
        cr_expect((got == VERIFY_PASS) == (i % 5 == 0), "case %u: %#x", i, got);
        passed += got == VERIFY_PASS;
    }
    cr_expect(passed == CASES / 5);
}

/*
 * A key, or R, with a component of small order: without the cofactor such a signature passes for
 * one message in eight (the order), or never. Both libraries are of one mind, each way.
 */
Test(ed25519, components_of_small_order)
{
    unsigned passed[8] = {0};
    for (unsigned i = 0; i < CASES; i++) {
        struct signed_text text;
        struct recipe recipe = {.key_torsion = i % 8, .r_torsion = i / 8 % 2 ? i / 16 % 8 : 0};
        sign(&recipe, &text);
        enum verify got = verdict("torsion", &text);
        cr_assert(got == VERIFY_PASS || got == VERIFY_FAIL);
        if (recipe.r_torsion == 0)
            passed[recipe.key_torsion] += got == VERIFY_PASS;
        else if (recipe.key_torsion == 0)
            cr_expect(got == VERIFY_FAIL, "R with a component of small order, key without");
    }
    cr_expect(passed[0] > CASES / 32, "keys without: all %u", passed[0]);
    for (unsigned i = 1; i < 8; i++)
        cr_expect(passed[i] < passed[0], "a key with %u times it: %u of %u", i, passed[i],
                  passed[0]);
    cr_expect(passed[4] > 0, "order 2: every other message");
}

/* The rule on R decides: S B = h A with R the identity. OpenSSL alone says valid, libsodium not. */
Test(ed25519, R_of_small_order)
{
    for (unsigned times = 0; times < 8; times++) {
        struct signed_text text;
        sign(&(struct recipe){.no_r = true, .r_torsion = times}, &text);
        cr_expect(verdict("R of small order", &text) == VERIFY_FAIL, "%u", times);
        cr_expect(ed25519_sodium(text.key, span_of(text.text, sizeof text.text), text.signature) ==
                  VERIFY_FAIL);
    }
    struct signed_text text;
    struct public_key *key = NULL;
    sign(&(struct recipe){.no_r = true}, &text);
    cr_assert(public_key_from_ed25519(span_of(text.key, sizeof text.key), &key) == KEY_OK);
    cr_expect(ed25519_openssl(key, span_of(text.text, sizeof text.text), text.signature) ==
                  VERIFY_PASS,
              "the library has become stricter: good, the rule may go");
    public_key_unref(&key);
}

/* Encodings at the edges, as key and as R. All are of small order or not canonical. */
static const struct
{
    const char *name, *hex;
} edges[] = {
    {"identity", "0100000000000000000000000000000000000000000000000000000000000000"},
    {"identity, sign set", "0100000000000000000000000000000000000000000000000000000000000080"},
    {"order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"order 2, sign set", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"order 4", "0000000000000000000000000000000000000000000000000000000000000000"},
    {"order 4, sign set", "0000000000000000000000000000000000000000000000000000000000000080"},
    {"order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
    {"order 8, sign set", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"},
    {"order 8, other y", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"},
    {"order 8, other y, sign", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
    {"y = p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"y = p + 1, sign set", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"y = p + 3", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"y = 2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"all ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
};

Test(ed25519, edges_as_key_and_R)
{
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        struct signed_text text;
        struct public_key *key = NULL;
        sign(&(struct recipe){0}, &text);
        unhex(edges[i].hex, text.signature);
        cr_expect(verdict(edges[i].name, &text) == VERIFY_FAIL, "%s as R", edges[i].name);
        unhex(edges[i].hex, text.key);
        cr_expect(public_key_from_ed25519(span_of(text.key, sizeof text.key), &key) ==
                      KEY_SMALL_ORDER,
                  "%s as key", edges[i].name);
    }
}

/* S at L - 1, L, L + 1, and S + L, S + 2^252 multiples: nothing from L on is taken, by either. */
static void add_order(uint8_t scalar[SCALAR])
{
    static const uint8_t order[SCALAR] = {0xed,
                                          0xd3,
                                          0xf5,
                                          0x5c,
                                          0x1a,
                                          0x63,
                                          0x12,
                                          0x58,
                                          0xd6,
                                          0x9c,
                                          0xf7,
                                          0xa2,
                                          0xde,
                                          0xf9,
                                          0xde,
                                          0x14,
                                          [SCALAR - 1] = 0x10};
    unsigned carry = 0;
    for (size_t i = 0; i < SCALAR; i++) {
        carry += scalar[i] + order[i];
        scalar[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

Test(ed25519, range_of_S)
{
    struct signed_text text;
    sign(&(struct recipe){0}, &text);
    cr_expect(verdict("S", &text) == VERIFY_PASS);
    for (unsigned i = 1; i < 15; i++) { /* up to 2^256 */
        add_order(text.signature + ED25519_BYTES);
        cr_expect(verdict("S + i L", &text) == VERIFY_FAIL, "%u", i);
    }
    for (int off = -1; off <= 1; off++) {
        memset(text.signature + ED25519_BYTES, 0, SCALAR);
        add_order(text.signature + ED25519_BYTES);
        text.signature[ED25519_BYTES] = (uint8_t)(text.signature[ED25519_BYTES] + off);
        cr_expect(verdict("S at L", &text) == VERIFY_FAIL, "L %+d", off);
    }
    memset(text.signature + ED25519_BYTES, 0, SCALAR);
    cr_expect(verdict("S = 0", &text) == VERIFY_FAIL);
}

/* Only a signature of exactly 64 octets is looked at. */
Test(ed25519, length)
{
    struct signed_text text;
    struct public_key *key = NULL;
    uint8_t longer[ED25519_SIGNATURE_BYTES + 1] = {0};
    sign(&(struct recipe){0}, &text);
    memcpy(longer, text.signature, sizeof text.signature);
    cr_assert(public_key_from_ed25519(span_of(text.key, sizeof text.key), &key) == KEY_OK);
    for (size_t n = 0; n <= sizeof longer; n++) {
        enum verify want = n == ED25519_SIGNATURE_BYTES ? VERIFY_PASS : VERIFY_FAIL;
        cr_expect(ed25519_verify(key, span_of(text.text, sizeof text.text), span_of(longer, n)) ==
                      want,
                  "%zu octets", n);
    }
    public_key_unref(&key);
}
