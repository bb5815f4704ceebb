/*
 * Which fields are signed, RFC 6376 5.4.1 and DS-4.
 *
 * Every instance of a field is listed. An oversigned one is listed once more, so that a field of
 * that name that is added later breaks the signature (8.15). Fields that forwarders rightly add
 * (Sender, Resent-*) are signed where they are and may be added; Received, Return-Path and other
 * trace fields are left alone (DS-3).
 *
 * BUGS: Resent- blocks are signed as a whole, not block by block.
 */
#include "sign/names.h"

#include "base/chars.h"
#include "base/limit.h"

enum
{
    LINE_COLUMNS = 76,
};

enum when
{
    OVERSIGNED,
    WHERE_PRESENT,
    IN_ARC, /* AS-5: the AMS SHOULD cover DKIM-Signature; a DKIM-Signature needs not (DS-3) */
};

static const struct
{
    const char *name;
    enum when when;
} table[] = {
    {"from", OVERSIGNED},
    {"subject", OVERSIGNED},
    {"to", OVERSIGNED},
    {"cc", OVERSIGNED},
    {"date", OVERSIGNED},
    {"reply-to", OVERSIGNED},
    {"message-id", OVERSIGNED},
    {"in-reply-to", OVERSIGNED},
    {"references", OVERSIGNED},
    {"mime-version", OVERSIGNED},
    {"content-type", OVERSIGNED},
    {"content-transfer-encoding", OVERSIGNED},
    {"content-disposition", OVERSIGNED},
    {"content-id", OVERSIGNED},
    {"content-description", OVERSIGNED},
    {"list-id", OVERSIGNED},
    {"list-help", OVERSIGNED},
    {"list-subscribe", OVERSIGNED},
    {"list-unsubscribe", OVERSIGNED},
    {"list-unsubscribe-post", OVERSIGNED},
    {"list-owner", OVERSIGNED},
    {"list-post", OVERSIGNED},
    {"list-archive", OVERSIGNED},
    {"sender", WHERE_PRESENT},
    {"resent-from", WHERE_PRESENT},
    {"resent-sender", WHERE_PRESENT},
    {"resent-to", WHERE_PRESENT},
    {"resent-cc", WHERE_PRESENT},
    {"resent-date", WHERE_PRESENT},
    {"resent-message-id", WHERE_PRESENT},
    {"dkim-signature", IN_ARC},
};

/* RFC 8617 4.1.2: what an AMS must not sign. */
static const char *const chain_fields[] = {"authentication-results", "arc-authentication-results",
                                           "arc-message-signature", "arc-seal"};

struct list
{
    struct buffer *out;
    size_t column;
    uint32_t count;
    bool has_from;
};

/* One more name; a line is folded behind a colon. */
static void add(struct list *list, struct span name)
{
    if (list->count) {
        buffer_append_byte(list->out, ':');
        list->column++;
    }
    if (list->count && list->column + name.n + 1 > LINE_COLUMNS) {
        buffer_append_string(list->out, "\r\n\t ");
        list->column = 9;
    }
    for (size_t i = 0; i < name.n; i++)
        buffer_append_byte(list->out, ascii_lower(name.p[i]));
    list->column += name.n;
    list->count++;
    list->has_from |= span_equal_fold(name, SPAN("from"));
}

static void add_from_table(struct list *list, const struct mail_header *header, enum dkim_kind kind)
{
    for (size_t i = 0; i < COUNT_OF(table) && list->count <= MAX_H_ITEMS; i++) {
        if (table[i].when == IN_ARC && kind != DKIM_ARC_MESSAGE_SIGNATURE)
            continue;
        struct span name = span_from_string(table[i].name);
        uint32_t times = mail_header_count(header, name) + (table[i].when == OVERSIGNED);
        for (; times && list->count <= MAX_H_ITEMS; times--)
            add(list, name);
    }
}

/* hdr-name = field-name; no ";", which would end the tag */
static bool is_field_name(struct span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!char_is(name.p[i], CHAR_FTEXT) || name.p[i] == ';')
            return false;
    return name.n > 0 && name.n <= MAX_FIELD_NAME_BYTES;
}

static bool is_chain_field(struct span name)
{
    for (size_t i = 0; i < COUNT_OF(chain_fields); i++)
        if (span_equal_fold(name, span_from_string(chain_fields[i])))
            return true;
    return false;
}

static const char *add_wanted(struct list *list, struct span wanted, enum dkim_kind kind)
{
    while (list->count <= MAX_H_ITEMS) {
        size_t colon = span_find(wanted, ':');
        struct span name = span_trim_wsp(span_slice(wanted, 0, colon));
        if (!is_field_name(name))
            return "bad_names";
        if (kind == DKIM_ARC_MESSAGE_SIGNATURE && is_chain_field(name))
            return "chain_field_signed";
        add(list, name);
        if (colon == wanted.n)
            break;
        wanted = span_skip(wanted, colon + 1);
    }
    return NULL;
}

const char *sign_names_append(const struct mail_header *header, struct span wanted,
                              enum dkim_kind kind, struct buffer *out)
{
    struct list list = {.out = out, .column = 10};
    const char *fault = NULL;
    buffer_append_string(out, "h=");
    if (wanted.n)
        fault = add_wanted(&list, wanted, kind);
    else
        add_from_table(&list, header, kind);
    if (fault)
        return fault;
    if (list.count > MAX_H_ITEMS)
        return limit_word(LIMIT_H_ITEMS);
    return list.has_from ? NULL : "from_not_signed"; /* DS-3 */
}
