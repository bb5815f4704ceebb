/*
 * DMARC records (RFC 9989 4.7, 4.8; DP-6 to DP-13): tolerant parsing, every fault noted.
 */
#ifndef DMARC_RECORD_H
#define DMARC_RECORD_H

#include "base/arena.h"
#include "base/limit.h"
#include "base/taglist.h"

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
    struct span rua, ruf, fo; /* values as written; empty where absent */
    bool has_usable_rua;      /* at least one syntactically good mailto: URI (DP-26) */
    uint32_t faults;          /* unknown values, duplicates, removed tags: how many were ignored */
    struct taglist tags;      /* all tags, for explaining */
};

/* True when the first tag is v=DMARC1, exact case, WSP around "=" allowed (DP-7). */
bool dmarc_is_record(struct span text);
/* False where it is no DMARC record or over MAX_DMARC_RECORD_BYTES (*reason says which, static). */
bool dmarc_record_parse(struct span text, struct limit_hits *hits, struct dmarc_record *record,
                        const char **reason) MUST_CHECK;

const char *
dmarc_policy_word(enum dmarc_policy policy); /* "none" "quarantine" "reject"; NULL else */

#endif
