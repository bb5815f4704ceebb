/*
 * Up to MAX_SIGNATURES_PARSED fields are taken as they come. Beyond, every field's tag list is
 * split once for its d=: the header block is bounded, so is that work.
 *
 * BUGS: more than MAX_SIGNATURES_PARSED junk signatures that name an author's own domain can still
 * hide a good one below them; whoever adds them spoils only mail of that author.
 */
#include "dkim/choice.h"

#include "dkim/signature_value.h"

static bool is_related(const struct dns_name *a, const struct dns_name *b)
{
    return dns_name_is_at_or_below(a, b) || dns_name_is_at_or_below(b, a);
}

enum dkim_closeness dkim_closeness(const struct dns_name *domain, struct dkim_authors authors)
{
    enum dkim_closeness closeness = DKIM_OTHER_DOMAIN;
    if (domain->length == 0)
        return DKIM_NO_DOMAIN;
    for (uint32_t i = 0; i < authors.count; i++) {
        if (dns_name_equal(domain, &authors.domains[i]))
            return DKIM_SAME_DOMAIN;
        if (is_related(domain, &authors.domains[i]))
            closeness = DKIM_RELATED_DOMAIN;
    }
    return closeness;
}

/* A look at d= alone, for messages with more signatures than are parsed. */
static enum dkim_closeness glance(const struct mail_field *field, struct dkim_authors authors)
{
    struct taglist list;
    struct dkim_signature signature = {.field = field};
    struct dkim_reading reading = {.signature = &signature};
    if (!taglist_parse(field->value, TAGLIST_STRICT, &list))
        return DKIM_NO_DOMAIN;
    const struct tag *d = taglist_find(&list, SPAN("d"));
    if (!d || dkim_read_domain(&reading, d->value))
        return DKIM_NO_DOMAIN;
    return dkim_closeness(&signature.domain, authors);
}

/* All signature fields, `total` of them up from `lowest`, top first. */
static const struct mail_field **list_fields(const struct mail_header *header,
                                             const struct mail_field *lowest, uint32_t total,
                                             struct arena *arena)
{
    const struct mail_field **fields = arena_alloc_raw(arena, total * sizeof(*fields));
    const struct mail_field *field = lowest;
    if (!fields)
        return NULL;
    for (uint32_t i = total; i > 0; i--) {
        assert(field);
        fields[i - 1] = field;
        field = mail_header_above(header, field);
    }
    return fields;
}

/* How many of each closeness are kept, the closest first. */
static void share_out(const uint32_t present[DKIM_CLOSENESS_COUNT],
                      uint32_t kept[DKIM_CLOSENESS_COUNT])
{
    uint32_t room = MAX_SIGNATURES_PARSED;
    for (int i = 0; i < DKIM_CLOSENESS_COUNT; i++) {
        kept[i] = present[i] < room ? present[i] : room;
        room -= kept[i];
    }
}

static bool cut_down(struct dkim_authors authors, struct arena *arena, struct dkim_choice *choice)
{
    uint32_t present[DKIM_CLOSENESS_COUNT] = {0};
    uint32_t kept[DKIM_CLOSENESS_COUNT];
    uint8_t *closeness = ARENA_ARRAY(arena, choice->total, uint8_t);
    if (!closeness)
        return false;
    for (uint32_t i = 0; i < choice->total; i++) {
        closeness[i] = (uint8_t)glance(choice->fields[i], authors);
        present[closeness[i]]++;
    }
    share_out(present, kept);
    choice->count = 0;
    for (uint32_t i = 0; i < choice->total; i++) {
        if (kept[closeness[i]] == 0)
            continue;
        kept[closeness[i]]--;
        choice->fields[choice->count++] = choice->fields[i];
    }
    return true;
}

bool dkim_choose(const struct mail_header *header, struct dkim_authors authors, struct arena *arena,
                 struct limit_hits *hits, struct dkim_choice *choice)
{
    const struct mail_field *lowest = mail_header_known(header, FIELD_DKIM_SIGNATURE);
    uint32_t total = lowest ? lowest->same : 0;
    *choice = (struct dkim_choice){.count = total, .total = total};
    choice->fields = list_fields(header, lowest, total, arena);
    if (!choice->fields)
        return false;
    if (total <= MAX_SIGNATURES_PARSED)
        return true;
    limit_hit(hits, LIMIT_SIGNATURES_PARSED);
    return cut_down(authors, arena, choice);
}
