/*
 * What the signature field itself tells. bh= may have been changed: then the hash of the body that
 * is here, in its place, makes the signature verify. z= has copies of the fields as they were
 * signed (RFC 6376 3.5): made for diagnosis, and used for nothing else (DV-19, C14).
 */
#include "base/base64.h"
#include "base/chars.h"
#include "diagnose/header_edits.h"

enum
{
    Z_FIELDS_MAX = 64,
};

static bool is_blank(uint8_t c)
{
    return char_is_wsp(c) || c == '\r' || c == '\n';
}

/* A copy of the field with other characters in place of those of bh=, its folds kept. */
static void add_body_hash(struct header_edits *edits, struct span bh)
{
    struct search *search = edits->search;
    const struct mail_field *self = search->request->signature->field;
    char text[BASE64_ENCODED_LENGTH(SHA256_BYTES)];
    struct span raw = arena_copy(search->request->arena, self->raw);
    uint8_t *writable = raw.p ? arena_alloc(search->request->arena, raw.n) : NULL;
    if (!writable || !search->out->body.found_known)
        return;
    memcpy(writable, raw.p, raw.n);
    base64_encode(span_of(search->out->body.found, SHA256_BYTES), text);
    size_t at = (size_t)(bh.p - self->raw.p), n = 0;
    for (size_t i = at; i < at + bh.n; i++) {
        if (is_blank(writable[i]))
            continue;
        if (n == sizeof text)
            return;
        writable[i] = (uint8_t)text[n++];
    }
    struct mail_field copy = *self;
    copy.raw.p = writable;
    copy.name.p = writable + (self->name.p - self->raw.p);
    copy.value.p = writable + (self->value.p - self->raw.p);
    struct dkim_signature signature = *search->request->signature;
    signature.b_value.p = writable + (signature.b_value.p - self->raw.p);
    struct buffer out;
    buffer_init(&out, 2 * MAX_HEADER_BYTES);
    canon_field(edits->text->canon, &copy, signature.b_value, &out);
    if (!out.failed && out.n >= 2)
        edit_piece(edits, CAUSE_BH_DAMAGED, edits->text->count - 1,
                   arena_copy(search->request->arena, span_of(out.p, out.n - 2)), false);
    buffer_fini(&out);
}

/* dkim-quoted-printable = *(FWS / hex-octet / dkim-safe-char)                  RFC 6376 2.11 */
static struct span decode(struct search *search, struct span text)
{
    uint8_t *out = arena_alloc(search->request->arena, text.n + 1);
    size_t n = 0;
    if (!out) {
        search->failed = true;
        return (struct span){NULL, 0};
    }
    for (size_t i = 0; i < text.n; i++) {
        if (is_blank(text.p[i]))
            continue;
        int high = text.p[i] == '=' && i + 2 < text.n ? char_hex_value(text.p[i + 1]) : -1;
        int low = high >= 0 ? char_hex_value(text.p[i + 2]) : -1;
        out[n++] = low >= 0 ? (uint8_t)(high * 16 + low) : text.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return span_of(out, n);
}

/* One copied field, as it would be read: canonical, in the arena. */
static struct span canonical_copy(struct header_edits *edits, struct span name, struct span copy)
{
    struct buffer raw;
    struct span canonical = {NULL, 0};
    buffer_init(&raw, 2 * MAX_HEADER_BYTES);
    buffer_append(&raw, name);
    buffer_append_byte(&raw, ':');
    buffer_append(&raw, copy);
    buffer_append(&raw, SPAN("\r\n"));
    if (!raw.failed) {
        struct mail_field field = {
            .raw = buffer_span(&raw),
            .name = span_of(raw.p, name.n),
            .value = span_of(raw.p + name.n + 1, copy.n),
        };
        canonical = header_text_field(edits->search, edits->text->canon, &field);
    }
    buffer_fini(&raw);
    return canonical;
}

/* The copy of a field against the nth piece of its name. */
static void add_copy(struct header_edits *edits, struct span name, struct span copy, uint32_t nth)
{
    for (uint32_t i = 0; i + 1 < edits->text->count; i++) {
        const struct header_piece *piece = &edits->text->pieces[i];
        if (!span_equal_fold(piece->name, name) || nth-- > 0)
            continue;
        struct span canonical =
            canonical_copy(edits, piece->field ? piece->field->name : name, copy);
        if (canonical.p)
            edit_piece(edits, piece->field ? CAUSE_FIELD_CHANGED : CAUSE_FIELD_REMOVED, i,
                       canonical, true);
        return;
    }
}

/* sig-z-tag-copy = hdr-name [FWS] ":" qp-hdr-value, "|" between them              RFC 6376 3.5 */
static void add_copies(struct header_edits *edits, struct span z)
{
    struct span names[Z_FIELDS_MAX];
    for (uint32_t count = 0; z.n && count < Z_FIELDS_MAX; count++) {
        size_t end = span_find(z, '|');
        struct span one = span_slice(z, 0, end);
        z = span_skip(z, end < z.n ? end + 1 : end);
        size_t colon = span_find(one, ':');
        struct span name = taglist_trim(span_slice(one, 0, colon));
        uint32_t nth = 0;
        for (uint32_t i = 0; i < count; i++)
            nth += span_equal_fold(names[i], name);
        names[count] = name;
        if (colon < one.n && name.n)
            add_copy(edits, name, decode(edits->search, span_skip(one, colon + 1)), nth);
    }
}

void edits_of_self(struct header_edits *edits)
{
    struct taglist list;
    const struct mail_field *self = edits->search->request->signature->field;
    if (!taglist_parse(self->value, TAGLIST_STRICT, &list))
        return;
    const struct tag *bh = taglist_find(&list, SPAN("bh"));
    const struct tag *z = taglist_find(&list, SPAN("z"));
    if (bh && edits->search->out->body.state == DIAGNOSE_CHANGED)
        add_body_hash(edits, bh->value);
    if (z)
        add_copies(edits, z->value);
}
