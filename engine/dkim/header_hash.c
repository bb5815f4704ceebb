/*
 * RFC 6376 sections 3.7 and 5.4.2.
 *
 * Which instance of a name comes next is remembered by the name's number, or at the lowest field of
 * a name that has none, so an h= of 256 items over 1,000 fields of one name costs 256 steps, not
 * 256,000 (security.md B11). Each field goes in at most once, so the canonical text is no longer
 * than the header and one CRLF.
 */
#include "dkim/header_hash.h"

enum
{
    STARTED = 1,
};

struct choice /* of the fields that the items of h= stand for */
{
    const struct mail_header *header;
    const struct mail_field *self; /* the one being verified: no candidate (DV-20, DV-21, AV-16) */
    /* What the next item of a known name takes: 1 + position; 0: none is left. */
    uint16_t known[FIELD_NAME_COUNT];
    uint16_t *others; /* arena: the same of another name, at the position of its lowest field, with
                         STARTED added; 0: the lowest itself. NULL: of none */
};

static inline uint16_t place_above(const struct choice *choice, uint16_t place)
{
    return (uint16_t)(choice->header->fields[place - 1].above + 1);
}

/* Takes the field at *next, or the one above it, and moves *next up. NULL: none is left. */
static inline const struct mail_field *take(const struct choice *choice, uint16_t *next)
{
    uint16_t place = *next;
    if (place && place == choice->self->position + 1)
        place = place_above(choice, place);
    *next = place ? place_above(choice, place) : 0;
    return place ? &choice->header->fields[place - 1] : NULL;
}

/* The same for a name that is not known. False without memory. */
static bool take_other(struct choice *choice, struct span name, struct arena *arena,
                       const struct mail_field **field)
{
    const struct mail_field *lowest = mail_header_other(choice->header, name);
    *field = NULL;
    if (!lowest)
        return true;
    if (!choice->others)
        choice->others = ARENA_ARRAY(arena, choice->header->count, uint16_t);
    if (!choice->others)
        return false;
    uint16_t *started = &choice->others[lowest->position];
    uint16_t next = *started ? *started - STARTED : (uint16_t)(lowest->position + 1);
    *field = take(choice, &next);
    *started = next + STARTED;
    return true;
}

/* Appends what is signed. False without memory; the buffer may have failed besides. */
static bool write_text(const struct mail_header *header, const struct dkim_signature *signature,
                       struct arena *arena, struct buffer *text)
{
    assert(signature->kind != DKIM_ARC_SEAL);
    struct choice choice = {.header = header, .self = signature->field};
    memcpy(choice.known, header->known, sizeof choice.known);
    for (uint32_t i = 0; i < signature->item_count; i++) {
        uint8_t name = signature->item_names[i];
        const struct mail_field *field;
        if (name)
            field = take(&choice, &choice.known[name]);
        else if (!take_other(&choice, signature->items[i], arena, &field))
            return false;
        if (field)
            canon_field(signature->header_canon, field, (struct span){NULL, 0}, text);
    }
    canon_field(signature->header_canon, signature->field, signature->b_value, text); /* DV-22 */
    if (text->n >= 2 && memcmp(text->p + text->n - 2, "\r\n", 2) == 0)
        text->n -= 2;
    return true;
}

bool dkim_header_hash(const struct mail_header *header, const struct dkim_signature *signature,
                      struct arena *arena, struct buffer *scratch, uint8_t out[SHA256_BYTES])
{
    buffer_reset(scratch);
    if (!write_text(header, signature, arena, scratch) || scratch->failed)
        return false;
    sha256_of(buffer_span(scratch), out);
    return true;
}

bool dkim_header_hash_queue(const struct mail_header *header,
                            const struct dkim_signature *signature, struct arena *arena,
                            struct hash_queue *queue, uint8_t out[SHA256_BYTES])
{
    for (unsigned tries = 0; tries < 2; tries++) {
        struct buffer *text = hash_queue_text(queue);
        if (!write_text(header, signature, arena, text))
            text->failed = true;
        if (hash_queue_text_end(queue, out))
            return true;
    }
    return false;
}
