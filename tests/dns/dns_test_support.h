/* What the suites of the dns module share: one message's answers over a source. */
#ifndef TESTS_DNS_SUPPORT_H
#define TESTS_DNS_SUPPORT_H

#include <time.h>

#include <criterion/criterion.h>

#include "dns/source.h"
#include "support/answer_line.h"

struct asker
{
    struct arena arena;
    struct limit_hits hits;
    struct dns_answers answers;
};

static inline void asker_init(struct asker *a)
{
    *a = (struct asker){0};
    arena_init(&a->arena, MAX_ARENA_BYTES);
    dns_answers_init(&a->answers, &a->arena, &a->hits);
}

static inline void asker_fini(struct asker *a)
{
    arena_fini(&a->arena);
}

static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline struct dns_name name_of(const char *text)
{
    struct dns_name name = {0};
    enum dns_name_error error = dns_name_from_zone_text(&name, span_from_string(text));
    cr_assert(error == DNS_NAME_OK, "test name \"%s\": %s", text, dns_name_error_word(error));
    return name;
}

/* Asks as a judge does: note, resolve, look again. */
static inline const struct dns_answer *ask(struct asker *a, struct dns_source *source,
                                           const char *text, enum dns_type type, int64_t ms)
{
    struct dns_name name = name_of(text);
    const struct dns_answer *answer = dns_lookup(&a->answers, &name, type);
    if (answer)
        return answer;
    dns_source_resolve(source, &a->answers, now_ms() + ms);
    answer = dns_lookup(&a->answers, &name, type);
    cr_assert(answer && a->answers.waiting == 0, "%s: no answer after dns_source_resolve", text);
    return answer;
}

static inline const char *ask_line(struct dns_source *source, const char *text, enum dns_type type,
                                   int64_t ms)
{
    struct asker a;
    asker_init(&a);
    const char *line = answer_line(ask(&a, source, text, type, ms), type);
    asker_fini(&a);
    return line;
}

#endif
