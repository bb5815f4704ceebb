/*
 * The judge of assay bulk in this process: the engine's worker pool with its cache and resolvers.
 * The verdict's text is made on the worker that judged; the main thread only writes it out.
 */
#include <stdlib.h>

#include "bulk.h"
#include "run/run.h"

struct bulk_pool
{
    struct bulk_judge judge; /* first */
    struct run *run;         /* owned */
};

static uint64_t limits_of(const struct limit_hits *hits)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        bits |= (uint64_t)(hits->n[i] != 0) << i;
    return bits;
}

static void write_json(struct bulk_item *item, const struct verdict *judged)
{
    struct verdict verdict = *judged;
    verdict.file = span_from_string(item->name);
    verdict_write_json(&verdict, &item->json);
    buffer_append_byte(&item->json, '\n');
}

static enum bulk_outcome take_verdict(struct bulk_item *item, const struct message *message)
{
    if (message->failed)
        return BULK_NO_MEMORY;
    if (!message_is_message(message))
        return BULK_NO_MESSAGE;
    if (item->options->json)
        write_json(item, &message->verdict);
    verdict_row_of(&message->verdict, &item->row);
    item->author = message->dmarc.discovery.from_domain;
    item->anomalies = message->anomalies.set;
    item->limits = limits_of(&message->hits);
    reachability_count(&item->reachability, &message->answers);
    return item->json.failed ? BULK_NO_MEMORY : BULK_JUDGED;
}

/* On a worker's thread. */
static void done(void *context, enum task_outcome outcome, const struct message *message)
{
    struct bulk_item *item = context;
    switch (outcome) {
    case TASK_JUDGED:
        item->outcome = take_verdict(item, message);
        break;
    case TASK_CANCELLED:
        item->outcome = BULK_CANCELLED;
        break;
    case TASK_FAILED:
        item->outcome = BULK_NO_MEMORY;
        break;
    }
    bulk_mailbox_put(item);
}

static bool pool_begin(struct bulk_judge *judge, struct bulk_item *item,
                       const struct message_envelope *envelope)
{
    struct run *run = ((struct bulk_pool *)judge)->run;
    struct task_request request = {
        .envelope = *envelope,
        .deadline_ms = (unsigned)item->options->timeout_ms,
        .without_evidence = !item->options->json,
        .done = done,
        .context = item,
    };
    item->handle = pool_submit(run->pool, &request);
    return item->handle != NULL;
}

static bool pool_feed(struct bulk_judge *judge, struct bulk_item *item, struct chunk *chunk,
                      struct span bytes)
{
    (void)judge;
    task_feed(item->handle, chunk, bytes);
    return true; /* the chunks that are out bound what is queued */
}

static bool pool_end(struct bulk_judge *judge, struct bulk_item *item)
{
    (void)judge;
    task_end(item->handle);
    return true;
}

static void pool_cancel(struct bulk_judge *judge, struct bulk_item *item)
{
    (void)judge;
    task_cancel(item->handle);
}

static void pool_wait(struct bulk_judge *judge, int ms, unsigned wanted)
{
    bulk_mailbox_wait(judge->mailbox, ms, wanted);
}

static void pool_figures(struct bulk_judge *judge, struct bulk_figures *figures)
{
    struct run *run = ((struct bulk_pool *)judge)->run;
    struct resolvers_stats dns;
    struct cache_stats cache;
    struct pool_stats pool;
    resolvers_stats(run->resolvers, &dns);
    cache_stats(run->cache, &cache);
    pool_stats(run->pool, &pool);
    figures->known = true;
    figures->workers = pool.workers;
    figures->cpu_ns = pool.cpu_ns;
    figures->rounds = pool.rounds;
    figures->parked = pool.parked;
    figures->questions = dns.questions;
    figures->shared = dns.shared;
    figures->queries = dns.queries;
    figures->answers = dns.answers;
    figures->empty = dns.empty;
    figures->nxdomain = dns.nxdomain;
    figures->failures = dns.failures;
    figures->timeouts = dns.timeouts;
    figures->refused = dns.refused_zone + dns.refused_total;
    figures->hits = cache.hits + cache.hits_negative + cache.hits_failure;
    figures->stale = cache.stale;
    figures->lookups = figures->hits + cache.stale + cache.misses;
    figures->entries = cache.entries;
    figures->entry_bytes = cache.bytes;
}

static void pool_close(struct bulk_judge *judge)
{
    struct bulk_pool *pool = (struct bulk_pool *)judge;
    run_stop(&pool->run, NULL);
    free(pool);
}

static const struct bulk_judge_calls calls = {
    pool_begin, pool_feed, pool_end, pool_cancel, pool_wait, pool_figures, pool_close,
};

struct bulk_judge *bulk_pool_open(const struct options *options, struct bulk_mailbox *mailbox,
                                  int *status)
{
    char error[ASSAY_ERROR_MAX] = "", note[ASSAY_ERROR_MAX] = "";
    struct run_config config = {.judge = options_config(options),
                                .workers = (unsigned)options->jobs};
    struct bulk_pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        complain("no memory");
        *status = STATUS_SOFTWARE;
        return NULL;
    }
    pool->judge = (struct bulk_judge){.calls = &calls, .mailbox = mailbox};
    pool->run = run_start(&config, error, note);
    if (pool->run)
        return &pool->judge;
    complain("%s", error);
    *status = options_open_status(options);
    free(pool);
    return NULL;
}
