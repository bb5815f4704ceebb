/* Key shapes and sizes (DV-35, DV-36, DV-37; security.md D04-D06, D08, D10, D12). */
#include <stdio.h>

#include <criterion/criterion.h>

#include "crypto/der_build.h"
#include "crypto/key.h"
#include "support/guard.h"
#include "support/hex.h"

static void expect_rsa(const char *name, struct span der, enum key_error want)
{
    struct public_key *key = NULL;
    enum key_error got = public_key_from_rsa(guard_copy(der), &key);
    cr_expect(got == want, "%s: got %s want %s", name, key_error_word(got), key_error_word(want));
    cr_expect((key != NULL) == (got == KEY_OK), "%s: key and error disagree", name);
    public_key_unref(&key);
    cr_expect(key == NULL);
}

static void expect_rsa_hex(const char *name, const char *hex, enum key_error want)
{
    struct buffer der;
    buffer_init(&der, DER_BUILD_MAX);
    hex_bytes(hex, &der);
    expect_rsa(name, buffer_span(&der), want);
    buffer_fini(&der);
}

/* A bare key from a modulus of `bits` bits and an exponent's contents in hexadecimal. */
static void make_bare(struct buffer *out, unsigned bits, const char *exponent_hex)
{
    struct buffer modulus, exponent;
    buffer_init(&modulus, DER_BUILD_MAX);
    buffer_init(&exponent, DER_BUILD_MAX);
    der_odd_number(&modulus, bits);
    hex_bytes(exponent_hex, &exponent);
    der_put_rsa(out, buffer_span(&modulus), buffer_span(&exponent));
    buffer_fini(&modulus);
    buffer_fini(&exponent);
}

/* D05, D06, DV-37: RSA_BITS_MIN and RSA_BITS_MAX at limit-1, limit, limit+1, and far beyond. */
Test(key, modulus_bits)
{
    static const struct
    {
        unsigned bits;
        enum key_error error;
    } cases[] = {
        {1, KEY_TOO_SMALL},     {512, KEY_TOO_SMALL}, {1016, KEY_TOO_SMALL}, {1023, KEY_TOO_SMALL},
        {1024, KEY_OK},         {1025, KEY_OK},       {2048, KEY_OK},        {4096, KEY_OK},
        {8191, KEY_OK},         {8192, KEY_OK},       {8193, KEY_TOO_LARGE}, {16384, KEY_TOO_LARGE},
        {60000, KEY_TOO_LARGE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer bare, spki;
        char name[32];
        struct public_key *key = NULL;
        buffer_init(&bare, DER_BUILD_MAX);
        buffer_init(&spki, DER_BUILD_MAX);
        make_bare(&bare, cases[i].bits, "010001");
        der_put_spki(&spki, SPAN("\x05\x00"), buffer_span(&bare));
        snprintf(name, sizeof name, "%u bits", cases[i].bits);
        expect_rsa(name, buffer_span(&bare), cases[i].error);
        expect_rsa(name, buffer_span(&spki), cases[i].error);
        if (public_key_from_rsa(buffer_span(&spki), &key) == KEY_OK) {
            cr_expect(public_key_bits(key) == cases[i].bits, "got %u want %u bits",
                      public_key_bits(key), cases[i].bits);
            cr_expect(public_key_exponent(key) == 65537);
            cr_expect(public_key_type(key) == KEY_RSA);
        }
        public_key_unref(&key);
        buffer_fini(&bare);
        buffer_fini(&spki);
    }
}

/* D04, D08: 3 <= e < 2^32, odd. */
Test(key, exponents)
{
    static const struct
    {
        const char *hex;
        enum key_error error;
        uint32_t value;
    } cases[] = {
        {"00", KEY_BAD_EXPONENT, 0},
        {"01", KEY_BAD_EXPONENT, 0},
        {"02", KEY_BAD_EXPONENT, 0},
        {"03", KEY_OK, 3},
        {"04", KEY_BAD_EXPONENT, 0},
        {"11", KEY_OK, 17},
        {"010001", KEY_OK, 65537},
        {"7fffffff", KEY_OK, 0x7fffffff},
        {"00fffffffe", KEY_BAD_EXPONENT, 0},
        {"00ffffffff", KEY_OK, UINT32_MAX},
        {"0100000001", KEY_BAD_EXPONENT, 0},
        {"0100000000000003", KEY_BAD_EXPONENT, 0},
        {"ff", KEY_BAD_EXPONENT, 0}, /* -1 */
        {"ffffffff03", KEY_BAD_ENCODING, 0},
        {"0003", KEY_BAD_ENCODING, 0}, /* not the shortest form */
        {"", KEY_BAD_ENCODING, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer der;
        struct public_key *key = NULL;
        buffer_init(&der, DER_BUILD_MAX);
        make_bare(&der, 1024, cases[i].hex);
        expect_rsa(cases[i].hex, buffer_span(&der), cases[i].error);
        if (public_key_from_rsa(buffer_span(&der), &key) == KEY_OK)
            cr_expect(public_key_exponent(key) == cases[i].value, "%s", cases[i].hex);
        public_key_unref(&key);
        buffer_fini(&der);
    }
}

/* D04: n of 3072 bits with e of 3071: 1,060 characters of base64, and milliseconds a check. */
Test(key, exponent_as_large_as_the_modulus)
{
    struct buffer modulus, exponent, der;
    buffer_init(&modulus, DER_BUILD_MAX);
    buffer_init(&exponent, DER_BUILD_MAX);
    buffer_init(&der, DER_BUILD_MAX);
    der_odd_number(&modulus, 3072);
    der_odd_number(&exponent, 3071);
    der_put_rsa(&der, buffer_span(&modulus), buffer_span(&exponent));
    expect_rsa("3071-bit exponent", buffer_span(&der), KEY_BAD_EXPONENT);
    buffer_fini(&modulus);
    buffer_fini(&exponent);
    buffer_fini(&der);
}

/* D08: a modulus that is zero, even or negative. */
Test(key, degenerate_moduli)
{
    struct buffer number, der;
    buffer_init(&number, DER_BUILD_MAX);
    buffer_init(&der, DER_BUILD_MAX);
    der_odd_number(&number, 2048);
    struct span odd = buffer_span(&number);

    number.p[number.n - 1] ^= 1;
    der_put_rsa(&der, odd, SPAN("\x01\x00\x01"));
    expect_rsa("even", buffer_span(&der), KEY_BAD_MODULUS);
    number.p[number.n - 1] ^= 1;

    buffer_reset(&der);
    der_put_rsa(&der, span_skip(odd, 1), SPAN("\x01\x00\x01"));
    expect_rsa("negative: the sign octet left out", buffer_span(&der), KEY_BAD_MODULUS);

    buffer_reset(&der);
    der_put_rsa(&der, SPAN("\x00"), SPAN("\x01\x00\x01"));
    expect_rsa("zero", buffer_span(&der), KEY_BAD_MODULUS);

    buffer_reset(&der);
    buffer_reset(&number);
    buffer_append_byte(&number, 0);
    der_odd_number(&number, 2048);
    der_put_rsa(&der, buffer_span(&number), SPAN("\x01\x00\x01"));
    expect_rsa("two leading zeros", buffer_span(&der), KEY_BAD_ENCODING);
    buffer_fini(&number);
    buffer_fini(&der);
}

/* DV-35 and D12: both shapes, parameters NULL or absent, and nothing behind any part. */
Test(key, shapes)
{
    static const struct
    {
        const char *name, *parameters_hex, *after_rsa_hex, *after_spki_hex;
        enum key_error error;
    } cases[] = {
        {"NULL", "0500", "", "", KEY_OK},
        {"absent parameters", "", "", "", KEY_OK},
        {"NULL with contents", "050100", "", "", KEY_BAD_ENCODING},
        {"NULL with a long length", "058100", "", "", KEY_BAD_ENCODING},
        {"two NULLs", "05000500", "", "", KEY_BAD_ENCODING},
        {"a sequence as parameters", "3000", "", "", KEY_BAD_ENCODING},
        {"half a NULL", "05", "", "", KEY_BAD_ENCODING},
        {"byte in the bit string", "0500", "00", "", KEY_BAD_ENCODING},
        {"byte at the end", "0500", "", "00", KEY_BAD_ENCODING},
        {"NULL at the end", "0500", "", "0500", KEY_BAD_ENCODING},
    };
    struct buffer bare, inner, spki;
    buffer_init(&bare, DER_BUILD_MAX);
    buffer_init(&inner, DER_BUILD_MAX);
    buffer_init(&spki, DER_BUILD_MAX);
    make_bare(&bare, 1024, "010001");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer parameters;
        buffer_init(&parameters, 64);
        buffer_reset(&inner);
        buffer_reset(&spki);
        hex_bytes(cases[i].parameters_hex, &parameters);
        buffer_append(&inner, buffer_span(&bare));
        hex_bytes(cases[i].after_rsa_hex, &inner);
        der_put_spki(&spki, buffer_span(&parameters), buffer_span(&inner));
        hex_bytes(cases[i].after_spki_hex, &spki);
        expect_rsa(cases[i].name, buffer_span(&spki), cases[i].error);
        buffer_fini(&parameters);
    }
    expect_rsa("bare", buffer_span(&bare), KEY_OK);
    buffer_append_byte(&bare, 0);
    expect_rsa("bare with a byte behind", buffer_span(&bare), KEY_BAD_ENCODING);
    bare.n--;
    /* A SubjectPublicKeyInfo inside a SubjectPublicKeyInfo is no RSAPublicKey. */
    buffer_reset(&inner);
    buffer_reset(&spki);
    der_put_spki(&inner, SPAN("\x05\x00"), buffer_span(&bare));
    der_put_spki(&spki, SPAN("\x05\x00"), buffer_span(&inner));
    expect_rsa("wrapped twice", buffer_span(&spki), KEY_BAD_ENCODING);
    buffer_fini(&bare);
    buffer_fini(&inner);
    buffer_fini(&spki);
}

/* The record twice in one string (D12): two keys behind each other are no key. */
Test(key, twice)
{
    struct buffer der;
    buffer_init(&der, DER_BUILD_MAX);
    make_bare(&der, 1024, "010001");
    make_bare(&der, 1024, "010001");
    expect_rsa("two bare keys", buffer_span(&der), KEY_BAD_ENCODING);
    buffer_fini(&der);
}

Test(key, small_encodings)
{
    static const struct
    {
        const char *name, *hex;
    } cases[] = {
        {"nothing", ""},
        {"one byte", "30"},
        {"empty sequence", "3000"},
        {"indefinite length", "3080020103020103"
                              "0000"},
        {"length past the end", "30060201030201"},
        {"four length octets past the end", "3084ffffffff"},
        {"five length octets", "308500000000060201030201"
                               "03"},
        {"long form below 128", "308106020103020103"},
        {"leading zero in the length", "30820006020103020103"},
        {"a third integer", "3009020103020103020103"},
        {"one integer", "3003020103"},
        {"empty integer", "30050200020103"},
        {"wrong outer tag", "3106020103020103"},
        {"bit string first", "3006030103020103"},
        {"high tag number", "1f3006020103020103"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_rsa_hex(cases[i].name, cases[i].hex, KEY_BAD_ENCODING);
    expect_rsa_hex("3 and 3, well encoded", "3006020103020103", KEY_TOO_SMALL);
}

/* Every prefix of a good key fails; it ends at an inaccessible page. */
Test(key, every_prefix_fails)
{
    struct buffer bare, spki;
    buffer_init(&bare, DER_BUILD_MAX);
    buffer_init(&spki, DER_BUILD_MAX);
    make_bare(&bare, 1024, "010001");
    der_put_spki(&spki, SPAN("\x05\x00"), buffer_span(&bare));
    for (size_t n = 0; n < bare.n; n++)
        expect_rsa("bare prefix", span_of(bare.p, n), KEY_BAD_ENCODING);
    for (size_t n = 0; n < spki.n; n++)
        expect_rsa("wrapped prefix", span_of(spki.p, n), KEY_BAD_ENCODING);
    buffer_fini(&bare);
    buffer_fini(&spki);
}

/* Any one octet of the framing changed to anything: refused, or still a key within the limits. */
Test(key, every_framing_byte_changed)
{
    struct buffer bare, spki;
    buffer_init(&bare, DER_BUILD_MAX);
    buffer_init(&spki, DER_BUILD_MAX);
    make_bare(&bare, 1024, "010001");
    der_put_spki(&spki, SPAN("\x05\x00"), buffer_span(&bare));
    size_t accepted = 0;
    for (size_t at = 0; at < 34; at++) {
        for (unsigned change = 1; change < 256; change++) {
            struct public_key *key = NULL;
            spki.p[at] ^= (uint8_t)change;
            if (public_key_from_rsa(buffer_span(&spki), &key) == KEY_OK) {
                accepted++;
                cr_expect(public_key_bits(key) >= 1024 && public_key_bits(key) <= 1032);
            }
            public_key_unref(&key);
            spki.p[at] ^= (uint8_t)change;
        }
    }
    /* Octets of the modulus itself may change: the sign octet or what follows, never the framing.
     */
    cr_expect(accepted < 5 * 256, "%zu accepted", accepted);
    buffer_fini(&bare);
    buffer_fini(&spki);
}

/* The OID must be rsaEncryption: not RSASSA-PSS, not Ed25519, not a longer or shorter one. */
Test(key, other_algorithms)
{
    struct buffer bare, spki;
    buffer_init(&bare, DER_BUILD_MAX);
    buffer_init(&spki, DER_BUILD_MAX);
    make_bare(&bare, 1024, "010001");
    der_put_spki(&spki, SPAN("\x05\x00"), buffer_span(&bare));
    uint8_t *arcs = memmem(spki.p, spki.n, "\xf7\x0d\x01\x01\x01", 5);
    cr_assert(arcs != NULL);
    arcs[4] = 0x0a;
    expect_rsa("RSASSA-PSS", buffer_span(&spki), KEY_BAD_ENCODING);
    buffer_fini(&bare);
    buffer_fini(&spki);
    /* RFC 8410: an Ed25519 key as SubjectPublicKeyInfo. */
    expect_rsa_hex("Ed25519",
                   "302a300506032b6570032100"
                   "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                   KEY_BAD_ENCODING);
}

static void expect_ed25519(const char *name, const char *hex, enum key_error want)
{
    struct buffer raw;
    struct public_key *key = NULL;
    buffer_init(&raw, 64);
    hex_bytes(hex, &raw);
    enum key_error got = public_key_from_ed25519(guard_copy(buffer_span(&raw)), &key);
    cr_expect(got == want, "%s: got %s want %s", name, key_error_word(got), key_error_word(want));
    cr_expect((key != NULL) == (got == KEY_OK), "%s: key and error disagree", name);
    if (key) {
        cr_expect(public_key_type(key) == KEY_ED25519);
        cr_expect(public_key_bits(key) == 256);
        cr_expect(public_key_exponent(key) == 0);
    }
    public_key_unref(&key);
    buffer_fini(&raw);
}

#define FF30 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define ZERO30 "000000000000000000000000000000000000000000000000000000000000"

/* DV-36, D10, D12. */
Test(key, ed25519)
{
    static const struct
    {
        const char *name, *hex;
        enum key_error error;
    } cases[] = {
        {"RFC 8032 test 1", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
         KEY_OK},
        {"31 bytes", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751",
         KEY_BAD_ENCODING},
        {"33 bytes", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00",
         KEY_BAD_ENCODING},
        {"44 bytes: SubjectPublicKeyInfo",
         "302a300506032b6570032100"
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
         KEY_BAD_ENCODING},
        {"empty", "", KEY_BAD_ENCODING},
        /* the eight points */
        {"order 1", "01" ZERO30 "00", KEY_SMALL_ORDER},
        {"order 2", "ec" FF30 "7f", KEY_SMALL_ORDER},
        {"order 4, even x", "00" ZERO30 "00", KEY_SMALL_ORDER},
        {"order 4, odd x", "00" ZERO30 "80", KEY_SMALL_ORDER},
        {"order 8, 1", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
         KEY_SMALL_ORDER},
        {"order 8, 2", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
         KEY_SMALL_ORDER},
        {"order 8, 3", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
         KEY_SMALL_ORDER},
        {"order 8, 4", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
         KEY_SMALL_ORDER},
        /* the same points in forms that are not canonical */
        {"order 1, sign bit", "01" ZERO30 "80", KEY_SMALL_ORDER},
        {"order 2, sign bit", "ec" FF30 "ff", KEY_SMALL_ORDER},
        {"order 4, y = p", "ed" FF30 "7f", KEY_SMALL_ORDER},
        {"order 4, y = p, sign bit", "ed" FF30 "ff", KEY_SMALL_ORDER},
        {"order 1, y = p + 1", "ee" FF30 "7f", KEY_SMALL_ORDER},
        {"order 1, y = p + 1, sign bit", "ee" FF30 "ff", KEY_SMALL_ORDER},
        /* y >= p up to 2^255 - 1 */
        {"y = p + 2", "ef" FF30 "7f", KEY_SMALL_ORDER},
        {"y = 2^255 - 1", "ff" FF30 "7f", KEY_SMALL_ORDER},
        {"all ones", "ff" FF30 "ff", KEY_SMALL_ORDER},
        /* just below p: a number like any other, on the curve or not */
        {"y = p - 2", "eb" FF30 "7f", KEY_OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_ed25519(cases[i].name, cases[i].hex, cases[i].error);
}

Test(key, references)
{
    struct buffer der;
    struct public_key *first = NULL, *none = NULL;
    buffer_init(&der, DER_BUILD_MAX);
    make_bare(&der, 1024, "03");
    cr_assert(public_key_from_rsa(buffer_span(&der), &first) == KEY_OK);
    buffer_fini(&der); /* the key keeps nothing of its input */
    struct public_key *second = public_key_ref(first);
    cr_expect(second == first);
    public_key_unref(&first);
    cr_expect(first == NULL);
    cr_expect(public_key_bits(second) == 1024);
    public_key_unref(&second);
    public_key_unref(&none);
}

Test(key, words)
{
    static const enum key_error errors[] = {
        KEY_OK,           KEY_BAD_ENCODING, KEY_TOO_SMALL,   KEY_TOO_LARGE,
        KEY_BAD_EXPONENT, KEY_BAD_MODULUS,  KEY_SMALL_ORDER, KEY_NO_MEMORY,
    };
    for (size_t i = 0; i < COUNT_OF(errors); i++)
        for (size_t k = 0; k < i; k++)
            cr_expect(strcmp(key_error_word(errors[i]), key_error_word(errors[k])) != 0);
    cr_expect(strcmp(key_error_word((enum key_error)99), "key_unknown_error") == 0);
}
