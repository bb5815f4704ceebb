/*
 * Signed messages for tests: keys made at the start of the test, zones that publish them, and a
 * signer for one message. The canonical forms come from the engine; that those are right is what
 * the corpora (signed by other software) show.
 */
#ifndef DKIM_SIGNING_H
#define DKIM_SIGNING_H

#include "crypto/sign.h"
#include "dkim/signature.h"

/* A key of this process, made when first asked for; bits 0 for Ed25519. */
const struct private_key *signing_key(enum key_type type, unsigned bits);
/* Base64 of what p= holds; static storage per key, never freed. */
const char *signing_public(enum key_type type, unsigned bits);

/* Appends a zone line: name TXT "...", in strings of at most 200 octets, escaped. */
void zone_add_txt(struct buffer *zone, struct span name, struct span text);
/* Appends selector._domainkey.domain with "v=DKIM1; k=...; p=..." and `more` in front of p=. */
void zone_add_key(struct buffer *zone, const char *domain, const char *selector, const char *more,
                  enum key_type type, unsigned bits);

/*
 * Appends "DKIM-Signature: " and the signed tags, CRLF, and the message. `tags` has "bh=@" and
 * " b=@" where the values go. `field` is the name to use.
 * The message has CRLF line ends.
 */
void sign_message(struct buffer *out, const char *field, const char *tags,
                  const struct private_key *key, struct span message);

#endif
