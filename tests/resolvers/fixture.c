#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "run/prepare.h"

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void pause_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

struct dns_name name_of(const char *text)
{
    struct dns_name name = {0};
    enum dns_name_error error = dns_name_from_zone_text(&name, span_from_string(text));
    cr_assert(error == DNS_NAME_OK, "test name \"%s\": %s", text, dns_name_error_word(error));
    return name;
}

struct resolvers_stats stats_of(struct fixture *f)
{
    struct resolvers_stats stats;
    resolvers_stats(f->resolvers, &stats);
    return stats;
}

static void register_once(void)
{
    static bool registered;
    if (!registered)
        cache_thread_register();
    else
        cache_thread_online();
    registered = true;
}

static struct cache *new_cache(const struct setting *setting)
{
    struct cache_config config = cache_config_default();
    struct cache_error error = {""};
    config.budget_bytes = 16 << 20;
    config.buckets = 1 << 14;
    if (setting->ttl.answer_max_s)
        config.ttl = setting->ttl;
    struct cache *cache = cache_new(&config, &error);
    cr_assert(cache, "cache_new: %s", error.text);
    return cache;
}

/* In memory, so that a test that fails leaves nothing behind. Returns the descriptor. */
static int write_zone(char path[32], const char *text)
{
    size_t n = strlen(text);
    int fd = memfd_create("zone", MFD_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

void fixture_start(struct fixture *f, const struct setting *setting)
{
    char path[32] = "";
    struct dns_error error = {""};
    register_once();
    f->cache = new_cache(setting);
    int fd = setting->zone ? write_zone(path, setting->zone) : -1;
    const struct resolvers_config config = {
        .threads = setting->threads,
        .zone_file = setting->zone ? path : NULL,
        .resolver = setting->resolver,
        .cache = f->cache,
        .prepare = run_prepare,
        .max_in_flight = setting->max_in_flight,
        .max_per_zone = setting->max_per_zone,
        .question_ms = setting->question_ms,
    };
    f->resolvers = resolvers_start(&config, &error);
    cr_assert(f->resolvers, "resolvers_start: %s", error.text);
    if (fd >= 0)
        close(fd);
    cache_thread_offline();
}

void fixture_stop(struct fixture *f)
{
    resolvers_stop(&f->resolvers);
    cr_expect(!f->resolvers);
    cache_thread_online();
    cache_free(&f->cache);
    cache_thread_offline();
}

static void on_answer(struct resolver_question *question)
{
    struct waiter *w = (struct waiter *)question;
    cr_assert(!atomic_load(&w->done), "answered twice");
    w->answered_by = pthread_self();
    w->answered_ms = now_ms();
    atomic_store(&w->done, true);
}

static void ask(struct fixture *f, struct waiter *w, const char *name, enum dns_type type,
                int64_t ms)
{
    w->question.name = name_of(name);
    w->question.type = type;
    w->question.answered = on_answer;
    w->asked_ms = now_ms();
    w->question.deadline_ms = w->asked_ms + ms;
    resolvers_ask(f->resolvers, &w->question);
}

void waiter_ask(struct fixture *f, struct waiter *w, const char *name, enum dns_type type,
                int64_t ms)
{
    w->question.refresh = false;
    ask(f, w, name, type, ms);
}

void waiter_ask_anew(struct fixture *f, struct waiter *w, const char *name, enum dns_type type,
                     int64_t ms)
{
    w->question.refresh = true;
    ask(f, w, name, type, ms);
}

const char *waiter_line(struct waiter *w)
{
    int64_t end = now_ms() + 15000;
    while (!atomic_load(&w->done) && now_ms() < end)
        pause_ms(1);
    cr_assert(atomic_load(&w->done), "no answer after 15 s");
    cr_assert(w->question.answer);
    return answer_line(&w->question.answer->answer, w->question.type);
}

void waiter_drop(struct waiter *w)
{
    dns_shared_unref(&w->question.answer);
    *w = (struct waiter){0};
}

const char *ask_line(struct fixture *f, const char *name, enum dns_type type, int64_t ms)
{
    struct waiter w = {0};
    waiter_ask(f, &w, name, type, ms);
    const char *line = waiter_line(&w);
    waiter_drop(&w);
    return line;
}

const char *ask_line_anew(struct fixture *f, const char *name, enum dns_type type, int64_t ms)
{
    struct waiter w = {0};
    waiter_ask_anew(f, &w, name, type, ms);
    const char *line = waiter_line(&w);
    waiter_drop(&w);
    return line;
}

const char *cached_line(struct fixture *f, const char *text, enum dns_type type)
{
    static char line[1024];
    uint8_t key[CACHE_KEY_MAX];
    struct cache_hit hit;
    struct dns_name name = name_of(text);
    size_t n = resolvers_cache_key(&name, type, key);
    cache_thread_online();
    enum cache_state state = cache_peek(f->cache, span_of(key, n), now_ms(), &hit);
    const struct dns_shared *shared = hit.object;
    snprintf(line, sizeof line, "%s%s", state == CACHE_STALE ? "stale " : "",
             state == CACHE_MISS ? "miss" : answer_line(&shared->answer, type));
    cache_thread_offline();
    return line;
}
