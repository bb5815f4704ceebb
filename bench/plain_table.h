/*
 * What the cache is measured against: a chained hash table without locks, counts or expiry, one
 * node a key, for one writer before all readers. It owns its objects (malloc).
 */
#ifndef BENCH_PLAIN_TABLE_H
#define BENCH_PLAIN_TABLE_H

#include <stdlib.h>

#include "cache/siphash.h"

struct node
{
    struct node *next;
    uint64_t hash;
    void *object;
    size_t n;
    uint8_t key[];
};

typedef uint64_t hash_function(struct span s);

struct plain
{
    struct node **buckets;
    uint64_t mask;
    hash_function *hash;
};

static inline void *plain_need(void *p)
{
    if (!p)
        abort();
    return p;
}

static const struct siphash_key plain_key = {0x0123456789abcdef, 0xfedcba9876543210};

static inline uint64_t hash_sip(struct span s)
{
    return siphash13(&plain_key, s);
}

/* As cheap as a hash gets that still spreads: a multiplication for eight bytes, and no key. */
static inline uint64_t hash_multiply(struct span s)
{
    uint64_t hash = s.n, word;
    for (; s.n >= sizeof word; s = span_skip(s, sizeof word)) {
        memcpy(&word, s.p, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, s.p, s.n);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 32;
}

static inline void plain_init(struct plain *plain, size_t names, hash_function *hash)
{
    size_t buckets = 1;
    while (buckets < names)
        buckets *= 2;
    *plain = (struct plain){plain_need(calloc(buckets, sizeof(struct node *))), buckets - 1, hash};
}

static inline void plain_put(struct plain *plain, struct span key, void *object)
{
    struct node *node = plain_need(malloc(sizeof *node + key.n));
    node->hash = plain->hash(key);
    node->object = object;
    node->n = key.n;
    memcpy(node->key, key.p, key.n);
    struct node **bucket = &plain->buckets[node->hash & plain->mask];
    node->next = *bucket;
    *bucket = node;
}

static inline void plain_fini(struct plain *plain)
{
    for (size_t i = 0; i <= plain->mask; i++)
        for (struct node *node = plain->buckets[i], *next; node; node = next) {
            next = node->next;
            free(node->object);
            free(node);
        }
    free(plain->buckets);
}

static inline void *plain_get(const struct plain *plain, struct span key)
{
    uint64_t hash = plain->hash(key);
    for (struct node *node = plain->buckets[hash & plain->mask]; node; node = node->next)
        if (node->hash == hash && node->n == key.n && memcmp(node->key, key.p, key.n) == 0)
            return node->object;
    return NULL;
}

#endif
