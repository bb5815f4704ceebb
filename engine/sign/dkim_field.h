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
/* A field as a verifier finds it: `raw` from its name to its CRLF. It is not among the header's. */
struct mail_field sign_field_of(struct span raw);
/*
 * Appends `prefix` ("DKIM-Signature: v=1; ...; b=") with its b= filled in: signs (header, field) as
 * a verifier of `kind` will hash it. Returns as sign.h says.
 */
const char *sign_field(const struct mail_header *header, struct span prefix, enum dkim_kind kind,
                       const struct private_key *key, struct arena *arena,
                       struct buffer *out) MUST_CHECK;
/* Appends a signature in base64, folded, and CRLF. */
void sign_append_b(struct span signature, struct buffer *out);
void sign_append_base64(struct span bytes, struct buffer *out);
/* The tags from a= to b=, folded. Returns as sign.h says. */
const char *sign_append_tags(struct sign_message *message, const struct sign_options *options,
                             enum dkim_kind kind, struct buffer *out) MUST_CHECK;

#endif
