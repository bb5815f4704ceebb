/*
 * RFC 6376 sections 3.7 and 5.4.2.
 *
 * Which instance of a name comes next is remembered at the lowest field of that name, so an h= of
 * 256 items over 1,000 fields of one name costs 256 steps, not 256,000 (security.md B11). Each
 * field goes in at most once, so the canonical text is no longer than the header and one CRLF.
 */
#include "dkim/header_hash.h"

/* Per field, used at the lowest of a name: what the next item of that name takes. */
enum
{
    NOT_STARTED = 0, /* the lowest field itself; otherwise 1 + position */
    EXHAUSTED = -1,
};

static int32_t place_of(const struct mail_field *field)
{
    return field ? (int32_t)field->position + 1 : EXHAUSTED;
}

/* The next unused one of `lowest` and those of its name upward, or NULL; the field that is being
 * verified is no candidate (DV-20, DV-21, AV-16). */
static const struct mail_field *next_instance(const struct mail_header *header,
                                              const struct mail_field *lowest,
                                              const struct mail_field *self, int32_t *places)
{
    if (!lowest)
        return NULL;
    int32_t *place = &places[lowest->position];
    if (*place == EXHAUSTED)
        return NULL;
    const struct mail_field *field = *place == NOT_STARTED ? lowest : &header->fields[*place - 1];
    if (field->position == self->position)
        field = mail_header_above(header, field);
    *place = field ? place_of(mail_header_above(header, field)) : EXHAUSTED;
    return field;
}

/* Appends what is signed. False without memory; the buffer may have failed besides. */
static bool write_text(const struct mail_header *header, const struct dkim_signature *signature,
                       struct arena *arena, struct buffer *text)
{
    assert(signature->kind != DKIM_ARC_SEAL);
    const struct mail_field *self = signature->field;
    int32_t *places = ARENA_ARRAY(arena, header->count, int32_t);
    if (!places)
        return false;
    for (uint32_t i = 0; i < signature->item_count; i++) {
        const struct mail_field *lowest =
            mail_header_named(header, signature->item_names[i], signature->items[i]);
        const struct mail_field *field = next_instance(header, lowest, self, places);
        if (field)
            canon_field(signature->header_canon, field, (struct span){NULL, 0}, text);
    }
    canon_field(signature->header_canon, self, signature->b_value, text); /* DV-22 */
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
