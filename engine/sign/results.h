/* The payload of ARC-Authentication-Results: what an Authentication-Results field says. */
#ifndef SIGN_RESULTS_H
#define SIGN_RESULTS_H

#include "base/attributes.h"
#include "base/buffer.h"

/*
 * Appends `results` and CRLF; a line that is not folded yet is folded at blanks. NULL, or
 * "bad_results": empty, no authserv-id in front, or bytes other than printable ASCII, HTAB and CRLF
 * before a blank (security.md J04).
 */
const char *sign_results_append(struct span results, struct buffer *out) MUST_CHECK;

#endif
