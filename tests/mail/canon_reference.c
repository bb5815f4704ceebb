#include "canon_reference.h"

static void remove_at(uint8_t *out, size_t *n, size_t at)
{
    memmove(out + at, out + at + 1, *n - at - 1);
    (*n)--;
}

static bool wsp_at(const uint8_t *out, size_t n, size_t at)
{
    return at < n && (out[at] == ' ' || out[at] == '\t');
}

static bool crlf_at(const uint8_t *out, size_t n, size_t at)
{
    return at + 1 < n && out[at] == '\r' && out[at + 1] == '\n';
}

/* "Ignore all whitespace at the end of lines." The end of the body ends a line. */
static bool remove_one_trailing_wsp(uint8_t *out, size_t *n)
{
    for (size_t i = 0; i < *n; i++) {
        if (wsp_at(out, *n, i) && (i + 1 == *n || crlf_at(out, *n, i + 1))) {
            remove_at(out, n, i);
            return true;
        }
    }
    return false;
}

/* "Reduce all sequences of WSP within a line to a single SP character." */
static void reduce_wsp(uint8_t *out, size_t *n)
{
    for (size_t i = 0; i < *n; i++) {
        if (!wsp_at(out, *n, i))
            continue;
        out[i] = ' ';
        while (wsp_at(out, *n, i + 1))
            remove_at(out, n, i + 1);
    }
}

size_t canon_reference(enum canon canon, struct span body, uint8_t *out)
{
    size_t n = body.n;
    if (n)
        memcpy(out, body.p, n);
    if (canon == CANON_RELAXED) {
        while (remove_one_trailing_wsp(out, &n))
            continue;
        reduce_wsp(out, &n);
    }
    /* "Ignore all empty lines at the end": every CRLF there, and one goes back below. */
    while (n >= 2 && crlf_at(out, n, n - 2))
        n -= 2;
    if (n == 0 && canon == CANON_RELAXED)
        return 0;
    memcpy(out + n, "\r\n", 2);
    return n + 2;
}
