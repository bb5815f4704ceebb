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

Test(span, equal_fold_reads_no_further)
{
    for (size_t n = 0; n <= LONGEST; n++) {
        struct span a = guard_copy(span_of("Content-Transfer-Encoding", n));
        struct span b = guard_copy(span_of("content-transfer-encoding", n));
        cr_expect(span_equal_fold(a, b), "%zu bytes", n);
        cr_expect(!span_equal_fold(a, span_of(b.p, n + 1)), "another length");
    }
}
