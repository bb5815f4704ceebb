/*
 * assay on this thread, as a worker of the pool judges (run/batch.h): the whole judgement of the
 * messages of a set, DKIM, SPF, DMARC and ARC, everything that the DNS says in the cache. Every
 * verdict is compared with what the set says; a wrong one ends the program.
 */
#ifndef BENCH_BENCH_ENGINE_H
#define BENCH_BENCH_ENGINE_H

#include "bench/mail_set.h"
#include "run/batch.h"

struct bench_engine
{
    struct message_options options;
    struct cache *cache;
    struct dns_source *source;
    struct batch *batch;
};

/* `zone` is the text of mail_set_zone. Once per thread, which is registered with the cache. */
void bench_engine_open(struct bench_engine *engine, struct span zone);
void bench_engine_close(struct bench_engine *engine);

struct bench_judging /* of one set */
{
    struct bench_engine *engine;
    const struct mail_set *set;
    struct batch_item *items; /* owned */
    unsigned next;            /* message */
    unsigned batch;           /* messages of one batch; 1: they come one at a time */
    uint64_t judged;
    /* What one message takes on average, from a first pass: */
    double body_bytes;    /* canonical, hashed */
    double header_bytes;  /* canonical, hashed */
    double verifications; /* public-key operations */
};

/* Judges the whole set once, so that the cache is warm, and counts. */
void bench_judging_open(struct bench_judging *judging, struct bench_engine *engine,
                        const struct mail_set *set);
void bench_judging_close(struct bench_judging *judging);
/* A batch; for contest.h, with a struct bench_judging. */
uint64_t bench_judging_batch(void *context);
/* Each message on its own, the next one when the last is done. */
uint64_t bench_judging_single(void *context);

#endif
