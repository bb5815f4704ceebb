/*
 * Counting, not hashing: h= names a field as often as it covers instances of it (RFC 6376 5.4.2),
 * from the bottom up, so an instance too many is one that nobody signed.
 *
 * BUGS: Resent-, List- and other fields of RFC 6376 5.4.1 are not watched.
 */
#include "dkim/coverage.h"

const char *const *dkim_unsigned_fields(const struct mail_header *header,
                                        const struct dkim_signature *signature, struct arena *arena,
                                        uint32_t *count)
{
    const char *names[FIELD_CRITICAL_END];
    uint16_t listed[FIELD_NAME_COUNT] = {0};
    uint32_t found = 0;
    *count = 0;
    for (uint32_t i = 0; i < signature->item_count; i++)
        listed[signature->item_names[i]]++;
    for (unsigned name = 1; name < FIELD_CRITICAL_END; name++)
        if (mail_header_known_count(header, name) > listed[name])
            names[found++] = (const char *)field_names[name].p;
    const char **kept = found ? ARENA_ARRAY(arena, found, const char *) : NULL;
    if (!kept)
        return NULL;
    memcpy(kept, names, found * sizeof names[0]);
    *count = found;
    return kept;
}
