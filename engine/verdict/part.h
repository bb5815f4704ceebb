/*
 * The objects that the verdict's JSON is made of, one file for each judge. Inner: callers use
 * verdict.h, which lists the keys. `key` NULL: on top or in an array.
 */
#ifndef VERDICT_PART_H
#define VERDICT_PART_H

#include "verdict/json.h"
#include "verdict/verdict.h"

/* `spf` NULL: not checked, for want of a client address. */
void part_spf(struct jsonw *json, const char *key, const struct spf_judgement *spf);
/* Arrays and objects for a judgement that may be NULL: the method was not run. */
void part_dkim(struct jsonw *json, const char *key, const struct dkim_judgement *dkim,
               const struct dmarc_judgement *dmarc);
void part_arc(struct jsonw *json, const char *key, const struct arc_judgement *arc);
void part_dmarc(struct jsonw *json, const char *key, const struct dmarc_judgement *dmarc);
void part_discovery(struct jsonw *json, const char *key, const struct dmarc_discovery *discovery);

/* null for an empty span. */
void part_text(struct jsonw *json, const char *key, struct span text);
/* null for zero: unknown. */
void part_known_uint(struct jsonw *json, const char *key, uint64_t value);
/* The result's word, null for RESULT_UNSET: evidence that was not needed, never a verdict. */
void part_step_result(struct jsonw *json, const char *key, enum result result);

#endif
