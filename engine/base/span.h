/*
 * A span is a run of bytes that somebody else owns: pointer and length, never NUL-terminated.
 *
 * Mail, DNS data and everything read from them travels as spans, so that strlen() on mail does not
 * compile and a NUL byte cuts nothing short (security.md B03). An empty span may have p == NULL.
 * Comparisons ignore the case of ASCII letters only where the name says "fold".
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span
{
    const uint8_t *p;
    size_t n;
};

/* A string literal as a span: SPAN("from"). */
#define SPAN(literal) ((struct span){(const uint8_t *)("" literal), sizeof(literal) - 1})

static inline struct span span_of(const void *bytes, size_t n)
{
    return (struct span){bytes, n};
}

static inline struct span span_from_string(const char *s)
{
    return (struct span){(const uint8_t *)s, s ? strlen(s) : 0};
}

static inline const uint8_t *span_end(struct span s)
{
    return s.n ? s.p + s.n : s.p;
}

/* The part from byte `from` up to byte `to` (exclusive). Requires from <= to <= s.n. */
static inline struct span span_slice(struct span s, size_t from, size_t to)
{
    return (struct span){from ? s.p + from : s.p, to - from};
}

/* All but the first `n` bytes. Requires n <= s.n. */
static inline struct span span_skip(struct span s, size_t n)
{
    return span_slice(s, n, s.n);
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Eight octets at once. No carry crosses an octet: sums of two seven-bit numbers have eight. */
static inline uint64_t ascii_lower8(uint64_t w)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = w & each * 0x7f;
    uint64_t from_a = low + each * (0x80 - 'A'), above_z = low + each * (0x7f - 'Z');
    return w | (from_a & ~above_z & ~w & each * 0x80) >> 2;
}

/* Eight bytes at once: they differ at most in bit 5, and there only where both are letters. */
static inline bool ascii_equal_fold8(uint64_t a, uint64_t b)
{
    static const uint64_t each = 0x0101010101010101;
    uint64_t differs = a ^ b;
    if (differs == 0)
        return true;
    if (differs & ~(0x20 * each))
        return false;
    uint64_t lower = (a | 0x20 * each) & 0x7f * each; /* so that no sum leaves its byte */
    uint64_t letter = (lower + (0x80 - 'a') * each) & ~(lower + (0x7f - 'z') * each) & ~a;
    return (differs & ~(letter >> 2)) == 0;
}

/* One to eight bytes as a number, the same bytes at the same places for equal `n`. */
static inline uint64_t bytes_up_to_8(const uint8_t *p, size_t n)
{
    uint32_t low, high;
    if (n < 4)
        return (uint64_t)p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
    memcpy(&low, p, sizeof low);
    memcpy(&high, p + n - 4, sizeof high);
    return (uint64_t)high << 32 | low;
}

static inline bool span_equal_fold(struct span a, struct span b)
{
    size_t i = 0;
    if (a.n != b.n)
        return false;
    for (; a.n - i > 8; i += 8)
        if (!ascii_equal_fold8(bytes_up_to_8(a.p + i, 8), bytes_up_to_8(b.p + i, 8)))
            return false;
    return i == a.n ||
           ascii_equal_fold8(bytes_up_to_8(a.p + i, a.n - i), bytes_up_to_8(b.p + i, b.n - i));
}

/* Where bit 6 of an octet of `want` is set that is a letter, and bit 5 of the other may be what it
 * likes. */
static inline bool is_word8(uint64_t octets, uint64_t want)
{
    return (octets | (want >> 1 & UINT64_C(0x2020202020202020))) == want;
}

/* Is `s` the word, in upper or lower case? The word is of a to z, 0 to 9 and "-". The last eight
 * octets are looked at together, some of them twice: few branches, none on what is left over. */
static inline bool span_is_word(struct span s, struct span word)
{
    if (s.n != word.n)
        return false;
    if (s.n < 8)
        return s.n == 0 || is_word8(bytes_up_to_8(s.p, s.n), bytes_up_to_8(word.p, s.n));
    for (size_t i = 0; i + 8 < s.n; i += 8)
        if (!is_word8(bytes_up_to_8(s.p + i, 8), bytes_up_to_8(word.p + i, 8)))
            return false;
    return is_word8(bytes_up_to_8(span_end(s) - 8, 8), bytes_up_to_8(span_end(word) - 8, 8));
}

static inline bool span_starts_fold(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_equal_fold(span_slice(s, 0, prefix.n), prefix);
}

/* Offset of the first `c`, or s.n where there is none. */
static inline size_t span_find(struct span s, uint8_t c)
{
    const uint8_t *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

/* Offset of the last `c`, or s.n where there is none. */
static inline size_t span_find_last(struct span s, uint8_t c)
{
    const uint8_t *hit = s.n ? memrchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

/* Without SP and HTAB at both ends. */
static inline struct span span_trim_wsp(struct span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_skip(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

#endif
