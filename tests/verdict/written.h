/*
 * What the writers of Authentication-Results give for a sample, checked on the way: both forms are
 * bytes that may stand in a header, parse by the strict reader, and say the same.
 */
#ifndef VERDICT_WRITTEN_H
#define VERDICT_WRITTEN_H

#include "verdict/reader.h"
#include "verdict/sample.h"

/* All are good until the next call of the same function. */
struct span written_text(struct sample *sample);
struct span written_field(struct sample *sample);
/* The one-line text, read. Fails the test when a check fails. */
const struct ar *written_read(struct sample *sample);

/* The first result of `method` has the word `want`. */
void written_expect_result(const struct ar *ar, const char *method, const char *want);
/* The value of a property; `want.p` NULL: it is not there. */
void written_expect_value(const struct ar_result *result, const char *name, struct span want);
/* `value` as the writer is to show it: controls and 8-bit as "?", cut to 256 bytes. Static. */
struct span written_clean(struct span value);

#endif
