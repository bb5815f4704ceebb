/* The door to libidn2: one label of UTF-8 text as an A-label. Used by dns/name.c alone. */
#ifndef DNS_IDN_H
#define DNS_IDN_H

#include "base/attributes.h"
#include "base/span.h"

enum
{
    IDN_LABEL_TEXT_MAX = 252, /* bytes of UTF-8 looked at: 63 characters of four bytes */
};

enum idn_result
{
    IDN_OK = 0,
    IDN_INVALID,  /* not UTF-8, not NFC, or IDNA2008 does not allow it */
    IDN_TOO_LONG, /* its A-label has over 63 octets */
};

/*
 * Turns `label` (no dot, no NUL, at least one byte of 0x80 or above) into its A-label in out[0..63)
 * and sets *n. Strict IDNA2008 (RFC 5891 section 5): nothing is mapped but the case of ASCII, so a
 * full-width letter or an ideographic full stop is refused, not read as what it looks like (A17).
 */
enum idn_result idn_label_to_ascii(struct span label, uint8_t out[63], uint8_t *n) MUST_CHECK;

#endif
