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

/* --- through a queue --- */

struct part /* of the running text: what is in front of one seal, and what ends the text there */
{
    size_t front;
    size_t own;
};

struct seal_source
{
    struct hash_source source;
    struct arc_set *sets; /* borrowed */
    uint32_t count;
    uint32_t set;     /* the one that is being given */
    size_t given;     /* of its front */
    struct span rest; /* of the text, from that front on; the queue's */
    struct part parts[];
};

/* hash_source.more: what the seals sign, read off at each of them. */
static size_t seal_more(struct hash_source *source, uint8_t *out, size_t room)
{
    struct seal_source *seals = (struct seal_source *)(void *)source; /* its first member */
    if (seals->set == seals->count)
        return 0;
    struct part part = seals->parts[seals->set];
    if (seals->given == part.front) {
        sha256_peek_with(&source->state, span_slice(seals->rest, part.front, part.front + part.own),
                         seals->sets[seals->set].seal_hash);
        seals->rest = span_skip(seals->rest, part.front + part.own);
        seals->given = 0;
        if (++seals->set == seals->count)
            return 0;
        part = seals->parts[seals->set];
    }
    size_t n = part.front - seals->given < room ? part.front - seals->given : room;
    memcpy(out, seals->rest.p + seals->given, n);
    seals->given += n;
    return n;
}

/* Appends fronts and ends of all seals; what a failed buffer holds is not used. */
static void write_parts(struct seal_source *seals, struct buffer *text)
{
    static const struct span nothing = {NULL, 0};
    for (uint32_t i = 0; i < seals->count; i++) {
        const struct arc_set *set = &seals->sets[i];
        size_t begin = text->n;
        if (i)
            canon_field(CANON_RELAXED, set[-1].seal.field, nothing, text);
        canon_field(CANON_RELAXED, set->aar, nothing, text);
        canon_field(CANON_RELAXED, set->ams.field, nothing, text);
        size_t middle = text->n;
        canon_field(CANON_RELAXED, set->seal.field, set->seal.b_value, text);
        if (text->failed)
            return;
        text->n -= 2; /* canonical fields end in CRLF */
        seals->parts[i] = (struct part){middle - begin, text->n - middle};
    }
}

bool arc_seal_hash_queue(struct arc_set *sets, uint32_t count, struct arena *arena,
                         struct hash_queue *queue)
{
    struct seal_source *seals = arena_alloc(arena, sizeof *seals + count * sizeof seals->parts[0]);
    if (!seals)
        return false;
    *seals = (struct seal_source){
        .source.more = seal_more,
        .sets = sets,
        .count = count,
    };
    sha256_init(&seals->source.state);
    for (unsigned tries = 0; tries < 2; tries++) {
        write_parts(seals, hash_queue_text(queue));
        if (!hash_queue_text_keep(queue, &seals->rest))
            continue;
        hash_queue_add(queue, &seals->source);
        return true;
    }
    return false;
}
