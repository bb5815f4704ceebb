/* Which field is the From field, and whether there is exactly one (security.md A07-A11). */
#include "mail/address.h"

static bool is_blank_or_control(uint8_t c)
{
    return c <= ' ' || c == 0x7f;
}

static struct span skip_blanks(struct span s)
{
    while (s.n && is_blank_or_control(s.p[0]))
        s = span_skip(s, 1);
    return s;
}

/* Of nearly all fields that are none. Folds and blanks may stand in front of a name, "f" begins it.
 */
static inline bool begins_otherwise(const struct mail_field *field)
{
    uint8_t first = field->raw.n ? field->raw.p[0] : '\0';
    return !is_blank_or_control(first) && first < 0x80 && (first | 0x20) != 'f';
}

/*
 * What some reader takes for a From field: `From:`, ` From:` in the first line (A08), `From :`
 * (A09), a fold before the colon (A10), a BOM in front (B13).
 */
static bool is_from_like(const struct mail_field *field)
{
    struct span s = field->raw;
    if (span_starts_fold(s, SPAN("\xef\xbb\xbf")))
        s = span_skip(s, 3);
    s = skip_blanks(s);
    if (!span_starts_fold(s, SPAN("from")))
        return false;
    s = skip_blanks(span_skip(s, 4));
    return s.n && s.p[0] == ':';
}

static bool is_from(const struct mail_field *field)
{
    return field->indexed && span_is_word(field->name, SPAN("from"));
}

const char *mail_address_error_word(enum mail_address_error error)
{
    switch (error) {
    case MAIL_ADDRESS_OK:
        return NULL;
    case MAIL_ADDRESS_EMPTY:
        return "from_no_address";
    case MAIL_ADDRESS_MALFORMED:
        return "from_malformed";
    case MAIL_ADDRESS_NO_DOMAIN:
        return "from_no_domain";
    case MAIL_ADDRESS_TOO_MANY:
        return limit_word(LIMIT_FROM_ADDRESSES);
    case MAIL_ADDRESS_TOO_DEEP:
        return limit_word(LIMIT_COMMENT_DEPTH);
    case MAIL_ADDRESS_NO_MEMORY:
        return limit_word(LIMIT_ARENA_BYTES);
    }
    return "from_malformed";
}

static struct span without_final_dot(struct span domain)
{
    if (domain.n && domain.p[domain.n - 1] == '.')
        domain.n--;
    return domain;
}

static void note_several(const struct mail_address_list *list, struct mail_anomalies *anomalies)
{
    struct span first = without_final_dot(list->addresses[0].domain);
    uint32_t others = 0;
    for (uint32_t i = 1; i < list->count; i++)
        others += !span_equal_fold(first, without_final_dot(list->addresses[i].domain));
    if (others)
        mail_anomaly_note(anomalies, ANOMALY_FROM_SEVERAL_DOMAINS);
    else if (list->count > 1)
        mail_anomaly_note(anomalies, ANOMALY_FROM_SEVERAL_ADDRESSES);
}

struct from_fields
{
    const struct mail_field *lowest;
    uint32_t count;
    uint32_t malformed;
};

static struct from_fields find_from_fields(const struct mail_header *header)
{
    struct from_fields found = {0};
    for (uint32_t i = 0; i < header->count; i++) {
        if (begins_otherwise(&header->fields[i]) || !is_from_like(&header->fields[i]))
            continue;
        found.lowest = &header->fields[i];
        found.count++;
        found.malformed += !is_from(found.lowest);
    }
    return found;
}

static void from_refuse(struct mail_from *from, enum mail_from_state state, const char *reason)
{
    from->state = state;
    from->reason = reason;
}

void mail_from_read(const struct mail_header *header, struct arena *arena,
                    struct mail_anomalies *anomalies, struct limit_hits *hits,
                    struct mail_from *from)
{
    struct from_fields found = find_from_fields(header);
    *from = (struct mail_from){.state = MAIL_FROM_OK};
    mail_anomaly_note_times(anomalies, ANOMALY_FROM_LIKE_MALFORMED, found.malformed);
    if (found.count == 0) {
        mail_anomaly_note(anomalies, ANOMALY_NO_FROM);
        from_refuse(from, MAIL_FROM_MISSING, mail_anomaly_word(ANOMALY_NO_FROM));
        return;
    }
    if (found.count > 1) {
        mail_anomaly_note(anomalies, ANOMALY_MULTI_FROM);
        from_refuse(from, MAIL_FROM_SEVERAL, mail_anomaly_word(ANOMALY_MULTI_FROM));
        return;
    }
    if (found.malformed) {
        from_refuse(from, MAIL_FROM_BAD, mail_anomaly_word(ANOMALY_FROM_LIKE_MALFORMED));
        return;
    }
    mail_address_list_parse(found.lowest->value, arena, anomalies, hits, &from->list);
    if (from->list.error != MAIL_ADDRESS_OK) {
        from_refuse(from, MAIL_FROM_BAD, mail_address_error_word(from->list.error));
        return;
    }
    note_several(&from->list, anomalies);
}
