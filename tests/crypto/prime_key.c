#include "crypto/prime_key.h"

#include <criterion/criterion.h>
#include <openssl/bn.h>

#include "crypto/der_build.h"

typedef BIGNUM *prime(BIGNUM *);

static const struct
{
    unsigned bits;
    prime *get;
} primes[] = {
    {1024, BN_get_rfc2409_prime_1024}, {1536, BN_get_rfc3526_prime_1536},
    {2048, BN_get_rfc3526_prime_2048}, {3072, BN_get_rfc3526_prime_3072},
    {4096, BN_get_rfc3526_prime_4096}, {6144, BN_get_rfc3526_prime_6144},
    {8192, BN_get_rfc3526_prime_8192},
};

/* The largest prime of the table that is not too long. */
static BIGNUM *large_prime(unsigned bits, unsigned *size)
{
    size_t i = COUNT_OF(primes);
    while (i && primes[--i].bits > bits)
        continue;
    *size = primes[i].bits;
    return primes[i].get(NULL);
}

/* The second factor; 1 where the prime has the size already. */
static BIGNUM *small_prime(unsigned bits)
{
    BIGNUM *p = BN_new();
    cr_assert(p != NULL);
    cr_assert(bits ? BN_generate_prime_ex(p, (int)bits, 0, NULL, NULL, NULL) : BN_one(p));
    return p;
}

/* n, and e^-1 mod (p-1)(q-1) or mod p-1. */
static void numbers(const struct prime_key *key, BIGNUM *n, BIGNUM *d, BN_CTX *context)
{
    unsigned size;
    BIGNUM *p = large_prime(key->bits, &size), *q, *e = BN_new();
    cr_assert(p && e && BN_set_word(e, key->exponent));
    for (;;) { /* until the product has the bits that were asked for, and e has an inverse */
        q = small_prime(key->bits - size);
        cr_assert(BN_mul(n, p, q, context));
        BIGNUM *p1 = BN_dup(p), *q1 = BN_dup(q);
        BN_sub_word(p1, 1);
        if (!BN_is_one(q))
            BN_sub_word(q1, 1);
        cr_assert(BN_mul(p1, p1, q1, context));
        bool fits = BN_num_bits(n) == (int)key->bits && BN_mod_inverse(d, e, p1, context);
        BN_free(p1);
        BN_free(q1);
        BN_free(q);
        if (fits)
            break;
    }
    BN_free(p);
    BN_free(e);
}

static struct public_key *key_object(const struct prime_key *key)
{
    struct buffer der, modulus, exponent;
    struct public_key *made = NULL;
    buffer_init(&der, DER_BUILD_MAX);
    buffer_init(&modulus, DER_BUILD_MAX);
    buffer_init(&exponent, 8);
    if (key->modulus[0] & 0x80)
        buffer_append_byte(&modulus, 0);
    buffer_append(&modulus, span_of(key->modulus, key->n));
    for (int shift = 24; shift >= 0; shift -= 8)
        if (key->exponent >> shift)
            buffer_append_byte(&exponent, (uint8_t)(key->exponent >> shift));
    der_put_rsa(&der, buffer_span(&modulus), buffer_span(&exponent));
    cr_assert(public_key_from_rsa(buffer_span(&der), &made) == KEY_OK);
    buffer_fini(&exponent);
    buffer_fini(&modulus);
    buffer_fini(&der);
    return made;
}

void prime_key_make(struct prime_key *key, unsigned bits, uint32_t exponent)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *n = BN_new(), *d = BN_new();
    *key = (struct prime_key){.bits = bits, .exponent = exponent};
    numbers(key, n, d, context);
    key->n = (size_t)BN_bn2bin(n, key->modulus);
    cr_assert(BN_bn2binpad(d, key->d, (int)key->n) == (int)key->n);
    key->key = key_object(key);
    BN_free(n);
    BN_free(d);
    BN_CTX_free(context);
}

void prime_key_again(struct prime_key *key, const struct prime_key *former)
{
    *key = *former;
    key->key = key_object(former);
}

void prime_key_fini(struct prime_key *key)
{
    public_key_unref(&key->key);
}

void prime_key_sign(const struct prime_key *key, const uint8_t digest[SHA256_BYTES],
                    uint8_t *signature)
{
    static const uint8_t info[] = {0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
                                   0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    uint8_t block[PRIME_KEY_BYTES_MAX];
    BN_CTX *context = BN_CTX_new();
    BIGNUM *n = BN_bin2bn(key->modulus, (int)key->n, NULL);
    BIGNUM *d = BN_bin2bn(key->d, (int)key->n, NULL);
    memset(block, 0xff, key->n);
    block[0] = 0, block[1] = 1;
    memcpy(block + key->n - SHA256_BYTES - sizeof info, info, sizeof info);
    memcpy(block + key->n - SHA256_BYTES, digest, SHA256_BYTES);
    BIGNUM *m = BN_bin2bn(block, (int)key->n, NULL);
    cr_assert(BN_mod_exp(m, m, d, n, context));
    cr_assert(BN_bn2binpad(m, signature, (int)key->n) == (int)key->n);
    BN_free(m);
    BN_free(d);
    BN_free(n);
    BN_CTX_free(context);
}
