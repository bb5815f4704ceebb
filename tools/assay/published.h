/* A key as it is published: asked for, read by the engine's parser, compared with a private key. */
#ifndef ASSAY_PUBLISHED_H
#define ASSAY_PUBLISHED_H

#include "command.h"
#include "crypto/sign.h"

enum
{
    PUBLISHED_WARNINGS_MAX = 4,
};

struct published
{
    struct dns_name name;
    enum exit_status status; /* STATUS_OK, STATUS_PROBLEM, STATUS_UNAVAILABLE: no answer */
    const char *problem;     /* static word where status is not OK */
    const char *warnings[PUBLISHED_WARNINGS_MAX]; /* static words */
    uint32_t warning_count;
    uint32_t records; /* TXT records at the name */
    uint32_t ttl;
    bool has_record; /* the four below are of the record that matches the private key, else of the
                        first that looks like a key record */
    enum key_type type;
    unsigned bits; /* 0: not known */
    bool testing, no_subdomains;
    struct span text; /* arena: that record, or the first of any kind */
    bool compared, matches;
};

/*
 * Asks for selector._domainkey.domain and fills *published. `key` NULL: nothing to compare with.
 * What it gives lives in `arena`.
 *
 * Problems, the worst first: "dns_timeout" and the like (no answer); "no_record"; "bad_key_record",
 * "revoked", "key_too_small" and the other words of dkim/key_record.h; "key_hash"; "key_mismatch".
 * Warnings: "testing", "several_records", "short_key".
 */
void published_look_up(struct assay_engine *engine, const struct dns_name *name,
                       const struct private_key *key, struct arena *arena,
                       struct published *published);

/* Half a sentence for a problem or warning. Static; an unknown word comes back as it is. */
const char *published_text(const char *word);

#endif
