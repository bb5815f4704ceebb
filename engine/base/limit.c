#include "base/limit.h"

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

STATIC_ASSERT(LIMIT_COUNT <= 64); /* a bit each in `set` */

void limit_hits_add(struct limit_hits *total, const struct limit_hits *hits)
{
    for (uint64_t set = hits->set; set; set &= set - 1) {
        enum limit limit = (enum limit)__builtin_ctzll(set);
        total->n[limit] = limit_hits_of(total, limit) + hits->n[limit];
    }
    total->set |= hits->set;
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
