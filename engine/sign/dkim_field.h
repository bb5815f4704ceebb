/* What DKIM-Signature and ARC-Message-Signature share when they are written. */
#ifndef SIGN_DKIM_FIELD_H
#define SIGN_DKIM_FIELD_H

#include "sign/sign.h"

enum
{
    SIGN_FIELD_BYTES = 64 * 1024,     /* a signature field */
    SIGN_SCRATCH_BYTES = 1024 * 1024, /* canonical text under a signature */
};

/* "rsa-sha256" or "ed25519-sha256". */
const char *sign_algorithm(const struct private_key *key);
/* The hash of the body under (canon, limit). False on failure, or where l= is beyond the body. */
bool sign_body_hash(struct span body, enum canon canon, uint64_t limit,
                    uint8_t out[SHA256_BYTES]) MUST_CHECK;
/*
 * Appends `prefix` ("DKIM-Signature: v=1; ...; b=") with its b= filled in: signs (header, field) as
 * a verifier of `kind` will hash it.
 */
bool sign_field(const struct mail_header *header, struct span prefix, enum dkim_kind kind,
                const struct private_key *key, struct arena *arena, struct buffer *out) MUST_CHECK;
/* Appends a signature in base64, folded at 72 columns, and CRLF. */
void sign_append_b(struct span signature, struct buffer *out);
/* The tags from a= to h= and bh=, folded. False on failure. */
bool sign_append_tags(struct sign_message *message, const struct sign_options *options,
                      bool identity, struct buffer *out) MUST_CHECK;

#endif
