/*
 * The form of fields. Under simple canonicalization every fold, blank and capital counts; under
 * relaxed still blanks where there were none (a line folded in the middle of a word, after a comma,
 * within the lists of the signature field), and quotes.
 */
#include "base/chars.h"
#include "diagnose/header_edits.h"

typedef void rewrite(struct span text, struct buffer *out);

static bool is_fold(struct span text, size_t at)
{
    return at + 2 < text.n && text.p[at] == '\r' && text.p[at + 1] == '\n' &&
           char_is_wsp(text.p[at + 2]);
}

/* Each fold, with all blanks around it, becomes `by`. */
static void replace_folds(struct span text, struct span by, bool blanks_too, struct buffer *out)
{
    for (size_t at = 0; at < text.n; at++) {
        if (!is_fold(text, at)) {
            buffer_append_byte(out, text.p[at]);
            continue;
        }
        buffer_append(out, by);
        at += 1;
        while (blanks_too && at + 1 < text.n && char_is_wsp(text.p[at + 1]))
            at++;
    }
}

static void unfold_to_blank(struct span text, struct buffer *out)
{
    replace_folds(text, SPAN(" "), true, out);
}

static void unfold_keeping_blanks(struct span text, struct buffer *out)
{
    replace_folds(text, SPAN(""), false, out);
}

static void unfold_to_nothing(struct span text, struct buffer *out)
{
    replace_folds(text, SPAN(""), true, out);
}

static void fold_with_tab(struct span text, struct buffer *out)
{
    replace_folds(text, SPAN("\r\n\t"), true, out);
}

static void fold_with_blank(struct span text, struct buffer *out)
{
    replace_folds(text, SPAN("\r\n "), true, out);
}

static void fold_with_eight_blanks(struct span text, struct buffer *out)
{
    replace_folds(text, SPAN("\r\n        "), true, out);
}

/* Folded at the last blank before `width`; what is folded is unfolded first. */
static void fold_at(struct span text, size_t width, bool tab, struct buffer *out)
{
    size_t line = 0, blank = 0; /* where they begin in `out` */
    size_t base = out->n, value = base + span_find(text, ':') + 2;
    bool has_blank = false;
    unfold_to_blank(text, out);
    for (size_t at = base; at < out->n && !out->failed; at++) {
        bool is_blank = out->p[at] == ' ' && at >= value;
        if (at - (line + base) >= width && has_blank) {
            if (!buffer_reserve(out, 2))
                return;
            memmove(out->p + blank + 2, out->p + blank, out->n - blank);
            memcpy(out->p + blank, "\r\n", 2);
            buffer_commit(out, 2);
            if (tab)
                out->p[blank + 2] = '\t';
            line = blank + 2 - base;
            at = blank + 2;
            has_blank = false;
        } else if (is_blank) {
            blank = at;
            has_blank = true;
        }
    }
}

static void fold_at_78(struct span text, struct buffer *out)
{
    fold_at(text, 78, false, out);
}

static void fold_at_76(struct span text, struct buffer *out)
{
    fold_at(text, 76, false, out);
}

static void fold_at_78_with_tab(struct span text, struct buffer *out)
{
    fold_at(text, 78, true, out);
}

static void without_first_blanks(struct span text, struct buffer *out)
{
    size_t colon = span_find(text, ':');
    size_t at = colon < text.n ? colon + 1 : colon;
    buffer_append(out, span_slice(text, 0, at));
    while (at < text.n && char_is_wsp(text.p[at]))
        at++;
    buffer_append(out, span_skip(text, at));
}

static void with_first_blank(struct span text, struct buffer *out)
{
    size_t colon = span_find(text, ':');
    size_t at = colon < text.n ? colon + 1 : colon;
    buffer_append(out, span_slice(text, 0, at));
    buffer_append_byte(out, ' ');
    buffer_append(out, span_skip(text, at));
}

static void without_last_blanks(struct span text, struct buffer *out)
{
    size_t end = text.n;
    bool crlf = end >= 2 && text.p[end - 1] == '\n';
    end -= crlf ? 2 : 0;
    while (end && char_is_wsp(text.p[end - 1]))
        end--;
    buffer_append(out, span_slice(text, 0, end));
    buffer_append(out, crlf ? SPAN("\r\n") : SPAN(""));
}

static void commas_apart(struct span text, struct buffer *out)
{
    for (size_t i = 0; i < text.n; i++) {
        buffer_append_byte(out, text.p[i]);
        if (text.p[i] == ',' && i + 1 < text.n && !char_is_wsp(text.p[i + 1]) &&
            text.p[i + 1] != '\r')
            buffer_append_byte(out, ' ');
    }
}

static void commas_close(struct span text, struct buffer *out)
{
    for (size_t i = 0; i < text.n; i++) {
        buffer_append_byte(out, text.p[i]);
        bool comma = text.p[i] == ',';
        while (comma && i + 1 < text.n && char_is_wsp(text.p[i + 1]))
            i++;
    }
}

static void without_quotes(struct span text, struct buffer *out)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '"')
            buffer_append_byte(out, text.p[i]);
}

/* charset=utf-8 to charset="utf-8" */
static void with_quotes(struct span text, struct buffer *out)
{
    bool open = false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (open && (c == ';' || c == '\r' || char_is_wsp(c))) {
            buffer_append_byte(out, '"');
            open = false;
        }
        buffer_append_byte(out, c);
        if (c == '=' && !open && i + 1 < text.n && text.p[i + 1] != '"') {
            buffer_append_byte(out, '"');
            open = true;
        }
    }
    if (open)
        buffer_append_byte(out, '"');
}

/* "Jo Doe" <a@b> to "\"Jo Doe\" <a@b>" */
static void with_quoted_name(struct span text, struct buffer *out)
{
    struct span value = header_text_value(text);
    size_t at = (size_t)(value.p - text.p);
    size_t angle = span_find(value, '<');
    if (angle == value.n || angle < 2 || value.p[0] == '"' || value.p[angle - 1] != ' ') {
        buffer_append(out, text);
        return;
    }
    buffer_append(out, span_slice(text, 0, at));
    buffer_append_byte(out, '"');
    buffer_append(out, span_slice(value, 0, angle - 1));
    buffer_append_byte(out, '"');
    buffer_append(out, span_skip(text, at + angle - 1));
}

/* Blanks go, but for those behind a semicolon: lists of the signature field that were folded. */
static void tight_tags(struct span text, struct buffer *out)
{
    size_t first = span_find(text, ':') + 1;
    for (size_t i = 0; i < text.n; i++) {
        bool kept = i == first || (i && text.p[i - 1] == ';');
        if (kept || !char_is_wsp(text.p[i]))
            buffer_append_byte(out, text.p[i]);
    }
}

/* Upper or lower case of the name: Message-Id, MIME-Version and the like. */
static void name_with(struct span text, bool capitals, struct buffer *out)
{
    size_t colon = span_find(text, ':');
    for (size_t i = 0; i < colon; i++) {
        uint8_t c = ascii_lower(text.p[i]);
        bool begins = i == 0 || text.p[i - 1] == '-';
        bool up = capitals && begins && c >= 'a' && c <= 'z';
        buffer_append_byte(out, up ? (uint8_t)(c - 'a' + 'A') : c);
    }
    buffer_append(out, span_skip(text, colon));
}

static void name_capitalized(struct span text, struct buffer *out)
{
    name_with(text, true, out);
}

static void name_in_lower_case(struct span text, struct buffer *out)
{
    name_with(text, false, out);
}

static void name_as_in_standards(struct span text, struct buffer *out)
{
    static const struct span names[] = {SPAN("Message-ID"), SPAN("MIME-Version"),
                                        SPAN("DKIM-Signature"), SPAN("List-ID"),
                                        SPAN("Content-ID")};
    size_t colon = span_find(text, ':');
    struct span name = span_slice(text, 0, colon);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (span_equal_fold(name, names[i]))
            name = names[i];
    buffer_append(out, name);
    buffer_append(out, span_skip(text, colon));
}

enum
{
    FOLD_FROM = 60, /* octets: shorter fields are not folded */
    FOLD_TO = 1000, /* longer ones have too many places */
};

enum
{
    SIMPLE = 1,
    RELAXED = 2,
    SELF = 4,   /* the signature field alone */
    OTHERS = 8, /* all but it */
};

static const struct
{
    rewrite *rewrite;
    enum diagnose_cause cause;
    unsigned where;
} forms[] = {
    {unfold_to_blank, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {unfold_keeping_blanks, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {fold_with_tab, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {fold_with_blank, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {fold_with_eight_blanks, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {fold_at_78, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {fold_at_76, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {fold_at_78_with_tab, CAUSE_REFOLDED, SIMPLE | SELF | OTHERS},
    {name_as_in_standards, CAUSE_NAME_CASE, SIMPLE | SELF | OTHERS},
    {name_capitalized, CAUSE_NAME_CASE, SIMPLE | SELF | OTHERS},
    {name_in_lower_case, CAUSE_NAME_CASE, SIMPLE | SELF | OTHERS},
    {without_first_blanks, CAUSE_HEADER_BLANKS, SIMPLE | SELF | OTHERS},
    {with_first_blank, CAUSE_HEADER_BLANKS, SIMPLE | SELF | OTHERS},
    {without_last_blanks, CAUSE_HEADER_BLANKS, SIMPLE | OTHERS},
    {tight_tags, CAUSE_HEADER_BLANKS, RELAXED | SELF},
    {commas_apart, CAUSE_HEADER_BLANKS, SIMPLE | RELAXED | OTHERS},
    {commas_close, CAUSE_HEADER_BLANKS, SIMPLE | RELAXED | OTHERS},
    {without_quotes, CAUSE_FIELD_CHANGED, SIMPLE | RELAXED | OTHERS},
    {with_quotes, CAUSE_FIELD_CHANGED, SIMPLE | RELAXED | OTHERS},
    {with_quoted_name, CAUSE_FIELD_CHANGED, SIMPLE | RELAXED | OTHERS},
};

/* with_quotes is for parameters, with_quoted_name for addresses: elsewhere they only cost tries. */
static bool is_for(rewrite *what, struct span name)
{
    if (what == with_quotes)
        return span_starts_fold(name, SPAN("content-"));
    if (what == with_quoted_name)
        return span_equal_fold(name, SPAN("from")) || span_equal_fold(name, SPAN("to")) ||
               span_equal_fold(name, SPAN("cc")) || span_equal_fold(name, SPAN("reply-to")) ||
               span_equal_fold(name, SPAN("sender"));
    return true;
}

static void add_form(struct header_edits *edits, size_t form, uint32_t piece)
{
    struct buffer out;
    const struct header_piece *old = &edits->text->pieces[piece];
    if (!old->field || !is_for(forms[form].rewrite, old->name))
        return;
    buffer_init(&out, 4 * MAX_HEADER_BYTES);
    forms[form].rewrite(old->canonical, &out);
    if (!out.failed && !span_equal(buffer_span(&out), old->canonical))
        edit_piece(edits, forms[form].cause, piece,
                   arena_copy(edits->search->request->arena, buffer_span(&out)), false);
    buffer_fini(&out);
}

/* The same to every field at once: a hop that folds anew folds them all. */
static void add_form_everywhere(struct header_edits *edits, size_t form)
{
    struct header_edits each = *edits;
    uint32_t first = edits->count, count = 0;
    struct header_change *changes =
        ARENA_ARRAY(edits->search->request->arena, edits->text->count, struct header_change);
    for (uint32_t piece = 0; changes && piece < edits->text->count; piece++) {
        each.count = first;
        add_form(&each, form, piece);
        if (each.count > first)
            changes[count++] = edits->edits[first].changes[0];
    }
    if (!changes)
        edits->search->failed = true;
    else if (count > 1)
        edit_add(edits, &(struct header_edit){.cause = forms[form].cause,
                                              .changes = changes,
                                              .change_count = count,
                                              .position = -1});
}

/* A field that was folded in the middle of a word: relaxed has a blank there for good. */
static void add_words_joined(struct header_edits *edits, uint32_t piece)
{
    struct buffer out;
    const struct header_piece *old = &edits->text->pieces[piece];
    if (!old->field || piece + 1 == edits->text->count)
        return;
    buffer_init(&out, 2 * MAX_HEADER_BYTES);
    unfold_to_nothing(old->field->raw, &out);
    if (!out.failed && out.n < old->field->raw.n) {
        struct mail_field field = {
            .raw = buffer_span(&out),
            .name = span_of(out.p, old->field->name.n),
        };
        size_t value_at = (size_t)(old->field->value.p - old->field->raw.p);
        field.value = span_slice(field.raw, value_at, field.raw.n - 2);
        edit_piece(edits, CAUSE_REFOLDED, piece,
                   header_text_field(edits->search, edits->text->canon, &field), false);
    }
    buffer_fini(&out);
}

/* A fold in front of one of the blanks of a long line: unfolded on the way. */
static void add_folds(struct header_edits *edits, uint32_t piece)
{
    const struct header_piece *old = &edits->text->pieces[piece];
    struct span text = old->canonical;
    struct span value = header_text_value(text);
    if (!old->field || text.n < FOLD_FROM || text.n > FOLD_TO)
        return;
    for (size_t at = (size_t)(value.p - text.p); at < text.n; at++) {
        if (text.p[at] != ' ' || text.p[at - 1] == '\n')
            continue;
        struct buffer out;
        buffer_init(&out, 2 * MAX_HEADER_BYTES);
        buffer_append(&out, span_slice(text, 0, at));
        buffer_append(&out, SPAN("\r\n"));
        buffer_append(&out, span_skip(text, at));
        if (!out.failed)
            edit_piece(edits, CAUSE_REFOLDED, piece,
                       arena_copy(edits->search->request->arena, buffer_span(&out)), false);
        buffer_fini(&out);
    }
}

void edits_of_form(struct header_edits *edits)
{
    unsigned canon = edits->text->canon == CANON_SIMPLE ? SIMPLE : RELAXED;
    uint32_t self = edits->text->count - 1;
    for (size_t form = 0; form < COUNT_OF(forms); form++)
        if ((forms[form].where & canon) && canon == SIMPLE)
            add_form_everywhere(edits, form);
    for (uint32_t piece = 0; piece < self; piece++)
        add_words_joined(edits, piece);
    for (uint32_t piece = 0; canon == SIMPLE && piece < self; piece++)
        add_folds(edits, piece);
    for (size_t form = 0; form < COUNT_OF(forms); form++) {
        for (uint32_t piece = 0; piece <= self && (forms[form].where & canon); piece++)
            if (forms[form].where & (piece == self ? SELF : OTHERS))
                add_form(edits, form, piece);
    }
}
