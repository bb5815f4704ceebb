#include "base/limit.h"

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

unsigned limit_over(const struct limit_hits *hits)
{
    static const struct limit_hits none = {{0}};
    if (memcmp(hits, &none, sizeof none) == 0) /* nearly always */
        return 0;
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        if (hits->n[i])
            return i + 1;
    return 0;
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
