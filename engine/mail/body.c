/*
 * Body hashes. A piece of the body is cut into slices that stay in the first-level cache, and each
 * slice goes through the octet counter and the wanted canonicalizations before the next is touched.
 * Short canonical pieces are staged, since every call into the digest costs as much as hashing some
 * 50 octets. The stage lives on the stack of the call: a message that waits holds none.
 */
#include "mail/body.h"

enum
{
    SLICE_BYTES = 16 * 1024,
    STAGE_BELOW = 256, /* longer pieces go straight into the digest */
};

static void stream_flush(struct body_stream *stream)
{
    if (stream->staged_n)
        digest_update(&stream->digest, span_of(stream->staged, stream->staged_n));
    stream->staged_n = 0;
}

static void stream_hash(struct body_stream *stream, struct span bytes)
{
    if (bytes.n > BODY_STAGE_BYTES - stream->staged_n || bytes.n >= STAGE_BELOW)
        stream_flush(stream);
    if (bytes.n >= STAGE_BELOW) {
        digest_update(&stream->digest, bytes);
        return;
    }
    memcpy(stream->staged + stream->staged_n, bytes.p, bytes.n);
    stream->staged_n += bytes.n;
}

static bool hash_is_due(const struct body_stream *stream, const struct body_hash *hash)
{
    return &stream->owner->streams[hash->canon] == stream && !hash->known;
}

static void stream_plan(struct body_stream *stream)
{
    const struct body_hasher *hasher = stream->owner;
    stream->hashing = false;
    stream->next_stop = BODY_WHOLE;
    for (uint32_t i = 0; i < hasher->count; i++) {
        const struct body_hash *hash = &hasher->hashes[i];
        if (!hash_is_due(stream, hash))
            continue;
        stream->hashing = true;
        if (hash->limit < stream->next_stop)
            stream->next_stop = hash->limit;
    }
}

/* Reads the hash off for every wish whose limit is `limit`, then looks for the next stop. */
static void stream_read_off(struct body_stream *stream, uint64_t limit)
{
    struct body_hasher *hasher = stream->owner;
    stream_flush(stream);
    for (uint32_t i = 0; i < hasher->count; i++) {
        struct body_hash *hash = &hasher->hashes[i];
        if (!hash_is_due(stream, hash) || hash->limit != limit)
            continue;
        hash->hashed = stream->octets;
        hash->known = digest_peek(&stream->digest, hash->sha256);
        if (!hash->known) {
            hasher->failed = true;
            return;
        }
    }
    stream_plan(stream);
}

/* canon_sink */
static void stream_take(void *context, struct span bytes)
{
    struct body_stream *stream = context;
    while (bytes.n && stream->hashing && !stream->owner->failed) {
        uint64_t room = stream->next_stop - stream->octets;
        size_t n = bytes.n < room ? bytes.n : (size_t)room;
        stream_hash(stream, span_slice(bytes, 0, n));
        bytes = span_skip(bytes, n);
        stream->octets += n;
        if (stream->octets == stream->next_stop)
            stream_read_off(stream, stream->next_stop);
    }
    stream->octets += bytes.n;
}

void body_hasher_init(struct body_hasher *hasher, struct mail_anomalies *anomalies,
                      struct limit_hits *hits)
{
    *hasher = (struct body_hasher){.anomalies = anomalies, .hits = hits};
}

static void stream_open(struct body_hasher *hasher, enum canon canon)
{
    struct body_stream *stream = &hasher->streams[canon];
    if (stream->wanted)
        return;
    stream->wanted = true;
    stream->owner = hasher;
    canon_pipe_init(&stream->canon, canon, stream_take, stream);
    if (!digest_init(&stream->digest))
        hasher->failed = true;
}

int body_hasher_want(struct body_hasher *hasher, enum canon canon, uint64_t limit)
{
    assert(!hasher->started);
    for (uint32_t i = 0; i < hasher->count; i++)
        if (hasher->hashes[i].canon == canon && hasher->hashes[i].limit == limit)
            return (int)i;
    if (hasher->count == MAX_BODY_HASHES) {
        limit_hit(hasher->hits, LIMIT_BODY_HASHES);
        return -1;
    }
    stream_open(hasher, canon);
    hasher->hashes[hasher->count] = (struct body_hash){.canon = canon, .limit = limit};
    return (int)hasher->count++;
}

static void hasher_start(struct body_hasher *hasher)
{
    hasher->started = true;
    for (size_t i = 0; i < COUNT_OF(hasher->streams); i++) {
        struct body_stream *stream = &hasher->streams[i];
        if (!stream->wanted || hasher->failed)
            continue;
        stream_plan(stream);
        if (stream->next_stop == 0) /* l=0 */
            stream_read_off(stream, 0);
    }
}

static void hasher_slice(struct body_hasher *hasher, struct span slice)
{
    uint8_t stage[BODY_STAGE_BYTES];
    mail_octets_count(&hasher->octets, slice);
    for (size_t i = 0; i < COUNT_OF(hasher->streams); i++) {
        struct body_stream *stream = &hasher->streams[i];
        if (!stream->wanted)
            continue;
        stream->staged = stage;
        canon_pipe_feed(&stream->canon, slice);
        stream_flush(stream);
        stream->staged = NULL;
    }
}

static bool ends_in_crlf(const struct body_hasher *hasher, bool after_cr, struct span bytes)
{
    if (bytes.n == 0)
        return hasher->ends_in_crlf;
    return bytes.p[bytes.n - 1] == '\n' && (bytes.n >= 2 ? bytes.p[bytes.n - 2] == '\r' : after_cr);
}

void body_hasher_feed(struct body_hasher *hasher, struct span bytes)
{
    assert(!hasher->ended);
    if (!hasher->started)
        hasher_start(hasher);
    hasher->ends_in_crlf = ends_in_crlf(hasher, hasher->octets.after_cr, bytes);
    hasher->total += bytes.n;
    while (bytes.n) {
        size_t n = bytes.n < SLICE_BYTES ? bytes.n : SLICE_BYTES;
        hasher_slice(hasher, span_slice(bytes, 0, n));
        bytes = span_skip(bytes, n);
    }
}

static void stream_end(struct body_stream *stream)
{
    uint8_t stage[BODY_STAGE_BYTES];
    stream->staged = stage;
    canon_pipe_end(&stream->canon);
    if (!stream->owner->failed && stream->hashing)
        stream_read_off(stream, BODY_WHOLE);
    digest_fini(&stream->digest); /* a message that waits for its keys holds none */
    stream->staged_n = 0;
    stream->staged = NULL;
}

void body_hasher_end(struct body_hasher *hasher)
{
    if (hasher->ended)
        return;
    if (!hasher->started)
        hasher_start(hasher);
    hasher->ended = true;
    for (size_t i = 0; i < COUNT_OF(hasher->streams); i++)
        if (hasher->streams[i].wanted)
            stream_end(&hasher->streams[i]);
    for (uint32_t i = 0; i < hasher->count; i++) /* l= larger than the body */
        if (!hasher->hashes[i].known)
            hasher->hashes[i].hashed = hasher->streams[hasher->hashes[i].canon].octets;
    body_hasher_note_octets(hasher);
}

void body_hasher_note_octets(struct body_hasher *hasher)
{
    struct mail_anomalies *anomalies = hasher->anomalies;
    mail_anomaly_note_times(anomalies, ANOMALY_BODY_BARE_CR, mail_octets_bare_cr(&hasher->octets));
    mail_anomaly_note_times(anomalies, ANOMALY_BODY_BARE_LF, mail_octets_bare_lf(&hasher->octets));
    mail_anomaly_note_times(anomalies, ANOMALY_BODY_NUL, hasher->octets.nul);
    if (hasher->total && !hasher->ends_in_crlf)
        mail_anomaly_note(anomalies, ANOMALY_BODY_NO_FINAL_CRLF);
}

void body_hasher_fini(struct body_hasher *hasher)
{
    for (size_t i = 0; i < COUNT_OF(hasher->streams); i++)
        if (hasher->streams[i].wanted)
            digest_fini(&hasher->streams[i].digest);
    *hasher = (struct body_hasher){0};
}

uint64_t body_hasher_octets(const struct body_hasher *hasher, enum canon canon)
{
    assert(hasher->streams[canon].wanted);
    return hasher->streams[canon].octets;
}
