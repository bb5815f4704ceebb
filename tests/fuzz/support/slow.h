/* Canonicalization compared with a slow and plain reading of RFC 6376 3.4. */
#ifndef FUZZ_SUPPORT_SLOW_H
#define FUZZ_SUPPORT_SLOW_H

#include "mail/header.h"

void slow_check_field(const struct mail_field *field);
/* The body whole and in pieces of `piece` octets, both algorithms. */
void slow_check_body(struct span body, size_t piece);

#endif
