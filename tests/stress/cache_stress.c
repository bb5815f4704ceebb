/*
 * The cache under readers, owners, evictions, flushes and claims at once; every value carries a
 * canary that its release destroys. Stands alone: `make stress`, also with SANITIZE=thread.
 *
 *   cache_stress [MILLISECONDS]        default 2,000
 *
 * What is checked, with the guarantees of cache/cache.h:
 *   G2  all pointers of a round are whole at its end: canary, key, and a mix over the fields
 *   G3  a reader never sees an older value of a key after a newer one
 *   G4  the bytes charged stay within the budget
 *   G5  as many values are released as were stored, each once
 *   G9  forced refreshes of an entry that is not replaced: one in 60 s for all threads together
 * and that work was done: lookups, hits, evictions, replacements.
 *
 * Built with CACHE_NO_GRACE_PERIOD in cache/store.c it must fail: that is the negative control.
 *
 * Time is a counter that the keeper moves, a second every millisecond, so that TTLs, stale bounds
 * and pauses pass within a run. Exit status 0: all held; 1: a check failed, with its line.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache.h"
#include "cache/tsan.h"

enum
{
    ROUNDS_MAX = 8,
    READERS = 2,
    OWNERS = 2,
    NAMES = 4000,       /* a third of them fits */
    PINNED = NAMES + 1, /* one more: never replaced, put again when evicted */
    ROUND = 64,         /* lookups between two quiescent states */
    ALIVE = 0x600df00d,
    DEAD = 0x0badf00d,
    VALUE_BYTES = 400, /* charged */
};

struct value
{
    uint64_t padding[4]; /* where an allocator writes its links after a free */
    uint32_t canary;
    uint32_t name;
    uint64_t sequence;
    uint64_t mix;
};

static struct cache *cache;
static _Atomic int64_t clock_ms;
static _Atomic bool stop;
static _Atomic uint64_t made, released, lookups, hits, pinned_grants;

static int64_t now(void)
{
    return atomic_load_explicit(&clock_ms, memory_order_relaxed);
}

__attribute__((noreturn)) static void broken(const char *what, unsigned name, uint64_t got,
                                             uint64_t want)
{
    fprintf(stderr, "cache_stress: %s: name %u, got %lx, want %lx\n", what, name, got, want);
    _exit(1);
}

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t mix(const struct value *value)
{
    return (value->sequence + value->name) * 0x9e3779b97f4a7c15 + ALIVE;
}

static struct value *value_new(unsigned name, uint64_t sequence)
{
    struct value *value = malloc(sizeof *value);
    if (!value)
        abort();
    *value = (struct value){.canary = ALIVE, .name = name, .sequence = sequence};
    value->mix = mix(value);
    atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    return value;
}

static void value_release(void *object)
{
    struct value *value = object;
    if (value->canary != ALIVE)
        broken("G5: released twice", value->name, value->canary, ALIVE);
    value->canary = DEAD;
    value->mix = 0;
    atomic_fetch_add_explicit(&released, 1, memory_order_relaxed);
    free(value);
}

static void value_check(const struct value *value, unsigned name)
{
    if (value->canary != ALIVE)
        broken("G2: a released value", name, value->canary, ALIVE);
    if (value->name != name)
        broken("G2: a value of another name", name, value->name, name);
    if (value->mix != mix(value))
        broken("G2: a torn value", name, value->mix, mix(value));
}

static struct span key_of(unsigned name, char text[16])
{
    int n = snprintf(text, 16, "name-%u", name);
    return span_of(text, (size_t)n);
}

/* --- readers --- */

struct reader
{
    struct cache_reader door;
    uint64_t random;
    uint64_t last[PINNED + 1]; /* highest sequence seen */
    const struct value *held[ROUND];
    unsigned names[ROUND];
};

static unsigned pick(uint64_t *random)
{
    uint64_t r = draw(random);
    if (r % 50 == 0)
        return PINNED;
    uint64_t name = (r >> 8) % NAMES;
    return (unsigned)(r % 3 ? name * name / NAMES : name); /* the low ones more often */
}

static void note_claims(struct reader *r, unsigned name, const struct cache_hit *hit)
{
    if (name == PINNED && cache_rotation_claim(&r->door, hit, now()))
        atomic_fetch_add_explicit(&pinned_grants, 1, memory_order_relaxed);
    if (hit->refresh)
        (void)!cache_refresh_claim(&r->door, hit, now());
}

static void look_up(struct reader *r, unsigned i)
{
    char text[16];
    struct cache_hit hit;
    unsigned name = pick(&r->random);
    r->names[i] = name;
    r->held[i] = NULL;
    if (cache_get(&r->door, key_of(name, text), now(), &hit) == CACHE_MISS)
        return;
    r->held[i] = hit.object;
    value_check(r->held[i], name);
    if (r->held[i]->sequence < r->last[name])
        broken("G3: an older value", name, r->held[i]->sequence, r->last[name]);
    r->last[name] = r->held[i]->sequence;
    note_claims(r, name, &hit);
}

static void *reader_main(void *argument)
{
    struct reader *r = calloc(1, sizeof *r);
    uint64_t rounds = 0, found = 0;
    if (!r)
        abort();
    r->random = 88172645463325252 + (uint64_t)(uintptr_t)argument;
    cache_thread_register();
    cache_reader_init(&r->door, cache);
    for (; !atomic_load_explicit(&stop, memory_order_relaxed); rounds++) {
        for (unsigned i = 0; i < ROUND; i++)
            look_up(r, i);
        for (unsigned i = 0; i < ROUND; i++) {
            if (!r->held[i])
                continue;
            value_check(r->held[i], r->names[i]);
            found++;
        }
        cache_thread_quiescent();
    }
    cache_reader_fini(&r->door);
    cache_thread_unregister();
    atomic_fetch_add(&lookups, rounds * ROUND);
    atomic_fetch_add(&hits, found);
    free(r);
    return NULL;
}

/* --- owners --- */

static enum cache_outcome pick_outcome(uint64_t r)
{
    if (r % 100 < 85)
        return CACHE_ANSWER;
    return r % 100 < 92 ? CACHE_NXDOMAIN : CACHE_FAILURE;
}

static enum cache_put_result put(unsigned name, uint64_t sequence, enum cache_outcome outcome,
                                 uint32_t ttl_s)
{
    char text[16];
    struct value *value = value_new(name, sequence);
    struct cache_item item = {outcome, ttl_s, value, VALUE_BYTES, value_release};
    enum cache_put_result result = cache_put(cache, key_of(name, text), &item, now());
    if (result == CACHE_STORED)
        value_check(value, name); /* still ours to read */
    else
        value_release(value);
    return result;
}

/* Readers hold too much: what an owner's event loop does then is to sleep in poll. */
static void rest(void)
{
    cache_thread_offline();
    usleep(500);
    cache_thread_online();
}

static void *owner_main(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    uint64_t random = 2463534242 + number, sequence = 0;
    char text[16];
    cache_thread_register();
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        uint64_t r = draw(&random);
        unsigned name = (unsigned)((r >> 8) % (NAMES / OWNERS)) * OWNERS + number;
        enum cache_put_result result = CACHE_STORED;
        if (r % 64 == 0)
            cache_remove(cache, key_of(name, text));
        else
            result = put(name, ++sequence, pick_outcome(r >> 32), (uint32_t)(r >> 40) % 600);
        if (sequence % 16 == 0)
            cache_thread_quiescent();
        if (result == CACHE_BACKLOG)
            rest();
    }
    cache_thread_unregister();
    return NULL;
}

/* --- keeper --- */

static bool every_hundredth(struct span key, void *context)
{
    (void)context;
    return key.n > 6 && key.p[key.n - 1] == '0' && key.p[key.n - 2] == '0';
}

static uint64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The name of the test of G9 is there most of the time; a new entry's first minute counts too. */
static void pin(struct cache_reader *door)
{
    char text[16];
    struct cache_hit hit;
    static uint64_t sequence;
    if (cache_get(door, key_of(PINNED, text), now(), &hit) == CACHE_MISS)
        (void)!put(PINNED, ++sequence, CACHE_ANSWER, CACHE_TTL_MAX_S);
}

/* Moves the clock, flushes, takes due keys, looks at the accounts. */
static void keep(struct cache_reader *door, uint64_t milliseconds)
{
    struct cache_due_key due[16];
    struct cache_stats stats;
    uint64_t end = monotonic_ms() + milliseconds;
    for (unsigned turn = 0; monotonic_ms() < end; turn++) {
        (void)!cache_due(cache, now(), due, 16);
        pin(door);
        if (turn % 64 == 0)
            cache_flush(cache, every_hundredth, NULL);
        cache_stats(cache, &stats);
        if (stats.bytes > stats.budget_bytes)
            broken("G4: over the budget", 0, stats.bytes, stats.budget_bytes);
        cache_thread_offline();
        usleep(1000);
        cache_thread_online();
        atomic_fetch_add(&clock_ms, 1000);
    }
    atomic_store(&stop, true);
}

static void run_threads(uint64_t milliseconds)
{
    struct cache_reader door;
    pthread_t threads[READERS + OWNERS];
    for (uintptr_t i = 0; i < READERS + OWNERS; i++) {
        bool reader = i < READERS;
        void *number = (void *)(reader ? i : i - READERS);
        if (pthread_create(&threads[i], NULL, reader ? reader_main : owner_main, number) != 0)
            abort();
    }
    cache_reader_init(&door, cache);
    keep(&door, milliseconds);
    cache_reader_fini(&door);
    cache_thread_offline();
    for (unsigned i = 0; i < READERS + OWNERS; i++)
        pthread_join(threads[i], NULL);
    cache_thread_online();
}

static bool enough_happened(const struct cache_stats *s)
{
    return s->evicted && s->replaced && s->removed && hits && s->kept && s->stale && pinned_grants;
}

static void check_end(const struct cache_stats *s)
{
    uint64_t minutes = (uint64_t)now() / 60000;
    if (pinned_grants > minutes + 1)
        broken("G9: too many forced refreshes", PINNED, pinned_grants, minutes + 1);
    if (made != released)
        broken("G5: values not released", 0, released, made);
    if (!enough_happened(s))
        broken("too little happened to test anything", 0, hits, 1);
}

int main(int argc, char **argv)
{
    uint64_t milliseconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
    struct cache_config config = cache_config_default();
    struct cache_error error;
    struct cache_stats stats;
    config.budget_bytes = NAMES / 3 * (VALUE_BYTES + 200);
    config.retired_max_bytes = 4 * 1024 * 1024;
    config.buckets = 1024; /* chains of a few entries */
    config.ttl.answer_max_s = CACHE_TTL_MAX_S;
    config.ttl.stale_s = 120;
    cache = cache_new(&config, &error);
    if (!cache) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    cache_thread_register();
    /* What is rare (stale answers) may not come at all in one go on a busy machine. */
    for (int round = 0; round < ROUNDS_MAX; round++) {
        atomic_store(&stop, false);
        run_threads(milliseconds);
        cache_stats(cache, &stats);
        if (enough_happened(&stats))
            break;
    }
    cache_thread_unregister();
    cache_free(&cache);
    check_end(&stats);
    printf("cache_stress: %lu lookups, %lu hits (%lu stale), %lu stored, %lu replaced, %lu kept, "
           "%lu evicted, %lu removed, %lu refused, %lu due, %lu refreshes, %lu forced, %lu s\n",
           lookups, hits, stats.stale, stats.stored, stats.replaced, stats.kept, stats.evicted,
           stats.removed, stats.refused, stats.due, stats.refresh_claimed, pinned_grants,
           now() / 1000);
    return 0;
}
