/*
 * The numbers of an RSA public key out of DER, with every check that costs no arithmetic.
 *
 * Refused: moduli outside 1024 to 8192 bits, even, zero or negative ones; exponents that are even,
 * below 3 or above 32 bits (a huge exponent makes one check cost milliseconds, security.md D04).
 *
 * BUGS: no trial division for tiny factors, no table of known weak keys (D07): a key that its owner
 * gave away is the owner's loss, not ours.
 */
#include "base/limit.h"
#include "crypto/der.h"
#include "crypto/rsa.h"

/* 1.2.840.113549.1.1.1, rsaEncryption (RFC 8017 appendix A.1) */
static const uint8_t rsa_encryption[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};

/*
 *   AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters NULL }
 *
 * RFC 3279 2.3.1 demands the NULL. Keys without it are about, and it says nothing: accepted.
 */
static bool read_algorithm(struct cursor *spki)
{
    struct cursor algorithm = der_enter(spki, DER_SEQUENCE);
    struct span oid = der_read(&algorithm, DER_OID);
    if (!span_equal(oid, span_of(rsa_encryption, sizeof rsa_encryption)))
        return false;
    if (cursor_left(&algorithm) == 0)
        return cursor_done(&algorithm);
    return der_read(&algorithm, DER_NULL).n == 0 && cursor_done(&algorithm);
}

/*
 *   SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier,
 *                                       subjectPublicKey BIT STRING }      (RFC 5280 4.1)
 *
 * The bit string is whole octets: its first octet, the count of unused bits, is zero.
 */
static struct span read_spki(struct cursor *spki)
{
    const struct span nothing = {NULL, 0};
    if (!read_algorithm(spki))
        return nothing;
    struct span bits = der_read(spki, DER_BIT_STRING);
    if (!cursor_done(spki) || bits.n == 0 || bits.p[0] != 0)
        return nothing;
    return span_skip(bits, 1);
}

/*
 *   RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }    (RFC 8017 A.1.1)
 */
static bool read_integers(struct span der, struct span *modulus, struct span *exponent)
{
    struct cursor outer = cursor_of(der);
    struct cursor inner = der_enter(&outer, DER_SEQUENCE);
    *modulus = der_read_integer(&inner);
    *exponent = der_read_integer(&inner);
    return cursor_done(&inner) && cursor_done(&outer);
}

/* DV-35: the RFC's text names the bare key, its appendix and the world publish the wrapped one. */
static struct span unwrap(struct span der)
{
    struct cursor outer = cursor_of(der);
    struct cursor inner = der_enter(&outer, DER_SEQUENCE);
    if (der_next_is(&inner, DER_INTEGER))
        return der;
    if (!cursor_done(&outer))
        return (struct span){NULL, 0};
    return read_spki(&inner);
}

static unsigned bit_length(struct span magnitude)
{
    if (magnitude.n == 0 || magnitude.n > UINT32_MAX / 16)
        return magnitude.n ? UINT32_MAX : 0;
    unsigned top = 32 - (unsigned)__builtin_clz(magnitude.p[0]);
    return (unsigned)(magnitude.n - 1) * 8 + top;
}

static enum key_error check_modulus(struct span contents)
{
    if (der_integer_negative(contents))
        return KEY_BAD_MODULUS;
    struct span magnitude = der_integer_magnitude(contents);
    if (magnitude.n == 0)
        return KEY_BAD_MODULUS;
    unsigned bits = bit_length(magnitude);
    if (bits < MAX_RSA_BITS_MIN) /* DV-37 */
        return KEY_TOO_SMALL;
    if (bits > MAX_RSA_BITS_MAX)
        return KEY_TOO_LARGE;
    if (magnitude.p[magnitude.n - 1] % 2 == 0)
        return KEY_BAD_MODULUS;
    return KEY_OK;
}

static bool read_exponent(struct span contents, uint32_t *exponent)
{
    if (der_integer_negative(contents))
        return false;
    struct span magnitude = der_integer_magnitude(contents);
    if (magnitude.n > sizeof *exponent)
        return false;
    uint32_t number = 0;
    for (size_t i = 0; i < magnitude.n; i++)
        number = number << 8 | magnitude.p[i];
    if (number < 3 || number % 2 == 0)
        return false;
    *exponent = number;
    return true;
}

enum key_error rsa_numbers_read(struct span der, struct rsa_numbers *numbers)
{
    struct span modulus, exponent;
    struct rsa_numbers read = {.bits = 0};
    if (!read_integers(unwrap(der), &modulus, &exponent))
        return KEY_BAD_ENCODING;
    enum key_error error = check_modulus(modulus);
    if (error != KEY_OK)
        return error;
    if (!read_exponent(exponent, &read.exponent))
        return KEY_BAD_EXPONENT;
    read.modulus = der_integer_magnitude(modulus);
    read.bits = bit_length(read.modulus);
    *numbers = read;
    return KEY_OK;
}
