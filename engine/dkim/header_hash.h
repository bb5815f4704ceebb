/*
 * The header hash of a signature (RFC 6376 3.7, 5.4.2): walk h= left to right, each repeated name
 * takes the next instance upward, a name without instances left adds nothing; last the signature
 * field itself with b= blanked and without its final CRLF (DV-20 to DV-22).
 */
#ifndef DKIM_HEADER_HASH_H
#define DKIM_HEADER_HASH_H

#include "crypto/hash_queue.h"
#include "dkim/signature.h"

/*
 * The SHA-256 that the signature signs. `scratch` is the worker's buffer, reset here; its ceiling
 * bounds the canonical text. Linear in header and h= (security.md B11). False: over the ceiling, no
 * memory or library failure: the signature is then temperror, never pass.
 * For DKIM_SIGNATURE and DKIM_ARC_MESSAGE_SIGNATURE; the ARC judge hashes seals itself.
 */
bool dkim_header_hash(const struct mail_header *header, const struct dkim_signature *signature,
                      struct arena *arena, struct buffer *scratch,
                      uint8_t out[SHA256_BYTES]) MUST_CHECK;

/*
 * The same, hashed when the queue runs: `out` is borrowed until then. False: it does not fit into
 * the queue; hash it by itself.
 */
bool dkim_header_hash_queue(const struct mail_header *header,
                            const struct dkim_signature *signature, struct arena *arena,
                            struct hash_queue *queue, uint8_t out[SHA256_BYTES]) MUST_CHECK;

#endif
