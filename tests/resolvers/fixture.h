/* What the resolvers' tests share: a cache, resolver threads over it, waiters. */
#ifndef TESTS_RESOLVERS_FIXTURE_H
#define TESTS_RESOLVERS_FIXTURE_H

#include <pthread.h>

#include "cache/tsan.h"
#include "dns/resolvers.h"
#include "support/answer_line.h"
#include "support/name_server.h"

struct fixture
{
    struct cache *cache;
    struct resolvers *resolvers;
};

struct setting
{
    const char *zone;     /* text of a zone file, or */
    const char *resolver; /* ADDR@PORT */
    unsigned threads;
    uint32_t max_in_flight;
    uint32_t max_per_zone;
    unsigned question_ms;
    struct cache_ttl_rules ttl; /* answer_max_s 0: the defaults */
};

/*
 * Registers the test's thread with the cache on the first call. It is offline but inside the calls
 * below and between fixture_online and fixture_offline.
 */
void fixture_start(struct fixture *f, const struct setting *setting);
void fixture_stop(struct fixture *f);

int64_t now_ms(void);
void pause_ms(long ms);
struct dns_name name_of(const char *text);
struct resolvers_stats stats_of(struct fixture *f);

struct waiter
{
    struct resolver_question question; /* first */
    _Atomic bool done;
    pthread_t answered_by;
    int64_t asked_ms;
    int64_t answered_ms;
};

/* Waiters begin zeroed. `ms`: the deadline from now. */
void waiter_ask(struct fixture *f, struct waiter *w, const char *name, enum dns_type type,
                int64_t ms);
void waiter_ask_anew(struct fixture *f, struct waiter *w, const char *name, enum dns_type type,
                     int64_t ms);
/* Waits for the answer, 15 s at most. The answer's line: static storage. */
const char *waiter_line(struct waiter *w);
void waiter_drop(struct waiter *w);

/* Asks and waits. */
const char *ask_line(struct fixture *f, const char *name, enum dns_type type, int64_t ms);
const char *ask_line_anew(struct fixture *f, const char *name, enum dns_type type, int64_t ms);

/* What the cache has, as answer_line; "miss", "stale ...". */
const char *cached_line(struct fixture *f, const char *name, enum dns_type type);

/* Waits until `condition` holds, 10 s at most, and says whether it did. */
#define WAIT_UNTIL(condition)                                                                      \
    ({                                                                                             \
        int64_t end_ = now_ms() + 10000;                                                           \
        while (!(condition) && now_ms() < end_)                                                    \
            pause_ms(5);                                                                           \
        (condition);                                                                               \
    })

#endif
