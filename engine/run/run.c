/*
 * Opening and closing in the right order. What is opened later uses what was opened earlier:
 *
 *   options, cache, snapshot, resolvers (contexts: main thread, F13), pool
 *
 * and closing goes back. The snapshot is read before the resolvers start, since a name has one
 * writer (cache.h), and written when pool and resolvers are gone.
 */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cache/tsan.h"
#include "run/prepare.h"

enum
{
    RUN_ARENA_BYTES = 1024 * 1024,
};

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool open_cache(struct run *run, const struct run_config *config, char *error)
{
    struct cache_error wrong = {""};
    struct cache_config cache = cache_config_default();
    if (config->cache_bytes)
        cache.budget_bytes = config->cache_bytes;
    run->cache = cache_new(&cache, &wrong);
    if (!run->cache)
        engine_say(error, "%s", wrong.text);
    return run->cache != NULL;
}

/* Trouble with the file is worth a note and never stops the start. */
static void read_snapshot(struct run *run, char *note)
{
    struct cache_error wrong = {""};
    struct cache_snapshot_format format = resolvers_snapshot_format(run_prepare);
    size_t loaded;
    if (!run->snapshot_path)
        return;
    cache_thread_register();
    enum cache_snapshot_result result = cache_snapshot_read(
        run->cache, run->snapshot_path, &format, engine_clock_ms(), wall_ms(), &loaded, &wrong);
    cache_thread_unregister();
    if (result == CACHE_SNAPSHOT_IGNORED)
        engine_say(note, "%s", wrong.text);
}

/* A cache that could not be written is a cold start later, no error: the old file stays. */
static void write_snapshot(struct run *run, char *note)
{
    struct cache_error wrong = {""};
    struct cache_snapshot_format format = resolvers_snapshot_format(run_prepare);
    if (!run->snapshot_path || !run->cache)
        return;
    cache_thread_register();
    if (!cache_snapshot_write(run->cache, run->snapshot_path, &format, engine_clock_ms(), wall_ms(),
                              &wrong))
        engine_say(note, "%s", wrong.text);
    cache_thread_unregister();
}

static bool open_resolvers(struct run *run, const struct run_config *config, char *error)
{
    struct dns_error wrong = {""};
    struct resolvers_config resolvers = {
        .threads = config->resolver_threads,
        .zone_file = config->judge.zone_file,
        .resolver = config->judge.resolver,
        .cache = run->cache,
        .prepare = run_prepare,
    };
    run->resolvers = resolvers_start(&resolvers, &wrong);
    if (!run->resolvers)
        engine_say(error, "%s", wrong.text);
    return run->resolvers != NULL;
}

static bool open_pool(struct run *run, const struct run_config *config, char *error)
{
    struct pool_config pool = {
        .workers = config->workers,
        .options = &run->options,
        .cache = run->cache,
        .resolvers = run->resolvers,
        .max_messages = config->max_messages,
        .max_bytes = config->max_bytes,
        .timeout_ms = config->judge.timeout_ms,
        .rouse = config->rouse,
        .host = config->host,
    };
    run->pool = pool_start(&pool, error);
    return run->pool != NULL;
}

static bool open_all(struct run *run, const struct run_config *config, char *error, char *note)
{
    if (!engine_options_open(&run->options, &run->psl, &run->arena, &config->judge, error) ||
        !open_cache(run, config, error))
        return false;
    read_snapshot(run, note);
    return open_resolvers(run, config, error) && open_pool(run, config, error);
}

static void close_all(struct run *run)
{
    pool_stop(&run->pool);
    if (run->resolvers)
        resolvers_stop(&run->resolvers);
    if (run->cache)
        cache_free(&run->cache);
    if (run->psl)
        dmarc_psl_free(&run->psl);
    arena_fini(&run->arena);
    free(run->snapshot_path);
    free(run);
}

struct run *run_start(const struct run_config *config, char error[ASSAY_ERROR_MAX],
                      char note[ASSAY_ERROR_MAX])
{
    engine_say(error, "%s", "");
    engine_say(note, "%s", "");
    struct run *run = calloc(1, sizeof *run);
    if (!run) {
        engine_say(error, "no memory");
        return NULL;
    }
    arena_init(&run->arena, RUN_ARENA_BYTES);
    run->snapshot_path = config->snapshot_path ? strdup(config->snapshot_path) : NULL;
    run->options.max_bytes = config->max_message_bytes < RUN_MESSAGE_BYTES_MAX
                                 ? config->max_message_bytes
                                 : RUN_MESSAGE_BYTES_MAX;
    if ((!config->snapshot_path || run->snapshot_path) && open_all(run, config, error, note))
        return run;
    close_all(run);
    return NULL;
}

void run_stop(struct run **run, char note[ASSAY_ERROR_MAX])
{
    struct run *stopped = *run;
    *run = NULL;
    engine_say(note, "%s", "");
    if (!stopped)
        return;
    if (stopped->pool)
        pool_drain(stopped->pool);
    pool_stop(&stopped->pool);
    resolvers_stop(&stopped->resolvers);
    write_snapshot(stopped, note);
    close_all(stopped);
}

/* A cache key is two bytes of type and a wire name (struct dns_key). */
static bool is_at_or_below(struct span key, void *context)
{
    const struct dns_name *ancestor = context;
    struct dns_name name;
    struct span wire = span_skip(key, key.n > 2 ? 2 : key.n);
    return dns_name_from_packet(&name, wire, 0) && dns_name_is_at_or_below(&name, ancestor);
}

size_t run_flush(struct run *run, const struct dns_name *name)
{
    struct dns_name ancestor;
    bool hosts = pool_is_hosted_here(run->pool);
    if (name)
        ancestor = *name;
    if (hosts)
        cache_thread_online();
    else
        cache_thread_register();
    size_t n =
        resolvers_flush(run->resolvers, name ? is_at_or_below : NULL, name ? &ancestor : NULL);
    if (hosts)
        cache_thread_offline();
    else
        cache_thread_unregister();
    return n;
}
