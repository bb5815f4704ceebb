#include "judges.h"

#include "crypto/verify.h"
#include "verdict/json.h"

static struct task *submit(void *context, const struct task_request *request)
{
    struct run *run = context;
    return pool_submit(run->pool, request);
}

static bool query(void *context, const struct query_request *request)
{
    struct run *run = context;
    return pool_query(run->pool, request);
}

static size_t flush(void *context, const struct dns_name *name)
{
    return run_flush(context, name);
}

/* By pool_result_slot; the words of slot 0 (pass) and 1 to 7. */
static const enum result slots[8] = {
    RESULT_PASS, RESULT_NONE,   RESULT_NEUTRAL,   RESULT_SOFTFAIL,
    RESULT_FAIL, RESULT_POLICY, RESULT_TEMPERROR, RESULT_PERMERROR,
};

static void write_results(struct jsonw *json, const struct pool_stats *stats)
{
    static const char *const protocols[] = {"spf", "dkim", "arc", "dmarc"};
    for (size_t p = 0; p < COUNT_OF(protocols); p++) {
        jsonw_object_open(json, protocols[p]);
        for (size_t r = 0; r < COUNT_OF(slots); r++)
            jsonw_uint(json, result_word(slots[r]), stats->results[p][r]);
        jsonw_object_close(json);
    }
    jsonw_object_open(json, "disposition");
    for (unsigned d = DMARC_DISPOSE_NONE; d <= DMARC_DISPOSE_REJECT; d++)
        jsonw_uint(json, dmarc_disposition_word((enum dmarc_disposition)d), stats->results[4][d]);
    jsonw_object_close(json);
}

static void write_limits(struct jsonw *json, const struct pool_stats *stats)
{
    jsonw_object_open(json, "limits");
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (stats->limit_hits[i])
            jsonw_uint(json, limit_name((enum limit)i), stats->limit_hits[i]);
    jsonw_object_close(json);
}

/* Rounded up: never below the truth. */
static uint64_t us(uint64_t ns)
{
    return (ns + 999) / 1000;
}

static void write_own_time(struct jsonw *json, const struct pool_own_time *own_time)
{
    jsonw_object_open(json, "own_time_us");
    jsonw_uint(json, "count", own_time->count);
    jsonw_uint(json, "p50", us(own_time->p50_ns));
    jsonw_uint(json, "p99", us(own_time->p99_ns));
    jsonw_uint(json, "p999", us(own_time->p999_ns));
    jsonw_uint(json, "max", us(own_time->max_ns));
    jsonw_object_close(json);
}

static void write_shared(struct jsonw *json, const struct pool_stats *stats)
{
    jsonw_object_open(json, "shared");
    jsonw_uint(json, "spf_hits", stats->spf_hits);
    jsonw_uint(json, "spf_misses", stats->spf_misses);
    jsonw_uint(json, "dmarc_hits", stats->dmarc_hits);
    jsonw_uint(json, "dmarc_misses", stats->dmarc_misses);
    jsonw_object_close(json);
}

static void write_pool(struct jsonw *json, struct run *run)
{
    struct pool_stats stats;
    pool_stats(run->pool, &stats);
    jsonw_object_open(json, "pool");
    jsonw_uint(json, "workers", stats.workers);
    jsonw_uint(json, "messages", stats.messages);
    jsonw_uint(json, "by_front", stats.by_guest);
    jsonw_uint(json, "cancelled", stats.cancelled);
    jsonw_uint(json, "failed", stats.failed);
    jsonw_uint(json, "refused", stats.refused);
    jsonw_uint(json, "in_flight", stats.in_flight);
    jsonw_uint(json, "rounds", stats.rounds);
    jsonw_uint(json, "verify_jobs", stats.verify_jobs);
    jsonw_uint(json, "parked", stats.parked);
    jsonw_uint(json, "arena_bytes", stats.arena_bytes);
    jsonw_uint(json, "queued_bytes", stats.queued_bytes);
    jsonw_uint(json, "cpu_ns", stats.cpu_ns);
    write_own_time(json, &stats.own_time);
    write_shared(json, &stats);
    write_results(json, &stats);
    write_limits(json, &stats);
    jsonw_object_close(json);
}

static void write_resolvers(struct jsonw *json, struct run *run)
{
    struct resolvers_stats stats;
    resolvers_stats(run->resolvers, &stats);
    jsonw_object_open(json, "resolvers");
    jsonw_uint(json, "questions", stats.questions);
    jsonw_uint(json, "shared", stats.shared);
    jsonw_uint(json, "queries", stats.queries);
    jsonw_uint(json, "answers", stats.answers);
    jsonw_uint(json, "empty", stats.empty);
    jsonw_uint(json, "nxdomain", stats.nxdomain);
    jsonw_uint(json, "failures", stats.failures);
    jsonw_uint(json, "timeouts", stats.timeouts);
    jsonw_uint(json, "refused_zone", stats.refused_zone);
    jsonw_uint(json, "refused_total", stats.refused_total);
    jsonw_uint(json, "refreshes", stats.refreshes);
    jsonw_uint(json, "in_flight", stats.in_flight);
    jsonw_object_close(json);
}

static void write_cache(struct jsonw *json, struct run *run)
{
    struct cache_stats stats;
    cache_stats(run->cache, &stats);
    jsonw_object_open(json, "cache");
#define CACHE_STAT_JSON(name) jsonw_uint(json, #name, stats.name);
    CACHE_READER_COUNTERS(CACHE_STAT_JSON)
    CACHE_WRITER_COUNTERS(CACHE_STAT_JSON)
#undef CACHE_STAT_JSON
    jsonw_object_close(json);
}

/* "ifma", "avx2"; "openssl" where the machine has no kernel, or a fault turned it off. */
static void write_signatures(struct jsonw *json)
{
    struct verify_counts counts = verify_counts();
    jsonw_object_open(json, "signatures");
    jsonw_string(json, "kernel", verify_kernel_name());
    jsonw_uint(json, "by_kernel", counts.kernel_signatures);
    jsonw_uint(json, "checked", counts.checked);
    jsonw_uint(json, "mismatches", counts.mismatches);
    jsonw_object_close(json);
}

static void write_stats(void *context, struct buffer *out)
{
    struct run *run = context;
    struct jsonw json;
    jsonw_begin(&json, out);
    json.comma = true; /* members of an object that is open */
    write_pool(&json, run);
    write_resolvers(&json, run);
    write_cache(&json, run);
    write_signatures(&json);
}

struct front_backend judges_backend(struct run *run)
{
    return (struct front_backend){
        .context = run,
        .submit = submit,
        .feed = task_feed,
        .end = task_end,
        .cancel = task_cancel,
        .queued = task_queued_bytes,
        .share = task_share,
        .query = query,
        .flush = flush,
        .stats = write_stats,
        .hosted = run->pool,
    };
}
