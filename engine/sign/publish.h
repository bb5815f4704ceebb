/*
 * What is published for a private key: the text of its TXT record (RFC 6376 3.6.1, RFC 8463 4.2).
 */
#ifndef SIGN_PUBLISH_H
#define SIGN_PUBLISH_H

#include "crypto/sign.h"
#include "dns/name.h"

enum
{
    PUBLISH_NOTE_MAX = 200, /* bytes of n= before it is encoded */
};

struct publish_options
{
    bool only_email;    /* s=email: not for other services (DV-39) */
    bool no_subdomains; /* t=s: i= must be in d= itself (DV-40) */
    bool testing;       /* t=y: verifiers treat signatures as not there (DV-40) */
    struct span note;   /* n=, encoded as needed; empty: none */
};

/*
 * Appends "v=DKIM1; k=rsa; ...; p=...". What was written is read back by the verifier's parser and
 * compared with the key. NULL, or a static reason word: "note_too_long", "no_memory", and the words
 * of dkim/key_record.h.
 */
const char *publish_record(const struct private_key *key, const struct publish_options *options,
                           struct buffer *out) MUST_CHECK;

/*
 * The same where only the public half is known: `bytes` are what p= holds before base64
 * (private_key_public, public_key_pem).
 */
const char *publish_public(enum key_type type, struct span bytes,
                           const struct publish_options *options, struct buffer *out) MUST_CHECK;

/* The record of a key that is given up: an empty p= (DV-33). Static text. */
#define PUBLISH_REVOKED "v=DKIM1; p="

/* selector._domainkey.domain. False where it is too long for a name. */
bool publish_name(const struct dns_name *selector, const struct dns_name *domain,
                  struct dns_name *name) MUST_CHECK;

#endif
