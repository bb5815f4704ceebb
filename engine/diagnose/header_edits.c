#include "diagnose/header_edits.h"

void edit_add(struct header_edits *edits, const struct header_edit *edit)
{
    if (edits->count == MAX_DIAGNOSE_EDITS) {
        search_limit(edits->search, LIMIT_DIAGNOSE_EDITS);
        return;
    }
    edits->edits[edits->count++] = *edit;
}

int edit_find(const struct header_edits *edits, struct span name)
{
    for (uint32_t i = 0; i + 1 < edits->text->count; i++)
        if (span_equal_fold(edits->text->pieces[i].name, name))
            return (int)i;
    return -1;
}

/* Two ways to one text are one try. */
static bool is_there(const struct header_edits *edits, uint32_t piece, struct span canonical)
{
    for (uint32_t i = 0; i < edits->count; i++) {
        const struct header_edit *edit = &edits->edits[i];
        if (edit->change_count == 1 && edit->changes[0].piece == piece &&
            span_equal(edit->changes[0].canonical, canonical))
            return true;
    }
    return false;
}

void edit_piece(struct header_edits *edits, enum diagnose_cause cause, uint32_t piece,
                struct span canonical, bool frequent)
{
    const struct header_piece *old = &edits->text->pieces[piece];
    if (span_equal(old->canonical, canonical) || is_there(edits, piece, canonical))
        return;
    struct header_change *change = ARENA_NEW(edits->search->request->arena, struct header_change);
    if (!change || (canonical.n && !canonical.p)) {
        edits->search->failed = true;
        return;
    }
    *change = (struct header_change){piece, canonical};
    edit_add(edits, &(struct header_edit){
                        .cause = cause,
                        .changes = change,
                        .change_count = 1,
                        .field = old->field ? old->field->name : old->name,
                        .position = old->field ? (int32_t)old->field->position : -1,
                        .before = header_text_value(canonical),
                        .after = header_text_value(old->canonical),
                        .frequent = frequent,
                    });
}

/* "Content-type" as most programs write it: a capital at the beginning of each word. */
static void append_name(struct span name, enum canon canon, struct buffer *out)
{
    for (size_t i = 0; i < name.n; i++) {
        bool begins = i == 0 || name.p[i - 1] == '-';
        uint8_t c = ascii_lower(name.p[i]);
        bool capital = canon == CANON_SIMPLE && begins && c >= 'a' && c <= 'z';
        buffer_append_byte(out, capital ? (uint8_t)(c - 'a' + 'A') : c);
    }
    buffer_append(out, canon == CANON_SIMPLE ? SPAN(": ") : SPAN(":"));
}

void edit_value(struct header_edits *edits, enum diagnose_cause cause, uint32_t piece,
                struct span value, bool frequent)
{
    struct buffer out;
    const struct header_piece *old = &edits->text->pieces[piece];
    struct span now = header_text_value(old->canonical);
    bool self = piece + 1 == edits->text->count;
    buffer_init(&out, 2 * MAX_HEADER_BYTES);
    if (old->field)
        buffer_append(&out, span_slice(old->canonical, 0, (size_t)(now.p - old->canonical.p)));
    else
        append_name(old->name, edits->text->canon, &out);
    buffer_append(&out, value);
    if (!self)
        buffer_append(&out, SPAN("\r\n"));
    if (out.failed)
        edits->search->failed = true;
    else
        edit_piece(edits, cause, piece,
                   arena_copy(edits->search->request->arena, buffer_span(&out)), frequent);
    buffer_fini(&out);
}
