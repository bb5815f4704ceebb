/*
 * Finds the end of the header while it arrives and keeps its bytes: at most MAX_HEADER_BYTES and
 * the empty line; past that nothing is kept, only the end is looked for (security.md B10).
 *
 * The header ends at the first empty line, CRLF at the beginning of a line (DV-3). No look-ahead
 * and no look-back: what counts is where the line began and the octet before this one, so pieces
 * of any size give the same (B05).
 */
#include "mail/header.h"

#include "base/chars.h"
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
    *reader = (struct mail_reader){.arena = arena, .hits = hits, .anomalies = anomalies};
}

static void reader_refuse(struct mail_reader *reader, enum limit limit)
{
    limit_hit(reader->hits, limit);
    if (limit != LIMIT_ARENA_BYTES)
        mail_anomaly_note(reader->anomalies, ANOMALY_TOO_LARGE);
    reader->refused = limit_word(limit);
}

/* A line begins at bytes.p[at], here or in the next piece. */
static void reader_begin_line(struct mail_reader *reader, struct span bytes, size_t at)
{
    reader->line_begin = reader->total + at;
    reader->pieces += at < bytes.n && !char_is_wsp(bytes.p[at]);
}

/* How many of `bytes` belong to the header; sets ended_by_blank_line. */
static size_t reader_find_end(struct mail_reader *reader, struct span bytes)
{
    size_t at = 0;
    if (reader->line_begin == reader->total)
        reader_begin_line(reader, bytes, 0);
    for (;;) {
        size_t lf = at + span_find(span_skip(bytes, at), '\n');
        if (lf == bytes.n)
            break;
        uint8_t before = lf ? bytes.p[lf - 1] : reader->previous;
        at = lf + 1;
        if (before != '\r')
            continue; /* a bare LF ends no line: DV-2 */
        reader->ended_by_blank_line = reader->total + lf - reader->line_begin == 1;
        if (reader->ended_by_blank_line)
            return at;
        reader_begin_line(reader, bytes, at);
    }
    if (bytes.n)
        reader->previous = bytes.p[bytes.n - 1];
    return bytes.n;
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
    uint8_t *bytes = arena_alloc(reader->arena, capacity);
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
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_BARE_CR, mail_octets_bare_cr(&reader->octets));
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_BARE_LF, mail_octets_bare_lf(&reader->octets));
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_NUL, reader->octets.nul);
    mail_anomaly_note_times(anomalies, ANOMALY_HDR_8BIT, reader->octets.high);
}

static void reader_finish(struct mail_reader *reader)
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
    reader->refused =
        mail_header_index(&reader->header, span_of(reader->bytes, n), reader->pieces + 1,
                          reader->arena, reader->hits, reader->anomalies);
}

size_t mail_reader_feed(struct mail_reader *reader, struct span bytes)
{
    if (reader->done)
        return 0;
    size_t taken = reader_find_end(reader, bytes);
    struct span part = span_slice(bytes, 0, taken);
    mail_octets_count(&reader->octets, part);
    reader_keep(reader, part);
    reader->total += taken;
    if (reader->ended_by_blank_line)
        reader_finish(reader);
    return taken;
}

void mail_reader_end(struct mail_reader *reader)
{
    if (!reader->done)
        reader_finish(reader);
}
