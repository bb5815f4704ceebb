/*
 * The header block: fields as received, indexed by name, lowest instance first.
 *
 * Bytes are taken as they come over the wire: CRLF ends a line, a bare CR or LF is an ordinary
 * octet that gets flagged (DV-2, security.md B01, B02). Nothing is decoded, repaired or copied
 * twice; raw bytes stay until the message ends (DV-1, DV-4).
 *
 * `fields` covers the block without a gap: what is not a field (a line without a colon, a first
 * line that begins with a blank, an mbox "From " line) stands among them as a piece that is not
 * `indexed`: no name finds it, so no h= hashes it, and the header goes on behind it (B06). The
 * lines that fold onto such a piece belong to it.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/arena.h"
#include "base/limit.h"
#include "mail/anomaly.h"
#include "mail/field_name.h"
#include "simd/text.h"

struct mail_field
{
    struct span raw; /* arena: name to final CRLF, folds included, as received; the CRLF lacks
                        only where the message ends inside the header */
    struct span
        name; /* in raw: without WSP before the colon; exact case. Empty: no field, or ":" */
    struct span value; /* in raw: all behind the colon, without the final CRLF */
    uint32_t position; /* 0 is the top field */
    int32_t above;     /* next field upward of the same name (any case), -1 at the topmost */
    uint32_t same;     /* how many fields of this name stand at or above this one, itself included;
                          0 where not indexed */
    uint32_t hash;     /* the index's own */
    uint8_t known;     /* enum field_name; FIELD_UNKNOWN where not indexed */
    bool indexed;      /* false: see above; or the name is empty or over MAX_FIELD_NAME_BYTES */
};

struct mail_header
{
    const struct mail_field *fields; /* arena; top first */
    uint32_t count;
    struct span block; /* arena: all fields' bytes */
    /* The rest is the index's own. */
    uint16_t known[FIELD_NAME_COUNT]; /* 1 + the lowest field of a known name; 0: none */
    const int32_t *buckets;           /* lowest field of another name, by hash */
    uint32_t bucket_count;
};
STATIC_ASSERT(MAX_FIELD_COUNT < UINT16_MAX);

/* The lowest (last) field named `name`, any case, or NULL. WSP before the colon does not matter. */
const struct mail_field *mail_header_lowest(const struct mail_header *header, struct span name);
/* The same for a known name; not FIELD_UNKNOWN. */
static inline const struct mail_field *mail_header_known(const struct mail_header *header,
                                                         enum field_name name)
{
    uint16_t lowest = header->known[name];
    return lowest ? &header->fields[lowest - 1] : NULL;
}
/* The same for a name that is not known. */
const struct mail_field *mail_header_other(const struct mail_header *header, struct span name);
/* The next field upward of the same name, or NULL. */
const struct mail_field *mail_header_above(const struct mail_header *header,
                                           const struct mail_field *field);
/* How many fields have this name. */
static inline uint32_t mail_header_known_count(const struct mail_header *header,
                                               enum field_name name)
{
    const struct mail_field *lowest = mail_header_known(header, name);
    return lowest ? lowest->same : 0;
}
uint32_t mail_header_count(const struct mail_header *header, struct span name);
/* There is at least one field with a name of RFC 5322 3.6.8: this may be called a message. */
bool mail_header_is_message(const struct mail_header *header);

/*
 * Reads a message's header as it arrives, in pieces of any size.
 *
 *   mail_reader_init -> mail_reader_feed ... -> mail_reader_end
 *
 * feed() returns how many bytes of `bytes` belonged to the header (the empty line that ends it
 * included); the rest is body. `done` is then set and `header` may be used. A message that ends
 * inside the header gets mail_reader_end(), which closes it: no empty line, empty body (DV-3).
 * Over MAX_HEADER_BYTES (the empty line not counted), MAX_FIELD_BYTES or MAX_FIELD_COUNT, or
 * without memory, `refused` names the limit ("header_too_large", ..., "arena_full"): no field is
 * indexed, the header's end is still found so that the body is fed on. A message over a limit also
 * has ANOMALY_TOO_LARGE; without memory arena->failed is set (temperror).
 *
 * Notes as it indexes: the HDR_ anomalies, SPACE_BEFORE_COLON, MBOX_FROM_LINE, BOM, TOO_LARGE.
 */
struct mail_reader
{
    struct arena *arena;
    struct limit_hits *hits;
    struct mail_anomalies *anomalies;
    struct mail_header header;
    const char *refused; /* static word, or NULL */
    bool done;
    bool ended_by_blank_line;
    /* The rest is the reader's own. */
    uint8_t *bytes;
    size_t used;
    size_t capacity;
    uint64_t total; /* header bytes seen, also beyond the limit; the empty line included */
    struct simd_header scan;
    uint64_t lines; /* that begin and are no folds, the empty one among them */
};

void mail_reader_init(struct mail_reader *reader, struct arena *arena, struct limit_hits *hits,
                      struct mail_anomalies *anomalies);
size_t mail_reader_feed(struct mail_reader *reader, struct span bytes);
void mail_reader_end(struct mail_reader *reader);

#endif
