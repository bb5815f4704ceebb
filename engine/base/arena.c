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
};
STATIC_ASSERT(ARENA_ALIGNMENT % alignof(max_align_t) == 0);

struct arena_block
{
    struct arena_block *older;
    size_t size;
    alignas(ARENA_ALIGNMENT) uint8_t bytes[];
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

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

/* The newest block is all room, as far as the ceiling allows. */
static void open_block(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    size_t allowed = arena->ceiling_bytes - arena->used_bytes;
    arena->next = block->bytes;
    arena->end = block->bytes + (block->size < allowed ? block->size : allowed);
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;
    arena->used_bytes = 0;
    arena->failed = false;
    if (!kept)
        return;
    free_blocks(kept->older);
    kept->older = NULL;
    arena->held_bytes = sizeof *kept + kept->size;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    memset(kept->bytes, 0xa5, kept->size);
#endif
    open_block(arena);
}

void arena_recycle(struct arena *arena, size_t keep_bytes)
{
    size_t held = arena->held_bytes;
    bool several = arena->blocks && arena->blocks->older;
    if (!several && held <= keep_bytes) {
        arena_reset(arena);
        return;
    }
    arena_fini(arena);
    if (held <= keep_bytes)
        arena->first_bytes = held - sizeof(struct arena_block);
}

void arena_fini(struct arena *arena)
{
    free_blocks(arena->blocks);
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
    open_block(arena);
    return block;
}

static size_t round_up(size_t n)
{
    return (n + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

void *arena_alloc_slow(struct arena *arena, size_t rounded)
{
    if (rounded > SIZE_MAX / 2 || rounded > arena->ceiling_bytes - arena->used_bytes ||
        !arena_grow(arena, rounded)) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc_raw(arena, rounded);
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
    uint8_t *begin = memory;
    size_t before = round_up(from), after = round_up(to);
    if (!arena->next || begin + before != arena->next || after < to ||
        after > (size_t)(arena->end - begin))
        return false;
    if (to > from)
        memset(begin + from, 0, after - from);
    arena->next = begin + after;
    arena->used_bytes = arena->used_bytes - before + after;
    return true;
}

struct span arena_copy(struct arena *arena, struct span s)
{
    uint8_t *copy = arena_alloc_raw(arena, s.n);
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
    char *copy = arena_alloc_raw(arena, s.n + 1);
    if (!copy)
        return NULL;
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}
