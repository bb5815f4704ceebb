/*
 * A cursor reads a record field by field: {p, end, failed}. After the first failure every read
 * returns zero and does nothing, so a parser lists the fields and checks once at the end.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/attributes.h"
#include "base/span.h"

struct cursor
{
    const uint8_t *p;
    const uint8_t *end;
    bool failed;
};

static inline struct cursor cursor_of(struct span s)
{
    return (struct cursor){s.p, span_end(s), false};
}

static inline size_t cursor_left(const struct cursor *c)
{
    assert(c->p <= c->end);
    return (size_t)(c->end - c->p);
}

/* The next `n` bytes, or an empty span and `failed`. */
static inline struct span cursor_take(struct cursor *c, size_t n)
{
    if (c->failed || cursor_left(c) < n) {
        c->failed = true;
        return (struct span){NULL, 0};
    }
    struct span taken = span_of(c->p, n);
    if (n)
        c->p += n;
    return taken;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    struct span s = cursor_take(c, 1);
    return s.n ? s.p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    struct span s = cursor_take(c, 2);
    return s.n ? (uint16_t)(s.p[0] << 8 | s.p[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    struct span s = cursor_take(c, 4);
    return s.n ? (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3]
               : 0;
}

/* True when everything was read and nothing failed. */
static inline bool MUST_CHECK cursor_done(const struct cursor *c)
{
    return !c->failed && cursor_left(c) == 0;
}

#endif
