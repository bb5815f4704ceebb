/*
 * Public keys: made once from DNS data, then shared and read only.
 *
 * Keys are built with EVP_PKEY_fromdata from numbers that our own reader has checked: 4 µs, where
 * d2i_PUBKEY takes 100, and no public-key check of OpenSSL runs on hostile numbers (D13).
 */
#include "crypto/key.h"

#include <stdlib.h>

#include "crypto/ed25519.h"
#include "crypto/key_parts.h"
#include "crypto/openssl.h"
#include "crypto/rsa.h"

/* malloc's count with OpenSSL 3.0 on x86-64, one verification done: 1,865 bytes for a key of 1024
 * bits, 2,491 for 2048, 3,770 for 4096; 487 for Ed25519. */
enum
{
    LIBRARY_BYTES = 1200,
    LIBRARY_MODULI = 4,
};

/* From `bytes` to what stands behind the modulus. */
static size_t behind_offset(struct span modulus)
{
    return (offsetof(struct public_key, bytes) + modulus.n + 7) / 8 * 8 -
           offsetof(struct public_key, bytes);
}

/* `behind`: memory for more, 8-byte aligned, behind the modulus. */
static struct public_key *key_new(enum key_type type, struct span modulus, size_t behind)
{
    struct public_key *key = calloc(1, sizeof *key + behind_offset(modulus) + behind);
    if (!key)
        return NULL;
    key->type = type;
    atomic_init(&key->references, 1);
    if (modulus.n)
        memcpy(key->bytes, modulus.p, modulus.n);
    key->modulus = span_of(key->bytes, modulus.n);
    key->spare = &key->shared_spare;
    return key;
}

/* The form of numbers that the kernels in use want of such a key; NULL: none takes it. */
static const struct rsa_shape *lane_shape(const struct rsa_numbers *numbers)
{
    const struct rsa_family *family = rsa_family_active();
    if (!family || numbers->exponent != RSA_LANES_EXPONENT)
        return NULL;
    unsigned class = rsa_class_of(family, numbers->bits);
    return class < RSA_CLASSES ? &family->shapes[class] : NULL;
}

/* Ends the making of a key: without the library's object there is none. */
static enum key_error key_give(struct public_key *made, struct public_key **key)
{
    if (made && !made->pkey)
        public_key_unref(&made);
    if (!made)
        openssl_forget_errors();
    *key = made;
    return made ? KEY_OK : KEY_NO_MEMORY;
}

enum key_error public_key_from_rsa(struct span der, struct public_key **key)
{
    struct rsa_numbers numbers;
    *key = NULL;
    enum key_error error = rsa_numbers_read(der, &numbers);
    if (error != KEY_OK)
        return error;
    const struct rsa_shape *shape = lane_shape(&numbers);
    struct public_key *made =
        key_new(KEY_RSA, numbers.modulus, shape ? rsa_constants_bytes(shape) : 0);
    if (made) {
        made->bits = numbers.bits;
        made->exponent = numbers.exponent;
        made->pkey = rsa_key_make(&numbers);
    }
    if (made && shape) {
        struct rsa_constants *constants =
            (struct rsa_constants *)(void *)(made->bytes + behind_offset(numbers.modulus));
        rsa_constants_make(shape, numbers.modulus, constants);
        made->lanes = constants;
    }
    return key_give(made, key);
}

enum key_error public_key_from_ed25519(struct span raw, struct public_key **key)
{
    *key = NULL;
    if (raw.n != ED25519_BYTES)
        return KEY_BAD_ENCODING;
    if (!ed25519_point_is_sound(raw.p))
        return KEY_SMALL_ORDER;
    struct public_key *made = key_new(KEY_ED25519, (struct span){NULL, 0}, raw.n);
    if (made) {
        memcpy(made->bytes, raw.p, raw.n);
        made->bits = 8 * ED25519_BYTES;
        made->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.p, raw.n);
    }
    return key_give(made, key);
}

enum key_type public_key_type(const struct public_key *key)
{
    return key->type;
}

unsigned public_key_bits(const struct public_key *key)
{
    return key->bits;
}

uint32_t public_key_exponent(const struct public_key *key)
{
    return key->exponent;
}

size_t public_key_bytes(const struct public_key *key)
{
    return sizeof *key + behind_offset(key->modulus) +
           (key->lanes ? rsa_constants_bytes(key->lanes->shape) : 0) + LIBRARY_BYTES +
           LIBRARY_MODULI * key->modulus.n;
}

struct public_key *public_key_ref(struct public_key *key)
{
    /* Relaxed: who may take a reference already holds one. */
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

static void key_free(struct public_key *key)
{
    EVP_PKEY_CTX_free(atomic_load(&key->spare->context));
    EVP_PKEY_free(key->pkey);
    free(key);
}

void public_key_unref(struct public_key **key)
{
    struct public_key *dropped = *key;
    *key = NULL;
    if (!dropped)
        return;
    /* Release orders this thread's uses before the free; acquire orders the free after everybody's.
     */
    if (atomic_fetch_sub_explicit(&dropped->references, 1, memory_order_acq_rel) == 1)
        key_free(dropped);
}

const char *key_error_word(enum key_error error)
{
    static const char *const words[] = {
        [KEY_OK] = "ok",
        [KEY_BAD_ENCODING] = "key_bad_encoding",
        [KEY_TOO_SMALL] = "key_too_small",
        [KEY_TOO_LARGE] = "key_too_large",
        [KEY_BAD_EXPONENT] = "key_bad_exponent",
        [KEY_BAD_MODULUS] = "key_bad_modulus",
        [KEY_SMALL_ORDER] = "key_small_order",
        [KEY_NO_MEMORY] = "no_memory",
    };
    return (unsigned)error < COUNT_OF(words) ? words[error] : "key_unknown_error";
}
