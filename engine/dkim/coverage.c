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

enum
{
    LONGEST = sizeof "content-transfer-encoding" - 1,
    SAME_LENGTH = 2, /* names of one length, at most */
};

/* By length of a name: 1 + the index of those in `critical` that have it. */
static const uint8_t by_length[LONGEST + 1][SAME_LENGTH] = {
    [2] = {6, 7}, [4] = {1, 5}, [6] = {2},      [7] = {4},
    [8] = {3},    [10] = {8},   [12] = {9, 10}, [25] = {11},
};

/* Of equal length, two first letters at most: a look at both tells which name alone it may be. The
 * index in `critical`, or -1. */
static inline int find_critical(struct span name)
{
    if (name.n > LONGEST)
        return -1;
    for (unsigned i = 0; i < SAME_LENGTH && by_length[name.n][i]; i++) {
        int at = by_length[name.n][i] - 1;
        if ((name.p[0] | 0x20) == critical[at][0])
            return span_is_word(name, span_of(critical[at], name.n)) ? at : -1;
    }
    return -1;
}

/* How many instances of each are there that no item covers; negative: more items than instances. */
static void count_unsigned(const struct mail_header *header, const struct dkim_signature *signature,
                           int32_t left[COUNT_OF(critical)])
{
    memset(left, 0, COUNT_OF(critical) * sizeof left[0]);
    for (uint32_t i = 0; i < header->count; i++) {
        int at = header->fields[i].indexed ? find_critical(header->fields[i].name) : -1;
        if (at >= 0)
            left[at]++;
    }
    for (uint32_t i = 0; i < signature->item_count; i++) {
        int at = find_critical(signature->items[i]);
        if (at >= 0)
            left[at]--;
    }
}

const char *const *dkim_unsigned_fields(const struct mail_header *header,
                                        const struct dkim_signature *signature, struct arena *arena,
                                        uint32_t *count)
{
    const char *names[COUNT_OF(critical)];
    int32_t left[COUNT_OF(critical)];
    *count = 0;
    uint32_t found = 0;
    count_unsigned(header, signature, left);
    for (size_t i = 0; i < COUNT_OF(critical); i++)
        if (left[i] > 0)
            names[found++] = critical[i];
    const char **kept = found ? ARENA_ARRAY(arena, found, const char *) : NULL;
    if (!kept)
        return NULL;
    memcpy(kept, names, found * sizeof names[0]);
    *count = found;
    return kept;
}
