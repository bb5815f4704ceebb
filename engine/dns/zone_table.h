/*
 * The names and records of a zone file in memory: what zone_text.c fills in and zone.c reads.
 *
 * Every name above a name that exists, exists too (RFC 8020), so a table holds the empty
 * non-terminals as entries without record sets. Everything lives in the table's arena.
 */
#ifndef DNS_ZONE_TABLE_H
#define DNS_ZONE_TABLE_H

#include "dns/answer.h"
#include "dns/source.h"

struct zone_record
{
    struct zone_record *next; /* in the order of the file */
    uint16_t preference;      /* MX */
    uint16_t n;
    uint8_t data[]; /* A, AAAA: the address; PTR, MX, CNAME: a wire name; TXT: the joined strings */
};

/* All records of one type at one name, or the outcome that a "!word" line gives the question. */
struct zone_set
{
    struct zone_set *next; /* other types of this name; few, since there are few types */
    enum dns_type type;
    enum dns_outcome outcome;
    const char *reason; /* static; TEMPFAIL only */
    uint32_t ttl;       /* smallest */
    uint32_t age;
    bool cut;
    struct zone_record *first;
    struct zone_record **last;
};

struct zone_name
{
    struct zone_name *next; /* same bucket */
    const uint8_t *wire;    /* arena */
    uint64_t hash;
    struct zone_set *sets;
    uint8_t length;
    bool exists; /* it, or a name below it, has a record of any type */
};

struct zone_table
{
    struct arena arena;
    struct zone_name **buckets; /* malloc'd, a power of two */
    size_t size;
    size_t count;
    uint64_t seed;
};

void zone_table_init(struct zone_table *table);
void zone_table_fini(struct zone_table *table);

/*
 * The entry of `name`, made where it is not there yet. With `exists` it and all names above it
 * exist from now on. NULL without memory.
 */
struct zone_name *zone_table_add(struct zone_table *table, const struct dns_name *name,
                                 bool exists) MUST_CHECK;
struct zone_name *zone_table_find(const struct zone_table *table, struct span wire);

/* The record set of `type` at `name`: made where it is not there (NULL without memory), or NULL. */
struct zone_set *zone_set_add(struct zone_table *table, struct zone_name *name,
                              enum dns_type type) MUST_CHECK;
const struct zone_set *zone_set_find(const struct zone_name *name, enum dns_type type);

/* Appends a record; false without memory. data.n is at most UINT16_MAX. */
bool zone_set_append(struct zone_table *table, struct zone_set *set, uint16_t preference,
                     struct span data) MUST_CHECK;

/* zone_text.c: reads a zone file's text into `table`. False: *error says where and why. */
bool zone_text_read(struct zone_table *table, struct span text, const char *label,
                    struct dns_error *error) MUST_CHECK;

#endif
