/*
 * Body hashes: the body streams past once and is never stored (design: every byte is touched once).
 *
 * One running SHA-256 per canonicalization serves every signature: an l= is a point of that stream
 * where the hash is read off (digest_peek), so 60 signatures with 60 values of l= cost one pass and
 * 60 read-offs, not 60 hashes. Also counts bare CR, bare LF and NUL of the body.
 *
 *   body_hasher_init -> body_hasher_want ... -> body_hasher_feed ... -> body_hasher_end -> fini
 *
 * A hasher must not be moved between init and fini. Hashing stops when the last wish is known;
 * octets are counted to the end. The BODY_ anomalies are noted at the end.
 */
#ifndef MAIL_BODY_H
#define MAIL_BODY_H

#include "crypto/digest.h"
#include "mail/canon.h"
#include "mail/octets.h"

#define BODY_WHOLE UINT64_MAX /* no l= */

enum
{
    BODY_STAGE_BYTES = 1024,
};

struct body_hash
{
    enum canon canon;
    uint64_t limit;  /* l=, or BODY_WHOLE */
    uint64_t hashed; /* canonical octets under the hash */
    bool known;      /* sha256 is set: the stream reached `limit`, or ended for BODY_WHOLE. False at
                        the end: l= is larger than the body (DV-16), or `failed` */
    uint8_t sha256[SHA256_BYTES];
};

struct body_stream /* one canonicalization */
{
    struct canon_pipe canon;
    struct digest digest;
    uint64_t octets;    /* canonical octets so far */
    uint64_t next_stop; /* the smallest limit not yet reached; BODY_WHOLE when only the end is */
    bool wanted;        /* somebody asked: octets are counted to the end */
    bool hashing;       /* a hash is still to be read off */
    struct body_hasher *owner;
    size_t staged_n;
    uint8_t *staged; /* short pieces, on their way into the digest; of the call that feeds them */
};

struct body_hasher
{
    struct body_stream streams[2]; /* by enum canon */
    struct body_hash hashes[MAX_BODY_HASHES];
    uint32_t count;
    uint64_t total; /* raw body bytes */
    struct mail_anomalies *anomalies;
    struct limit_hits *hits;
    bool started;
    bool ended;
    bool failed; /* no memory or library failure: results must not be used (temperror) */
    struct mail_octets octets;
    bool ends_in_crlf;
};

void body_hasher_init(struct body_hasher *hasher, struct mail_anomalies *anomalies,
                      struct limit_hits *hits);
/*
 * Asks for the hash over (canon, limit) before the body starts; equal wishes share one. Returns the
 * index in `hashes`, or -1 over MAX_BODY_HASHES (counted).
 */
int body_hasher_want(struct body_hasher *hasher, enum canon canon, uint64_t limit) MUST_CHECK;
void body_hasher_feed(struct body_hasher *hasher, struct span bytes);
void body_hasher_end(struct body_hasher *hasher);
void body_hasher_fini(struct body_hasher *hasher);
/* Notes the BODY_ anomalies of the octets counted; body_hasher_end does. For body_facts.c. */
void body_hasher_note_octets(struct body_hasher *hasher);

/* Canonical octets of the whole body, after the end; only for a canonicalization that was wanted.
 */
uint64_t body_hasher_octets(const struct body_hasher *hasher, enum canon canon);

#endif
