/*
 * One signature field, parsed: DKIM-Signature (RFC 6376 3.5), ARC-Message-Signature and ARC-Seal
 * (RFC 8617 4.1). A table of tags drives all three; what differs is in the table.
 */
#ifndef DKIM_SIGNATURE_H
#define DKIM_SIGNATURE_H

#include "base/arena.h"
#include "base/result.h"
#include "base/taglist.h"
#include "crypto/sha256.h"
#include "crypto/key.h"
#include "dns/name.h"
#include "mail/canon.h"

enum dkim_kind
{
    DKIM_SIGNATURE,             /* DV-5 to DV-19 */
    DKIM_ARC_MESSAGE_SIGNATURE, /* AV-10: i= is the instance, v= is ignored */
    DKIM_ARC_SEAL,              /* AV-11: i a b d s t cv only; h= fails it */
};

enum dkim_algorithm
{
    DKIM_ALGORITHM_UNSET = 0,
    DKIM_RSA_SHA256,
    DKIM_ED25519_SHA256,
    DKIM_RSA_SHA1, /* recognised to be named, never verified (DV-9) */
    DKIM_ALGORITHM_UNKNOWN,
};

/* The largest l= that is told apart; one below BODY_WHOLE, which means "no l=". */
#define DKIM_L_MAX (UINT64_MAX - 1)

struct name_lists;

struct dkim_signature
{
    enum dkim_kind kind;
    const struct mail_field *field; /* borrowed */
    /* Parsing: RESULT_UNSET while the signature may still be verified. */
    enum result result;
    const char *reason; /* static word where result is set */
    uint32_t reason_at; /* offset in field->value, for carets */

    enum dkim_algorithm algorithm;
    struct span algorithm_text; /* a= as written */
    enum canon header_canon;    /* always relaxed for ARC-Seal */
    enum canon body_canon;
    struct span domain_text; /* as written, for display */
    struct span selector_text;
    struct span identity;     /* i= as written, qp kept; empty where absent (then "@" d) */
    bool identity_below;      /* the domain of i= is a subdomain of d=: keys with t=s refuse it */
    uint32_t instance;        /* ARC: i=, 1 to 50 */
    struct span cv;           /* ARC-Seal */
    struct span b_value;      /* what canon_field must cut: value of b= with the FWS around it */
    struct span signature;    /* arena: b= decoded */
    struct span b_text;       /* b= as written, for header.b */
    uint8_t bh[SHA256_BYTES]; /* bh= decoded; exact length was checked before (C16) */
    struct span h;            /* h= as written */
    struct span *items;       /* arena: the names of h=, in order, trimmed; empty ones left out */
    uint8_t *item_names;      /* arena: enum field_name of each item */
    uint32_t item_count;
    bool has_l;
    uint64_t l; /* octets; more than DKIM_L_MAX is kept as DKIM_L_MAX: larger than any body */
    bool has_t, has_x;
    uint64_t t, x; /* seconds since the epoch */
    /* Last: what is large and nearly empty is not cleared. */
    struct dns_name domain;   /* d=; cleared where unusable */
    struct dns_name selector; /* s= */
    struct dns_name key_name; /* selector._domainkey.domain; cleared where it cannot be */
};

/*
 * Parses field->value. Never fails as a call: a signature that cannot be verified carries its
 * result and reason ("missing_tag_bh", "duplicate_tag", "unknown_algorithm", "rsa_sha1",
 * "bad_domain" ...). As much as could be read is filled in for display. Without memory: temperror
 * "no_memory". No DNS, no time: x= against now is dkim_signature_check_time. `lists`: where h= may
 * have been read before; NULL: nowhere.
 */
void dkim_signature_parse(const struct mail_field *field, enum dkim_kind kind, struct arena *arena,
                          struct limit_hits *hits, struct name_lists *lists,
                          struct dkim_signature *signature);

/* Time rules (DV-18, C06): expired is fail "expired"; t= too far ahead is fail "future". `now` in
 * s. */
void dkim_signature_check_time(struct dkim_signature *signature, int64_t now,
                               struct limit_hits *hits);

/* "rsa-sha256", "ed25519-sha256", ... ; the a= text itself is attacker-controlled, this is not. */
const char *dkim_algorithm_word(enum dkim_algorithm algorithm);

#endif
