/*
 * What mailing lists and gateways do to a header: tags in the Subject, another From, fields put in
 * other words. Originals are often kept in other fields, which are tried in their place.
 */
#include "base/chars.h"
#include "base/taglist.h"
#include "diagnose/header_edits.h"
#include "diagnose/mime.h"

enum
{
    TAG_MAX = 80,
    TAGS_MAX = 4,
    PART_TYPES_MAX = 4,
};

/* --- Subject --- */

static size_t skip_wsp(struct span s, size_t at)
{
    while (at < s.n && (char_is_wsp(s.p[at]) || s.p[at] == '\r' || s.p[at] == '\n'))
        at++;
    return at;
}

/* "[list]", "(list)", "{list}", "***SPAM***" */
static size_t bracketed(struct span s)
{
    static const char *const pairs[] = {"[]", "()", "{}", "<>"};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        if (s.n == 0 || s.p[0] != (uint8_t)pairs[i][0])
            continue;
        size_t end = span_find(s, (uint8_t)pairs[i][1]);
        return end < s.n && end < TAG_MAX ? end + 1 : 0;
    }
    size_t stars = 0;
    while (stars < s.n && s.p[stars] == '*')
        stars++;
    size_t end = stars + span_find(span_skip(s, stars), '*');
    if (stars == 0 || end >= s.n || end > TAG_MAX)
        return 0;
    while (end < s.n && s.p[end] == '*')
        end++;
    return end;
}

/* "EXTERNAL:", "Spam> ", "=5Blist=5D" behind "=?utf-8?q?" */
static size_t worded(struct span s)
{
    for (size_t i = 0; i < s.n && i < TAG_MAX; i++)
        if (s.p[i] == ':' || s.p[i] == '>')
            return i + 1;
    return 0;
}

/* What a tag at the beginning of `s` takes, with the blanks behind it; 0: none. */
static size_t tag_length(struct span s, bool words)
{
    size_t n = bracketed(s);
    if (n == 0 && words)
        n = worded(s);
    return n ? skip_wsp(s, n) : 0;
}

static void add_subject(struct header_edits *edits, uint32_t piece, struct span front,
                        struct span rest)
{
    struct buffer out;
    buffer_init(&out, 2 * MAX_HEADER_BYTES);
    buffer_append(&out, front);
    buffer_append(&out, rest);
    if (!out.failed)
        edit_value(edits, CAUSE_SUBJECT_PREFIX, piece, buffer_span(&out), true);
    buffer_fini(&out);
}

/* One to four tags from `at` on. */
static void add_untagged(struct header_edits *edits, uint32_t piece, struct span value, size_t at,
                         bool words)
{
    size_t end = at;
    for (unsigned i = 0; i < TAGS_MAX; i++) {
        size_t n = tag_length(span_skip(value, end), words && i == 0);
        if (n == 0)
            return;
        end += n;
        add_subject(edits, piece, span_slice(value, 0, at), span_skip(value, end));
    }
}

/* =?charset?q?=5BEXT=5D_text?= : the tag within the encoded-word. */
static void add_encoded(struct header_edits *edits, uint32_t piece, struct span value)
{
    size_t at = 2;
    if (!span_starts_fold(value, SPAN("=?")))
        return;
    for (int marks = 0; marks < 2 && at < value.n; marks++)
        at += span_find(span_skip(value, at), '?') + 1;
    struct span text = span_skip(value, at < value.n ? at : value.n);
    if (!span_starts_fold(text, SPAN("=5B")) && !span_starts_fold(text, SPAN("[")))
        return;
    size_t end = 0;
    while (end < text.n && text.p[end] != ']' &&
           !span_starts_fold(span_skip(text, end), SPAN("=5D")))
        end++;
    end += end < text.n && text.p[end] == '=' ? 3 : 1;
    while (end < text.n && text.p[end] == '_')
        end++;
    if (end < text.n)
        add_subject(edits, piece, span_slice(value, 0, at), span_skip(text, end));
}

static void edits_of_subject(struct header_edits *edits)
{
    static const struct span replies[] = {SPAN("Re:"), SPAN("Fwd:"), SPAN("Fw:"), SPAN("AW:"),
                                          SPAN("WG:")};
    int piece = edit_find(edits, SPAN("subject"));
    if (piece < 0 || !edits->text->pieces[piece].field)
        return;
    struct span value = header_text_value(edits->text->pieces[piece].canonical);
    add_untagged(edits, (uint32_t)piece, value, 0, true);
    add_encoded(edits, (uint32_t)piece, value);
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        if (span_starts_fold(value, replies[i]))
            add_untagged(edits, (uint32_t)piece, value, skip_wsp(value, replies[i].n), false);
}

/* --- the original in another field --- */

static const struct
{
    struct span name, original;
    enum diagnose_cause cause;
} originals[] = {
    {SPAN("from"), SPAN("X-Original-From"), CAUSE_FROM_REWRITTEN},
    {SPAN("from"), SPAN("Original-From"), CAUSE_FROM_REWRITTEN},
    {SPAN("from"), SPAN("Reply-To"), CAUSE_FROM_REWRITTEN},
    {SPAN("from"), SPAN("X-Original-Sender"), CAUSE_FROM_REWRITTEN},
    {SPAN("from"), SPAN("X-Google-Original-From"), CAUSE_FROM_REWRITTEN},
    {SPAN("from"), SPAN("Cc"), CAUSE_FROM_REWRITTEN}, /* Mailman 2 puts the author there */
    {SPAN("subject"), SPAN("X-Original-Subject"), CAUSE_FIELD_CHANGED},
    {SPAN("subject"), SPAN("X-Spam-Prev-Subject"), CAUSE_FIELD_CHANGED},
    {SPAN("subject"), SPAN("Thread-Topic"), CAUSE_FIELD_CHANGED},
    {SPAN("to"), SPAN("X-Original-To"), CAUSE_FIELD_CHANGED},
    {SPAN("reply-to"), SPAN("X-Original-Reply-To"), CAUSE_FIELD_CHANGED},
    {SPAN("sender"), SPAN("X-Original-Sender"), CAUSE_FIELD_CHANGED},
    {SPAN("message-id"), SPAN("X-Original-Message-ID"), CAUSE_FIELD_CHANGED},
    {SPAN("message-id"), SPAN("X-Google-Original-Message-ID"), CAUSE_FIELD_CHANGED},
    {SPAN("date"), SPAN("X-Original-Date"), CAUSE_FIELD_CHANGED},
    {SPAN("content-type"), SPAN("X-Original-Content-Type"), CAUSE_FIELD_CHANGED},
};

static void edits_of_originals(struct header_edits *edits)
{
    for (size_t i = 0; i < COUNT_OF(originals); i++) {
        int piece = edit_find(edits, originals[i].name);
        const struct mail_field *field =
            mail_header_lowest(edits->search->request->header, originals[i].original);
        if (piece < 0 || !field)
            continue;
        struct span canonical = header_text_field(edits->search, edits->text->canon, field);
        bool there = edits->text->pieces[piece].field != NULL;
        if (canonical.p)
            edit_value(edits, there ? originals[i].cause : CAUSE_FIELD_REMOVED, (uint32_t)piece,
                       header_text_value(canonical), true);
    }
}

/* --- fixed values --- */

static const struct
{
    struct span name, value;
    enum diagnose_cause cause;
    bool frequent;
} values[] = {
    {SPAN("content-transfer-encoding"), SPAN("8bit"), CAUSE_ENCODING_FIELD, true},
    {SPAN("content-transfer-encoding"), SPAN("7bit"), CAUSE_ENCODING_FIELD, true},
    {SPAN("content-transfer-encoding"), SPAN("quoted-printable"), CAUSE_ENCODING_FIELD, true},
    {SPAN("content-transfer-encoding"), SPAN("base64"), CAUSE_ENCODING_FIELD, true},
    {SPAN("content-transfer-encoding"), SPAN("8BIT"), CAUSE_ENCODING_FIELD, false},
    {SPAN("content-transfer-encoding"), SPAN("7BIT"), CAUSE_ENCODING_FIELD, false},
    {SPAN("content-transfer-encoding"), SPAN("8Bit"), CAUSE_ENCODING_FIELD, false},
    {SPAN("content-transfer-encoding"), SPAN("7Bit"), CAUSE_ENCODING_FIELD, false},
    {SPAN("content-transfer-encoding"), SPAN("Quoted-Printable"), CAUSE_ENCODING_FIELD, false},
    {SPAN("content-transfer-encoding"), SPAN("binary"), CAUSE_ENCODING_FIELD, false},
    {SPAN("mime-version"), SPAN("1.0"), CAUSE_FIELD_CHANGED, true},
};

static void edits_of_values(struct header_edits *edits)
{
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        int piece = edit_find(edits, values[i].name);
        if (piece < 0)
            continue;
        bool there = edits->text->pieces[piece].field != NULL;
        edit_value(edits, there ? values[i].cause : CAUSE_FIELD_REMOVED, (uint32_t)piece,
                   values[i].value, values[i].frequent);
    }
}

/* --- Content-Type --- */

/* The parts' own: a list wraps the message into a multipart. */
static void add_part_types(struct header_edits *edits, uint32_t piece)
{
    struct mime *mime = ARENA_NEW(edits->search->request->arena, struct mime);
    if (!mime) {
        edits->search->failed = true;
        return;
    }
    mime_read(edits->search->request->header, edits->search->request->body, mime);
    for (uint32_t i = 0; i < mime->count && i < PART_TYPES_MAX; i++)
        if (mime->parts[i].type.n)
            edit_value(edits, CAUSE_FIELD_CHANGED, piece, mime->parts[i].type, true);
}

/* Without quotes, or without its last parameters. */
static void add_type_forms(struct header_edits *edits, uint32_t piece)
{
    struct span value = header_text_value(edits->text->pieces[piece].canonical);
    struct span rest = value;
    for (unsigned i = 0; i < TAGS_MAX; i++) {
        size_t at = span_find_last(rest, ';');
        if (at == rest.n)
            return;
        rest = span_slice(rest, 0, at);
        edit_value(edits, CAUSE_FIELD_CHANGED, piece, rest, i == 0);
    }
}

void edits_of_lists(struct header_edits *edits)
{
    int type = edit_find(edits, SPAN("content-type"));
    edits_of_subject(edits);
    edits_of_originals(edits);
    edits_of_values(edits);
    if (type < 0 || !edits->text->pieces[type].field)
        return;
    add_part_types(edits, (uint32_t)type);
    add_type_forms(edits, (uint32_t)type);
}
