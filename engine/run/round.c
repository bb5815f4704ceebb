#include "run/round.h"

#include <stdlib.h>
#include <sys/random.h>

/* Without random bytes strangers could choose what is forgotten early (L05), and nothing else. */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    (void)!getrandom(&seed, sizeof seed, GRND_NONBLOCK);
    return seed;
}

void round_init(struct round *round, struct cache *cache,
                void (*refresh)(void *context, const struct dns_name *name, enum dns_type type),
                void *context)
{
    round->refresh = refresh;
    round->context = context;
    round->now_ms = 0;
    round->stock_count = 0;
    memset(&round->lists, 0, sizeof round->lists);
    hash_queue_init(&round->hashes);
    round->spf_shared = result_cache_new(SHARED_SPF_SETS, SHARED_SPF_BYTES, random_seed());
    round->dmarc_shared = result_cache_new(SHARED_DMARC_SETS, SHARED_DMARC_BYTES, random_seed());
    cache_reader_init(&round->reader, cache);
    near_init(round);
}

static void message_free(struct message *message)
{
    arena_fini(&message->arena);
    free(message);
}

void round_fini(struct round *round)
{
    cache_reader_fini(&round->reader);
    hash_queue_fini(&round->hashes);
    result_cache_free(&round->spf_shared);
    result_cache_free(&round->dmarc_shared);
    while (round->stock_count)
        message_free(round->stock[--round->stock_count]);
}

/* The number of removals is read before anything is looked up. */
void round_begin(struct round *round, int64_t now_ms)
{
    uint64_t removals = cache_removals(round->reader.cache);
    round->now_ms = now_ms;
    if (round->spf_shared)
        result_cache_begin(round->spf_shared, now_ms, removals);
    if (round->dmarc_shared)
        result_cache_begin(round->dmarc_shared, now_ms, removals);
}

struct message *round_begin_message(struct round *round, const struct message_options *options,
                                    const struct message_envelope *envelope, bool without_evidence)
{
    const struct dns_near *near = without_evidence ? &round->near_sharing : &round->near;
    struct message *message;
    if (round->stock_count) {
        message = round->stock[--round->stock_count];
        message_init_again(message, options, envelope, near);
    } else {
        message = malloc(sizeof *message);
        if (!message)
            return NULL;
        message_init(message, options, envelope, near);
    }
    message_lend_queue(message, &round->hashes);
    return message;
}

void round_end_message(struct round *round, struct message *message)
{
    message_recycle(message, STOCK_ARENA_BYTES);
    if (round->stock_count < STOCK_MESSAGES)
        round->stock[round->stock_count++] = message;
    else
        message_free(message);
}

struct round_shared round_shared(const struct round *round)
{
    static const struct result_cache none;
    const struct result_cache *spf = round->spf_shared ? round->spf_shared : &none;
    const struct result_cache *dmarc = round->dmarc_shared ? round->dmarc_shared : &none;
    return (struct round_shared){
        .spf_hits = spf->hits,
        .spf_misses = spf->misses,
        .dmarc_hits = dmarc->hits,
        .dmarc_misses = dmarc->misses,
    };
}

void round_hash(struct round *round)
{
    hash_queue_run(&round->hashes);
}

uint32_t round_verify(struct round *round, struct message *const *messages, uint32_t n)
{
    uint32_t total = 0, gathered = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct verify_list *list = &messages[i]->jobs;
        total += list->count;
        for (uint32_t k = 0; k < list->count; k++) {
            if (gathered == ROUND_JOBS) {
                verify_gathered(round->jobs, gathered);
                gathered = 0;
            }
            round->jobs[gathered++] = &list->jobs[k];
        }
    }
    verify_gathered(round->jobs, gathered);
    return total;
}
