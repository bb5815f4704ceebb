/*
 * Private keys: reading, making, writing, signing. For tools and tests; no part of verifying.
 *
 * PEM of more than 64 KiB is not read. RSA keys are 1024 to 8192 bits, as verifiers demand.
 *
 * BUGS: keys in hardware are not reached.
 */
#include "crypto/sign.h"

#include <stdlib.h>

#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/limit.h"
#include "crypto/key_parts.h"
#include "crypto/openssl.h"

enum
{
    PEM_BYTES_MAX = 64 * 1024,
    PBKDF2_ROUNDS = 100 * 1000, /* OpenSSL's own 2,048 are of another time; this costs 50 ms */
};

struct private_key
{
    enum key_type type;
    EVP_PKEY *pkey; /* owned */
};

/* Takes `pkey`, also on failure. NULL without memory. */
static struct private_key *private_key_new(enum key_type type, EVP_PKEY *pkey)
{
    struct private_key *key = calloc(1, sizeof *key);
    if (!key) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    key->type = type;
    key->pkey = pkey;
    return key;
}

static bool rsa_bits_fit(unsigned bits)
{
    return bits >= MAX_RSA_BITS_MIN && bits <= MAX_RSA_BITS_MAX;
}

static bool key_is_supported(const EVP_PKEY *pkey, enum key_type *type)
{
    *type = KEY_ED25519;
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return true;
    *type = KEY_RSA;
    return EVP_PKEY_is_a(pkey, "RSA") && rsa_bits_fit((unsigned)EVP_PKEY_get_bits(pkey));
}

struct passphrase
{
    const char *text; /* borrowed; may be NULL */
    bool asked;
};

/* Never OpenSSL's own callback, which would ask at the terminal. */
static int give_passphrase(char *out, int capacity, int writing, void *data)
{
    struct passphrase *passphrase = data;
    (void)writing;
    passphrase->asked = true;
    size_t n = passphrase->text ? strlen(passphrase->text) : 0;
    if (!passphrase->text || capacity < 0 || n > (size_t)capacity)
        return -1;
    memcpy(out, passphrase->text, n);
    return (int)n;
}

static EVP_PKEY *read_pem(struct span pem, struct passphrase *passphrase)
{
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = in ? PEM_read_bio_PrivateKey(in, NULL, give_passphrase, passphrase) : NULL;
    BIO_free(in);
    openssl_forget_errors();
    return pkey;
}

/* Takes `pkey`, also on failure. */
static struct private_key *take_key(EVP_PKEY *pkey, const char **error)
{
    enum key_type type;
    if (!key_is_supported(pkey, &type)) {
        EVP_PKEY_free(pkey);
        *error = "unsupported_key";
        return NULL;
    }
    struct private_key *key = private_key_new(type, pkey);
    *error = key ? NULL : "no_memory";
    return key;
}

struct private_key *private_key_from_pem(struct span pem, const char *passphrase,
                                         const char **error)
{
    struct passphrase wanted = {.text = passphrase};
    *error = "unreadable";
    if (pem.n == 0 || pem.n > PEM_BYTES_MAX)
        return NULL;
    EVP_PKEY *pkey = read_pem(pem, &wanted);
    if (!pkey) {
        *error = wanted.asked ? "wrong_passphrase" : "unreadable";
        return NULL;
    }
    return take_key(pkey, error);
}

struct private_key *private_key_from_der(struct span der, const char **error)
{
    *error = "unreadable";
    if (der.n == 0 || der.n > PEM_BYTES_MAX)
        return NULL;
    const unsigned char *p = der.p;
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
    openssl_forget_errors();
    return pkey ? take_key(pkey, error) : NULL;
}

struct private_key *private_key_generate(enum key_type type, unsigned bits)
{
    if (type == KEY_RSA && !rsa_bits_fit(bits))
        return NULL;
    EVP_PKEY *pkey = type == KEY_RSA ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits)
                                     : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    openssl_forget_errors();
    return pkey ? private_key_new(type, pkey) : NULL;
}

enum key_type private_key_type(const struct private_key *key)
{
    return key->type;
}

unsigned private_key_bits(const struct private_key *key)
{
    return key->type == KEY_ED25519 ? 8 * ED25519_BYTES : (unsigned)EVP_PKEY_get_bits(key->pkey);
}

bool private_key_matches(const struct private_key *key, const struct public_key *public)
{
    bool equal = EVP_PKEY_eq(key->pkey, public->pkey) == 1;
    openssl_forget_errors();
    return equal;
}

static bool write_encrypted(BIO *out, const EVP_PKEY *pkey, const char *passphrase)
{
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pkey);
    X509_SIG *encrypted =
        plain ? PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase, -1, NULL, 0, PBKDF2_ROUNDS, plain)
              : NULL;
    bool done = encrypted && PEM_write_bio_PKCS8(out, encrypted) == 1;
    X509_SIG_free(encrypted);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return done;
}

static bool write_pem(BIO *out, const EVP_PKEY *pkey, const char *passphrase)
{
    if (passphrase)
        return write_encrypted(out, pkey, passphrase);
    return PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL) == 1;
}

bool private_key_to_pem(const struct private_key *key, const char *passphrase, struct buffer *out)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    bool done = memory && write_pem(memory, key->pkey, passphrase);
    char *text = NULL;
    long n = done ? BIO_get_mem_data(memory, &text) : 0;
    if (n > 0)
        buffer_append(out, span_of(text, (size_t)n));
    BIO_free(memory);
    openssl_forget_errors();
    return n > 0 && !out->failed;
}

static bool append_spki(const EVP_PKEY *pkey, struct buffer *out)
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);
    if (n > 0)
        buffer_append(out, span_of(der, (size_t)n));
    OPENSSL_free(der);
    openssl_forget_errors();
    return n > 0 && !out->failed;
}

static bool append_raw(const EVP_PKEY *pkey, struct buffer *out)
{
    uint8_t raw[ED25519_BYTES];
    size_t n = sizeof raw;
    bool done = EVP_PKEY_get_raw_public_key(pkey, raw, &n) == 1 && n == sizeof raw;
    if (done)
        buffer_append(out, span_of(raw, n));
    openssl_forget_errors();
    return done && !out->failed;
}

static bool append_public(enum key_type type, const EVP_PKEY *pkey, struct buffer *out)
{
    return type == KEY_RSA ? append_spki(pkey, out) : append_raw(pkey, out);
}

bool private_key_public(const struct private_key *key, struct buffer *out)
{
    return append_public(key->type, key->pkey, out);
}

static EVP_PKEY *read_public_pem(struct span pem)
{
    EVP_PKEY *pkey = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL, EVP_PKEY_PUBLIC_KEY, NULL, NULL);
    const unsigned char *p = pem.p;
    size_t n = pem.n;
    if (decoder && OSSL_DECODER_from_data(decoder, &p, &n) != 1)
        pkey = NULL;
    OSSL_DECODER_CTX_free(decoder);
    openssl_forget_errors();
    return pkey;
}

bool public_key_pem(struct span pem, enum key_type *type, struct buffer *out, const char **error)
{
    EVP_PKEY *pkey = pem.n && pem.n <= PEM_BYTES_MAX ? read_public_pem(pem) : NULL;
    *error = "unreadable";
    if (!pkey)
        return false;
    *error = "unsupported_key";
    bool done = false;
    if (key_is_supported(pkey, type)) {
        done = append_public(*type, pkey, out);
        *error = done ? NULL : "no_memory";
    }
    EVP_PKEY_free(pkey);
    return done;
}

static bool sign_rsa(EVP_PKEY *pkey, const uint8_t digest[SHA256_BYTES], uint8_t *signature,
                     size_t *n)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool done = context && openssl_sha256() && EVP_PKEY_sign_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context, openssl_sha256()) == 1 &&
                EVP_PKEY_sign(context, signature, n, digest, SHA256_BYTES) == 1;
    EVP_PKEY_CTX_free(context);
    return done;
}

static bool sign_ed25519(EVP_PKEY *pkey, const uint8_t digest[SHA256_BYTES], uint8_t *signature,
                         size_t *n)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestSign(context, signature, n, digest, SHA256_BYTES) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

bool private_key_sign(const struct private_key *key, const uint8_t digest[SHA256_BYTES],
                      struct buffer *out)
{
    uint8_t signature[MAX_RSA_BITS_MAX / 8];
    size_t n = sizeof signature;
    bool done = key->type == KEY_RSA ? sign_rsa(key->pkey, digest, signature, &n)
                                     : sign_ed25519(key->pkey, digest, signature, &n);
    if (done)
        buffer_append(out, span_of(signature, n));
    openssl_forget_errors();
    return done && !out->failed;
}

void private_key_free(struct private_key **key)
{
    struct private_key *dropped = *key;
    *key = NULL;
    if (!dropped)
        return;
    EVP_PKEY_free(dropped->pkey);
    free(dropped);
}
