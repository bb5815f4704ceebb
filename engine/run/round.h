/*
 * What one thread needs to judge messages in rounds (design: a worker lives in rounds), whoever
 * drives it: a worker of the pool (worker.c) or a batch on the caller's thread (batch.c).
 *
 * A round is one read section of the cache. Whoever drives calls round_begin, has the messages go
 * on (message_step), calls round_hash when all have taken what there is for them, and round_verify
 * for those that need it, parks what goes on living (message_park) and ends it with
 * cache_thread_quiescent(). What was fed is borrowed until round_hash.
 *
 * Threads: all calls on one thread, registered with the cache and online (cache/tsan.h).
 */
#ifndef RUN_ROUND_H
#define RUN_ROUND_H

#include "cache/cache.h"
#include "mail/name_lists.h"
#include "message.h"

enum
{
    ROUND_MESSAGES = 32,
    ROUND_JOBS = 512, /* public-key checks verified together; more are verified in two goes */
    STOCK_MESSAGES = 64,
    STOCK_ARENA_BYTES = 64 * 1024, /* what grew larger is not kept with a message of the stock */
    /* Of results: entries by four, and their octets. What is in use of them shares the second-level
     * cache with all else. */
    SHARED_SPF_SETS = 256,
    SHARED_SPF_BYTES = 384,
    SHARED_DMARC_SETS = 128,
    SHARED_DMARC_BYTES = 512,
};

struct round
{
    struct cache_reader reader;
    struct dns_near near;         /* for message_init: answers of the cache, good for the round */
    struct dns_near near_sharing; /* the same, and results of the messages before */
    struct result_cache *spf_shared, *dmarc_shared; /* owned; NULL without memory */
    struct name_lists lists;                        /* of h= */
    int64_t now_ms;                                 /* CLOCK_MONOTONIC */
    /* Has a name asked for again (cache_refresh_claim, cache_rotation_claim). Called in the round:
     * must not block. */
    void (*refresh)(void *context, const struct dns_name *name, enum dns_type type);
    void *context; /* of `refresh` */
    struct verify_job *jobs[ROUND_JOBS];
    struct hash_queue hashes;              /* of all messages of the round */
    struct message *stock[STOCK_MESSAGES]; /* owned: not in use, with their memory */
    uint32_t stock_count;
};

/* `cache` is borrowed. A round must not be moved between init and fini. */
void round_init(struct round *round, struct cache *cache,
                void (*refresh)(void *context, const struct dns_name *name, enum dns_type type),
                void *context);
void round_fini(struct round *round);

/* A round begins, or goes on after it has waited without holding anything of the cache. */
void round_begin(struct round *round, int64_t now_ms);
/*
 * A message from the stock, ready to be fed; NULL without memory. Spans of the envelope are
 * borrowed. `without_evidence`: nobody will look at the verdict's list of questions and answers, so
 * results that other messages have come to may stand in place of their questions.
 */
struct message *round_begin_message(struct round *round, const struct message_options *options,
                                    const struct message_envelope *envelope,
                                    bool without_evidence) MUST_CHECK;
/* Ends it and keeps its memory for another one. */
void round_end_message(struct round *round, struct message *message);

/* Hashes together what the messages have been fed and what they sign: call message_step afterwards
 * for each that has said MESSAGE_NEEDS_HASH. */
void round_hash(struct round *round);
/* Verifies the jobs of all these messages together, which have said MESSAGE_NEEDS_VERIFY: call
 * message_step for each afterwards. Returns how many jobs there were. */
uint32_t round_verify(struct round *round, struct message *const *messages, uint32_t n);

/* What messages took from others, and did not find there, since the start. */
struct round_shared
{
    uint64_t spf_hits, spf_misses, dmarc_hits, dmarc_misses;
};
struct round_shared round_shared(const struct round *round);

/* near.c: fills round->near and near_sharing, when `reader` is there. */
void near_init(struct round *round);

#endif
