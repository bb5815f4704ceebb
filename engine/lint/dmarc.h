/* The DMARC part of the linter. Internal to the folder. */
#ifndef LINT_DMARC_H
#define LINT_DMARC_H

#include "dmarc/record.h"
#include "lint/finding.h"

/* dmarc_uri.c: every address of rua= or ruf=; `value` is a part of the record. */
void lint_dmarc_uris(const struct lint_place *place, struct span value);

#endif
