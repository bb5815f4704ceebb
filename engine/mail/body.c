/*
 * Body hashes. The pieces of the body are noted, and every wanted canonicalization pulls from them
 * as fast as its hash goes (crypto/hash_queue.h); without a queue at once. One of them counts the
 * octets as it goes; where none is wanted that is a pass of its own.
 */
#include "mail/body.h"

enum
{
    SLICE_BYTES = 64 * 1024, /* without a queue, so that a second stream finds it in the cache */
};

static struct body_stream *stream_of(struct hash_source *source)
{
    return (struct body_stream *)(void *)((char *)source - offsetof(struct body_stream, source));
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

/* `sha256` is the hash for every wish whose limit is `limit`; what is the next stop? */
static void stream_note_hash(struct body_stream *stream, uint64_t limit, uint64_t octets,
                             const uint8_t sha256[SHA256_BYTES])
{
    struct body_hasher *hasher = stream->owner;
    for (uint32_t i = 0; i < hasher->count; i++) {
        struct body_hash *hash = &hasher->hashes[i];
        if (!hash_is_due(stream, hash) || hash->limit != limit)
            continue;
        hash->hashed = octets;
        hash->known = true;
        memcpy(hash->sha256, sha256, SHA256_BYTES);
    }
    stream_plan(stream);
}

static void stream_read_off(struct body_stream *stream)
{
    uint8_t sha256[SHA256_BYTES];
    sha256_peek(&stream->source.state, sha256);
    stream_note_hash(stream, stream->next_stop, stream->next_stop, sha256);
}

/* Most of what was used has been looked at on the way. */
static void stream_count(struct body_stream *stream, struct span used)
{
    struct simd_octets *octets = &stream->owner->octets;
    struct span plain = stream->canon.plain;
    if (plain.n == 0) {
        mail_octets_count(octets, used);
        return;
    }
    mail_octets_count(octets, span_slice(used, 0, (size_t)(plain.p - used.p)));
    mail_octets_pass(octets, plain);
    mail_octets_count(octets, span_skip(used, (size_t)(span_end(plain) - used.p)));
}

/* Canonical octets of what is noted; 0: used up. */
static size_t stream_canonical(struct body_stream *stream, uint8_t *out, size_t room)
{
    struct body_hasher *hasher = stream->owner;
    while (stream->piece < hasher->piece_count) {
        struct span before = span_skip(hasher->pieces[stream->piece], stream->piece_at);
        struct span in = before;
        size_t n = canon_body_step(&stream->canon, &in, out, room);
        if (stream->counts)
            stream_count(stream, span_slice(before, 0, before.n - in.n));
        stream->piece_at += before.n - in.n;
        if (in.n == 0) {
            stream->piece++;
            stream->piece_at = 0;
        }
        if (n)
            return n;
    }
    return hasher->ended ? canon_body_finish(&stream->canon, out, room) : 0;
}

/*
 * The stream has come to its `octets`, of which the last `n` stand in `out` and are not yet given
 * to be hashed. Those in front of a stop are hashed here: a stop is rare. Returns how many are left
 * to be given.
 */
static size_t stream_pass_stops(struct body_stream *stream, uint8_t *out, size_t n)
{
    while (stream->hashing && stream->octets >= stream->next_stop) {
        size_t behind = (size_t)(stream->octets - stream->next_stop);
        sha256_update(&stream->source.state, span_of(out, n - behind));
        memmove(out, out + (n - behind), behind);
        n = behind;
        stream_read_off(stream);
    }
    return stream->hashing ? n : 0;
}

/* hash_source.more */
static size_t stream_more(struct hash_source *source, uint8_t *out, size_t room)
{
    struct body_stream *stream = stream_of(source);
    size_t n = 0, got;
    while (room - n >= CANON_STEP_ROOM) {
        got = stream_canonical(stream, out + n, room - n);
        if (got == 0) {
            source->last = stream->owner->ended && stream->hashing;
            break;
        }
        stream->octets += got;
        n = stream_pass_stops(stream, out, n + got);
    }
    return n;
}

/* hash_source.ended */
static void stream_ended(struct hash_source *source, const uint8_t digest[SHA256_BYTES])
{
    struct body_stream *stream = stream_of(source);
    stream_note_hash(stream, BODY_WHOLE, stream->octets, digest);
    stream->hashing = false; /* what is left is an l= beyond the body */
}

void body_hasher_init(struct body_hasher *hasher, struct mail_anomalies *anomalies,
                      struct limit_hits *hits)
{
    memset(hasher, 0, offsetof(struct body_hasher, streams));
    hasher->anomalies = anomalies;
    hasher->hits = hits;
    hasher->streams[CANON_SIMPLE].wanted = hasher->streams[CANON_RELAXED].wanted = false;
}

void body_hasher_lend_queue(struct body_hasher *hasher, struct hash_queue *queue)
{
    assert(!hasher->started);
    hasher->queue = queue;
}

static void stream_open(struct body_hasher *hasher, enum canon canon)
{
    struct body_stream *stream = &hasher->streams[canon];
    if (stream->wanted)
        return;
    stream->wanted = true;
    stream->hashing = stream->counts = false; /* until the body starts */
    stream->octets = 0;
    stream->next_stop = BODY_WHOLE;
    stream->piece = 0;
    stream->piece_at = 0;
    stream->owner = hasher;
    stream->source.more = stream_more;
    stream->source.ended = stream_ended;
    stream->source.last = false;
    canon_body_init(&stream->canon, canon);
    sha256_init(&stream->source.state);
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

static bool is_wanted(const struct body_hasher *hasher)
{
    return hasher->streams[CANON_SIMPLE].wanted || hasher->streams[CANON_RELAXED].wanted;
}

static void hasher_start(struct body_hasher *hasher)
{
    bool relaxed = hasher->streams[CANON_RELAXED].wanted; /* it has looked at most octets */
    hasher->started = true;
    for (size_t i = 0; i < COUNT_OF(hasher->streams); i++) {
        struct body_stream *stream = &hasher->streams[i];
        if (!stream->wanted)
            continue;
        stream->counts = i == CANON_RELAXED || !relaxed;
        stream_plan(stream);
        if (stream->next_stop == 0) /* l=0 */
            stream_read_off(stream);
    }
}

/* What was noted has been hashed. */
static void forget_pieces(struct body_hasher *hasher)
{
    hasher->piece_count = 0;
    for (size_t i = 0; i < COUNT_OF(hasher->streams); i++) {
        hasher->streams[i].piece = 0;
        hasher->streams[i].piece_at = 0;
    }
}

bool body_hasher_is_queued(const struct body_hasher *hasher)
{
    return hasher->queue && hasher->queued_at == hasher->queue->runs;
}

/* The streams have something to do, at once or when the queue runs. */
static void hasher_work(struct body_hasher *hasher)
{
    if (body_hasher_is_queued(hasher))
        return;
    for (size_t i = 0; i < COUNT_OF(hasher->streams); i++) {
        if (!hasher->streams[i].wanted)
            continue;
        if (hasher->queue)
            hash_queue_add(hasher->queue, &hasher->streams[i].source);
        else
            hash_source_run(&hasher->streams[i].source);
    }
    if (hasher->queue)
        hasher->queued_at = hasher->queue->runs;
    else
        forget_pieces(hasher);
}

static void hasher_take(struct body_hasher *hasher, struct span bytes)
{
    if (hasher->piece_count == BODY_PIECES && body_hasher_is_queued(hasher))
        hash_queue_run(hasher->queue);
    if (!body_hasher_is_queued(hasher))
        forget_pieces(hasher);
    hasher->pieces[hasher->piece_count++] = bytes;
    hasher_work(hasher);
}

static void note_line_end(struct body_hasher *hasher, struct span bytes)
{
    uint8_t before = bytes.n >= 2 ? bytes.p[bytes.n - 2] : hasher->last_octet;
    hasher->last_octet = bytes.p[bytes.n - 1];
    hasher->ends_in_crlf = hasher->last_octet == '\n' && before == '\r';
}

void body_hasher_feed(struct body_hasher *hasher, struct span bytes)
{
    assert(!hasher->ended);
    if (!hasher->started)
        hasher_start(hasher);
    if (bytes.n == 0)
        return;
    note_line_end(hasher, bytes);
    hasher->total += bytes.n;
    if (!is_wanted(hasher)) {
        mail_octets_count(&hasher->octets, bytes);
        return;
    }
    while (bytes.n) {
        size_t n = hasher->queue || bytes.n < SLICE_BYTES ? bytes.n : SLICE_BYTES;
        hasher_take(hasher, span_slice(bytes, 0, n));
        bytes = span_skip(bytes, n);
    }
}

void body_hasher_end(struct body_hasher *hasher)
{
    if (hasher->ended)
        return;
    if (!hasher->started)
        hasher_start(hasher);
    hasher->ended = true;
    if (!body_hasher_is_queued(hasher))
        forget_pieces(hasher);
    if (is_wanted(hasher))
        hasher_work(hasher);
    if (!body_hasher_is_queued(hasher))
        body_hasher_settle(hasher);
}

void body_hasher_settle(struct body_hasher *hasher)
{
    assert(hasher->ended && !body_hasher_is_queued(hasher));
    if (hasher->settled)
        return;
    hasher->settled = true;
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
    if (body_hasher_is_queued(hasher))
        hash_queue_run(hasher->queue);
    hasher->queue = NULL; /* it owns nothing; clearing all of it is body_hasher_init's */
}

uint64_t body_hasher_octets(const struct body_hasher *hasher, enum canon canon)
{
    assert(hasher->streams[canon].wanted);
    return hasher->streams[canon].octets;
}
