/* Comparison without case against the definition, for every pair of bytes at every place. */
#include <criterion/criterion.h>

#include "base/span.h"
#include "support/guard.h"

enum
{
    LONGEST = 20,
};

static bool slow_equal_fold(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

Test(span, equal_fold_at_every_place)
{
    uint8_t a[LONGEST], b[LONGEST];
    for (size_t n = 1; n <= LONGEST; n++) {
        for (size_t at = 0; at < n; at++) {
            memset(a, 'x', n);
            memset(b, 'X', n);
            for (unsigned pair = 0; pair < 0x10000; pair++) {
                a[at] = (uint8_t)(pair >> 8);
                b[at] = (uint8_t)pair;
                bool got = span_equal_fold(span_of(a, n), span_of(b, n));
                if (got != slow_equal_fold(a, b, n))
                    cr_assert_fail("%zu bytes, byte %zu: %02x and %02x: got %d", n, at, a[at],
                                   b[at], got);
            }
        }
    }
}

/* Each octet of a word replaced by every value, in words of all lengths. */
Test(span, is_word_at_every_byte)
{
    static const char word[] = "az-09content-transfer-encoding-mz";
    for (size_t n = 0; n < sizeof word; n++) {
        uint8_t bytes[sizeof word];
        memcpy(bytes, word, sizeof word);
        struct span s = guard_copy(span_of(bytes, n)), lower = guard_copy(span_of(word, n));
        cr_expect(span_is_word(s, lower) && !span_is_word(s, span_of(word, n + 1)));
        for (size_t at = 0; at < n; at++) {
            for (unsigned value = 0; value < 256; value++) {
                bytes[at] = (uint8_t)value;
                bool got = span_is_word(span_of(bytes, n), lower);
                if (got != slow_equal_fold(bytes, (const uint8_t *)word, n))
                    cr_assert_fail("%zu bytes, byte %zu: %02x: got %d", n, at, value, got);
            }
            bytes[at] = (uint8_t)word[at];
        }
    }
}

Test(span, equal_fold_reads_no_further)
{
    for (size_t n = 0; n <= LONGEST; n++) {
        struct span a = guard_copy(span_of("Content-Transfer-Encoding", n));
        struct span b = guard_copy(span_of("content-transfer-encoding", n));
        cr_expect(span_equal_fold(a, b), "%zu bytes", n);
        cr_expect(!span_equal_fold(a, span_of(b.p, n + 1)), "another length");
    }
}
