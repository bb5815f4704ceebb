/*
 * The header index: cuts the block into pieces at CRLF not followed by a blank, reads the names,
 * chains fields of one name upward.
 *
 * Limits (base/limit.h): FIELD_COUNT and FIELD_BYTES are checked before a field is looked at and
 * refuse the whole header; FIELD_NAME_BYTES leaves a field out of the index. The table of names is
 * open-addressed and at most half full. Its hash is seeded with the address of the bytes, which a
 * sender does not know; were it known, 1,000 fields still bound a chain (security.md B11, L05).
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

/* Fields of which RFC 5322 3.6 and RFC 2045 allow one: a second is reported (C03, DV-46). By the
 * length of the name: most fields that come twice ("Received") are told apart by one compare. */
enum
{
    LONGEST_SINGLETON = sizeof "content-transfer-encoding" - 1,
};
static const char *const singletons[LONGEST_SINGLETON + 1][2] = {
    [2] = {"to", "cc"},
    [3] = {"bcc"},
    [4] = {"date", "from"},
    [6] = {"sender"},
    [7] = {"subject"},
    [8] = {"reply-to"},
    [10] = {"message-id", "references"},
    [11] = {"in-reply-to"},
    [12] = {"mime-version", "content-type"},
    [25] = {"content-transfer-encoding"},
};

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

static void field_set(struct mail_field *field, size_t name, size_t colon)
{
    field->name = span_slice(field->raw, 0, name);
    field->value = span_skip(field->raw, colon + 1);
    if (field->value.n >= 2 && memcmp(span_end(field->value) - 2, "\r\n", 2) == 0)
        field->value.n -= 2;
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

/* Sets name and value where the piece is a field; says whether the index takes it. `name`: as in
 * struct simd_piece. */
static bool field_read(struct mail_field *field, uint32_t name, struct limit_hits *hits,
                       struct mail_anomalies *anomalies)
{
    field->above = NO_FIELD;
    if (name) { /* the kernel has looked: ftext and a colon */
        field_set(field, name, name);
        return true;
    }
    field->name = field->value = span_slice(field->raw, 0, 0);
    if (field->position == 0 && piece_is_mbox_line(field->raw)) {
        mail_anomaly_note(anomalies, ANOMALY_MBOX_FROM_LINE);
        return false;
    }
    if (!field_split(field, anomalies)) {
        mail_anomaly_note(anomalies, ANOMALY_HDR_MALFORMED);
        return false;
    }
    if (field->name.n > MAX_FIELD_NAME_BYTES) {
        limit_hit(hits, LIMIT_FIELD_NAME_BYTES);
        mail_anomaly_note(anomalies, ANOMALY_HDR_NAME_TOO_LONG);
        return false;
    }
    return field->name.n > 0;
}

/* Eight octets a step, folded by setting bit 5: names that differ in case alone hash alike. */
static uint64_t hash_step(uint64_t hash, uint64_t word)
{
    __uint128_t product = (__uint128_t)(hash ^ (word | EIGHT_OF(0x20))) * HASH_FACTOR;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t name_hash(const struct mail_header *header, struct span name)
{
    uint64_t hash = (uint64_t)(uintptr_t)header->block.p ^ EIGHT_OF(name.n);
    uint64_t word = 0;
    for (size_t i = 0; name.n - i > sizeof word; i += sizeof word) {
        memcpy(&word, name.p + i, sizeof word);
        hash = hash_step(hash, word);
    }
    if (name.n >= sizeof word) /* the last eight, some of them twice */
        memcpy(&word, span_end(name) - sizeof word, sizeof word);
    else
        for (size_t i = 0; i < name.n; i++)
            word = word << 8 | name.p[i];
    hash = hash_step(hash, word);
    return (uint32_t)(hash ^ hash >> 32);
}

/* The bucket of `name`: its own, or the free one where it would go. */
static uint32_t bucket_of(const struct mail_header *header, struct span name, uint32_t hash)
{
    uint32_t mask = header->bucket_count - 1;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        int32_t lowest = header->buckets[at];
        if (lowest == NO_FIELD)
            return at;
        const struct mail_field *field = &header->fields[lowest];
        if (field->hash == hash && span_equal_fold(field->name, name))
            return at;
    }
}

static void index_add(struct mail_header *header, struct mail_field *field, int32_t *buckets)
{
    field->hash = name_hash(header, field->name);
    uint32_t at = bucket_of(header, field->name, field->hash);
    field->above = buckets[at];
    field->same = field->above == NO_FIELD ? 1 : header->fields[field->above].same + 1;
    field->indexed = true;
    buckets[at] = (int32_t)field->position;
}

static bool is_singleton(struct span name)
{
    if (name.n > LONGEST_SINGLETON)
        return false;
    for (size_t i = 0; i < COUNT_OF(singletons[0]) && singletons[name.n][i]; i++)
        if (span_is_word(name, span_of(singletons[name.n][i], name.n)))
            return true;
    return false;
}

static void note_block(const struct mail_header *header, struct mail_anomalies *anomalies)
{
    if (header->block.n >= 3 && memcmp(header->block.p, "\xef\xbb\xbf", 3) == 0)
        mail_anomaly_note(anomalies, ANOMALY_BOM);
    for (uint32_t i = 0; i < header->count; i++) {
        const struct mail_field *field = &header->fields[i];
        if (field->same > 1 && is_singleton(field->name))
            mail_anomaly_note(anomalies, ANOMALY_HDR_DUPLICATE);
    }
}

/* The limit that refuses the block at this piece, or LIMIT_COUNT. */
static enum limit index_piece(struct mail_header *header, struct mail_field *field,
                              const struct simd_piece *piece, size_t from, int32_t *buckets,
                              struct index_notes *notes)
{
    if (piece->end - from > MAX_FIELD_BYTES)
        return LIMIT_FIELD_BYTES;
    if (header->count == MAX_FIELD_COUNT)
        return LIMIT_FIELD_COUNT;
    field->raw = span_slice(header->block, from, piece->end);
    field->position = header->count++;
    if (field_read(field, piece->name, notes->hits, notes->anomalies))
        index_add(header, field, buckets);
    return LIMIT_COUNT;
}

/* Reads all pieces into fields[0..room), which has room for all or for the limit. The limit that
 * refuses the block, or LIMIT_COUNT. */
static enum limit index_block(struct mail_header *header, struct mail_field *fields, uint32_t room,
                              int32_t *buckets, struct index_notes *notes)
{
    struct simd_piece pieces[SIMD_PIECES];
    struct span block = header->block;
    size_t from = 0;
    while (from < block.n) {
        size_t count = simd_text()->pieces(block.p, block.n, from, pieces, COUNT_OF(pieces));
        for (size_t i = 0; i < count; i++) {
            assert(header->count < room || header->count == MAX_FIELD_COUNT);
            enum limit limit =
                index_piece(header, &fields[header->count], &pieces[i], from, buckets, notes);
            if (limit != LIMIT_COUNT)
                return limit;
            from = pieces[i].end;
        }
    }
    return LIMIT_COUNT;
}

static uint32_t bucket_count_for(uint32_t fields)
{
    uint32_t count = 16;
    while (count < 2 * fields)
        count *= 2;
    return count;
}

const char *mail_header_index(struct mail_header *header, struct span block, uint64_t pieces,
                              struct arena *arena, struct limit_hits *hits,
                              struct mail_anomalies *anomalies)
{
    uint32_t room = pieces < MAX_FIELD_COUNT ? (uint32_t)pieces : MAX_FIELD_COUNT;
    uint32_t bucket_count = bucket_count_for(room);
    struct mail_field *fields = ARENA_ARRAY(arena, room, struct mail_field);
    int32_t *buckets = ARENA_ARRAY(arena, bucket_count, int32_t);
    *header = (struct mail_header){0};
    if (!fields || !buckets) {
        limit_hit(hits, LIMIT_ARENA_BYTES);
        return limit_word(LIMIT_ARENA_BYTES);
    }
    memset(buckets, 0xff, bucket_count * sizeof *buckets); /* NO_FIELD */
    *header = (struct mail_header){fields, 0, block, buckets, bucket_count};
    struct index_notes notes = {hits, anomalies};
    enum limit limit = index_block(header, fields, room, buckets, &notes);
    if (limit != LIMIT_COUNT) {
        *header = (struct mail_header){0};
        limit_hit(hits, limit);
        mail_anomaly_note(anomalies, ANOMALY_TOO_LARGE);
        return limit_word(limit);
    }
    note_block(header, anomalies);
    return NULL;
}

const struct mail_field *mail_header_lowest(const struct mail_header *header, struct span name)
{
    if (header->bucket_count == 0)
        return NULL;
    int32_t lowest = header->buckets[bucket_of(header, name, name_hash(header, name))];
    return lowest == NO_FIELD ? NULL : &header->fields[lowest];
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
