/*
 * Why does this signature fail? Tries the changes that mail meets on its way, and names the one
 * that, undone, makes the body hash or the signature right again.
 *
 * Pure: no DNS, no clock, no files. It explains results and never makes one: no verdict is changed
 * by what is found here. Body and header are looked at apart, since bh= tells the one from the
 * other. With RSA the digest that was signed is read out of the signature (crypto/recover.h), so
 * that a changed header is told from a wrong key and each change costs one hash; with Ed25519 each
 * costs a verification.
 *
 * Work is bounded by the DIAGNOSE_ limits for each signature; what was not found within them is
 * said to be so (`limit`).
 *
 * BUGS: changes are looked for one by one in the body (two where they are in two MIME parts) and
 * up to all fields in the header; a message that a list has taken apart and put together anew is
 * not recognised. Of text that was replaced or cut off nothing can be found out.
 */
#ifndef DIAGNOSE_DIAGNOSE_H
#define DIAGNOSE_DIAGNOSE_H

#include "diagnose/cause.h"
#include "dkim/signature.h"

enum
{
    DIAGNOSE_FINDINGS_MAX = 16,
    DIAGNOSE_MISSING_MAX = 64,
};

/* What is known of a cause; empty where it does not apply. Spans are arena or borrowed. */
struct diagnose_finding
{
    enum diagnose_cause cause;
    bool proven;
    bool in_body;    /* offset, bytes and lines count */
    uint64_t offset; /* octets of the body as received */
    uint64_t bytes, lines;
    struct span text;             /* what was added */
    struct span field;            /* name as in the message, or as h= has it */
    int32_t position;             /* of the field, -1 */
    struct span before, after;    /* as signed, as it is */
    struct span domain, selector; /* whose key */
};

enum diagnose_state
{
    DIAGNOSE_UNKNOWN = 0,
    DIAGNOSE_INTACT = 0x51,
    DIAGNOSE_CHANGED = 0x52,
};

enum diagnose_key_state
{
    DIAGNOSE_KEY_UNKNOWN = 0, /* nothing tells */
    DIAGNOSE_KEY_NONE,        /* none to try */
    DIAGNOSE_KEY_RIGHT,       /* it made this signature */
    DIAGNOSE_KEY_WRONG,       /* it did not make it, or b= is damaged */
};

struct diagnosis
{
    struct diagnose_finding findings[DIAGNOSE_FINDINGS_MAX];
    uint32_t count;
    bool explained; /* body and header: every one that is changed has a proven cause */

    struct
    {
        enum diagnose_state state;
        bool found_known;
        uint8_t found[SHA256_BYTES]; /* to be compared with bh= */
        uint64_t raw_bytes, canonical_bytes, signed_bytes, lines;
    } body;
    struct
    {
        enum diagnose_state state;
        bool expected_known, found_known;
        uint8_t expected[SHA256_BYTES], found[SHA256_BYTES];
        uint64_t canonical_bytes;
        uint32_t fields;
        struct span missing[DIAGNOSE_MISSING_MAX]; /* names of h= without a field */
        uint32_t missing_count;
    } header;
    enum diagnose_key_state key;
    uint64_t tries, hashed_bytes, verifies;
    const char *limit; /* static word of the limit that ended the search, or NULL */
};

struct diagnose_key
{
    const struct public_key *key;
    struct span domain, selector; /* borrowed, for display */
};

struct diagnose_request
{
    const struct mail_header *header;
    struct span body;                       /* whole, as received */
    const struct dkim_signature *signature; /* parsed, DKIM or ARC-Message-Signature */
    const struct public_key *const *keys;   /* those its selector has */
    size_t key_count;
    const struct diagnose_key *others; /* other keys that stand at hand */
    size_t other_count;
    struct arena *arena; /* what the findings point to */
    struct limit_hits *hits;
};

/* False without memory: *diagnosis holds what was found until then, its limit is "arena_full" where
 * no other was reached before. */
bool diagnose(const struct diagnose_request *request, struct diagnosis *diagnosis) MUST_CHECK;

#endif
