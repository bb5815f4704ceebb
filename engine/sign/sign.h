/*
 * Signing: DKIM-Signature (RFC 6376 section 5) and ARC sets (RFC 8617 section 5.1).
 *
 * A signature is made by the verifier's own parts: the field is written with a stand-in for b=,
 * read back by dkim_signature_parse, hashed by dkim_header_hash, and then gets its b=. What these
 * calls write can therefore be read by the engine, or they fail.
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
};

/* Parses `text` (CRLF line ends). False where the header is refused or there is no memory. */
bool sign_message_read(struct sign_message *message, struct span text,
                       struct arena *arena) MUST_CHECK;

struct sign_options
{
    struct span domain;   /* d= */
    struct span selector; /* s= */
    struct span identity; /* i=; empty: not written */
    const struct private_key *key;
    enum canon header_canon;
    enum canon body_canon;
    struct span names; /* h= as it shall stand; empty: From and the rest of DS-4, oversigned */
    bool has_l;
    uint64_t l;   /* only for tests and samples: DS-6 says no l= */
    int64_t t, x; /* 0: not written */
};

/* Appends "DKIM-Signature: ..." CRLF to `out`; prepend it to the message. False: nothing usable. */
bool sign_dkim(struct sign_message *message, const struct sign_options *options,
               struct buffer *out) MUST_CHECK;

struct seal_options
{
    struct sign_options sign; /* header canonicalization is relaxed for the seal; no l=, no x= */
    uint32_t instance;        /* the new set's i= (AS-2) */
    const char *cv;           /* "none", "pass", "fail": status on arrival (AS-3) */
    struct span results;      /* payload of the AAR behind "i=N;": "mx.example; dkim=pass ..." */
};

/* Appends the three fields of a new set, AS on top, then AMS, AAR (AS-8). */
bool sign_arc(struct sign_message *message, const struct seal_options *options,
              struct buffer *out) MUST_CHECK;

#endif
