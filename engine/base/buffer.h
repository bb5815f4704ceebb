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
    size_t capacity; /* at most the ceiling */
    size_t ceiling;  /* most bytes this buffer may hold */
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t ceiling);
void buffer_fini(struct buffer *buffer);
/* Empties it, keeps the memory, forgets a failure. */
void buffer_reset(struct buffer *buffer);

/* Where there is no room yet. */
void buffer_append_slow(struct buffer *buffer, struct span s);

static inline void buffer_append(struct buffer *buffer, struct span s)
{
    if (buffer->failed || s.n == 0 || s.n > buffer->capacity - buffer->n) {
        buffer_append_slow(buffer, s);
        return;
    }
    memcpy(buffer->p + buffer->n, s.p, s.n);
    buffer->n += s.n;
}

static inline void buffer_append_string(struct buffer *buffer, const char *s)
{
    buffer_append(buffer, span_from_string(s));
}

static inline void buffer_append_byte(struct buffer *buffer, uint8_t c)
{
    buffer_append(buffer, span_of(&c, 1));
}

/* Formats at most 4,096 bytes a call; the format must be a constant (security.md J08). */
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Where the memory is not there yet. */
uint8_t *buffer_reserve_slow(struct buffer *buffer, size_t n) MUST_CHECK;

/* Makes room for `n` more bytes and returns where they go, or NULL; commit with buffer_commit. */
MUST_CHECK static inline uint8_t *buffer_reserve(struct buffer *buffer, size_t n)
{
    if (buffer->failed || n > buffer->capacity - buffer->n)
        return buffer_reserve_slow(buffer, n);
    return buffer->p + buffer->n;
}

static inline void buffer_commit(struct buffer *buffer, size_t n)
{
    assert(n <= buffer->capacity - buffer->n);
    buffer->n += n;
}

static inline struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer->p, buffer->n);
}

#endif
