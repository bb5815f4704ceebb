/*
 * Finds the end of the header while it arrives and keeps its bytes: at most MAX_HEADER_BYTES and
 * the empty line; past that nothing is kept, only the end is looked for (security.md B10).
 *
 * The header ends at the first empty line, CRLF at the beginning of a line (DV-3). A CRLF and the
 * empty line may be split anywhere: pieces of any size give the same (B05).
 */
#include "mail/header.h"

#include "mail/header_index.h"

enum
{
    FIRST_CAPACITY = 2048,
    EMPTY_LINE_BYTES = 2,
    KEPT_MAX = MAX_HEADER_BYTES + EMPTY_LINE_BYTES,
};

void mail_reader_init(struct mail_reader *reader, struct arena *arena, struct limit_hits *hits,
                      struct mail_anomalies *anomalies)
{
    *reader = (struct mail_reader){
        .arena = arena, .hits = hits, .anomalies = anomalies, .scan = SIMD_HEADER_BEGIN};
}

static void reader_refuse(struct mail_reader *reader, enum limit limit)
{
    limit_hit(reader->hits, limit);
    if (limit != LIMIT_ARENA_BYTES)
        mail_anomaly_note(reader->anomalies, ANOMALY_TOO_LARGE);
    reader->refused = limit_word(limit);
}

static bool reader_grow(struct mail_reader *reader, size_t needed)
{
    size_t capacity = needed;
    if (!reader->ended_by_blank_line) { /* more is to come */
        capacity = reader->capacity ? reader->capacity * 2 : FIRST_CAPACITY;
        capacity = capacity < needed ? needed : capacity;
        capacity = capacity > KEPT_MAX ? KEPT_MAX : capacity;
    }
    if (reader->bytes && arena_resize(reader->arena, reader->bytes, reader->capacity, capacity)) {
        reader->capacity = capacity;
        return true;
    }
    uint8_t *bytes = arena_alloc_raw(reader->arena, capacity);
    if (!bytes)
        return false;
    if (reader->used)
        memcpy(bytes, reader->bytes, reader->used);
    reader->bytes = bytes;
    reader->capacity = capacity;
    return true;
}

static void reader_keep(struct mail_reader *reader, struct span part)
{
    if (reader->refused || part.n == 0)
        return;
    if (part.n > KEPT_MAX - reader->used) {
        reader_refuse(reader, LIMIT_HEADER_BYTES);
        return;
    }
    if (part.n > reader->capacity - reader->used && !reader_grow(reader, reader->used + part.n)) {
        reader_refuse(reader, LIMIT_ARENA_BYTES);
        return;
    }
    memcpy(reader->bytes + reader->used, part.p, part.n);
    reader->used += part.n;
}

static void reader_note_octets(const struct mail_reader *reader)
{
    struct mail_anomalies *anomalies = reader->anomalies;
    const struct simd_octets *octets = &reader->scan.octets;
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_BARE_CR, octets->cr - octets->crlf);
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_BARE_LF, octets->lf - octets->crlf);
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_NUL, octets->nul);
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_8BIT, octets->high);
}

/* `pieces`: all of them (header_index.h), or NULL. */
static void reader_finish(struct mail_reader *reader, struct simd_piece *pieces)
{
    reader->done = true;
    reader_note_octets(reader);
    if (!reader->ended_by_blank_line)
        mail_anomaly_note(reader->anomalies, ANOMALY_HDR_NO_END);
    size_t n =
        reader->used - (reader->ended_by_blank_line && !reader->refused ? EMPTY_LINE_BYTES : 0);
    if (!reader->refused && n > MAX_HEADER_BYTES)
        reader_refuse(reader, LIMIT_HEADER_BYTES);
    if (reader->refused)
        return;
    if (reader->bytes && arena_resize(reader->arena, reader->bytes, reader->capacity, reader->used))
        reader->capacity = reader->used;
    struct header_pieces found = {reader->lines, pieces};
    reader->refused = mail_header_index(&reader->header, span_of(reader->bytes, n), &found,
                                        reader->arena, reader->hits, reader->anomalies);
}

/* Most headers come whole, and their pieces are found with their end. */
size_t mail_reader_feed(struct mail_reader *reader, struct span bytes)
{
    struct simd_piece pieces[SIMD_PIECES];
    bool together = reader->total == 0;
    size_t taken = 0;
    if (reader->done)
        return 0;
    while (taken < bytes.n && !reader->scan.ended) {
        size_t count;
        together = together && taken == 0;
        taken += simd_text()->header_end(&reader->scan, bytes.p + taken, bytes.n - taken, pieces,
                                         &count);
        reader->lines += count;
    }
    reader->total += taken;
    reader->ended_by_blank_line = reader->scan.ended;
    reader_keep(reader, span_slice(bytes, 0, taken));
    if (reader->scan.ended)
        reader_finish(reader, together ? pieces : NULL);
    return taken;
}

void mail_reader_end(struct mail_reader *reader)
{
    if (!reader->done)
        reader_finish(reader, NULL);
}
