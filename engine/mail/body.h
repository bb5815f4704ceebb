/*
 * Body hashes: the body streams past once and is never stored (design: every byte is touched once).
 *
 * One running SHA-256 per canonicalization serves every signature: an l= is a point of that stream
 * where the hash is read off (sha256_peek), so 60 signatures with 60 values of l= cost one pass and
 * 60 read-offs, not 60 hashes. Also counts bare CR, bare LF and NUL of the body.
 *
 *   body_hasher_init -> body_hasher_want ... -> body_hasher_feed ... -> body_hasher_end -> fini
 *
 * With a queue (body_hasher_lend_queue) the bytes of a feed are borrowed until the queue has run:
 * the streams of many messages then advance side by side. After body_hasher_end and while
 * body_hasher_is_queued, nothing may be read from the hasher but that.
 *
 * A hasher must not be moved between init and fini. Hashing stops when the last wish is known;
 * octets are counted to the end. The BODY_ anomalies are noted at the end.
 */
#ifndef MAIL_BODY_H
#define MAIL_BODY_H

#include "crypto/hash_queue.h"
#include "mail/canon.h"
#include "mail/octets.h"

#define BODY_WHOLE UINT64_MAX /* no l= */

enum
{
    BODY_PIECES = 8, /* noted for the queue; more make it run */
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
    struct hash_source source;
    struct canon_body canon;
    uint64_t octets;    /* canonical octets so far */
    uint64_t next_stop; /* the smallest limit not yet reached; BODY_WHOLE when only the end is */
    bool wanted;        /* somebody asked: octets are counted to the end */
    bool hashing;       /* a hash is still to be read off */
    bool counts;        /* this one counts the octets of the raw body */
    uint32_t piece;     /* of the owner's: the one it reads from, ... */
    size_t piece_at;    /* ... from here on */
    struct body_hasher *owner;
};

struct body_hasher
{
    uint32_t count; /* of hashes */
    uint32_t piece_count;
    uint64_t total; /* raw body bytes */
    struct mail_anomalies *anomalies;
    struct limit_hits *hits;
    struct hash_queue *queue; /* borrowed; NULL: bytes are hashed as they come */
    uint64_t queued_at;       /* its number of runs when something was noted */
    bool started;
    bool ended;
    bool settled; /* after the end, and after the queue has run: all is known */
    bool failed;  /* results must not be used (temperror) */
    bool ends_in_crlf;
    uint8_t last_octet;
    struct simd_octets octets;
    /* Large, and not cleared: of a stream that is not wanted nothing else is to be read. */
    struct body_stream streams[2]; /* by enum canon */
    struct body_hash hashes[MAX_BODY_HASHES];
    struct span pieces[BODY_PIECES]; /* borrowed until they have been hashed */
};

void body_hasher_init(struct body_hasher *hasher, struct mail_anomalies *anomalies,
                      struct limit_hits *hits);
/* Before the first feed. `queue` is borrowed until fini; its owner runs it before what was fed goes
 * away, and before results are read. */
void body_hasher_lend_queue(struct body_hasher *hasher, struct hash_queue *queue);
/*
 * Asks for the hash over (canon, limit) before the body starts; equal wishes share one. Returns the
 * index in `hashes`, or -1 over MAX_BODY_HASHES (counted).
 */
int body_hasher_want(struct body_hasher *hasher, enum canon canon, uint64_t limit) MUST_CHECK;
void body_hasher_feed(struct body_hasher *hasher, struct span bytes);
void body_hasher_end(struct body_hasher *hasher);
/* Something waits for the queue to run. */
bool body_hasher_is_queued(const struct body_hasher *hasher);
/* After the end, once nothing is queued any more: results may be read then. Without a queue, and a
 * second time, it does nothing. */
void body_hasher_settle(struct body_hasher *hasher);
/* Where something is queued the queue runs. */
void body_hasher_fini(struct body_hasher *hasher);
/* Notes the BODY_ anomalies of the octets counted; body_hasher_settle does. For body_facts.c. */
void body_hasher_note_octets(struct body_hasher *hasher);

/* Canonical octets of the whole body, after the end; only for a canonicalization that was wanted.
 */
uint64_t body_hasher_octets(const struct body_hasher *hasher, enum canon canon);

#endif
