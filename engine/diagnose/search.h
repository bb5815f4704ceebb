/* What the searches of one diagnosis share: the request, its bounds, where findings go. */
#ifndef DIAGNOSE_SEARCH_H
#define DIAGNOSE_SEARCH_H

#include "diagnose/diagnose.h"

struct search
{
    const struct diagnose_request *request; /* borrowed */
    struct diagnosis *out;                  /* borrowed */
    struct span signature;                  /* b= decoded; repaired where it was damaged */
    bool failed;                            /* no memory, or a failing library */
    bool over;                              /* tries, octets or verifications are used up */
    uint64_t tries_max, bytes_max;          /* until when: a share is left for the header */
};

/* A search with nothing used up. */
struct search search_begin(const struct diagnose_request *request, struct diagnosis *out);
/* The body may use up all but an eighth; then the rest is for key and header. */
void search_leave_share(struct search *search);
void search_take_share(struct search *search);

/* Counts one try that hashes `bytes`. False, and the limit is named: the search is over. */
bool search_try(struct search *search, uint64_t bytes) MUST_CHECK;
/* Counts `n` public-key operations. */
bool search_verify(struct search *search, uint64_t n) MUST_CHECK;
/* Names a limit that was reached; the search goes on without what is over it. */
void search_limit(struct search *search, enum limit limit);
static inline bool search_is_over(const struct search *search)
{
    return search->over || search->failed;
}

/* The header digest is the one that was signed: compared, or verified where it is not known. */
bool search_header_is(struct search *search, const uint8_t digest[SHA256_BYTES]) MUST_CHECK;

/* A new finding with its position unset; never NULL: over DIAGNOSE_FINDINGS_MAX the last one is
 * taken again. */
struct diagnose_finding *search_note(struct search *search, enum diagnose_cause cause, bool proven);

/* The searches themselves. Each notes what it finds. */
void search_key(struct search *search);
void search_header(struct search *search);
void search_body(struct search *search);

#endif
