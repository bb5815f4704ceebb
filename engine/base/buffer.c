#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum
{
    FIRST_CAPACITY = 256,
    FORMAT_MAX = 4096,
};

void buffer_init(struct buffer *buffer, size_t ceiling)
{
    *buffer = (struct buffer){.ceiling = ceiling};
}

void buffer_fini(struct buffer *buffer)
{
    free(buffer->p);
    *buffer = (struct buffer){.ceiling = buffer->ceiling};
}

void buffer_reset(struct buffer *buffer)
{
    buffer->n = 0;
    buffer->failed = false;
}

static bool buffer_grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    if (capacity > buffer->ceiling)
        capacity = buffer->ceiling; /* the caller has seen that `needed` is not over it */
    uint8_t *p = realloc(buffer->p, capacity);
    if (!p)
        return false;
    buffer->p = p;
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_reserve_slow(struct buffer *buffer, size_t n)
{
    if (buffer->failed)
        return NULL;
    if (buffer->n > buffer->ceiling || n > buffer->ceiling - buffer->n ||
        (n > buffer->capacity - buffer->n && !buffer_grow(buffer, buffer->n + n))) {
        buffer->failed = true;
        return NULL;
    }
    return buffer->p + buffer->n;
}

void buffer_append_slow(struct buffer *buffer, struct span s)
{
    if (s.n == 0)
        return;
    uint8_t *room = buffer_reserve(buffer, s.n);
    if (!room)
        return;
    memcpy(room, s.p, s.n);
    buffer_commit(buffer, s.n);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    char text[FORMAT_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text) {
        buffer->failed = true;
        return;
    }
    buffer_append(buffer, span_of(text, (size_t)n));
}
