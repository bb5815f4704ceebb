/*
 * Content-Transfer-Encodings there and back (RFC 2045 6.7, 6.8), as mail servers write them.
 * Appends to a buffer, whose ceiling bounds the result. Lines end in CRLF.
 */
#ifndef DIAGNOSE_TRANSFER_H
#define DIAGNOSE_TRANSFER_H

#include "base/buffer.h"

/* As tolerant as mail readers: what is no escape stays as it is. */
void transfer_decode_quoted(struct span text, struct buffer *out);
/* False where it is no base64. */
bool transfer_decode_base64(struct span text, struct buffer *out) MUST_CHECK;

enum quoted_style
{
    QUOTED_PLAIN,  /* "=", octets above 126, controls, blanks at line ends; lines up to 76 */
    QUOTED_STRICT, /* and "From " and "." at the beginning of a line */
};

void transfer_encode_quoted(struct span text, enum quoted_style style, struct buffer *out);
/* Lines of `width` characters, a multiple of 4. */
void transfer_encode_base64(struct span text, size_t width, struct buffer *out);

#endif
