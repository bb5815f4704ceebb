#include "diagnose/header_text.h"

const struct mail_field *header_text_instance(const struct search *search, struct span name,
                                              uint32_t nth)
{
    const struct diagnose_request *request = search->request;
    const struct mail_field *self = request->signature->field;
    const struct mail_field *field = mail_header_lowest(request->header, name);
    while (field && (field->position == self->position || nth-- > 0))
        field = mail_header_above(request->header, field);
    return field;
}

static struct span canonical(struct search *search, enum canon canon,
                             const struct mail_field *field, struct span cut)
{
    struct buffer out;
    buffer_init(&out, 2 * MAX_HEADER_BYTES);
    canon_field(canon, field, cut, &out);
    struct span kept =
        out.failed ? (struct span){NULL, 0} : arena_copy(search->request->arena, buffer_span(&out));
    buffer_fini(&out);
    if (!kept.p)
        search->failed = true;
    return kept;
}

struct span header_text_field(struct search *search, enum canon canon,
                              const struct mail_field *field)
{
    return canonical(search, canon, field, (struct span){NULL, 0});
}

struct span header_text_value(struct span text)
{
    size_t at = span_find(text, ':');
    text = span_skip(text, at < text.n ? at + 1 : at);
    if (text.n >= 2 && memcmp(text.p + text.n - 2, "\r\n", 2) == 0)
        text.n -= 2;
    while (text.n && (text.p[0] == ' ' || text.p[0] == '\t'))
        text = span_skip(text, 1);
    return text;
}

static uint32_t earlier_items(const struct dkim_signature *signature, uint32_t item)
{
    uint32_t same = 0;
    for (uint32_t i = 0; i < item; i++)
        same += span_equal_fold(signature->items[i], signature->items[item]);
    return same;
}

bool header_text_read(struct search *search, enum canon canon, struct header_text *text)
{
    const struct dkim_signature *signature = search->request->signature;
    struct header_piece *pieces =
        ARENA_ARRAY(search->request->arena, signature->item_count + 1, struct header_piece);
    *text = (struct header_text){canon, pieces, 0};
    if (!pieces) {
        search->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < signature->item_count; i++) {
        struct header_piece *piece = &pieces[text->count++];
        piece->name = signature->items[i];
        piece->field = header_text_instance(search, piece->name, earlier_items(signature, i));
        if (piece->field)
            piece->canonical = header_text_field(search, canon, piece->field);
    }
    struct header_piece *self = &pieces[text->count++];
    self->name = signature->field->name;
    self->field = signature->field;
    self->canonical = canonical(search, canon, signature->field, signature->b_value);
    if (self->canonical.n >= 2)
        self->canonical.n -= 2; /* DV-22: without its CRLF */
    return !search->failed;
}
