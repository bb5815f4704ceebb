/*
 * Resolver threads under askers, readers of the cache, flushes and stops; in turn the zone file
 * answers, and a small name server through libunbound. Stands alone: `make stress`, also with
 * SANITIZE=thread.
 *
 *   resolvers_stress [MILLISECONDS]        default 2,000
 *
 * What is checked:
 *   every question is handed back exactly once, with an answer for its name, by its name's owner
 *   what the cache shows readers is whole, and for its name, until their quiescent state
 *   the counts add up: each question was answered by the cache, a query of its own or another's,
 *   a limit, or a deadline; each query ended
 *   a stop in the middle answers everything that is open
 * and that work was done. Leaks are the address sanitizer's to find.
 *
 * Exit status 0: all held; 1: a check failed, with its line.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cache/tsan.h"
#include "dns/resolvers.h"
#include "run/prepare.h"

enum
{
    ASKERS = 3,
    THREADS = 4,
    NAMES = 600, /* every fifth does not exist */
    OPEN = 64,   /* questions of one asker at a time */
    LIVES = 4,   /* starts and stops */
};

struct ask
{
    struct resolver_question question; /* first */
    unsigned name;
    _Atomic unsigned answers;
    uint8_t refresh;
};

static struct cache *cache;
static struct resolvers *resolvers;
static struct dns_name names[NAMES];
static _Atomic pthread_t owners[NAMES]; /* of this life */
static _Atomic bool pause_asking;
static _Atomic uint64_t asked, answered, shutdowns, timeouts, reads;

__attribute__((noreturn)) static void broken(const char *what, unsigned name, uint64_t got,
                                             uint64_t want)
{
    fprintf(stderr, "resolvers_stress: %s: name %u, got %lu, want %lu\n", what, name, got, want);
    _exit(1);
}

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *const prefix[] = {"v=spf1 -all x", "v=DKIM1; p=; n=", "text "};

/* "n<number>.z<zone>.test" with a text that says the number; in turn SPF, key, DMARC record. */
static void make_zone(char path[32])
{
    char text[64];
    int fd = memfd_create("zone", MFD_CLOEXEC);
    FILE *file = fdopen(fd, "w");
    if (!file)
        abort();
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "n%u%s.z%u.test", i, i % 3 == 1 ? "._domainkey" : "", i % 40);
        if (dns_name_from_raw(&names[i], span_from_string(text)) != DNS_NAME_OK)
            abort();
        if (i % 5)
            fprintf(file, "%s %u TXT \"%s%u\"\n", text, 30 + i % 60, prefix[i % 3], i);
    }
    if (fflush(file) != 0) /* stays open: it is the zone file */
        abort();
}

/* The number that the text ends in is the name's. */
static void check_answer(const struct dns_answer *answer, unsigned name)
{
    char end[16];
    if (name % 5 == 0) {
        if (answer->outcome != DNS_NXDOMAIN)
            broken("another outcome", name, answer->outcome, DNS_NXDOMAIN);
        return;
    }
    if (answer->outcome != DNS_ANSWER || answer->count != 1)
        broken("another outcome", name, answer->outcome, DNS_ANSWER);
    struct span text = answer->records[0].text;
    size_t n = (size_t)snprintf(end, sizeof end, "%u", name);
    if (text.n < n || memcmp(text.p + text.n - n, end, n) != 0)
        broken("another name's answer", name, text.n, n);
}

static void check_owner(unsigned name)
{
    pthread_t none = 0;
    if (!atomic_compare_exchange_strong(&owners[name], &none, pthread_self()) &&
        none != pthread_self())
        broken("two owners", name, (uint64_t)none, (uint64_t)pthread_self());
}

static void on_answer(struct resolver_question *question)
{
    struct ask *ask = (struct ask *)question;
    const struct dns_answer *answer = &question->answer->answer;
    if (answer->outcome != DNS_TEMPFAIL) {
        check_answer(answer, ask->name);
        check_owner(ask->name);
    } else if (strcmp(answer->reason, "shutdown") == 0) {
        atomic_fetch_add_explicit(&shutdowns, 1, memory_order_relaxed);
    } else if (strcmp(answer->reason, "timeout") == 0) {
        atomic_fetch_add_explicit(&timeouts, 1, memory_order_relaxed);
    } else {
        broken(answer->reason, ask->name, 1, 0);
    }
    atomic_fetch_add_explicit(&answered, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&ask->answers, 1, memory_order_release);
}

/* --- a name server: the same answers over UDP --- */

static int server_fd;

/* The reply to `query` (one question, of a name that begins "n<number>"); its length, 0: none. */
static size_t make_reply(const uint8_t *query, size_t n, uint8_t reply[1024])
{
    static const uint8_t rr[] = {0xc0, 12, 0, DNS_TXT, 0, 1, 0, 0, 0, 60, 0};
    char text[64];
    size_t end = 12;
    while (end < n && query[end])
        end += query[end] + 1u;
    end += 5;
    if (n > 512 || end > n)
        return 0;
    unsigned number = (unsigned)strtoul((const char *)query + 14, NULL, 10);
    bool exists = number % 5;
    memcpy(reply, query, end);
    const uint8_t header[] = {0x81, exists ? 0x80 : 0x83, 0, 1, 0, exists, 0, 0, 0, 0};
    memcpy(reply + 2, header, sizeof header);
    if (!exists)
        return end;
    size_t text_n = (size_t)snprintf(text, sizeof text, "%s%u", prefix[number % 3], number);
    memcpy(reply + end, rr, sizeof rr);
    end += sizeof rr;
    reply[end++] = (uint8_t)(text_n + 1);
    reply[end++] = (uint8_t)text_n;
    memcpy(reply + end, text, text_n);
    return end + text_n;
}

/* Until an empty datagram comes. */
static void *server_main(void *argument)
{
    uint8_t query[1024], reply[1024];
    struct sockaddr_in peer;
    socklen_t peer_n = sizeof peer;
    ssize_t n;
    while ((n = recvfrom(server_fd, query, sizeof query - 1, 0, (struct sockaddr *)&peer,
                         &peer_n)) != 0) {
        query[n > 0 ? n : 0] = 0;
        size_t reply_n = n > 16 ? make_reply(query, (size_t)n, reply) : 0;
        if (reply_n)
            sendto(server_fd, reply, reply_n, 0, (struct sockaddr *)&peer, peer_n);
    }
    return argument;
}

static pthread_t server_start(char resolver[32])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int bytes = 4 << 20;
    pthread_t thread;
    server_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(server_fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (bind(server_fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(server_fd, (struct sockaddr *)&address, &n) != 0 ||
        pthread_create(&thread, NULL, server_main, NULL) != 0)
        abort();
    snprintf(resolver, 32, "127.0.0.1@%u", ntohs(address.sin_port));
    return thread;
}

static void server_stop(pthread_t thread)
{
    struct sockaddr_in address;
    socklen_t n = sizeof address;
    getsockname(server_fd, (struct sockaddr *)&address, &n);
    sendto(server_fd, "", 0, 0, (struct sockaddr *)&address, n);
    pthread_join(thread, NULL);
    close(server_fd);
}

/* --- askers: what a worker does --- */

static void send_ask(struct ask *ask, uint64_t r)
{
    ask->name = (unsigned)(r >> 8) % NAMES;
    atomic_store_explicit(&ask->answers, 0, memory_order_relaxed);
    ask->question.name = names[ask->name];
    ask->question.type = DNS_TXT;
    ask->question.refresh = r % 7 == 0;
    ask->question.deadline_ms = r % 31 == 0 ? now_ms() - 1 : now_ms() + 60000;
    ask->question.answered = on_answer;
    atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed);
    resolvers_ask(resolvers, &ask->question);
}

static void await(struct ask *ask)
{
    while (atomic_load_explicit(&ask->answers, memory_order_acquire) == 0)
        usleep(50);
    unsigned answers = atomic_load_explicit(&ask->answers, memory_order_acquire);
    if (answers != 1)
        broken("answered again", ask->name, answers, 1);
    dns_shared_unref(&ask->question.answer);
}

static void read_cache(struct cache_reader *reader, uint64_t r)
{
    uint8_t key[CACHE_KEY_MAX];
    const struct dns_shared *held[8] = {NULL};
    unsigned name[8];
    for (unsigned i = 0; i < COUNT_OF(held); i++) {
        struct cache_hit hit;
        name[i] = (unsigned)(r >> 3 * i) % NAMES;
        size_t n = resolvers_cache_key(&names[name[i]], DNS_TXT, key);
        if (cache_get(reader, span_of(key, n), now_ms(), &hit) != CACHE_MISS)
            held[i] = hit.object;
    }
    for (unsigned i = 0; i < COUNT_OF(held); i++) {
        if (!held[i])
            continue;
        check_answer(&held[i]->answer, name[i]);
        atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
    }
    cache_thread_quiescent();
}

static void *asker_main(void *argument)
{
    struct cache_reader reader;
    uint64_t random = 88172645463325252 + (uint64_t)(uintptr_t)argument;
    struct ask *asks = calloc(OPEN, sizeof *asks);
    if (!asks)
        abort();
    cache_thread_register();
    cache_reader_init(&reader, cache);
    while (!atomic_load(&pause_asking)) {
        for (unsigned i = 0; i < OPEN; i++)
            send_ask(&asks[i], draw(&random));
        for (unsigned i = 0; i < OPEN; i++)
            read_cache(&reader, draw(&random));
        cache_thread_offline();
        for (unsigned i = 0; i < OPEN; i++)
            await(&asks[i]);
        cache_thread_online();
    }
    cache_reader_fini(&reader);
    cache_thread_unregister();
    free(asks);
    return NULL;
}

/* --- one life of the resolvers --- */

static bool matches_some(struct span key, void *context)
{
    (void)context;
    return key.n > 3 && key.p[2] == '3';
}

static void keep(uint64_t milliseconds)
{
    struct resolvers_stats stats;
    int64_t end = now_ms() + (int64_t)milliseconds;
    while (now_ms() < end) {
        cache_thread_online();
        resolvers_flush(resolvers, matches_some, NULL);
        cache_thread_offline();
        resolvers_stats(resolvers, &stats);
        usleep(2000);
    }
}

static struct resolvers_stats total;

static void add_up(const struct resolvers_stats *s)
{
#define RESOLVERS_COUNTER(name) total.name += s->name;
    RESOLVERS_COUNTERS(RESOLVERS_COUNTER)
#undef RESOLVERS_COUNTER
}

/* Questions in the queues when the stop comes. */
static void stop_in_the_middle(void)
{
    static struct ask asks[ASKERS * OPEN];
    uint64_t random = 2463534242;
    for (size_t i = 0; i < COUNT_OF(asks); i++)
        send_ask(&asks[i], draw(&random));
    resolvers_stop(&resolvers);
    for (size_t i = 0; i < COUNT_OF(asks); i++)
        await(&asks[i]);
}

static void live(const struct resolvers_config *config, uint64_t milliseconds)
{
    pthread_t threads[ASKERS];
    struct dns_error error;
    struct resolvers_stats stats;
    for (unsigned i = 0; i < NAMES; i++)
        atomic_store(&owners[i], 0);
    atomic_store(&pause_asking, false);
    resolvers = resolvers_start(config, &error);
    if (!resolvers) {
        fprintf(stderr, "resolvers_stress: %s\n", error.text);
        exit(1);
    }
    for (uintptr_t i = 0; i < ASKERS; i++)
        if (pthread_create(&threads[i], NULL, asker_main, (void *)(i + 1)) != 0)
            abort();
    keep(milliseconds);
    atomic_store(&pause_asking, true);
    for (unsigned i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    resolvers_stats(resolvers, &stats);
    if (asked != answered)
        broken("questions without an answer", 0, answered, asked);
    add_up(&stats);
    stop_in_the_middle();
}

static void check_end(void)
{
    const struct resolvers_stats *s = &total;
    if (asked != answered)
        broken("questions without an answer", 0, answered, asked);
    uint64_t ended = s->answers + s->empty + s->nxdomain + s->failures;
    if (s->queries != ended)
        broken("queries that did not end", 0, ended, s->queries);
    uint64_t accounted = s->cached + s->shared + s->queries - s->refreshes + s->late;
    if (accounted != s->questions)
        broken("the counts do not add up", 0, accounted, s->questions);
    if (!s->cached || !s->queries || !s->shared || !s->late || !reads || s->refused_total ||
        s->refused_zone)
        broken("too little happened to test anything", 0, reads, 1);
}

int main(int argc, char **argv)
{
    uint64_t milliseconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
    struct cache_config cache_config = cache_config_default();
    struct cache_error error;
    char path[32], resolver[32];
    make_zone(path);
    cache_config.budget_bytes = 400 * 1024; /* some are evicted */
    cache_config.entry_max_bytes = 16 * 1024;
    cache_config.buckets = 256;
    cache = cache_new(&cache_config, &error);
    if (!cache) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct resolvers_config config = {
        .threads = THREADS, .max_per_zone = 4096, .cache = cache, .prepare = run_prepare};
    cache_thread_register();
    cache_thread_offline();
    pthread_t server = server_start(resolver);
    for (unsigned i = 0; i < LIVES; i++) {
        config.zone_file = i % 2 ? NULL : path;
        config.resolver = i % 2 ? resolver : NULL;
        live(&config, milliseconds / LIVES);
    }
    server_stop(server);
    cache_thread_unregister();
    cache_free(&cache);
    check_end();
    printf(
        "resolvers_stress: %lu questions, %lu from the cache, %lu joined, %lu queries, %lu late, "
        "%lu at the stop, %lu reads\n",
        asked, total.cached, total.shared, total.queries, timeouts, shutdowns, reads);
    return 0;
}
