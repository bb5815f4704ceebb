/*
 * Counting, not hashing: h= names a field as often as it covers instances of it (RFC 6376 5.4.2),
 * from the bottom up, so an instance too many is one that nobody signed.
 *
 * BUGS: Resent-, List- and other fields of RFC 6376 5.4.1 are not watched.
 */
#include "dkim/coverage.h"

/* How many instances of each critical name are there that no item covers; negative: more items than
 * instances. */
static void count_unsigned(const struct mail_header *header, const struct dkim_signature *signature,
                           int32_t left[FIELD_NAME_COUNT])
{
    memset(left, 0, FIELD_NAME_COUNT * sizeof left[0]);
    for (unsigned name = 1; name < FIELD_CRITICAL_END; name++) {
        const struct mail_field *lowest = mail_header_known(header, name);
        left[name] = lowest ? (int32_t)lowest->same : 0;
    }
    for (uint32_t i = 0; i < signature->item_count; i++)
        left[signature->item_names[i]]--;
}

const char *const *dkim_unsigned_fields(const struct mail_header *header,
                                        const struct dkim_signature *signature, struct arena *arena,
                                        uint32_t *count)
{
    const char *names[FIELD_CRITICAL_END];
    int32_t left[FIELD_NAME_COUNT];
    *count = 0;
    uint32_t found = 0;
    count_unsigned(header, signature, left);
    for (unsigned name = 1; name < FIELD_CRITICAL_END; name++)
        if (left[name] > 0)
            names[found++] = (const char *)field_names[name].p;
    const char **kept = found ? ARENA_ARRAY(arena, found, const char *) : NULL;
    if (!kept)
        return NULL;
    memcpy(kept, names, found * sizeof names[0]);
    *count = found;
    return kept;
}
