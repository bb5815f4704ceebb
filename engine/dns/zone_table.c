/*
 * The table of names of a zone file: a chained hash table that doubles when it is full, so loading
 * is linear in the size of the file. A name shares its bytes with the name below it that came
 * first: an ancestor in wire form is a suffix.
 */
#include "dns/zone_table.h"

#include <stdlib.h>
#include <sys/random.h>

enum
{
    FIRST_BUCKETS = 64,
};

void zone_table_init(struct zone_table *table)
{
    *table = (struct zone_table){0};
    arena_init(&table->arena, SIZE_MAX);
    /* Without entropy the table is merely not keyed; its names come from the operator's file. */
    if (getrandom(&table->seed, sizeof table->seed, GRND_NONBLOCK) < 0)
        table->seed = 0;
}

void zone_table_fini(struct zone_table *table)
{
    free(table->buckets);
    arena_fini(&table->arena);
    *table = (struct zone_table){0};
}

static struct zone_name *find_hashed(const struct zone_table *table, struct span wire,
                                     uint64_t hash)
{
    if (table->size == 0)
        return NULL;
    struct zone_name *name = table->buckets[hash & (table->size - 1)];
    while (name && (name->hash != hash || !span_equal(span_of(name->wire, name->length), wire)))
        name = name->next;
    return name;
}

struct zone_name *zone_table_find(const struct zone_table *table, struct span wire)
{
    return find_hashed(table, wire, dns_name_hash(wire, table->seed));
}

static bool table_grow(struct zone_table *table)
{
    size_t size = table->size ? 2 * table->size : FIRST_BUCKETS;
    struct zone_name **buckets = calloc(size, sizeof *buckets);
    if (!buckets)
        return false;
    for (size_t i = 0; i < table->size; i++) {
        struct zone_name *name = table->buckets[i];
        while (name) {
            struct zone_name *next = name->next;
            name->next = buckets[name->hash & (size - 1)];
            buckets[name->hash & (size - 1)] = name;
            name = next;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->size = size;
    return true;
}

/* `wire` is borrowed by the new entry and lives in the table's arena. */
static struct zone_name *insert(struct zone_table *table, struct span wire, uint64_t hash)
{
    if (table->count >= table->size && !table_grow(table))
        return NULL;
    struct zone_name *name = ARENA_NEW(&table->arena, struct zone_name);
    if (!name)
        return NULL;
    struct zone_name **bucket = &table->buckets[hash & (table->size - 1)];
    *name = (struct zone_name){
        .next = *bucket, .wire = wire.p, .hash = hash, .length = (uint8_t)wire.n};
    *bucket = name;
    table->count++;
    return name;
}

/* The entry of `wire`; a new one points into `wire` itself when `stable`, else to a copy. */
static struct zone_name *find_or_insert(struct zone_table *table, struct span wire, bool stable)
{
    uint64_t hash = dns_name_hash(wire, table->seed);
    struct zone_name *name = find_hashed(table, wire, hash);
    if (name)
        return name;
    struct span kept = stable ? wire : arena_copy(&table->arena, wire);
    return kept.p ? insert(table, kept, hash) : NULL;
}

struct zone_name *zone_table_add(struct zone_table *table, const struct dns_name *name, bool exists)
{
    struct zone_name *added = find_or_insert(table, dns_name_span(name), false);
    if (!added || !exists)
        return added;
    struct zone_name *at = added;
    while (!at->exists) {
        at->exists = true;
        if (at->length == 1)
            break;
        struct span wire = span_of(at->wire, at->length);
        at = find_or_insert(table, span_skip(wire, wire.p[0] + 1U), true);
        if (!at)
            return NULL;
    }
    return added;
}

const struct zone_set *zone_set_find(const struct zone_name *name, enum dns_type type)
{
    const struct zone_set *set = name->sets;
    while (set && set->type != type)
        set = set->next;
    return set;
}

struct zone_set *zone_set_add(struct zone_table *table, struct zone_name *name, enum dns_type type)
{
    struct zone_set **link = &name->sets;
    while (*link && (*link)->type != type)
        link = &(*link)->next;
    if (*link)
        return *link;
    struct zone_set *set = ARENA_NEW(&table->arena, struct zone_set);
    if (!set)
        return NULL;
    *set = (struct zone_set){.type = type, .ttl = UINT32_MAX};
    set->last = &set->first;
    *link = set;
    return set;
}

bool zone_set_append(struct zone_table *table, struct zone_set *set, uint16_t preference,
                     struct span data)
{
    assert(data.n <= UINT16_MAX);
    struct zone_record *record = arena_alloc(&table->arena, sizeof *record + data.n);
    if (!record)
        return false;
    record->preference = preference;
    record->n = (uint16_t)data.n;
    if (data.n)
        memcpy(record->data, data.p, data.n);
    *set->last = record;
    set->last = &record->next;
    return true;
}
