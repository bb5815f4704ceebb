/*
 * The worker pool under producers that feed, end and cancel, a host whose guest judges lone
 * messages, judges without messages, a cache that is flushed all the time, and stops. Stands alone:
 * `make stress`, also with SANITIZE=thread.
 *
 *   pool_stress [MILLISECONDS]        default 2,000; run from the project's folder
 *
 * What is checked:
 *   R1  every message and query is answered exactly once
 *   R3  every verdict is that of the blocking engine, though each answer that a worker borrows from
 *       the cache may be flushed, evicted and replaced before the round is over (cache.h G2)
 *   R5  the pool holds nothing afterwards
 * and that work was done: messages, cancels, waits, flushes.
 *
 * Built with POOL_QUIESCENT_IN_ROUND in run/worker.c it must fail: the quiescent state is then
 * announced in the middle of a round, while keys and records of the cache are in use. That is the
 * negative control.
 *
 * Exit status 0: all held; 1: a check failed, with its line.
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cache/tsan.h"
#include "engine.h"
#include "run/pool.h"
#include "run/prepare.h"

enum
{
    WORKERS = 3,
    PRODUCERS = 2,
    OPEN = 24, /* messages of one producer at a time */
    LIVES = 3, /* starts and stops; and a quiet one */
    NOW = 1792972860,
    CACHE_BYTES = 64 * 1024, /* less than all names need */
    BUCKETS = 64,            /* a flush walks them all */
    FILE_BYTES_MAX = 16 * 1024,
};

struct sample
{
    const char *file, *ip, *helo, *mail_from;
    struct chunk *chunk;
    size_t n;
    enum assay_result spf, dkim, arc, dmarc; /* by the blocking engine */
};

static struct sample samples[] = {
    {"pass.eml", "192.0.2.10", "mx.shop.example", "orders@shop.example", .chunk = NULL},
    {"pass-two-signatures.eml", "192.0.2.10", "mx.shop.example", "orders@shop.example",
     .chunk = NULL},
    {"list-arc-two-sets.eml", "192.0.2.90", "relay.example", "bounce@lists.example", .chunk = NULL},
    {"fail-subject.eml", "192.0.2.10", "mx.shop.example", "orders@shop.example", .chunk = NULL},
    {"spf-too-many-lookups.eml", "192.0.2.80", "lists.example", "a@deep.example", .chunk = NULL},
};

static const char zone_file[] = "share/samples/zone.txt";
static struct message_options options;
static struct arena options_arena;
static struct cache *cache;
static struct resolvers *resolvers;
static struct pool *pool;
static _Atomic bool stop;
static _Atomic uint64_t judged, cancelled, queried, early, flushes, flushed;
static sem_t rung; /* the host's */

__attribute__((noreturn)) static void broken(const char *what, const char *file, uint64_t got,
                                             uint64_t want)
{
    fprintf(stderr, "pool_stress: %s: %s, got %lx, want %lx\n", what, file, got, want);
    _exit(1);
}

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 8;
}

static void nap_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* --- the oracle --- */

static void read_sample(struct sample *sample)
{
    char path[256];
    snprintf(path, sizeof path, "share/samples/%s", sample->file);
    FILE *file = fopen(path, "rb");
    sample->chunk = chunk_new(FILE_BYTES_MAX);
    if (!file || !sample->chunk)
        broken("cannot be read", path, 0, 1);
    sample->n = fread(sample->chunk->bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
}

static void judge_sample(struct assay_engine *engine, struct sample *sample)
{
    char error[ASSAY_ERROR_MAX];
    struct assay_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = sample->ip,
        .helo = sample->helo,
        .mail_from = sample->mail_from,
        .received_at = NOW,
    };
    struct assay_message *message = assay_message_begin(engine, &envelope, error);
    if (!message || assay_message_feed(message, sample->chunk->bytes, sample->n) != ASSAY_OK ||
        assay_message_end(message) != ASSAY_OK)
        broken("the oracle fails", sample->file, 0, 1);
    sample->spf = assay_message_spf(message);
    sample->dkim = assay_message_dkim(message);
    sample->arc = assay_message_arc(message);
    sample->dmarc = assay_message_dmarc(message);
    assay_message_free(&message);
}

static void read_samples(void)
{
    char error[ASSAY_ERROR_MAX];
    struct assay_config config = {.size = sizeof config, .zone_file = zone_file};
    struct assay_engine *engine = assay_engine_open(&config, error);
    if (!engine)
        broken(error, zone_file, 0, 1);
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        read_sample(&samples[i]);
        judge_sample(engine, &samples[i]);
    }
    assay_engine_close(&engine);
}

/* --- messages --- */

struct flight
{
    const struct sample *sample;
    struct task *task; /* the producer's */
    size_t at;
    _Atomic uint32_t calls;
    _Atomic bool free; /* another message may use it */
};

static void compare(const struct sample *sample, const struct message *message)
{
    if ((int)message->spf.checked.result != (int)sample->spf)
        broken("R3: spf", sample->file, message->spf.checked.result, sample->spf);
    if ((int)engine_dkim_result(&message->dkim) != (int)sample->dkim)
        broken("R3: dkim", sample->file, engine_dkim_result(&message->dkim), sample->dkim);
    if ((int)message->arc.result != (int)sample->arc)
        broken("R3: arc", sample->file, message->arc.result, sample->arc);
    if ((int)message->dmarc.result != (int)sample->dmarc)
        broken("R3: dmarc", sample->file, message->dmarc.result, sample->dmarc);
}

static void done(void *context, enum task_outcome outcome, const struct message *message)
{
    struct flight *flight = context;
    if (atomic_fetch_add(&flight->calls, 1) != 0)
        broken("R1: answered twice", flight->sample->file, 2, 1);
    if (outcome == TASK_FAILED)
        broken("no memory", flight->sample->file, outcome, TASK_JUDGED);
    if (outcome == TASK_JUDGED)
        compare(flight->sample, message);
    atomic_fetch_add(outcome == TASK_JUDGED ? &judged : &cancelled, 1);
    atomic_store(&flight->free, true);
}

static void told_early(void *context, const struct message *message)
{
    const struct flight *flight = context;
    if ((int)message->spf.checked.result != (int)flight->sample->spf)
        broken("R3: early spf", flight->sample->file, message->spf.checked.result,
               flight->sample->spf);
    atomic_fetch_add(&early, 1);
}

static void begin(struct flight *flight, uint64_t random)
{
    const struct sample *sample = &samples[random % COUNT_OF(samples)];
    struct task_request request = {
        .envelope = {.helo = span_from_string(sample->helo),
                     .mail_from = span_from_string(sample->mail_from),
                     .now = NOW},
        .early_spf = random & 1024,
        .without_evidence = random & 2048,
        .done = done,
        .early = told_early,
        .context = flight,
    };
    if (!ip_parse(span_from_string(sample->ip), &request.envelope.client))
        broken("no address", sample->ip, 0, 1);
    flight->sample = sample;
    flight->at = 0;
    atomic_store(&flight->calls, 0);
    atomic_store(&flight->free, false);
    flight->task = pool_submit(pool, &request);
    if (!flight->task)
        atomic_store(&flight->free, true);
}

static void feed(struct flight *flight, size_t n)
{
    const struct sample *sample = flight->sample;
    size_t left = sample->n - flight->at;
    n = n < left ? n : left;
    task_feed(flight->task, sample->chunk, span_of(sample->chunk->bytes + flight->at, n));
    flight->at += n;
}

static void let_go(struct flight *flight, bool cancels)
{
    if (cancels) {
        task_cancel(flight->task);
    } else {
        feed(flight, SIZE_MAX);
        task_end(flight->task);
    }
    flight->task = NULL;
}

static void *producer_main(void *argument)
{
    static struct flight flights[PRODUCERS][OPEN];
    struct flight *mine = flights[(uintptr_t)argument];
    uint64_t random = 88172645463325252 + (uintptr_t)argument;
    for (unsigned i = 0; i < OPEN; i++)
        atomic_store(&mine[i].free, true);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        uint64_t r = draw(&random);
        struct flight *flight = &mine[r % OPEN];
        if (flight->task && (r >> 16) % 2)
            feed(flight, (r >> 20) % 2000);
        else if (flight->task)
            let_go(flight, (r >> 20) % 5 == 0);
        else if (atomic_load(&flight->free))
            begin(flight, r >> 24);
        else
            nap_us(20);
    }
    for (unsigned i = 0; i < OPEN; i++)
        if (mine[i].task)
            let_go(&mine[i], i % 2);
    return NULL;
}

/* --- the host --- */

static void rouse(void *context)
{
    (void)context;
    sem_post(&rung);
}

static void host_sleeps(void)
{
    struct timespec soon;
    if (pool_guest_doze(pool) == 0)
        return;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 300 * 1000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    sem_timedwait(&rung, &soon);
}

/* One message, seldom two, at a time; some are fed in two batches, cancelled, or left to another.
 */
static void host_batch(struct flight *flights, uint64_t r)
{
    unsigned n = r % 8 ? 1 : 2;
    for (unsigned i = 0; i < n; i++)
        if (!flights[i].task && atomic_load(&flights[i].free))
            begin(&flights[i], r >> 24);
    for (unsigned i = 0; i < n; i++) {
        if (!flights[i].task)
            continue;
        if ((r >> 4) % 16 == 0)
            task_share(flights[i].task);
        if ((r >> 8) % 16 == 0)
            pool_guest_run(pool);
        let_go(&flights[i], (r >> 12) % 16 == 0);
    }
}

static void *host_main(void *argument)
{
    static struct flight flights[2];
    uint64_t random = 2463534242;
    (void)argument;
    for (unsigned i = 0; i < COUNT_OF(flights); i++)
        atomic_store(&flights[i].free, true);
    pool_guest_begin(pool);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        host_batch(flights, draw(&random));
        pool_guest_run(pool);
        host_sleeps();
    }
    pool_guest_end(pool); /* what it has left is main's, who drains */
    return NULL;
}

/* --- judges without a message --- */

struct query
{
    struct dns_name name;
    _Atomic bool free;
};

static enum judge judge_name(void *context, struct dns_answers *answers, struct arena *arena,
                             struct limit_hits *hits)
{
    const struct query *query = context;
    (void)arena, (void)hits;
    const struct dns_answer *answer = dns_lookup(answers, &query->name, DNS_TXT);
    if (!answer)
        return JUDGE_WAITING;
    if (answer->outcome != DNS_ANSWER || answer->count != 1 ||
        !span_starts_fold(answer->records[0].text, SPAN("v=spf1")))
        broken("a query's answer", "shop.example", answer->outcome, DNS_ANSWER);
    return JUDGE_DONE;
}

static void query_done(void *context, enum task_outcome outcome)
{
    struct query *query = context;
    if (outcome != TASK_JUDGED || atomic_exchange(&query->free, true))
        broken("R1: a query", "shop.example", outcome, TASK_JUDGED);
    atomic_fetch_add(&queried, 1);
}

static void *asker_main(void *argument)
{
    static struct query query;
    (void)argument;
    if (dns_name_from_domain(&query.name, SPAN("shop.example")) != DNS_NAME_OK)
        broken("no name", "shop.example", 0, 1);
    atomic_store(&query.free, true);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        struct query_request request = {.judge = judge_name, .done = query_done, .context = &query};
        if (atomic_exchange(&query.free, false) && !pool_query(pool, &request))
            atomic_store(&query.free, true);
        nap_us(50);
    }
    return NULL;
}

/* --- flushes --- */

static bool is_of_shop(struct span key, void *context)
{
    (void)context;
    return memmem(key.p, key.n, "\4shop\7example", 13) != NULL;
}

static void *flusher_main(void *argument)
{
    (void)argument;
    cache_thread_register();
    for (unsigned i = 0; !atomic_load_explicit(&stop, memory_order_relaxed); i++) {
        atomic_fetch_add(&flushed, resolvers_flush(resolvers, i % 4 ? is_of_shop : NULL, NULL));
        atomic_fetch_add(&flushes, 1);
        cache_thread_offline();
        nap_us(2000); /* there are hits in between */
        cache_thread_online();
    }
    cache_thread_unregister();
    return NULL;
}

/* --- lives --- */

static void read_options(void)
{
    char error[ASSAY_ERROR_MAX];
    struct dmarc_psl *psl = NULL;
    struct assay_config config = {.size = sizeof config, .authserv_id = "mx.example"};
    arena_init(&options_arena, 1 << 20);
    if (!engine_options_open(&options, &psl, &options_arena, &config, error))
        broken(error, "options", 0, 1);
}

static void open_all(void)
{
    char error[ASSAY_ERROR_MAX];
    struct dns_error wrong;
    struct cache_error wrong_cache;
    struct cache_config cache_config = cache_config_default();
    cache_config.budget_bytes = CACHE_BYTES;
    cache_config.buckets = BUCKETS;
    cache = cache_new(&cache_config, &wrong_cache);
    if (!cache)
        broken(wrong_cache.text, "cache_new", 0, 1);
    struct resolvers_config resolvers_config = {
        .threads = 2, .zone_file = zone_file, .cache = cache, .prepare = run_prepare};
    resolvers = resolvers_start(&resolvers_config, &wrong);
    if (!resolvers)
        broken(wrong.text, "resolvers_start", 0, 1);
    struct pool_config pool_config = {
        .workers = WORKERS,
        .options = &options,
        .cache = cache,
        .resolvers = resolvers,
        .rouse = rouse,
    };
    pool = pool_start(&pool_config, error);
    if (!pool)
        broken(error, "pool_start", 0, 1);
}

/* Without producers and queries the pool is idle now and then: the guest is busy. */
static void live(uint64_t milliseconds, bool quiet)
{
    void *(*const bodies[])(void *) = {host_main, flusher_main, asker_main, producer_main,
                                       producer_main};
    enum
    {
        QUIET_BODIES = 2,
    };
    pthread_t threads[COUNT_OF(bodies)];
    size_t count = quiet ? QUIET_BODIES : COUNT_OF(bodies);
    open_all();
    atomic_store(&stop, false);
    for (uintptr_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, bodies[i], (void *)(i % PRODUCERS)) != 0)
            abort();
    nanosleep(&(struct timespec){.tv_sec = (time_t)(milliseconds / 1000),
                                 .tv_nsec = (long)(milliseconds % 1000) * 1000000},
              NULL);
    atomic_store(&stop, true);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* Drains and looks at the accounts. */
static void end_life(struct pool_stats *sum)
{
    struct pool_stats stats;
    pool_drain(pool);
    pool_stats(pool, &stats);
    if (stats.in_flight || stats.arena_bytes || stats.queued_bytes)
        broken("R5: left in the pool", "bytes", stats.arena_bytes + stats.queued_bytes, 0);
    sum->messages += stats.messages;
    sum->cancelled += stats.cancelled;
    sum->parked += stats.parked;
    sum->rounds += stats.rounds;
    sum->by_guest += stats.by_guest;
    sum->verify_jobs += stats.verify_jobs;
    pool_stop(&pool);
    resolvers_stop(&resolvers);
    cache_free(&cache);
}

int main(int argc, char **argv)
{
    uint64_t milliseconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
    struct pool_stats sum = {.messages = 0};
    sem_init(&rung, 0, 0);
    mallopt(M_PERTURB, 0x5a); /* released memory does not look alive */
    read_samples();
    read_options();
    for (unsigned i = 0; i <= LIVES; i++) {
        live(milliseconds / LIVES, i == LIVES);
        end_life(&sum);
    }
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        chunk_unref(&samples[i].chunk);
    arena_fini(&options_arena);
    sem_destroy(&rung);
    if (sum.messages != judged || sum.cancelled != cancelled)
        broken("R1: verdicts", "counted", sum.messages + sum.cancelled, judged + cancelled);
    if (!judged || !cancelled || !queried || !early || !flushed || !sum.parked || !sum.by_guest)
        broken("too little happened to test anything", "work", judged, 1);
    printf("pool_stress: %lu messages (%lu by the guest), %lu cancelled, %lu queries, %lu early, "
           "%lu rounds, %lu "
           "jobs, %lu waits, %lu entries in %lu flushes\n",
           judged, sum.by_guest, cancelled, queried, early, sum.rounds, sum.verify_jobs, sum.parked,
           flushed, flushes);
    return 0;
}
