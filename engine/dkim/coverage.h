/* What a signature leaves unsigned of the fields that people and programs act on (C02, C03). */
#ifndef DKIM_COVERAGE_H
#define DKIM_COVERAGE_H

#include "dkim/signature.h"
#include "mail/header.h"

/*
 * The critical fields of which the message has more instances than h= names: not signed at all, or
 * added above the signed one. Returns an arena array of static names and sets *count; NULL with
 * *count 0 where everything is covered or memory is out (evidence only, never a verdict).
 */
const char *const *dkim_unsigned_fields(const struct mail_header *header,
                                        const struct dkim_signature *signature, struct arena *arena,
                                        uint32_t *count);

#endif
