/*
 * SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012): a keyed hash, so that
 * nobody who chooses names can choose where they land in a table (security.md L05).
 *
 * SipHash-1-3 for tables: one compression round per word and three at the end is what Rust and
 * Python use for theirs, and nobody has found collisions without the key. SipHash-2-4, the
 * authors' proposal, for checksums of files. Accepts any bytes, also none; no alignment needed.
 */
#ifndef CACHE_SIPHASH_H
#define CACHE_SIPHASH_H

#include "base/span.h"

enum
{
    SIPHASH_KEY_BYTES = 16,
};

struct siphash_key
{
    uint64_t k0; /* the first 8 bytes of the key, little-endian */
    uint64_t k1;
};

struct siphash_key siphash_key_from(const uint8_t bytes[SIPHASH_KEY_BYTES]);

uint64_t siphash13(const struct siphash_key *key, struct span s);
uint64_t siphash24(const struct siphash_key *key, struct span s);

/* SipHash-2-4 in pieces: any split of the input gives the same value. */
struct siphash_stream
{
    uint64_t v[4];
    uint64_t tail;  /* bytes not yet compressed, little-endian */
    uint64_t total; /* bytes so far; total % 8 of them are in tail */
};

void siphash_stream_init(struct siphash_stream *stream, const struct siphash_key *key);
void siphash_stream_add(struct siphash_stream *stream, struct span s);
/* The value of all bytes so far; the stream may go on afterwards. */
uint64_t siphash_stream_value(const struct siphash_stream *stream);

#endif
