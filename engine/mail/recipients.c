/*
 * Envelope recipients against To and Cc (security.md C12): a signed message that is sent again to
 * many people names few of them. Limits: MAX_FROM_ADDRESSES addresses in a field, NAMES_MAX in all;
 * past them, or where a field cannot be read, nothing is known.
 *
 * BUGS: names are compared as written, local parts with case, domains without: a U-label is not its
 * A-label.
 */
#include "mail/address.h"

enum
{
    NAMES_MAX = 256,
};

struct names
{
    struct span local[NAMES_MAX], domain[NAMES_MAX];
    uint32_t count;
    bool failed;
};

static struct span without_dot(struct span domain)
{
    return domain.n && domain.p[domain.n - 1] == '.' ? span_slice(domain, 0, domain.n - 1) : domain;
}

static void read_field(const struct mail_field *field, struct arena *arena, struct names *names)
{
    struct mail_anomalies anomalies = {0}; /* those of From are not meant here */
    struct limit_hits hits = {.set = 0};
    struct mail_address_list *list = ARENA_NEW(arena, struct mail_address_list);
    if (list)
        mail_address_list_parse(field->value, arena, &anomalies, &hits, list);
    bool empty = list && list->error == MAIL_ADDRESS_EMPTY; /* "undisclosed-recipients:;" */
    if (!list || (list->error && !empty) || list->count > NAMES_MAX - names->count) {
        names->failed = true;
        return;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        names->local[names->count] = list->addresses[i].local;
        names->domain[names->count++] = without_dot(list->addresses[i].domain);
    }
}

static void read_fields(const struct mail_header *header, struct span name, struct arena *arena,
                        struct names *names)
{
    const struct mail_field *field = mail_header_lowest(header, name);
    for (; field && !names->failed; field = mail_header_above(header, field))
        read_field(field, arena, names);
}

static bool is_named(struct span recipient, struct arena *arena, const struct names *names)
{
    struct mail_anomalies anomalies = {0};
    struct limit_hits hits = {.set = 0};
    struct mail_path path;
    mail_path_parse(recipient, arena, &anomalies, &hits, &path);
    if (path.kind != MAIL_PATH_ADDRESS)
        return false;
    struct span domain = without_dot(path.domain);
    for (uint32_t i = 0; i < names->count; i++)
        if (span_equal(path.local, names->local[i]) && span_equal_fold(domain, names->domain[i]))
            return true;
    return false;
}

void mail_recipients_read(const struct mail_header *header, const struct span *recipients,
                          uint32_t count, struct arena *arena, struct mail_recipients *found)
{
    *found = (struct mail_recipients){.count = count};
    struct names *names = count ? ARENA_NEW(arena, struct names) : NULL;
    if (!names)
        return;
    read_fields(header, SPAN("to"), arena, names);
    read_fields(header, SPAN("cc"), arena, names);
    found->known = !names->failed;
    for (uint32_t i = 0; found->known && i < count; i++)
        found->named += is_named(recipients[i], arena, names);
}
