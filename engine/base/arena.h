/*
 * One arena per message: allocate, never free piecemeal, reset when the message is done.
 *
 * Memory from an arena is zeroed (but for arena_alloc_raw) and aligned for any type. It lives until
 * arena_reset or arena_fini. An arena has a ceiling in bytes; past it, or when the system has no
 * memory, calls return NULL and `failed` stays set until the reset. A judge that gets NULL ends in
 * temperror, never in a pass. Not thread-safe: an arena belongs to the task that runs.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/span.h"

struct arena_block;

struct arena
{
    /* Room in the newest block; what the ceiling forbids is not counted as room. */
    uint8_t *next, *end;
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out since the last reset */
    size_t held_bytes;          /* what the blocks take of the system, unused room included */
    size_t ceiling_bytes;
    size_t first_bytes; /* size of the first block */
    bool failed;
};

/* Prepares an empty arena in the caller's storage; allocates nothing yet. */
void arena_init(struct arena *arena, size_t ceiling_bytes);
/* The same for who knows about how much it will take: the first block has room for `first_bytes`
 * (not 0). */
void arena_init_sized(struct arena *arena, size_t ceiling_bytes, size_t first_bytes);
/* Forgets all allocations; keeps one block for reuse, filled where sanitizers are at work. */
void arena_reset(struct arena *arena);
/*
 * The same for who will need about as much again: nothing is asked of the system then. An arena
 * that holds more than `keep_bytes` gives all of it back; one that holds several blocks does too,
 * and its next first block is as large as all of them, so after the second time it has one.
 */
void arena_recycle(struct arena *arena, size_t keep_bytes);
/* Returns all memory to the system. The arena may be initialised again. */
void arena_fini(struct arena *arena);

enum
{
    ARENA_ALIGNMENT = 16,
};

/* Where there is no room in the newest block. */
void *arena_alloc_slow(struct arena *arena, size_t rounded) MUST_CHECK;

/* As arena_alloc, but not zeroed: for who fills it at once. */
MUST_CHECK static inline void *arena_alloc_raw(struct arena *arena, size_t n)
{
    size_t rounded = (n + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (rounded < n || rounded > (size_t)(arena->end - arena->next) || !arena->next)
        return arena_alloc_slow(arena, rounded < n ? SIZE_MAX : rounded);
    void *memory = arena->next;
    arena->next += rounded;
    arena->used_bytes += rounded;
    return memory;
}

/* `n` zeroed bytes, or NULL (see above). n == 0 gives a valid pointer. In the header, so that a
 * size known to the compiler becomes a few stores. */
MUST_CHECK static inline void *arena_alloc(struct arena *arena, size_t n)
{
    void *memory = arena_alloc_raw(arena, n);
    return memory ? memset(memory, 0, n) : NULL;
}

/* Room for `count` objects of `size` bytes; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_CHECK;
/* A copy of `s` in the arena; on failure a span with p == NULL (also for an empty `s`). */
struct span arena_copy(struct arena *arena, struct span s) MUST_CHECK;
/*
 * Makes an allocation of `from` bytes one of `to` bytes where it stands; what is new is zeroed.
 * False, and nothing changed: it is not the newest of the arena, or there is no room behind it.
 */
bool arena_resize(struct arena *arena, void *memory, size_t from, size_t to);
/* A NUL-terminated copy. `s` is expected to hold no NUL; bytes are copied as they are. */
char *arena_string(struct arena *arena, struct span s) MUST_CHECK;

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_array((arena), (count), sizeof(type)))

#endif
