/*
 * Signing: DKIM-Signature (RFC 6376 section 5) and ARC sets (RFC 8617 section 5.1).
 *
 * A signature is made by the verifier's own parts: the field is written with a stand-in for b=,
 * read back by dkim_signature_parse, hashed by dkim_header_hash, and then gets its b=. What these
 * calls write can therefore be read by the engine, or they fail.
 *
 * Calls that can fail return NULL when they did what they say, or a static reason word: one of the
 * table in sign/reason.c, or the word of the parser or limit that refused. sign_reason_text has a
 * sentence for each. On failure nothing usable was appended.
 */
#ifndef SIGN_SIGN_H
#define SIGN_SIGN_H

#include "crypto/sign.h"
#include "dkim/header_hash.h"
#include "mail/body.h"

/* A whole message in memory, taken apart for signing. */
struct sign_message
{
    struct mail_header header;
    struct span body;
    struct arena *arena; /* borrowed */
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct sign_body_hash
    {
        bool known;
        uint8_t sha256[SHA256_BYTES];
    } bodies[2]; /* of the whole body, by enum canon: several signatures share them */
};

/*
 * Parses `text`, which has CRLF line ends and outlives `message` (DS-2). Refuses what no verifier
 * would read as it was signed: "no_message", "message_too_large" and the header's limits, a bare CR
 * or LF or a NUL in the header, a line that is no field, an mbox "From " line, a BOM.
 */
const char *sign_message_read(struct sign_message *message, struct span text,
                              struct arena *arena) MUST_CHECK;

struct sign_options
{
    struct span domain;   /* d=; A-labels */
    struct span selector; /* s= */
    struct span identity; /* i=, an address; encoded here (RFC 6376 2.11); empty: not written */
    const struct private_key *key;
    enum canon header_canon;
    enum canon body_canon;
    struct span names; /* h=: names between colons, written in lower case and folded; empty: From
                          and the rest of DS-4, oversigned (sign/names.c) */
    bool has_l;
    uint64_t l;   /* only for tests and samples: DS-6 says no l= */
    int64_t t, x; /* 0: not written; x must be above t (DV-18) */
};

/*
 * Appends "DKIM-Signature: ..." CRLF to `out`; prepend it to the message (DS-7). Refuses a message
 * without exactly one From field ("no_from", "several_from": DS-3, RFC 6376 8.15).
 */
const char *sign_dkim(struct sign_message *message, const struct sign_options *options,
                      struct buffer *out) MUST_CHECK;

/* The chain's state when the message arrived (AS-3), as cv= says it. */
enum seal_cv
{
    SEAL_CV_NONE = 1,
    SEAL_CV_PASS,
    SEAL_CV_FAIL,
};

struct seal_options
{
    struct sign_options sign; /* for the AMS; the seal itself is always relaxed. No l=, x=, i= */
    enum seal_cv cv;
    struct span results; /* payload of the AAR behind "i=N;": "mx.example; arc=none; dkim=pass ..."
                            (AS-4). Printable ASCII, and CRLF only before a blank */
};

/*
 * Appends the three fields of a new set, AS on top, then AMS, AAR (AS-8). The instance is one above
 * the highest that is there.
 *
 * Refuses: "chain_failed" where the newest seal says cv=fail (AS-1); "too_many_arc_sets" (AS-2);
 * "chain_is_broken" where cv is pass and the sets are not complete and in order, "no_chain" where
 * cv is pass or fail and there is none, "chain_is_there" where cv is none and there is one;
 * "bad_results"; "chain_field_signed" where `names` has A-R or ARC fields (AS-5).
 */
const char *sign_arc(struct sign_message *message, const struct seal_options *options,
                     struct buffer *out) MUST_CHECK;

/* "none", "pass", "fail". Static. */
const char *seal_cv_word(enum seal_cv cv);

/* A reason word as half a sentence for a person, e.g. "the message has no From field". Static; a
 * word that is not in the table comes back as it is. */
const char *sign_reason_text(const char *reason);

#endif
