#include "run/round.h"

#include <stdlib.h>

void round_init(struct round *round, struct cache *cache,
                void (*refresh)(void *context, const struct dns_name *name, enum dns_type type),
                void *context)
{
    round->refresh = refresh;
    round->context = context;
    round->now_ms = 0;
    round->stock_count = 0;
    hash_queue_init(&round->hashes);
    near_init(round);
    cache_reader_init(&round->reader, cache);
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
    while (round->stock_count)
        message_free(round->stock[--round->stock_count]);
}

struct message *round_begin_message(struct round *round, const struct message_options *options,
                                    const struct message_envelope *envelope)
{
    struct message *message;
    if (round->stock_count) {
        message = round->stock[--round->stock_count];
        message_init_again(message, options, envelope, &round->near);
    } else {
        message = malloc(sizeof *message);
        if (!message)
            return NULL;
        message_init(message, options, envelope, &round->near);
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
