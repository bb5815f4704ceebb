/*
 * An answer that many messages share: one immutable object, reference counted, with the parsed form
 * of what it holds. Resolver threads make it, the cache keeps it, workers read it.
 */
#ifndef DNS_SHARED_H
#define DNS_SHARED_H

#include <stdatomic.h>

#include "dns/answer.h"

struct dns_shared
{
    _Atomic uint32_t references;
    uint32_t bytes;           /* all of it, parsed form included: what a cache charges */
    struct dns_answer answer; /* records, texts and `prepared` belong to this object */
    struct arena arena;       /* owner of them */
};

/*
 * Makes the parsed form of an answer, in `arena`, and points answer->prepared at it; leaves it NULL
 * where there is nothing to parse. Set by the engine (run/prepare.c), since dns/ knows no judge.
 */
typedef void dns_prepare(const struct dns_name *name, enum dns_type type, struct dns_answer *answer,
                         struct arena *arena);

/* A deep copy of `answer` with its parsed form; one reference for the caller. NULL without memory.
 */
struct dns_shared *dns_shared_new(const struct dns_name *name, enum dns_type type,
                                  const struct dns_answer *answer, dns_prepare *prepare) MUST_CHECK;
struct dns_shared *dns_shared_ref(struct dns_shared *shared);
/* Any thread. Drops one reference and nulls the pointer; NULL inside is fine. */
void dns_shared_unref(struct dns_shared **shared);

#endif
