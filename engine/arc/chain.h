/* Reading a chain: fields to sets, and what must hold before anything is verified. */
#ifndef ARC_CHAIN_H
#define ARC_CHAIN_H

#include "arc/arc.h"

/* Sets the result to fail; the first reason stays. `instance` 0: no one set is to blame. */
void arc_fail(struct arc_judgement *judgement, const char *reason, uint32_t instance);
/* The same with the set's own, more exact reason. */
void arc_fail_set(struct arc_judgement *judgement, const char *reason, uint32_t instance,
                  const char *detail);

static inline bool arc_is_open(const struct arc_judgement *judgement)
{
    return judgement->result == RESULT_UNSET;
}

/*
 * Collects the sets (AV-1, AV-2) and checks cv= of the last, the structure and the tags (AV-3 to
 * AV-5, AV-11): afterwards the result is none, fail, or UNSET with `count` complete sets whose
 * newest AMS and whose seals may be verified. False: no memory.
 */
bool arc_chain_read(struct arc_judgement *judgement, const struct mail_header *header) MUST_CHECK;

#endif
