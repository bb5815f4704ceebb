#include "fuzz/support/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_check(bool holds, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

struct span fuzz_part(struct span *rest)
{
    static const char mark[] = "\n===\n";
    const uint8_t *at = rest->n ? memmem(rest->p, rest->n, mark, sizeof mark - 1) : NULL;
    size_t n = at ? (size_t)(at - rest->p) + 1 : rest->n;
    struct span part = span_slice(*rest, 0, n);
    *rest = span_skip(*rest, at ? n + sizeof mark - 2 : n);
    return part;
}

struct span fuzz_line(struct span *rest)
{
    size_t n = span_find(*rest, '\n');
    struct span line = span_slice(*rest, 0, n);
    *rest = span_skip(*rest, n < rest->n ? n + 1 : n);
    return line;
}

struct span fuzz_copy(struct span s)
{
    uint8_t *p = malloc(s.n ? s.n : 1);
    FUZZ_CHECK(p != NULL);
    if (s.n)
        memcpy(p, s.p, s.n);
    return span_of(p, s.n);
}

void fuzz_free(struct span copy)
{
    free((void *)(uintptr_t)copy.p);
}

bool fuzz_inside(struct span inner, struct span outer)
{
    return inner.n == 0 || (inner.p >= outer.p && span_end(inner) <= span_end(outer));
}
