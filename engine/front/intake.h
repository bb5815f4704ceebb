/*
 * Chunks that connections are read into. One is filled by read after read, of whatever connection,
 * until it is full; the pieces of messages in it go to the workers by reference. A chunk whose last
 * reference is dropped comes back for use, so that its pages are touched once.
 *
 * There are at most `limit` of them: when all hold mail that no worker has hashed yet, reading
 * stops (back-pressure of all connections together), and a chunk that comes back wakes the front.
 */
#ifndef FRONT_INTAKE_H
#define FRONT_INTAKE_H

#include "front/outbox.h"
#include "run/chunk.h"

enum
{
    INTAKE_CHUNK_BYTES = 256 * 1024,
    INTAKE_LEAST_ROOM = 64 * 1024, /* less than this left: take a new chunk */
};

struct intake;

/* `outbox` is borrowed and woken. NULL without memory. */
struct intake *intake_new(uint32_t limit, const struct outbox *outbox) MUST_CHECK;
/* Chunks that are still with somebody outlive it. Nulls. */
void intake_free(struct intake **intake);

/* Front thread: the chunk to read into next and where; NULL: none to be had now. */
struct chunk *intake_room(struct intake *intake, uint8_t **at, size_t *room) MUST_CHECK;
/* That many bytes were read and handed on, or copied. */
void intake_used(struct intake *intake, size_t n);
/* How many chunks exist, in use or kept. */
uint32_t intake_count(struct intake *intake);

#endif
