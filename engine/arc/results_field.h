/* ARC-Authentication-Results (RFC 8617 4.1.1): the instance in front, the rest unread. */
#ifndef ARC_RESULTS_FIELD_H
#define ARC_RESULTS_FIELD_H

#include "base/attributes.h"
#include "base/limit.h"
#include "base/span.h"

/*
 * "i=N;" and what stands behind it, which may be anything (AV-12). False, outputs untouched: no
 * instance of 1 to MAX_ARC_SETS in front, or no semicolon behind it.
 */
bool arc_results_parse(struct span value, struct limit_hits *hits, uint32_t *instance,
                       struct span *payload) MUST_CHECK;

#endif
