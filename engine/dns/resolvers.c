/*
 * Start, stop and counting of the resolver threads, and the way of a question to its owner.
 *
 * Everything is opened by the thread that starts (F13); the threads come last, with all signals
 * blocked, since signals are for the program's own thread.
 */
#include "dns/resolver_thread.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

enum
{
    MAX_IN_FLIGHT = 4096, /* security.md section 2 */
    MAX_PER_ZONE = 64,
    QUESTION_MS = 5000,
    SOCKETS_MIN = 16, /* of a context: libunbound's own default */
    MAX_CEILING = 1 << 20,
};

static void set_error(struct dns_error *error, const char *what, int number)
{
    snprintf(error->text, sizeof error->text, "resolvers: %s: %s", what, strerror(number));
}

/* --- one thread's parts --- */

static void on_wake(evutil_socket_t fd, short events, void *argument)
{
    struct resolver_thread *thread = argument;
    (void)fd;
    (void)events;
    question_queue_clear(&thread->inbox);
}

static void on_timer(evutil_socket_t fd, short events, void *argument)
{
    (void)fd;
    (void)events;
    (void)argument;
}

/*
 * A query that was given up keeps its socket for a while (dns/unbound.c), so there are twice as
 * many as queries; but all contexts together leave half of the descriptors to the rest.
 */
static unsigned sockets_for(const struct resolvers *resolvers)
{
    struct rlimit files;
    unsigned long wanted = 2UL * resolvers->limits.max_in_flight, most = wanted;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
        most = files.rlim_cur / 2 / resolvers->count;
    most = most < SOCKETS_MIN ? SOCKETS_MIN : most;
    return (unsigned)(wanted < most ? wanted : most);
}

static bool open_source(struct resolver_thread *thread, const struct resolvers_config *config,
                        struct dns_error *error)
{
    struct resolvers *resolvers = thread->resolvers;
    if (resolvers->zone)
        return true;
    const struct unbound_config unbound = {
        .base = thread->base,
        .resolver = config->resolver,
        .at_once = 4 * resolvers->limits.max_in_flight, /* with those that were given up */
        .sockets = sockets_for(resolvers),
        .keeps_answers = false,
    };
    thread->unbound = unbound_open(&unbound, error);
    return thread->unbound != NULL;
}

static bool open_events(struct resolver_thread *thread)
{
    thread->base = event_base_new();
    if (!thread->base)
        return false;
    thread->timer = evtimer_new(thread->base, on_timer, NULL);
    thread->wake =
        event_new(thread->base, thread->inbox.wake_fd, EV_READ | EV_PERSIST, on_wake, thread);
    return thread->timer && thread->wake && event_add(thread->wake, NULL) == 0;
}

static bool thread_init(struct resolver_thread *thread, const struct resolvers_config *config,
                        struct dns_error *error)
{
    thread->next_refresh_ms = thread->number == 0 ? 0 : INT64_MAX;
    if (!question_queue_open(&thread->inbox)) {
        set_error(error, "eventfd", errno);
        return false;
    }
    if (!flights_init(&thread->flights, thread->resolvers->limits.max_in_flight) ||
        !open_events(thread)) {
        set_error(error, "thread", ENOMEM);
        return false;
    }
    return open_source(thread, config, error);
}

static void thread_fini(struct resolver_thread *thread)
{
    unbound_close(&thread->unbound);
    if (thread->wake)
        event_free(thread->wake);
    if (thread->timer)
        event_free(thread->timer);
    if (thread->base)
        event_base_free(thread->base);
    flights_fini(&thread->flights);
    question_queue_fini(&thread->inbox);
}

/* --- start --- */

static bool make_failures(struct resolvers *resolvers)
{
    static const char *const words[FAILURE_COUNT] = {
#define RESOLVER_FAILURE(name, word) [FAILURE_##name] = word,
        RESOLVER_FAILURES(RESOLVER_FAILURE)
#undef RESOLVER_FAILURE
    };
    static const struct dns_name root = {.length = 1};
    for (size_t i = 0; i < FAILURE_COUNT; i++) {
        const struct dns_answer answer = {.outcome = DNS_TEMPFAIL, .reason = words[i]};
        resolvers->failures[i] = dns_shared_new(&root, DNS_A, &answer, NULL);
        if (!resolvers->failures[i])
            return false;
    }
    return true;
}

static uint32_t setting(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value < MAX_CEILING ? value : MAX_CEILING;
}

/* Each in a state that thread_fini can end. */
static bool make_threads(struct resolvers *resolvers)
{
    size_t bytes = resolvers->count * sizeof *resolvers->threads;
    if (posix_memalign((void **)&resolvers->threads, 64, bytes) != 0) {
        resolvers->threads = NULL;
        return false;
    }
    memset(resolvers->threads, 0, bytes);
    for (unsigned i = 0; i < resolvers->count; i++) {
        resolvers->threads[i].resolvers = resolvers;
        resolvers->threads[i].number = i;
        question_queue_init(&resolvers->threads[i].inbox);
    }
    return true;
}

static bool init_shared(struct resolvers *resolvers, const struct resolvers_config *config,
                        struct dns_error *error)
{
    uint8_t random[3][SIPHASH_KEY_BYTES];
    if (getrandom(random, sizeof random, 0) != sizeof random) {
        set_error(error, "random bytes", errno);
        return false;
    }
    resolvers->name_key = siphash_key_from(random[0]);
    resolvers->table_key = siphash_key_from(random[1]);
    struct siphash_key zone_key = siphash_key_from(random[2]);
    if (!make_threads(resolvers) || !make_failures(resolvers) ||
        !query_limits_init(&resolvers->limits, setting(config->max_in_flight, MAX_IN_FLIGHT),
                           setting(config->max_per_zone, MAX_PER_ZONE), &zone_key)) {
        set_error(error, "start", ENOMEM);
        return false;
    }
    return true;
}

static bool init_threads(struct resolvers *resolvers, const struct resolvers_config *config,
                         struct dns_error *error)
{
    for (unsigned i = 0; i < resolvers->count; i++)
        if (!thread_init(&resolvers->threads[i], config, error))
            return false;
    return true;
}

static bool start_threads(struct resolvers *resolvers, struct dns_error *error)
{
    sigset_t all, before;
    int failed = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < resolvers->count && !failed; i++) {
        struct resolver_thread *thread = &resolvers->threads[i];
        failed = pthread_create(&thread->id, NULL, resolver_thread_main, thread);
        thread->started = !failed;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        set_error(error, "pthread_create", failed);
    return !failed;
}

struct resolvers *resolvers_start(const struct resolvers_config *config, struct dns_error *error)
{
    struct resolvers *resolvers = NULL;
    if (posix_memalign((void **)&resolvers, 64, sizeof *resolvers) != 0) {
        set_error(error, "start", ENOMEM);
        return NULL;
    }
    *resolvers = (struct resolvers){
        .cache = config->cache,
        .prepare = config->prepare,
        .question_ms = setting(config->question_ms, QUESTION_MS),
        .count = config->threads == 0                      ? 1
                 : config->threads < RESOLVERS_THREADS_MAX ? config->threads
                                                           : RESOLVERS_THREADS_MAX,
    };
    if (config->zone_file)
        resolvers->zone = dns_zone_open(config->zone_file, error);
    if ((!config->zone_file || resolvers->zone) && init_shared(resolvers, config, error) &&
        init_threads(resolvers, config, error) && start_threads(resolvers, error))
        return resolvers;
    resolvers_stop(&resolvers);
    return NULL;
}

/* --- questions --- */

/* High bits choose the owner, low ones the bucket: they come from two keys all the same. */
void resolvers_ask(struct resolvers *resolvers, struct resolver_question *question)
{
    struct span wire = dns_name_span(&question->name);
    uint64_t owner = siphash13(&resolvers->name_key, wire) % resolvers->count;
    question->hash = siphash13(&resolvers->table_key, wire) + (uint64_t)question->type;
    question->answer = NULL;
    question->age = 0;
    question_queue_push(&resolvers->threads[owner].inbox, &question->node);
}

size_t resolvers_flush(struct resolvers *resolvers, bool (*matches)(struct span key, void *context),
                       void *context)
{
    atomic_fetch_add(&resolvers->epoch, 1);
    return cache_flush(resolvers->cache, matches, context);
}

void resolvers_stats(struct resolvers *resolvers, struct resolvers_stats *stats)
{
    *stats = (struct resolvers_stats){0};
    for (unsigned i = 0; i < resolvers->count; i++) {
        const struct resolver_counters *counters = &resolvers->threads[i].counters;
#define RESOLVERS_COUNTER(name)                                                                    \
    stats->name += atomic_load_explicit(&counters->name, memory_order_relaxed);
        RESOLVERS_COUNTERS(RESOLVERS_COUNTER)
#undef RESOLVERS_COUNTER
    }
}

/* --- stop --- */

static void join_threads(struct resolvers *resolvers)
{
    atomic_store_explicit(&resolvers->stopping, true, memory_order_release);
    for (unsigned i = 0; resolvers->threads && i < resolvers->count; i++)
        if (resolvers->threads[i].started)
            question_queue_wake(&resolvers->threads[i].inbox);
    for (unsigned i = 0; resolvers->threads && i < resolvers->count; i++)
        if (resolvers->threads[i].started)
            pthread_join(resolvers->threads[i].id, NULL);
}

/* Each answer may have brought one more question, to a thread that had stopped by then. */
static void answer_the_rest(struct resolvers *resolvers)
{
    struct cds_wfcq_node *node;
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < resolvers->count; i++)
            while ((node = question_queue_take(&resolvers->threads[i].inbox))) {
                struct resolver_question *question = (struct resolver_question *)node;
                question->answer = dns_shared_ref(resolvers->failures[FAILURE_SHUTDOWN]);
                question->answered(question);
                more = true;
            }
    }
}

void resolvers_stop(struct resolvers **pointer)
{
    struct resolvers *resolvers = *pointer;
    if (!resolvers)
        return;
    join_threads(resolvers);
    if (resolvers->threads) {
        answer_the_rest(resolvers);
        for (unsigned i = 0; i < resolvers->count; i++)
            thread_fini(&resolvers->threads[i]);
    }
    query_limits_fini(&resolvers->limits);
    for (size_t i = 0; i < FAILURE_COUNT; i++)
        if (resolvers->failures[i])
            dns_shared_unref(&resolvers->failures[i]);
    dns_source_free(&resolvers->zone);
    free(resolvers->threads);
    free(resolvers);
    *pointer = NULL;
}
