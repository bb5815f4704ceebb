#include "spf/shared.h"

enum
{
    QUESTIONS_MAX = UINT8_MAX,
};

/* A value of the table. */
struct shared
{
    const char *reason; /* static */
    int32_t prefix;
    uint16_t record_n, path_n;
    uint16_t mechanism_at, mechanism_n; /* a part of the record */
    uint8_t result, lookups, voids, questions;
    uint8_t texts[]; /* record, path */
};

/* Word by word: one that is written in parts is read after a wait. */
static void key_write(const struct spf_shared_id *id, struct result_key *key)
{
    const struct ip *client = id->client;
    uint64_t high, low;
    uint32_t v4;
    memcpy(&high, client->bytes, sizeof high);
    memcpy(&low, client->bytes + sizeof high, sizeof low);
    memcpy(&v4, client->bytes, sizeof v4);
    bool is_v4 = client->family == IP_V4;
    key->facts[0] = (uint64_t)id->void_limit << 32 | (unsigned)client->family << 1 | id->besides;
    key->facts[1] = is_v4 ? v4 : high;
    key->facts[2] = is_v4 ? 0 : low;
    key->name.p = id->domain->wire;
    key->name.n = id->domain->length;
}

/* The explanation of a fail is the message's own: it may have all macros (SP-37). */
static bool is_explained(bool want_explanation, enum result result)
{
    return want_explanation && result == RESULT_FAIL;
}

/* False without memory. */
static bool texts_take(const struct shared *shared, struct arena *arena, struct spf_check *check)
{
    struct span texts = span_of(shared->texts, (size_t)shared->record_n + shared->path_n);
    size_t mechanism_end = (size_t)shared->mechanism_at + shared->mechanism_n;
    check->record = (struct span){NULL, 0};
    check->mechanism = (struct span){NULL, 0};
    check->path = (struct span){NULL, 0};
    if (texts.n == 0)
        return true;
    texts = arena_copy(arena, texts);
    if (!texts.p)
        return false;
    check->record = span_slice(texts, 0, shared->record_n);
    check->mechanism = span_slice(check->record, shared->mechanism_at, mechanism_end);
    check->path = span_skip(texts, shared->record_n);
    return true;
}

bool spf_shared_take(struct result_cache *cache, const struct spf_shared_id *id,
                     bool want_explanation, struct arena *arena, struct spf_check *check,
                     uint32_t *questions)
{
    struct result_key key;
    key_write(id, &key);
    struct span value = result_cache_find(cache, &key, result_key_hash(&key, cache->seed));
    const struct shared *shared = (const void *)value.p;
    if (!shared || is_explained(want_explanation, (enum result)shared->result) ||
        !texts_take(shared, arena, check))
        return false;
    check->result = (enum result)shared->result;
    check->reason = shared->reason;
    check->prefix = shared->prefix;
    check->lookups = shared->lookups;
    check->voids = shared->voids;
    *questions = shared->questions;
    return true;
}

static void shared_write(const struct spf_check *check, uint32_t questions, struct shared *shared)
{
    *shared = (struct shared){
        .reason = check->reason,
        .prefix = check->prefix,
        .record_n = (uint16_t)check->record.n,
        .path_n = (uint16_t)check->path.n,
        .mechanism_n = (uint16_t)check->mechanism.n,
        .result = (uint8_t)check->result,
        .lookups = (uint8_t)check->lookups,
        .voids = (uint8_t)check->voids,
        .questions = (uint8_t)questions,
    };
    if (check->mechanism.n)
        shared->mechanism_at = (uint16_t)(check->mechanism.p - check->record.p);
    assert((size_t)shared->mechanism_at + check->mechanism.n <= check->record.n);
    if (check->record.n)
        memcpy(shared->texts, check->record.p, check->record.n);
    if (check->path.n)
        memcpy(shared->texts + check->record.n, check->path.p, check->path.n);
}

void spf_shared_keep(struct result_cache *cache, const struct spf_shared_id *id,
                     bool want_explanation, const struct spf_check *check, uint32_t questions,
                     int64_t until_ms)
{
    if (check->uses_local_part || check->result == RESULT_TEMPERROR ||
        is_explained(want_explanation, check->result) || questions > QUESTIONS_MAX)
        return;
    assert(check->lookups <= UINT8_MAX && check->voids <= UINT8_MAX);
    struct result_key key;
    key_write(id, &key);
    struct shared *shared =
        result_cache_keep(cache, &key, result_key_hash(&key, cache->seed), until_ms,
                          offsetof(struct shared, texts) + check->record.n + check->path.n);
    if (shared)
        shared_write(check, questions, shared);
}
