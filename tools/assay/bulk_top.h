/*
 * The most frequent names of a stream, in bounded memory: Space-Saving (Metwally, Agrawal, El
 * Abbadi: "Efficient computation of frequent and top-k elements in data streams", 2005). Exact
 * while there are no more than BULK_TOP_NAMES different names; beyond that a count may be too high
 * by its `error`, and every name with more than 1/BULK_TOP_NAMES of the stream is in the table.
 *
 * Looking up is a walk over 4 KiB of hashes: a hash table would have to delete.
 */
#ifndef ASSAY_BULK_TOP_H
#define ASSAY_BULK_TOP_H

#include "dns/name.h"

enum
{
    BULK_TOP_NAMES = 1024,
};

struct bulk_top_name
{
    struct dns_name name;
    uint64_t count;
    uint64_t error; /* at most so much of `count` was counted for others */
};

struct bulk_top
{
    uint32_t count;
    bool exact;
    uint32_t hashes[BULK_TOP_NAMES];
    struct bulk_top_name *names; /* owned; NULL until the first */
};

void bulk_top_init(struct bulk_top *top);
void bulk_top_fini(struct bulk_top *top);
/* Counts nothing where there is no memory. */
void bulk_top_add(struct bulk_top *top, const struct dns_name *name);
/* The names by count, highest first, then by text: fills out[0..max), returns how many. */
uint32_t bulk_top_list(const struct bulk_top *top, const struct bulk_top_name **out, uint32_t max);

#endif
