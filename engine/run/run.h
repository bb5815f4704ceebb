/*
 * Everything that a process which judges many messages needs, opened and closed in the right order:
 * settings, cache (with its snapshot), resolvers, pool. assayd and `assay bulk` stand on it.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "engine.h"
#include "run/pool.h"

struct run_config
{
    struct assay_config
        judge; /* zone_file, resolver, authserv_id, DMARC mode ... as for the library */
    unsigned workers;
    unsigned resolver_threads;
    size_t cache_bytes;           /* 0: the cache's default */
    const char *snapshot_path;    /* NULL: none. Read at start, written at stop */
    uint32_t max_messages;        /* in flight; 0: the pool's default */
    uint64_t max_bytes;           /* of all messages in flight; 0: the pool's default */
    uint64_t max_message_bytes;   /* of one; 0: MAX_MESSAGE_BYTES. At most RUN_MESSAGE_BYTES_MAX */
    void (*rouse)(void *context); /* as pool_config has it */
    void *host;
};

#define RUN_MESSAGE_BYTES_MAX ((uint64_t)1 << 30)

struct run
{
    struct message_options options; /* what the judges go by */
    struct cache *cache;
    struct resolvers *resolvers;
    struct pool *pool;
    /* The rest is run.c's. */
    struct arena arena;
    struct dmarc_psl *psl;
    char *snapshot_path; /* owned; NULL */
};

/* Main thread, before other threads. NULL with one line in `error`. A snapshot that is expired or
 * damaged is ignored: `*note` (may be NULL) then holds the one line to log, "" else. */
struct run *run_start(const struct run_config *config, char error[ASSAY_ERROR_MAX],
                      char note[ASSAY_ERROR_MAX]) MUST_CHECK;
/* Drains the pool, writes the snapshot, closes all, nulls. Who cannot wait for what is in flight
 * calls pool_stop(&run->pool) before. `note` (may be NULL): a snapshot that could not be written. */
void run_stop(struct run **run, char note[ASSAY_ERROR_MAX]);
/* Thread: any that is not registered with the cache (cache/tsan.h), or the pool's host. Forgets
 * what the cache has at and below `name` (NULL: all); returns how many entries. */
size_t run_flush(struct run *run, const struct dns_name *name);

#endif
