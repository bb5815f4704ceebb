/*
 * The header index: cuts the block into pieces at CRLF not followed by a blank, reads the names,
 * chains fields of one name upward.
 *
 * Limits (base/limit.h): FIELD_COUNT and FIELD_BYTES are checked before a field is looked at and
 * refuse the whole header; FIELD_NAME_BYTES leaves a field out of the index. Known names
 * (field_name.h) have a place each; the table of the others is open-addressed and at most half
 * full. Its hash is seeded with the address of the bytes, which a sender does not know; were it
 * known, 1,000 fields still bound a chain (security.md B11, L05).
 */
#include "mail/header.h"

#include "base/chars.h"
#include "mail/header_index.h"

enum
{
    NO_FIELD = -1,
};

struct index_notes /* borrowed */
{
    struct limit_hits *hits;
    struct mail_anomalies *anomalies;
};

#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define EIGHT_OF(byte) (UINT64_C(0x0101010101010101) * (byte))

/* "From " that no colon follows: the envelope line of an mbox file (B13), not `From :` (A09). */
static bool piece_is_mbox_line(struct span line)
{
    if (line.n < 5 || memcmp(line.p, "From ", 5) != 0)
        return false;
    size_t at = 5;
    while (at < line.n && char_is_wsp(line.p[at]))
        at++;
    return at == line.n || line.p[at] != ':';
}

static inline void field_set(struct mail_field *field, size_t name, size_t colon)
{
    struct span raw = field->raw;
    const uint8_t *value = raw.p + colon + 1, *end = raw.p + raw.n;
    if (end - value >= 2 && memcmp(end - 2, "\r\n", 2) == 0)
        end -= 2;
    field->name = span_of(raw.p, name);
    field->value = span_of(value, (size_t)(end - value));
}

/*
 *   optional-field  =  field-name ":" unstructured CRLF          RFC 5322 3.6.8
 *   obs-optional    =  field-name *WSP ":" unstructured CRLF     RFC 5322 4.5.8
 *   field-name      =  1*ftext
 *
 * Accepted besides: any octet but a blank in the name (odd names are hashed like others, B07).
 * False: there is no colon in the first line, or a blank stands inside or before the name.
 */
static bool field_split(struct mail_field *field, struct mail_anomalies *anomalies)
{
    struct span raw = field->raw;
    size_t colon = span_find(raw, ':');
    if (colon == raw.n || char_is_wsp(raw.p[0]))
        return false;
    struct span name = span_slice(raw, 0, colon);
    while (name.n && char_is_wsp(name.p[name.n - 1]))
        name.n--;
    bool odd = name.n == 0;
    for (size_t i = 0; i < name.n; i++) {
        if (char_is(name.p[i], CHAR_FTEXT))
            continue;
        bool fold = name.p[i] == '\n' && i && name.p[i - 1] == '\r';
        if (char_is_wsp(name.p[i]) || fold)
            return false;
        odd = true;
    }
    if (odd)
        mail_anomaly_note(anomalies, ANOMALY_HDR_ODD_NAME);
    if (name.n < colon)
        mail_anomaly_note(anomalies, ANOMALY_SPACE_BEFORE_COLON);
    field_set(field, name.n, colon);
    return true;
}

/* Sets name and value where the piece is a field; says whether the index takes it. */
static bool field_read(struct mail_field *field, struct index_notes *notes)
{
    field->name = field->value = span_slice(field->raw, 0, 0);
    if (field->position == 0 && piece_is_mbox_line(field->raw)) {
        mail_anomaly_note(notes->anomalies, ANOMALY_MBOX_FROM_LINE);
        return false;
    }
    if (!field_split(field, notes->anomalies)) {
        mail_anomaly_note(notes->anomalies, ANOMALY_HDR_MALFORMED);
        return false;
    }
    if (field->name.n > MAX_FIELD_NAME_BYTES) {
        limit_hit(notes->hits, LIMIT_FIELD_NAME_BYTES);
        mail_anomaly_note(notes->anomalies, ANOMALY_HDR_NAME_TOO_LONG);
        return false;
    }
    return field->name.n > 0;
}

static uint64_t eight_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Sixteen octets, folded by setting bit 5: names that differ in case alone hash alike. */
static uint64_t hash_step(uint64_t hash, uint64_t a, uint64_t b)
{
    const uint64_t bit5 = EIGHT_OF(0x20);
    __uint128_t product = (__uint128_t)(hash ^ (a | bit5)) * (HASH_FACTOR ^ (b | bit5));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* `name` is not empty. */
static inline uint32_t name_hash(const struct mail_header *header, struct span name)
{
    uint64_t hash = (uint64_t)(uintptr_t)header->block.p;
    const uint8_t *end = name.p + name.n;
    if (name.n <= 8) {
        hash = hash_step(hash, bytes_up_to_8(name.p, name.n), name.n);
        return (uint32_t)(hash ^ hash >> 32);
    }
    for (; end - name.p > 16; name.p += 16)
        hash = hash_step(hash, eight_at(name.p), eight_at(name.p + 8));
    const uint8_t *last = name.n > 16 ? end - 16 : name.p; /* some octets twice */
    hash = hash_step(hash ^ name.n, eight_at(last), eight_at(end - 8));
    return (uint32_t)(hash ^ hash >> 32);
}

/* By itself, so that the walk below saves no registers: most walks end at a free bucket. */
NOINLINE static bool is_named(const struct mail_field *field, struct span name)
{
    return span_equal_fold(field->name, name);
}

/* The bucket of `name`: its own, or the free one where it would go. */
static inline uint32_t bucket_of(const struct mail_header *header, struct span name, uint32_t hash)
{
    uint32_t mask = header->bucket_count - 1, at = hash & mask;
    for (;; at = (at + 1) & mask) {
        int32_t lowest = header->buckets[at];
        if (lowest == NO_FIELD)
            return at;
        const struct mail_field *field = &header->fields[lowest];
        if (field->hash == hash && is_named(field, name))
            return at;
    }
}

/* Puts the field, whose `known` is set, below those of its name; returns the one that was the
 * lowest, or NO_FIELD. */
static inline int32_t index_put(struct mail_header *header, struct mail_field *field,
                                int32_t *buckets)
{
    int32_t above;
    if (field->known) {
        above = (int32_t)header->known[field->known] - 1;
        header->known[field->known] = (uint16_t)(field->position + 1);
        return above;
    }
    field->hash = name_hash(header, field->name);
    uint32_t at = bucket_of(header, field->name, field->hash);
    above = buckets[at];
    buckets[at] = (int32_t)field->position;
    return above;
}

static inline void index_add(struct mail_header *header, struct mail_field *field, int32_t *buckets)
{
    field->above = index_put(header, field, buckets);
    field->same = field->above == NO_FIELD ? 1 : header->fields[field->above].same + 1;
    field->indexed = true;
}

static void note_block(const struct mail_header *header, struct mail_anomalies *anomalies)
{
    if (header->block.n >= 3 && memcmp(header->block.p, "\xef\xbb\xbf", 3) == 0)
        mail_anomaly_note(anomalies, ANOMALY_BOM);
    for (unsigned name = 1; name < FIELD_SINGLE_END; name++) { /* C03, DV-46 */
        uint32_t count = mail_header_known_count(header, name);
        if (count > 1)
            mail_anomaly_note_times(anomalies, ANOMALY_HDR_DUPLICATE, count - 1);
    }
}

struct indexing
{
    struct mail_header *header;
    struct mail_field *fields; /* header's: room for all, or for the limit */
    uint32_t room;
    int32_t *buckets; /* header's */
    size_t from;      /* where the next piece begins */
    struct index_notes notes;
};

/* The limit that refuses the block at this piece, or LIMIT_COUNT. */
static inline enum limit index_piece(struct indexing *indexing, const struct simd_piece *piece)
{
    struct mail_header *header = indexing->header;
    size_t n = piece->end - indexing->from;
    if (n > MAX_FIELD_BYTES)
        return LIMIT_FIELD_BYTES;
    if (header->count == MAX_FIELD_COUNT)
        return LIMIT_FIELD_COUNT;
    assert(header->count < indexing->room);
    struct mail_field *field = &indexing->fields[header->count];
    *field = (struct mail_field){
        .raw = span_of(header->block.p + indexing->from, n),
        .position = header->count++,
        .above = NO_FIELD,
    };
    bool indexed = true;
    if (piece->name) { /* the kernel has looked: ftext and a colon */
        field_set(field, piece->name, piece->name);
        field->known = (uint8_t)piece->number;
    } else {
        indexed = field_read(field, &indexing->notes);
        field->known = (uint8_t)(indexed ? field_name_find(field->name) : FIELD_UNKNOWN);
    }
    if (indexed)
        index_add(header, field, indexing->buckets);
    indexing->from = piece->end;
    return LIMIT_COUNT;
}

/* Likewise of several. The first may end at 0, where the block begins. */
static enum limit index_pieces(struct indexing *indexing, struct simd_piece *pieces, size_t count)
{
    struct span block = indexing->header->block;
    size_t none = count && pieces[0].end == 0;
    simd_text()->names(block.p, block.n, indexing->from, &field_words, pieces + none, count - none);
    for (size_t i = none; i < count; i++) {
        enum limit limit = index_piece(indexing, &pieces[i]);
        if (limit != LIMIT_COUNT)
            return limit;
    }
    return LIMIT_COUNT;
}

/* Where the reader has not seen all pieces at once, the block is cut again. */
static enum limit index_block(struct indexing *indexing)
{
    struct simd_piece pieces[SIMD_PIECES];
    struct simd_header scan = SIMD_HEADER_BEGIN;
    struct span rest = indexing->header->block;
    enum limit limit = LIMIT_COUNT;
    while (rest.n && limit == LIMIT_COUNT) {
        size_t count;
        rest = span_skip(rest, simd_text()->header_end(&scan, rest.p, rest.n, pieces, &count));
        limit = index_pieces(indexing, pieces, count);
    }
    return limit;
}

/* The last piece: the header ended with the message, or in front of the empty line that the block
 * lacks. */
static enum limit index_last(struct indexing *indexing)
{
    size_t end = indexing->header->block.n;
    struct simd_piece last = {.end = (uint32_t)end};
    return indexing->from < end ? index_pieces(indexing, &last, 1) : LIMIT_COUNT;
}

static uint32_t bucket_count_for(uint32_t fields)
{
    uint32_t count = 16;
    while (count < 2 * fields)
        count *= 2;
    return count;
}

static bool indexing_begin(struct indexing *indexing, struct span block, uint64_t lines,
                           struct arena *arena)
{
    uint32_t room = lines < MAX_FIELD_COUNT ? (uint32_t)lines : MAX_FIELD_COUNT;
    uint32_t bucket_count = bucket_count_for(room);
    struct mail_field *fields = arena_alloc_raw(arena, room * sizeof *fields);
    int32_t *buckets = arena_alloc_raw(arena, bucket_count * sizeof *buckets);
    if (!fields || !buckets)
        return false;
    memset(buckets, 0xff, bucket_count * sizeof *buckets); /* NO_FIELD */
    *indexing->header = (struct mail_header){
        .fields = fields, .block = block, .buckets = buckets, .bucket_count = bucket_count};
    indexing->fields = fields;
    indexing->room = room;
    indexing->buckets = buckets;
    return true;
}

const char *mail_header_index(struct mail_header *header, struct span block,
                              const struct header_pieces *pieces, struct arena *arena,
                              struct limit_hits *hits, struct mail_anomalies *anomalies)
{
    struct indexing indexing = {.header = header, .notes = {hits, anomalies}};
    *header = (struct mail_header){0};
    if (!indexing_begin(&indexing, block, pieces->lines + 1, arena)) {
        limit_hit(hits, LIMIT_ARENA_BYTES);
        return limit_word(LIMIT_ARENA_BYTES);
    }
    enum limit limit = pieces->list ? index_pieces(&indexing, pieces->list, pieces->lines)
                                    : index_block(&indexing);
    if (limit == LIMIT_COUNT)
        limit = index_last(&indexing);
    if (limit != LIMIT_COUNT) {
        *header = (struct mail_header){0};
        limit_hit(hits, limit);
        mail_anomaly_note(anomalies, ANOMALY_TOO_LARGE);
        return limit_word(limit);
    }
    note_block(header, anomalies);
    return NULL;
}

const struct mail_field *mail_header_other(const struct mail_header *header, struct span name)
{
    if (header->bucket_count == 0 || name.n == 0)
        return NULL;
    int32_t lowest = header->buckets[bucket_of(header, name, name_hash(header, name))];
    return lowest == NO_FIELD ? NULL : &header->fields[lowest];
}

const struct mail_field *mail_header_lowest(const struct mail_header *header, struct span name)
{
    enum field_name known = field_name_find(name);
    return known ? mail_header_known(header, known) : mail_header_other(header, name);
}

const struct mail_field *mail_header_above(const struct mail_header *header,
                                           const struct mail_field *field)
{
    return field->above == NO_FIELD ? NULL : &header->fields[field->above];
}

uint32_t mail_header_count(const struct mail_header *header, struct span name)
{
    const struct mail_field *lowest = mail_header_lowest(header, name);
    return lowest ? lowest->same : 0;
}

static bool name_is_well_formed(struct span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!char_is(name.p[i], CHAR_FTEXT))
            return false;
    return name.n > 0;
}

bool mail_header_is_message(const struct mail_header *header)
{
    for (uint32_t i = 0; i < header->count; i++)
        if (header->fields[i].indexed && name_is_well_formed(header->fields[i].name))
            return true;
    return false;
}
