/*
 * Counting, not hashing: h= names a field as often as it covers instances of it (RFC 6376 5.4.2),
 * from the bottom up, so an instance too many is one that nobody signed.
 *
 * BUGS: Resent-, List- and other fields of RFC 6376 5.4.1 are not watched.
 */
#include "dkim/coverage.h"

/* RFC 6376 5.4.1 names what signers should cover; these change what a reader sees or does. */
static const char *const critical[] = {
    "from",
    "sender",
    "reply-to",
    "subject",
    "date",
    "to",
    "cc",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
};

static uint32_t times_signed(const struct dkim_signature *signature, struct span name)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < signature->item_count; i++)
        times += span_equal_fold(signature->items[i], name);
    return times;
}

const char *const *dkim_unsigned_fields(const struct mail_header *header,
                                        const struct dkim_signature *signature, struct arena *arena,
                                        uint32_t *count)
{
    const char *names[COUNT_OF(critical)];
    *count = 0;
    uint32_t found = 0;
    for (size_t i = 0; i < COUNT_OF(critical); i++) {
        struct span name = span_from_string(critical[i]);
        uint32_t present = mail_header_count(header, name);
        if (present > times_signed(signature, name))
            names[found++] = critical[i];
    }
    const char **kept = found ? ARENA_ARRAY(arena, found, const char *) : NULL;
    if (!kept)
        return NULL;
    memcpy(kept, names, found * sizeof names[0]);
    *count = found;
    return kept;
}
