/*
 * A growing byte buffer with a ceiling, for text that is put together: canonical headers, macro
 * expansions, Authentication-Results, JSON.
 *
 * Appending past the ceiling, or without memory, sets `failed` and drops that piece and all that
 * follow: the caller appends in a straight line and looks once at the end. A failed buffer's
 * content must not be used. The buffer owns its memory (malloc); buffer_fini releases it.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/attributes.h"
#include "base/span.h"

struct buffer
{
    uint8_t *p;
    size_t n;
    size_t capacity;
    size_t ceiling; /* most bytes this buffer may hold */
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t ceiling);
void buffer_fini(struct buffer *buffer);
/* Empties it, keeps the memory, forgets a failure. */
void buffer_reset(struct buffer *buffer);

void buffer_append(struct buffer *buffer, struct span s);
void buffer_append_string(struct buffer *buffer, const char *s);
void buffer_append_byte(struct buffer *buffer, uint8_t c);
/* Formats at most 4,096 bytes a call; the format must be a constant (security.md J08). */
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Makes room for `n` more bytes and returns where they go, or NULL; commit with buffer_commit. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t n) MUST_CHECK;
void buffer_commit(struct buffer *buffer, size_t n);

static inline struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer->p, buffer->n);
}

#endif
