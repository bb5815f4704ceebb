#include "bulk_top.h"

#include <stdlib.h>

void bulk_top_init(struct bulk_top *top)
{
    top->count = 0;
    top->exact = true;
    top->names = NULL;
}

void bulk_top_fini(struct bulk_top *top)
{
    free(top->names);
    top->names = NULL;
}

static uint32_t find(const struct bulk_top *top, const struct dns_name *name, uint32_t hash)
{
    for (uint32_t i = 0; i < top->count; i++)
        if (top->hashes[i] == hash && dns_name_equal(&top->names[i].name, name))
            return i;
    return top->count;
}

static uint32_t least(const struct bulk_top *top)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < top->count; i++)
        if (top->names[i].count < top->names[at].count)
            at = i;
    return at;
}

static bool prepare(struct bulk_top *top)
{
    if (!top->names)
        top->names = calloc(BULK_TOP_NAMES, sizeof *top->names);
    return top->names != NULL;
}

void bulk_top_add(struct bulk_top *top, const struct dns_name *name)
{
    if (!prepare(top))
        return;
    uint32_t hash = (uint32_t)dns_name_hash(dns_name_span(name), 0);
    uint32_t at = find(top, name, hash);
    uint64_t inherited = 0;
    if (at == BULK_TOP_NAMES) {
        at = least(top);
        inherited = top->names[at].count;
        top->names[at].name.length = 0;
        top->exact = false;
    } else if (at == top->count) {
        top->count++;
    }
    struct bulk_top_name *entry = &top->names[at];
    if (entry->name.length == 0) {
        *entry = (struct bulk_top_name){.name = *name, .count = inherited, .error = inherited};
        top->hashes[at] = hash;
    }
    entry->count++;
}

/* Does `a` stand before `b`? */
static bool before(const struct bulk_top_name *a, const struct bulk_top_name *b)
{
    char one[DNS_NAME_TEXT_MAX], other[DNS_NAME_TEXT_MAX];
    if (a->count != b->count)
        return a->count > b->count;
    return strcmp(dns_name_text(&a->name, one), dns_name_text(&b->name, other)) < 0;
}

/* The first of all that stand behind `last` (NULL: of all); NULL where there is none. */
static const struct bulk_top_name *next_of(const struct bulk_top *top,
                                           const struct bulk_top_name *last)
{
    const struct bulk_top_name *best = NULL;
    for (uint32_t i = 0; i < top->count; i++) {
        const struct bulk_top_name *name = &top->names[i];
        if ((!last || before(last, name)) && (!best || before(name, best)))
            best = name;
    }
    return best;
}

uint32_t bulk_top_list(const struct bulk_top *top, const struct bulk_top_name **out, uint32_t max)
{
    const struct bulk_top_name *last = NULL;
    uint32_t n = 0;
    while (n < max && (last = next_of(top, last)) != NULL)
        out[n++] = last;
    return n;
}
