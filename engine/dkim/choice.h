/*
 * Which of a message's signatures are looked at, and in which order (DV-44, security.md C05): those
 * of an author's domain first, then those above or below one, then the rest from the top down, so
 * that junk signatures cannot push the good one out.
 */
#ifndef DKIM_CHOICE_H
#define DKIM_CHOICE_H

#include "dkim/signature.h"
#include "mail/header.h"

enum dkim_closeness
{
    DKIM_SAME_DOMAIN,
    DKIM_RELATED_DOMAIN, /* above or below an author's domain, on a label boundary */
    DKIM_OTHER_DOMAIN,
    DKIM_NO_DOMAIN, /* cannot be verified anyway */
    DKIM_CLOSENESS_COUNT
};

struct dkim_authors
{
    const struct dns_name *domains; /* borrowed; may be NULL where count is 0 */
    uint32_t count;
};

enum dkim_closeness dkim_closeness(const struct dns_name *domain, struct dkim_authors authors);

struct dkim_choice
{
    const struct mail_field **fields; /* arena; in message order, top first */
    uint32_t count;                   /* MAX_SIGNATURES_PARSED at most */
    uint32_t total;                   /* DKIM-Signature fields of the message */
};

/*
 * Picks the fields to parse. Up to MAX_SIGNATURES_PARSED all are taken; beyond, each field's tag
 * list is split once to see its d=, which is linear in the header. False: no memory.
 */
bool dkim_choose(const struct mail_header *header, struct dkim_authors authors, struct arena *arena,
                 struct limit_hits *hits, struct dkim_choice *choice) MUST_CHECK;

#endif
