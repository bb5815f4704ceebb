#include "run/chunk.h"

#include <stdlib.h>

struct chunk *chunk_new(uint32_t capacity)
{
    struct chunk *chunk = malloc(sizeof *chunk + capacity);
    if (!chunk)
        return NULL;
    *chunk = (struct chunk){.capacity = capacity, .bytes = (uint8_t *)(chunk + 1)};
    atomic_init(&chunk->references, 1);
    return chunk;
}

struct chunk *chunk_ref(struct chunk *chunk)
{
    /* Relaxed: who has a reference to copy keeps the chunk alive by it. */
    atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
    return chunk;
}

static void chunk_free(struct chunk *chunk)
{
    if (chunk->release)
        chunk->release(chunk);
    else
        free(chunk);
}

void chunk_unref(struct chunk **chunk)
{
    struct chunk *dropped = *chunk;
    *chunk = NULL;
    if (!dropped)
        return;
    /* acq_rel: reads of all holders come before the release of the memory by the last one. */
    if (atomic_fetch_sub_explicit(&dropped->references, 1, memory_order_acq_rel) == 1)
        chunk_free(dropped);
}
