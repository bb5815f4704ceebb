/*
 * Resolver threads: what a question costs on its way to the owner and back, and what the cache
 * spares. The zone file answers, so no network is in the figures: a miss is the queue, a wake-up
 * where the owner slept, the answer parsed into a shared object, the put, and the way back.
 *
 *   resolvers_bench [NAMES]     default 20,000
 *
 * Times are wall time with BATCH questions open at a time, so two cores share the work. "put" rows
 * ask with `refresh`: each is a query and replaces an entry.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench/bench.h"
#include "cache/tsan.h"
#include "dns/resolvers.h"
#include "run/prepare.h"

enum
{
    NAMES_DEFAULT = 20 * 1000,
    BATCH = 256,
    LOOKUPS = 1024, /* in one read section */
};

struct job
{
    struct cache *cache;
    struct cache_reader reader;
    struct resolvers *resolvers;
    struct dns_name *names;
    unsigned count;
    unsigned next;
    bool refresh;
    struct resolver_question questions[BATCH];
    _Atomic unsigned open;
    struct dns_name *order[LOOKUPS]; /* names in a random order */
};

static struct job job;

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

/* A DKIM key of 2048 bits, an SPF record, a DMARC record, in turn. */
static void make_zone(char path[32], unsigned count)
{
    static const char p[] =
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwIsvGEVeiZtMwLZs8fFuHk5v0BLy4wyqnEMMLf0JaUA4"
        "eYnNn2WfMhGNcYwE4Zz1XoEU4b2gNfWq6oMQ1kYvRzO8YqE6bJgVqXJg9ZQ1YxTzD0mG6KXq7sV2bE4xJ0k6h8fW"
        "3pQ5rT7yU9iOaSdFgHjKlZxCvBnMqWeRtYuIoPaSdFgHjKlZxCvBnM1234567890qwertyuiopasdfghjklzxcvb"
        "nmQWERTYUIOPASDFGHJKLZXCVBNM0987654321poiuytrewqlkjhgfdsamnbvcxzPOIUYTREWQLKJHGFDSAMNBVC"
        "XZabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIQIDAQAB";
    char text[64];
    int fd = memfd_create("zone", MFD_CLOEXEC);
    FILE *file = need(fdopen(fd, "w"));
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    for (unsigned i = 0; i < count; i++) {
        const char *label = i % 3 == 0 ? "s1._domainkey." : i % 3 == 1 ? "" : "_dmarc.";
        snprintf(text, sizeof text, "%sd%u.example", label, i);
        if (dns_name_from_domain(&job.names[i], span_from_string(text)) != DNS_NAME_OK)
            abort();
        if (i % 3 == 0)
            fprintf(file, "%s 3600 TXT \"v=DKIM1; k=rsa; p=%s\"\n", text, p);
        else if (i % 3 == 1)
            fprintf(file, "%s 3600 TXT \"v=spf1 ip4:192.0.2.0/24 include:_spf.example -all\"\n",
                    text);
        else
            fprintf(file, "%s 3600 TXT \"v=DMARC1; p=reject; rua=mailto:d@example\"\n", text);
    }
    if (fflush(file) != 0) /* stays open: it is the zone file */
        abort();
}

static void on_answer(struct resolver_question *question)
{
    dns_shared_unref(&question->answer);
    atomic_fetch_sub_explicit(&job.open, 1, memory_order_release);
}

static void ask_batch(void *context)
{
    (void)context;
    atomic_store(&job.open, BATCH);
    for (unsigned i = 0; i < BATCH; i++) {
        struct resolver_question *question = &job.questions[i];
        question->name = job.names[job.next++ % job.count];
        question->type = DNS_TXT;
        question->refresh = job.refresh;
        question->deadline_ms = INT64_MAX;
        question->answered = on_answer;
        resolvers_ask(job.resolvers, question);
    }
    while (atomic_load_explicit(&job.open, memory_order_acquire))
        sched_yield();
}

static int64_t now_ms(void)
{
    return (int64_t)(bench_now_ns() / 1000000);
}

/* As a worker does: the key from the name, the lookup, a look at the object. */
static void look_up(void *context)
{
    uint8_t key[CACHE_KEY_MAX];
    struct cache_hit hit;
    int64_t now = now_ms();
    unsigned records = 0;
    (void)context;
    for (unsigned i = 0; i < LOOKUPS; i++) {
        size_t n = resolvers_cache_key(job.order[i], DNS_TXT, key);
        if (cache_get(&job.reader, span_of(key, n), now, &hit) == CACHE_MISS)
            abort();
        records += ((const struct dns_shared *)hit.object)->answer.count;
    }
    bench_keep(&records);
    cache_thread_quiescent();
}

/* The same without the lookup. */
static void build_keys(void *context)
{
    uint8_t key[CACHE_KEY_MAX];
    (void)context;
    for (unsigned i = 0; i < LOOKUPS; i++) {
        (void)resolvers_cache_key(job.order[i], DNS_TXT, key);
        bench_keep(key);
    }
}

static void shuffle(unsigned range)
{
    uint64_t random = 88172645463325252;
    for (unsigned i = 0; i < LOOKUPS; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        job.order[i] = &job.names[random % range];
    }
}

static void start(unsigned threads, const char *path)
{
    const struct resolvers_config config = {
        .threads = threads, .zone_file = path, .cache = job.cache, .prepare = run_prepare};
    struct dns_error error;
    job.resolvers = resolvers_start(&config, &error);
    if (!job.resolvers) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
}

static void fill(void)
{
    job.refresh = false;
    for (unsigned i = 0; i < job.count; i += BATCH)
        ask_batch(NULL);
}

static void measure_questions(unsigned threads, const char *path)
{
    char name[64];
    struct resolvers_stats stats;
    const struct bench_work work = {.operations = BATCH};
    start(threads, path);
    fill();
    job.refresh = true;
    snprintf(name, sizeof name, "question, query and put, %u thread%s", threads,
             threads > 1 ? "s" : "");
    double ns = bench_run(name, ask_batch, NULL, work);
    printf("%-40s %12.0f a second\n", "", ns > 0 ? 1e9 / ns : 0);
    job.refresh = false;
    snprintf(name, sizeof name, "question, the cache has it, %u thread%s", threads,
             threads > 1 ? "s" : "");
    ns = bench_run(name, ask_batch, NULL, work);
    printf("%-40s %12.0f a second\n", "", ns > 0 ? 1e9 / ns : 0);
    resolvers_stats(job.resolvers, &stats);
    printf("%-40s %lu questions, %lu queries, %lu cached\n", "", stats.questions, stats.queries,
           stats.cached);
    resolvers_stop(&job.resolvers);
}

int main(int argc, char **argv)
{
    struct cache_config config = cache_config_default();
    struct cache_error error;
    char path[32];
    job.count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : NAMES_DEFAULT;
    job.names = need(calloc(job.count, sizeof *job.names));
    make_zone(path, job.count);
    job.cache = need(cache_new(&config, &error));
    cache_thread_register();
    cache_thread_offline();
    bench_title("resolvers: zone file, keys SPF and DMARC records in turn");
    measure_questions(1, path);
    measure_questions(2, path);
    start(1, path);
    fill();
    cache_thread_online();
    cache_reader_init(&job.reader, job.cache);
    const struct bench_work work = {.operations = LOOKUPS};
    shuffle(job.count);
    bench_run("cache hit with its key, all names", look_up, NULL, work);
    shuffle(job.count < 500 ? job.count : 500);
    bench_run("cache hit with its key, 500 names", look_up, NULL, work);
    bench_run("the key alone", build_keys, NULL, work);
    cache_reader_fini(&job.reader);
    cache_thread_offline();
    resolvers_stop(&job.resolvers);
    cache_thread_unregister();
    cache_free(&job.cache);
    free(job.names);
    return 0;
}
