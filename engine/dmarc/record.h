/*
 * DMARC records (RFC 9989 4.7, 4.8; DP-6 to DP-13): tolerant parsing, every fault noted.
 */
#ifndef DMARC_RECORD_H
#define DMARC_RECORD_H

#include "base/arena.h"
#include "base/limit.h"
#include "base/taglist.h"
#include "dns/answer.h"

enum dmarc_policy
{
    DMARC_POLICY_UNSET = 0, /* tag absent */
    DMARC_POLICY_NONE,
    DMARC_POLICY_QUARANTINE,
    DMARC_POLICY_REJECT,
    DMARC_POLICY_INVALID, /* tag there, value not understood */
};

enum dmarc_psd
{
    DMARC_PSD_UNKNOWN = 0, /* u, or absent */
    DMARC_PSD_YES,
    DMARC_PSD_NO,
};

struct dmarc_record
{
    struct span text; /* borrowed: the TXT text */
    enum dmarc_policy p, sp, np;
    enum dmarc_psd psd;
    bool testing; /* t=y */
    bool adkim_strict, aspf_strict;
    struct span rua, ruf, fo; /* values as written; empty where absent or ignored (DP-12) */
    bool has_usable_rua;      /* at least one syntactically good URI, whatever scheme (DP-26) */
    uint32_t faults;          /* bad values, duplicates, removed tags: how many were ignored */
    const struct tag *tags;   /* arena: all tags as published, for explaining */
    uint32_t tag_count;
};

/* True when the first tag is v=DMARC1, exact case of the value, WSP around "=" allowed (DP-7). */
bool dmarc_is_record(struct span text);
/*
 * Reads a record; spans point into `text`, which must live as long. False, and *record untouched,
 * where it is no DMARC record ("not_dmarc"), over MAX_DMARC_RECORD_BYTES or MAX_TAGS (the limit's
 * word), or without memory ("no_memory"): *reason is static.
 */
bool dmarc_record_parse(struct span text, struct arena *arena, struct limit_hits *hits,
                        struct dmarc_record *record, const char **reason) MUST_CHECK;

/* A copy in `arena`, text and tags too; NULL without memory. */
const struct dmarc_record *dmarc_record_copy(const struct dmarc_record *record,
                                             struct arena *arena) MUST_CHECK;

/* The same at a given place, without the tags, the text right behind it: *at with room for both. */
void dmarc_record_place(const struct dmarc_record *record, struct dmarc_record *at);

/* The DMARC records of an answer, parsed for many messages (design idea 4). */
struct dmarc_prepared
{
    struct dns_prepared base;
    unsigned count;             /* records: 0, 1, or 2 for several */
    struct dmarc_record record; /* of one without reason; tags in the answer's arena */
    const char *reason;         /* of one: NULL, or why it cannot be read */
    uint8_t over;               /* a limit it is over, see limit_over() */
};

/* How many DMARC records the answer has: 0, 1, or 2 for several; *found is the last one's index. */
unsigned dmarc_records_count(const struct dns_answer *answer, uint32_t *found);
/* In `arena`, the answer's own; NULL without memory. */
const struct dns_prepared *dmarc_prepare(const struct dns_answer *answer,
                                         struct arena *arena) MUST_CHECK;
/* Of an answer; NULL where it has none, or of another kind. */
const struct dmarc_prepared *dmarc_prepared_of(const struct dns_answer *answer);

/* "none" "quarantine" "reject"; NULL else. Static. */
const char *dmarc_policy_word(enum dmarc_policy policy);

#endif
