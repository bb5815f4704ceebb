/*
 * Bump allocation from a list of blocks. The first has 8 KiB, which is what a message with a small
 * header takes; the next a fifth of all before it together, 2 to 256 KiB, so that what is held is
 * little more than what is used. Zeroing happens at allocation, since blocks are reused.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum
{
    FIRST_BLOCK_BYTES = 8 * 1024,
    SMALLEST_BLOCK_BYTES = 2 * 1024, /* but the first, which may be known to be smaller */
    LARGEST_BLOCK_BYTES = 256 * 1024,
    ALIGNMENT = alignof(max_align_t),
};

struct arena_block
{
    struct arena_block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
};

void arena_init(struct arena *arena, size_t ceiling_bytes)
{
    arena_init_sized(arena, ceiling_bytes, FIRST_BLOCK_BYTES);
}

void arena_init_sized(struct arena *arena, size_t ceiling_bytes, size_t first_bytes)
{
    assert(first_bytes);
    *arena = (struct arena){.ceiling_bytes = ceiling_bytes, .first_bytes = first_bytes};
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;
    if (kept) {
        struct arena_block *block = kept->older;
        while (block) {
            struct arena_block *older = block->older;
            free(block);
            block = older;
        }
        kept->older = NULL;
#ifndef NDEBUG
        memset(kept->bytes, 0xa5, kept->used);
#endif
        kept->used = 0;
        arena->held_bytes = sizeof *kept + kept->size;
    }
    arena->used_bytes = 0;
    arena->failed = false;
}

void arena_fini(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
    arena_init_sized(arena, arena->ceiling_bytes, arena->first_bytes);
}

static struct arena_block *arena_grow(struct arena *arena, size_t n)
{
    size_t size = arena->blocks ? arena->held_bytes / 5 : arena->first_bytes;
    if (arena->blocks && size < SMALLEST_BLOCK_BYTES)
        size = SMALLEST_BLOCK_BYTES;
    if (size > LARGEST_BLOCK_BYTES)
        size = LARGEST_BLOCK_BYTES;
    if (size < n)
        size = n;
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    *block = (struct arena_block){.older = arena->blocks, .size = size};
    arena->blocks = block;
    arena->held_bytes += sizeof *block + size;
    return block;
}

static size_t round_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *arena_alloc(struct arena *arena, size_t n)
{
    size_t rounded = round_up(n);
    if (rounded < n || arena->used_bytes > arena->ceiling_bytes ||
        rounded > arena->ceiling_bytes - arena->used_bytes) {
        arena->failed = true;
        return NULL;
    }
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < rounded)
        block = arena_grow(arena, rounded);
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    return memset(memory, 0, rounded);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc(arena, bytes);
}

bool arena_resize(struct arena *arena, void *memory, size_t from, size_t to)
{
    struct arena_block *block = arena->blocks;
    size_t before = round_up(from), after = round_up(to);
    if (!block || block->bytes + block->used != (uint8_t *)memory + before)
        return false;
    size_t begin = block->used - before;
    if (after < to || after > block->size - begin ||
        (after > before && after - before > arena->ceiling_bytes - arena->used_bytes))
        return false;
    if (to > from)
        memset((uint8_t *)memory + from, 0, after - from);
    block->used = begin + after;
    arena->used_bytes = arena->used_bytes - before + after;
    return true;
}

struct span arena_copy(struct arena *arena, struct span s)
{
    uint8_t *copy = arena_alloc(arena, s.n);
    if (!copy)
        return (struct span){NULL, 0};
    if (s.n)
        memcpy(copy, s.p, s.n);
    return span_of(copy, s.n);
}

char *arena_string(struct arena *arena, struct span s)
{
    if (s.n == SIZE_MAX) {
        arena->failed = true;
        return NULL;
    }
    char *copy = arena_alloc(arena, s.n + 1);
    if (copy && s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}
