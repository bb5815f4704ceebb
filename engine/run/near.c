/*
 * Answers that need no waiting: the shared cache, read inside a round.
 *
 * A hit is good until the round ends (cache.h G2). One that asks for a refresh is used as it is,
 * and the first worker to claim it has the owner ask again in the background.
 *
 * L09: when a key was rotated, many signatures fail with the old one at the same time. One worker
 * gets the claim and has the network asked; the others, and those that used an answer which was
 * replaced meanwhile, only follow: their question waits for that answer, or finds it in the cache.
 */
#include "dns/resolvers.h"
#include "run/round.h"

static bool find(void *context, const struct dns_question *question, struct dns_answer *answer)
{
    struct round *round = context;
    struct cache_hit hit;
    struct span key = dns_key_span(&question->key);
    if (cache_get_hashed(&round->reader, key, question->hash, round->now_ms, &hit) == CACHE_MISS ||
        !hit.object)
        return false;
    const struct dns_shared *shared = hit.object;
    *answer = shared->answer;
    answer->age += (uint32_t)(hit.age_ms / 1000);
    answer->shared_until_ms = hit.stands_until_ms;
    if (hit.refresh && cache_refresh_claim(&round->reader, &hit, round->now_ms))
        round->refresh(round->context, &question->name, question->type);
    return true;
}

static bool may_renew(void *context, const struct dns_name *name, enum dns_type type)
{
    struct round *round = context;
    struct cache_hit hit;
    uint8_t key[CACHE_KEY_MAX];
    int64_t asked_ms;
    size_t n = resolvers_cache_key(name, type, key);
    if (cache_peek(round->reader.cache, span_of(key, n), round->now_ms, &hit) == CACHE_MISS)
        return false;
    if (cache_rotation_claim(&round->reader, &hit, round->now_ms)) {
        round->refresh(round->context, name, type);
        return true;
    }
    return cache_rotation_state(&hit, round->now_ms, &asked_ms) != CACHE_ROTATION_NONE;
}

void near_init(struct round *round)
{
    round->near = (struct dns_near){.find = find,
                                    .may_renew = may_renew,
                                    .context = round,
                                    .hash_key = cache_hash_key(round->reader.cache),
                                    .results = {.lists = &round->lists}};
    round->near_sharing = round->near;
    round->near_sharing.results = (struct shared_results){
        .spf = round->spf_shared,
        .dmarc = round->dmarc_shared,
        .lists = &round->lists,
    };
}
