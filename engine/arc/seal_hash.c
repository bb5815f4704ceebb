/* RFC 8617 5.1.1: the signature scope of ARC-Seal. */
#include "arc/seal_hash.h"

void arc_seal_hash_init(struct arc_seal_hash *hash, struct buffer *scratch)
{
    hash->scratch = scratch;
    hash->failed = false;
    sha256_init(&hash->state);
}

/* The field in relaxed form with its CRLF, valid until the next call. Empty on failure. */
static struct span canonical(struct arc_seal_hash *hash, const struct mail_field *field,
                             struct span cut)
{
    buffer_reset(hash->scratch);
    canon_field(CANON_RELAXED, field, cut, hash->scratch);
    if (hash->scratch->failed) {
        hash->failed = true;
        return (struct span){NULL, 0};
    }
    return buffer_span(hash->scratch);
}

static void add(struct arc_seal_hash *hash, const struct mail_field *field)
{
    sha256_update(&hash->state, canonical(hash, field, (struct span){NULL, 0}));
}

bool arc_seal_hash_next(struct arc_seal_hash *hash, const struct arc_set *set,
                        uint8_t out[SHA256_BYTES])
{
    add(hash, set->aar);
    add(hash, set->ams.field);
    struct span own = canonical(hash, set->seal.field, set->seal.b_value);
    if (hash->failed)
        return false;
    assert(own.n >= 2); /* canonical fields end in CRLF */
    sha256_peek_with(&hash->state, span_slice(own, 0, own.n - 2), out);
    add(hash, set->seal.field);
    return !hash->failed;
}
