#include "crypto/der_build.h"

#include <criterion/criterion.h>

void der_put(struct buffer *out, uint8_t tag, struct span contents)
{
    buffer_append_byte(out, tag);
    if (contents.n >= 0x100) {
        buffer_append_byte(out, 0x82);
        buffer_append_byte(out, (uint8_t)(contents.n >> 8));
    }
    if (contents.n >= 0x80 && contents.n < 0x100)
        buffer_append_byte(out, 0x81);
    buffer_append_byte(out, (uint8_t)contents.n);
    buffer_append(out, contents);
    cr_assert(!out->failed && contents.n < 0x10000);
}

void der_put_rsa(struct buffer *out, struct span modulus, struct span exponent)
{
    struct buffer inner;
    buffer_init(&inner, DER_BUILD_MAX);
    der_put(&inner, 0x02, modulus);
    der_put(&inner, 0x02, exponent);
    der_put(out, 0x30, buffer_span(&inner));
    buffer_fini(&inner);
}

void der_put_spki(struct buffer *out, struct span parameters, struct span rsa)
{
    static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
    struct buffer algorithm, bits, inner;
    buffer_init(&algorithm, DER_BUILD_MAX);
    buffer_init(&bits, DER_BUILD_MAX);
    buffer_init(&inner, DER_BUILD_MAX);
    buffer_append(&algorithm, span_of(oid, sizeof oid));
    buffer_append(&algorithm, parameters);
    buffer_append_byte(&bits, 0);
    buffer_append(&bits, rsa);
    der_put(&inner, 0x30, buffer_span(&algorithm));
    der_put(&inner, 0x03, buffer_span(&bits));
    der_put(out, 0x30, buffer_span(&inner));
    buffer_fini(&algorithm);
    buffer_fini(&bits);
    buffer_fini(&inner);
}

void der_odd_number(struct buffer *out, unsigned bits)
{
    size_t n = (bits + 7) / 8;
    unsigned top = (bits - 1) % 8;
    if (top == 7)
        buffer_append_byte(out, 0);
    for (size_t i = 0; i < n; i++) {
        uint8_t octet = (uint8_t)(0x55 + 38 * i);
        octet = octet ? octet : 1;
        if (i == 0)
            octet = (uint8_t)((octet & ((1u << top) - 1)) | 1u << top);
        buffer_append_byte(out, i == n - 1 ? octet | 1 : octet);
    }
}
