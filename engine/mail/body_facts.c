/* Reads facts off a body hasher, and gives a hasher the facts of another. */
#include "mail/body_facts.h"

bool body_hasher_facts(const struct body_hasher *hasher, struct body_facts *facts)
{
    assert(hasher->settled);
    *facts = (struct body_facts){
        .count = hasher->count,
        .total = hasher->total,
        .bare_cr = mail_octets_bare_cr(&hasher->octets),
        .bare_lf = mail_octets_bare_lf(&hasher->octets),
        .nul = hasher->octets.nul,
        .ends_in_crlf = hasher->ends_in_crlf,
    };
    memcpy(facts->hashes, hasher->hashes, hasher->count * sizeof hasher->hashes[0]);
    for (unsigned canon = 0; canon < BODY_CANONS; canon++) {
        facts->counted[canon] = hasher->streams[canon].wanted;
        if (facts->counted[canon])
            facts->octets[canon] = body_hasher_octets(hasher, (enum canon)canon);
    }
    return !hasher->failed;
}

static const struct body_hash *find_hash(const struct body_facts *facts,
                                         const struct body_hash *wish)
{
    for (uint32_t i = 0; i < facts->count; i++)
        if (facts->hashes[i].canon == wish->canon && facts->hashes[i].limit == wish->limit)
            return &facts->hashes[i];
    return NULL;
}

/* The octets that the anomalies of the end are told from. */
static void take_octets(struct body_hasher *hasher, const struct body_facts *facts)
{
    hasher->total = facts->total;
    hasher->ends_in_crlf = facts->ends_in_crlf;
    hasher->octets = (struct simd_octets){
        .cr = facts->bare_cr,
        .lf = facts->bare_lf,
        .nul = facts->nul,
    };
}

static void take_hashes(struct body_hasher *hasher, const struct body_facts *facts)
{
    for (uint32_t i = 0; i < hasher->count; i++) {
        struct body_hash *wish = &hasher->hashes[i];
        const struct body_hash *known = find_hash(facts, wish);
        if (!known || !facts->counted[wish->canon]) {
            hasher->failed = true;
            return;
        }
        *wish = *known;
        hasher->streams[wish->canon].octets = facts->octets[wish->canon];
    }
}

void body_hasher_end_with(struct body_hasher *hasher, const struct body_facts *facts)
{
    assert(hasher->total == 0 && !hasher->ended);
    hasher->queue = NULL; /* there is nothing to hash */
    body_hasher_end(hasher);
    take_octets(hasher, facts);
    take_hashes(hasher, facts);
    body_hasher_note_octets(hasher);
}
