/*
 * A chunk: bytes read from a connection or a file, shared by the tasks whose messages lie in it.
 *
 * Reference counted; bytes do not change once somebody else has a reference. One read of 256 KiB
 * may carry parts of many messages: each piece handed to a task holds one reference until the
 * worker has hashed it.
 */
#ifndef RUN_CHUNK_H
#define RUN_CHUNK_H

#include <stdatomic.h>

#include "base/attributes.h"
#include "base/span.h"

struct chunk
{
    _Atomic uint32_t references;
    uint32_t capacity;
    void (*release)(struct chunk *); /* NULL: free(); a mapped descriptor has its own */
    uint8_t *bytes;                  /* behind the struct, or mapped */
};

/* One reference for the caller; NULL without memory. */
struct chunk *chunk_new(uint32_t capacity) MUST_CHECK;
struct chunk *chunk_ref(struct chunk *chunk);
/* Drops one reference and nulls the pointer; NULL inside is fine. Any thread. */
void chunk_unref(struct chunk **chunk);

#endif
