/*
 * Resolvers, first shape: a zone file alone, each question answered on the asker's own thread under
 * one lock.
 *
 * BUGS: no threads, no network, no limits, no refresh, no snapshot of values.
 */
#include "dns/resolvers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct resolvers
{
    struct resolvers_config config;
    pthread_mutex_t lock; /* protects `source` and `stats` */
    struct dns_source *source;
    struct resolvers_stats stats;
};

struct resolvers *resolvers_start(const struct resolvers_config *config, struct dns_error *error)
{
    struct resolvers *resolvers = calloc(1, sizeof *resolvers);
    if (!resolvers || !config->zone_file) {
        snprintf(error->text, sizeof error->text, "only a zone file can be asked yet");
        free(resolvers);
        return NULL;
    }
    resolvers->config = *config;
    pthread_mutex_init(&resolvers->lock, NULL);
    resolvers->source = dns_zone_open(config->zone_file, error);
    if (!resolvers->source)
        resolvers_stop(&resolvers);
    return resolvers;
}

static void release(void *object)
{
    struct dns_shared *shared = object;
    dns_shared_unref(&shared);
}

static void keep(struct resolvers *resolvers, const struct resolver_question *question)
{
    static const enum cache_outcome outcomes[] = {
        [DNS_ANSWER - DNS_ANSWER] = CACHE_ANSWER,
        [DNS_EMPTY - DNS_ANSWER] = CACHE_EMPTY,
        [DNS_NXDOMAIN - DNS_ANSWER] = CACHE_NXDOMAIN,
        [DNS_TEMPFAIL - DNS_ANSWER] = CACHE_FAILURE,
    };
    uint8_t key[CACHE_KEY_MAX];
    size_t n = resolvers_cache_key(&question->name, question->type, key);
    const struct dns_answer *answer = &question->answer->answer;
    struct cache_item item = {
        .outcome = outcomes[answer->outcome - DNS_ANSWER],
        .ttl_s = answer->ttl,
        .object = dns_shared_ref(question->answer),
        .bytes = question->answer->bytes,
        .release = release,
    };
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (cache_put(resolvers->config.cache, span_of(key, n), &item,
                  (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000) != CACHE_STORED)
        release(item.object);
}

void resolvers_ask(struct resolvers *resolvers, struct resolver_question *question)
{
    struct arena arena;
    struct limit_hits hits = {{0}};
    struct dns_answers answers;
    arena_init(&arena, MAX_ARENA_BYTES);
    dns_answers_init(&answers, &arena, &hits);
    (void)!dns_lookup(&answers, &question->name, question->type);
    pthread_mutex_lock(&resolvers->lock);
    resolvers->stats.questions++;
    resolvers->stats.queries++;
    dns_source_resolve(resolvers->source, &answers, question->deadline_ms);
    pthread_mutex_unlock(&resolvers->lock);
    question->answer = dns_shared_new(&question->name, question->type,
                                      dns_peek(&answers, &question->name, question->type),
                                      resolvers->config.prepare);
    arena_fini(&arena);
    if (!question->answer)
        abort(); /* the real ones answer "no_memory" */
    keep(resolvers, question);
    question->answered(question);
}

void resolvers_stop(struct resolvers **resolvers)
{
    if ((*resolvers)->source)
        dns_source_free(&(*resolvers)->source);
    pthread_mutex_destroy(&(*resolvers)->lock);
    free(*resolvers);
    *resolvers = NULL;
}

void resolvers_stats(struct resolvers *resolvers, struct resolvers_stats *stats)
{
    pthread_mutex_lock(&resolvers->lock);
    *stats = resolvers->stats;
    pthread_mutex_unlock(&resolvers->lock);
}

size_t resolvers_cache_key(const struct dns_name *name, enum dns_type type,
                           uint8_t key[CACHE_KEY_MAX])
{
    memcpy(key, name->wire, name->length);
    key[name->length] = (uint8_t)((unsigned)type >> 8);
    key[name->length + 1] = (uint8_t)type;
    return name->length + 2u;
}

static bool write_none(struct span key, enum cache_outcome outcome, const void *object,
                       struct buffer *out, void *context)
{
    (void)key, (void)outcome, (void)object, (void)out, (void)context;
    return false;
}

static bool read_none(struct span key, struct span bytes, struct cache_item *item, void *context)
{
    (void)key, (void)bytes, (void)item, (void)context;
    return false;
}

struct cache_snapshot_format resolvers_snapshot_format(dns_prepare *prepare)
{
    (void)prepare;
    return (struct cache_snapshot_format){.version = 1, .write = write_none, .read = read_none};
}
