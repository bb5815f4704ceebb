#include "mail/name_lists.h"

#include "base/hash.h"

/* Some of its octets tell a list well enough. */
static struct name_list *place_of(struct name_lists *lists, struct span text)
{
    uint64_t hash = hash_word(text.n, bytes_up_to_8(text.p, 8));
    hash = hash_word(hash, bytes_up_to_8(text.p + text.n / 2, 8));
    hash = hash_word(hash, bytes_up_to_8(span_end(text) - 8, 8));
    return &lists->lists[hash % NAME_LISTS];
}

static void keep(struct name_list *list, struct span text, const struct simd_names *names)
{
    list->octets = (uint32_t)text.n;
    list->count = names->count;
    memcpy(list->text, text.p, text.n);
    memcpy(list->edges, names->edges, 2 * names->count * sizeof list->edges[0]);
    memcpy(list->number, names->number, names->count);
}

static void give(const struct name_list *list, struct simd_names *names)
{
    names->count = list->count;
    names->bad = false;
    memcpy(names->edges, list->edges, 2 * list->count * sizeof list->edges[0]);
    memcpy(names->number, list->number, list->count);
}

void name_lists_read(struct name_lists *lists, struct span text, struct simd_names *names)
{
    struct name_list *list = NULL;
    if (lists && text.n >= NAME_LIST_OCTETS_MIN && text.n <= NAME_LIST_OCTETS)
        list = place_of(lists, text);
    if (list && list->octets == text.n && memcmp(list->text, text.p, text.n) == 0) {
        give(list, names);
        lists->hits++;
        return;
    }
    simd_text()->name_list(text.p, text.n, &field_words, names);
    if (list && !names->bad && names->count <= NAME_LIST_NAMES)
        keep(list, text, names);
}
