#include "base/limit.h"

#include <stdbool.h>
#include <string.h>

#include "base/attributes.h"

static const char *const words[LIMIT_COUNT] = {
#define LIMIT_WORD(name, value, word) [LIMIT_##name] = word,
    LIMIT_TABLE(LIMIT_WORD)
#undef LIMIT_WORD
};

static const char *const names[LIMIT_COUNT] = {
#define LIMIT_NAME(name, value, word) [LIMIT_##name] = #name,
    LIMIT_TABLE(LIMIT_NAME)
#undef LIMIT_NAME
};

static bool is_none(const struct limit_hits *hits)
{
    static const struct limit_hits none = {{0}};
    return memcmp(hits, &none, sizeof none) == 0; /* nearly always */
}

unsigned limit_over(const struct limit_hits *hits)
{
    if (is_none(hits))
        return 0;
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (hits->n[i])
            return i + 1;
    return 0;
}

void limit_hits_add(struct limit_hits *total, const struct limit_hits *hits)
{
    if (is_none(hits))
        return;
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        total->n[i] += hits->n[i];
}

const char *limit_word(enum limit limit)
{
    assert(limit < LIMIT_COUNT);
    return words[limit];
}

const char *limit_name(enum limit limit)
{
    assert(limit < LIMIT_COUNT);
    return names[limit];
}
