/*
 * Body canonicalization as RFC 6376 3.4.3 and 3.4.4 say it, step by step over the whole body, in
 * quadratic time and with no thought of speed: what the streaming code is compared with.
 */
#ifndef TESTS_MAIL_CANON_REFERENCE_H
#define TESTS_MAIL_CANON_REFERENCE_H

#include "mail/canon.h"

/* Writes at most body.n + 2 bytes to out; returns how many. */
size_t canon_reference(enum canon canon, struct span body, uint8_t *out);

#endif
