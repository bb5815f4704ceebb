/*
 * Base64 (RFC 4648 section 4) as DKIM writes it: white space may stand anywhere (RFC 6376 2.10
 * base64string with FWS), everything else is strict. Padding is required and its bits are zero,
 * "=" ends the text, the URL alphabet is refused (security.md D11).
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/attributes.h"
#include "base/span.h"

/* Bytes that `n` characters of base64 decode to at most. */
#define BASE64_DECODED_MAX(n) (((n) / 4 + 1) * 3)

/*
 * Decodes `text` into out[0..capacity). SP, HTAB, CR and LF are skipped wherever they stand.
 * Returns true and sets *n, or false (and *n untouched): character outside the alphabet, wrong
 * padding, or more than `capacity` bytes.
 */
bool base64_decode(struct span text, uint8_t *out, size_t capacity, size_t *n) MUST_CHECK;

/* Characters of base64 (not SP, HTAB, CR, LF) in `text`, padding included: for limits. */
size_t base64_count(struct span text);

/* Bytes that base64_encode writes for `n` bytes, without a final NUL. */
#define BASE64_ENCODED_LENGTH(n) (((n) + 2) / 3 * 4)

/* Encodes with padding and without line breaks; out has room for BASE64_ENCODED_LENGTH(in.n). */
void base64_encode(struct span in, char *out);

#endif
