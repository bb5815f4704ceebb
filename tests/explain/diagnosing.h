/* A message is signed, meets something on its way, and is diagnosed: without DNS and files. */
#ifndef EXPLAIN_DIAGNOSING_H
#define EXPLAIN_DIAGNOSING_H

#include <criterion/criterion.h>

#include "crypto/sign.h"
#include "diagnose/diagnose.h"
#include "mail/header.h"

/* What a forwarder does: every occurrence of `find` becomes `put`. find NULL: `put` is appended;
 * find "": `put` is prepended to the message. */
struct alteration
{
    const char *find, *put;
};

enum
{
    ALTERATIONS_MAX = 6,
};

struct patient
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader;
    struct span body;
    struct dkim_signature signature;
    struct diagnosis diagnosis;
    struct public_key *key;
};

/* Signs `message` by `tags` (tests/dkim/signing.h); malloc'd, NUL-terminated. */
char *signed_text(const char *tags, const char *message, const struct private_key *key);
/*
 * A message whose signer did not do what its tags say: the header in this form, the body in that
 * one and to `limit` (BODY_WHOLE: all). `tags` have "bh=@" and " b=@"; malloc'd.
 */
char *signed_oddly(const char *tags, const char *message, const struct private_key *key,
                   enum canon header, enum canon body, uint64_t limit);
/* The text after the alterations; malloc'd. Each must change something. */
char *altered(const char *text, const struct alteration *alterations);
/* The public half; the test's to unref. */
struct public_key *public_half(const struct private_key *key);

/* Diagnoses the first DKIM-Signature of `text` (which stays where it is) with `key`, which may be
 * NULL. */
void examine(struct patient *patient, struct span text, struct public_key *key,
             const struct diagnose_key *others, size_t other_count);
void examined(struct patient *patient);
/* "word word": causes in their order, unproven ones behind a "?". Static storage. */
const char *cause_words(const struct diagnosis *diagnosis);
const struct diagnose_finding *finding_of(const struct diagnosis *diagnosis,
                                          enum diagnose_cause cause);

#endif
