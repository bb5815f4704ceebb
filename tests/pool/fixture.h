/*
 * A pool with its cache and resolvers, the shipped samples, and a ledger: every message submitted
 * here is counted in and must be counted out exactly once.
 */
#ifndef POOL_FIXTURE_H
#define POOL_FIXTURE_H

#include <criterion/criterion.h>

#include "engine.h"
#include "run/pool.h"

enum
{
    SAMPLES_MAX = 64,
};

struct sample
{
    struct span file;
    struct message_envelope envelope;
    struct span text;
};

struct samples
{
    struct sample rows[SAMPLES_MAX];
    size_t count;
};

/* share/samples/samples.tsv with its messages. */
const struct samples *samples_read(void);
/* The one of that file name. */
const struct sample *sample_find(const char *file);

struct fixture_config
{
    unsigned workers;
    const char *zone_file; /* NULL: the samples'; ignored where there is a resolver */
    const char *resolver;
    uint32_t max_messages;
    uint64_t max_bytes;
    uint64_t max_message_bytes;
    unsigned timeout_ms;
    unsigned question_ms;
    uint32_t max_in_flight, max_per_zone; /* of the resolvers */
    struct cache_ttl_rules ttl;           /* all 0: the default */
    size_t cache_bytes;
    void (*rouse)(void *context); /* NULL: the pool has no guest */
    void *host;
};

struct fixture
{
    struct arena arena;
    struct message_options options;
    struct dmarc_psl *psl;
    struct cache *cache;
    struct resolvers *resolvers;
    struct pool *pool;
};

void fixture_open(struct fixture *fixture, const struct fixture_config *config);
/* Drains the pool first. */
void fixture_close(struct fixture *fixture);
/* Not drained: with work in flight. */
void fixture_close_now(struct fixture *fixture);

/* What became of one message. */
struct judged
{
    _Atomic uint32_t calls; /* of done */
    _Atomic uint32_t early_calls;
    enum task_outcome outcome;
    enum result spf, dkim, arc, dmarc, early_spf;
    bool failed, too_large;
    uint64_t bytes; /* hashed */
    char *json;     /* where `wants_json` was set */
    bool wants_json;
    int64_t done_at_ms;
};

/* A request for `sample` whose result goes to `judged`. */
struct task_request request_of(const struct sample *sample, struct judged *judged);
/* Submits (the pool must have room), feeds in pieces of `step` bytes (0: whole), does not end. */
struct task *submit_and_feed(struct fixture *fixture, const struct sample *sample, size_t step,
                             struct judged *judged);
/* A chunk with these bytes. */
struct chunk *chunk_of(struct span text);
/* Sleeps until `judged` has been called; fails the test after 20 seconds. */
void wait_for(struct judged *judged);
/* Sleeps until `done` says so; fails the test with `what` after 20 seconds. */
void wait_until(bool (*done)(void *context), void *context, const char *what);
void judged_free(struct judged *judged, size_t count);

/* The verdict of the blocking engine; malloc'd. */
char *blocking_json(const char *zone_file, const struct sample *sample);
/* Without "dns": in which order questions were asked, and how old answers are, is not the verdict.
 * In place. */
void json_drop_dns(char *json);

#endif
