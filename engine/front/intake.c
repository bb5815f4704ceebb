#include "front/intake.h"

#include <pthread.h>
#include <stdlib.h>

enum
{
    KEPT_CHUNKS = 16, /* free ones; more are given back to the system */
};

struct intake_chunk
{
    struct chunk chunk; /* first */
    struct intake *intake;
    struct intake_chunk *next;
};

struct intake
{
    const struct outbox *outbox; /* borrowed; NULL: the front has gone */
    uint32_t limit;
    struct intake_chunk *current; /* the front's; one reference */
    uint32_t filled;

    pthread_mutex_t lock;      /* all below; leaf: nothing is called with it held */
    struct intake_chunk *kept; /* free ones */
    uint32_t kept_count;
    uint32_t count; /* all that exist */
    bool starved;   /* the front waits for one */
};

struct intake *intake_new(uint32_t limit, const struct outbox *outbox)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (!intake)
        return NULL;
    intake->outbox = outbox;
    intake->limit = limit;
    pthread_mutex_init(&intake->lock, NULL);
    return intake;
}

static void destroy(struct intake *intake)
{
    pthread_mutex_destroy(&intake->lock);
    free(intake);
}

/* The last reference has gone; any thread. The last chunk behind the front's end takes the intake
 * along. */
static void come_back(struct chunk *chunk)
{
    struct intake_chunk *back = (struct intake_chunk *)chunk;
    struct intake *intake = back->intake;
    pthread_mutex_lock(&intake->lock);
    const struct outbox *woken = intake->starved ? intake->outbox : NULL;
    intake->starved = false;
    bool keep = intake->outbox && intake->kept_count < KEPT_CHUNKS;
    if (keep) {
        back->next = intake->kept;
        intake->kept = back;
        intake->kept_count++;
    } else {
        intake->count--;
    }
    bool last = !intake->outbox && intake->count == 0;
    if (woken)
        outbox_wake(woken); /* within the lock: intake_free cannot pass */
    pthread_mutex_unlock(&intake->lock);
    if (!keep)
        free(back);
    if (last)
        destroy(intake);
}

void intake_free(struct intake **intake)
{
    struct intake *gone = *intake;
    *intake = NULL;
    if (!gone)
        return;
    pthread_mutex_lock(&gone->lock);
    gone->outbox = NULL;
    struct intake_chunk *kept = gone->kept;
    gone->kept = NULL;
    gone->count -= gone->kept_count;
    gone->kept_count = 0;
    bool last = gone->count == 0;
    struct chunk *current = gone->current ? &gone->current->chunk : NULL;
    pthread_mutex_unlock(&gone->lock);
    while (kept) {
        struct intake_chunk *next = kept->next;
        free(kept);
        kept = next;
    }
    if (last)
        destroy(gone);
    chunk_unref(&current); /* may destroy it */
}

static struct intake_chunk *take_kept(struct intake *intake, bool *may_make)
{
    pthread_mutex_lock(&intake->lock);
    struct intake_chunk *chunk = intake->kept;
    if (chunk) {
        intake->kept = chunk->next;
        intake->kept_count--;
    }
    *may_make = !chunk && intake->count < intake->limit;
    intake->count += *may_make;
    intake->starved = !chunk && !*may_make;
    pthread_mutex_unlock(&intake->lock);
    return chunk;
}

static struct intake_chunk *make(struct intake *intake)
{
    struct intake_chunk *chunk = malloc(sizeof *chunk + INTAKE_CHUNK_BYTES);
    if (!chunk) {
        pthread_mutex_lock(&intake->lock);
        intake->count--;
        pthread_mutex_unlock(&intake->lock);
        return NULL;
    }
    chunk->intake = intake;
    chunk->chunk.capacity = INTAKE_CHUNK_BYTES;
    chunk->chunk.release = come_back;
    chunk->chunk.bytes = (uint8_t *)(chunk + 1);
    return chunk;
}

static bool take_new(struct intake *intake)
{
    bool may_make;
    struct intake_chunk *chunk = take_kept(intake, &may_make);
    if (!chunk && may_make)
        chunk = make(intake);
    if (!chunk)
        return false;
    atomic_init(&chunk->chunk.references, 1);
    intake->current = chunk;
    intake->filled = 0;
    return true;
}

/* Nobody else has a reference: what was read is used up, and its place may be filled again. The
 * acquire pairs with the release of the worker that dropped the last one. */
static bool is_ours_alone(struct intake_chunk *chunk)
{
    return atomic_load_explicit(&chunk->chunk.references, memory_order_acquire) == 1;
}

struct chunk *intake_room(struct intake *intake, uint8_t **at, size_t *room)
{
    if (intake->current && is_ours_alone(intake->current))
        intake->filled = 0;
    if (intake->current && INTAKE_CHUNK_BYTES - intake->filled < INTAKE_LEAST_ROOM) {
        struct chunk *full = &intake->current->chunk;
        intake->current = NULL;
        chunk_unref(&full);
    }
    if (!intake->current && !take_new(intake))
        return NULL;
    *at = intake->current->chunk.bytes + intake->filled;
    *room = INTAKE_CHUNK_BYTES - intake->filled;
    return &intake->current->chunk;
}

void intake_used(struct intake *intake, size_t n)
{
    assert(intake->current && n <= INTAKE_CHUNK_BYTES - intake->filled);
    intake->filled += (uint32_t)n;
}

uint32_t intake_count(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    uint32_t count = intake->count;
    pthread_mutex_unlock(&intake->lock);
    return count;
}
