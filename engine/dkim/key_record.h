/*
 * DKIM key records (RFC 6376 3.6.1, 8301, 8463): text of a TXT record to a checked public key.
 */
#ifndef DKIM_KEY_RECORD_H
#define DKIM_KEY_RECORD_H

#include "base/limit.h"
#include "base/result.h"
#include "base/taglist.h"
#include "crypto/key.h"
#include "dkim/signature.h"
#include "dns/answer.h"

struct dkim_key_record
{
    const char *reason;     /* NULL where the record may be used; else "revoked", "bad_key_record",
                               "unknown_key_type", "key_service", "key_too_small" ... */
    bool is_key_record;     /* looks like one: it parses as a tag list with p= (DV-31, F10) */
    struct public_key *key; /* owned: one reference (in borrowed dkim_keys: cached, none); NULL
                               unless reason is NULL */
    enum key_type type;
    unsigned bits;      /* also set for refused sizes, for display */
    bool testing;       /* t=y (DV-40) */
    bool no_subdomains; /* t=s */
    bool hash_sha256;   /* h= absent or lists sha256 (DV-38) */
    uint8_t over;       /* a limit it is over, see limit_over() */
};

/* Parses one TXT text. Over MAX_KEY_RECORD_BYTES: reason "key_record_too_long". */
void dkim_key_record_parse(struct span text, struct limit_hits *hits,
                           struct dkim_key_record *record);
void dkim_key_record_fini(struct dkim_key_record *record);

/* May this record verify this signature? NULL, or the reason ("key_type_mismatch", "key_hash",
 * "subdomain_forbidden"). */
const char *dkim_key_record_misfit(const struct dkim_key_record *record,
                                   const struct dkim_signature *signature);

/*
 * The keys for one signature: asks selector._domainkey.domain, tries up to MAX_SIGNATURE_KEYS
 * records that look like keys (DV-29 to DV-31). JUDGE_WAITING, or JUDGE_DONE with `count` usable
 * keys; where none is usable, `result` and `reason` say why (permerror "no_key", "revoked" ...,
 * temperror "dns_timeout" ...). dkim_keys_begin comes before the first call, and they may be fetched
 * again.
 */
struct dkim_keys
{
    uint32_t count;     /* records looked at; each has its own reason */
    uint32_t usable;    /* those that may verify the signature */
    enum result result; /* RESULT_UNSET where usable > 0 */
    const char *reason;
    bool testing;  /* of the first record that looks like a key */
    unsigned bits; /* likewise */
    bool borrowed; /* the key objects are cached: good for the round */
    bool counted;  /* limits were counted: what is fetched again counts no second time */
    struct dkim_key_record records[MAX_SIGNATURE_KEYS]; /* last: not cleared */
};

/* Nothing fetched: all is zero but the records. */
static inline void dkim_keys_begin(struct dkim_keys *keys)
{
    memset(keys, 0, offsetof(struct dkim_keys, records));
}

enum judge dkim_keys_fetch(const struct dkim_signature *signature, struct dns_answers *answers,
                           struct limit_hits *hits, struct dkim_keys *keys) MUST_CHECK;
void dkim_keys_fini(struct dkim_keys *keys);
/* To not fetched yet. */
void dkim_keys_forget(struct dkim_keys *keys);
/* Makes borrowed keys outlive the round: takes a reference of each. */
void dkim_keys_hold(struct dkim_keys *keys);

/*
 * An answer's records, parsed for many messages (design idea 4). The key objects have one reference
 * here; who fetches from it borrows them.
 */
struct dkim_prepared
{
    struct dns_prepared base;
    const struct dkim_key_record *records; /* the answer's arena: as far as anybody looks */
    uint32_t count;
};

/* In `arena`, the answer's own; NULL without memory. */
const struct dns_prepared *dkim_keys_prepare(const struct dns_answer *answer,
                                             struct arena *arena) MUST_CHECK;

#endif
