#include "mail_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

void fixture_read(struct fixture *fixture, struct span message, size_t split, size_t step)
{
    *fixture = (struct fixture){0};
    arena_init(&fixture->arena, MAX_ARENA_BYTES);
    mail_reader_init(&fixture->reader, &fixture->arena, &fixture->hits, &fixture->anomalies);
    for (size_t at = 0; at < message.n && !fixture->reader.done;) {
        size_t end = message.n - at > step ? at + step : message.n;
        if (at < split && split < end)
            end = split;
        size_t taken = mail_reader_feed(&fixture->reader, span_slice(message, at, end));
        cr_assert(taken == end - at || fixture->reader.done);
        fixture->taken += taken;
        at = end;
    }
    mail_reader_end(&fixture->reader);
    cr_assert(fixture->reader.done);
}

void fixture_fini(struct fixture *fixture)
{
    arena_fini(&fixture->arena);
}

const char *anomalies_text(const struct mail_anomalies *anomalies)
{
    static char text[1024];
    size_t n = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < ANOMALY_COUNT; i++) {
        if (!mail_anomaly_is(anomalies, (enum mail_anomaly)i))
            continue;
        int added = snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "",
                             mail_anomaly_word((enum mail_anomaly)i));
        cr_assert(added > 0 && (size_t)added < sizeof text - n);
        n += (size_t)added;
    }
    return text;
}

/* Everything made here lives as long as the test; the list keeps it reachable. */
struct kept
{
    struct kept *older;
    uint8_t bytes[];
};

static uint8_t *bytes_new(size_t n)
{
    static struct kept *newest;
    struct kept *kept = malloc(sizeof *kept + n);
    cr_assert(kept != NULL);
    kept->older = newest;
    newest = kept;
    return kept->bytes;
}

struct span repeated(const char *s, size_t times)
{
    size_t n = strlen(s);
    uint8_t *bytes = bytes_new(n * times);
    for (size_t i = 0; i < times; i++)
        memcpy(bytes + i * n, s, n);
    return span_of(bytes, n * times);
}

struct span joined(struct span a, struct span b, struct span c)
{
    uint8_t *bytes = bytes_new(a.n + b.n + c.n);
    struct span parts[] = {a, b, c};
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].n)
            memcpy(bytes + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    return span_of(bytes, n);
}

uint32_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}
