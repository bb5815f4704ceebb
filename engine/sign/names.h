/* The list of h=: which header fields a signature covers. */
#ifndef SIGN_NAMES_H
#define SIGN_NAMES_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "dkim/signature.h"
#include "mail/header.h"

/*
 * Appends the names for h=, folded: `wanted` where it is not empty, else those of the table in
 * names.c that fit `kind`. NULL, or a static reason word: "bad_names", "from_not_signed",
 * "chain_field_signed", "too_many_h_items".
 */
const char *sign_names_append(const struct mail_header *header, struct span wanted,
                              enum dkim_kind kind, struct buffer *out) MUST_CHECK;

#endif
