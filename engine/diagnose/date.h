/* The dates of mail headers (RFC 5322 3.3, with the obsolete forms of 4.3 that still come). */
#ifndef DIAGNOSE_DATE_H
#define DIAGNOSE_DATE_H

#include "base/attributes.h"
#include "base/span.h"

/*
 * "Mon, 26 Oct 2026 00:01:00 +0100 (CET)", day name, seconds and comment optional, years of two
 * digits, zone names of RFC 822; folds count as blanks. Seconds since 1970, UTC. False where it is
 * no date, or one before 1970 or behind 9999.
 */
bool date_parse(struct span text, int64_t *time) MUST_CHECK;

#endif
