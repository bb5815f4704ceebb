/*
 * Header reader and canonicalization. Pieces cover the block; pieces of any size give the same.
 * Fields and bodies in canonical form are what a slow reading of RFC 6376 3.4 gives.
 */
#include "fuzz/support/fuzz.h"
#include "fuzz/support/slow.h"
#include "mail/canon.h"

#include <stdlib.h>

struct reading
{
    struct arena arena;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader;
    size_t taken;
};

static void read_in_pieces(struct reading *reading, struct span text, size_t piece)
{
    *reading = (struct reading){.taken = 0};
    arena_init(&reading->arena, MAX_ARENA_BYTES);
    mail_reader_init(&reading->reader, &reading->arena, &reading->hits, &reading->anomalies);
    while (text.n && !reading->reader.done) {
        size_t n = piece < text.n ? piece : text.n;
        reading->taken += mail_reader_feed(&reading->reader, span_slice(text, 0, n));
        text = span_skip(text, n);
    }
    if (!reading->reader.done)
        mail_reader_end(&reading->reader);
}

static void check_fields(const struct mail_header *header)
{
    const uint8_t *at = header->block.p;
    for (uint32_t i = 0; i < header->count; i++) {
        const struct mail_field *field = &header->fields[i];
        FUZZ_CHECK(field->raw.p == at && field->raw.n > 0 && field->position == i);
        FUZZ_CHECK(fuzz_inside(field->name, field->raw) && fuzz_inside(field->value, field->raw));
        at += field->raw.n;
        if (field->indexed)
            slow_check_field(field);
    }
    FUZZ_CHECK(at == span_end(header->block));
}

FUZZ_TARGET(header)
{
    static struct reading whole, pieces;
    if (size == 0)
        return 0;
    struct span text = span_of(data + 1, size - 1);
    read_in_pieces(&whole, text, SIZE_MAX);
    read_in_pieces(&pieces, text, 1 + data[0] % 32);
    FUZZ_CHECK(whole.taken == pieces.taken && whole.reader.refused == pieces.reader.refused);
    FUZZ_CHECK(memcmp(&whole.anomalies, &pieces.anomalies, sizeof whole.anomalies) == 0);
    FUZZ_CHECK(span_equal(whole.reader.header.block, pieces.reader.header.block));
    FUZZ_CHECK(whole.reader.header.count == pieces.reader.header.count);
    check_fields(&whole.reader.header);
    slow_check_body(span_skip(text, whole.taken), 1 + data[0] / 32);
    arena_fini(&whole.arena);
    arena_fini(&pieces.arena);
    return 0;
}
