/*
 * The little of DER (X.690) that a public key needs: one-byte tags, definite lengths in their
 * shortest form, integers in their shortest form. Everything else fails the cursor.
 *
 * Inner values are read with a cursor of their own, which must be done at its end: no trailing
 * bytes anywhere (security.md D12).
 */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "base/cursor.h"

enum der_tag
{
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
};

/* The contents of the next value, which must have this tag; else an empty span and `failed`. */
struct span der_read(struct cursor *c, enum der_tag tag);
/* As der_read, but a cursor over the contents; a failed one when the read failed. */
struct cursor der_enter(struct cursor *c, enum der_tag tag);
/* True when the next value has this tag. */
bool der_next_is(const struct cursor *c, enum der_tag tag);
/* The contents of an INTEGER in shortest form, sign octet and all. */
struct span der_read_integer(struct cursor *c);
/* An INTEGER's contents mean a number below zero. */
bool der_integer_negative(struct span contents);
/* The big-endian digits of an INTEGER that is not negative, without leading zeros: none for 0. */
struct span der_integer_magnitude(struct span contents);

#endif
