/* Counting octets sixteen at a time: every value, every offset, long runs, any split. */
#include <criterion/criterion.h>

#include "mail_support.h"
#include "mail/octets.h"
#include "support/guard.h"

static struct simd_octets reference(struct span bytes)
{
    struct simd_octets want = {0};
    for (size_t i = 0; i < bytes.n; i++) {
        want.nul += bytes.p[i] == 0;
        want.cr += bytes.p[i] == '\r';
        want.lf += bytes.p[i] == '\n';
        want.crlf += i > 0 && bytes.p[i] == '\n' && bytes.p[i - 1] == '\r';
        want.high += bytes.p[i] > 127;
    }
    want.after_cr = bytes.n && bytes.p[bytes.n - 1] == '\r';
    return want;
}

static void compare(struct span bytes, size_t split)
{
    struct simd_octets want = reference(bytes), got = {0};
    mail_octets_count(&got, span_slice(bytes, 0, split));
    mail_octets_count(&got, span_skip(bytes, split));
    cr_assert(got.nul == want.nul && got.cr == want.cr && got.lf == want.lf &&
                  got.crlf == want.crlf && got.high == want.high && got.after_cr == want.after_cr,
              "%zu octets, split at %zu: %lu %lu %lu %lu %lu", bytes.n, split, got.nul, got.cr,
              got.lf, got.crlf, got.high);
}

Test(octets, every_value_at_every_offset)
{
    uint8_t bytes[64];
    struct span copy = guard_copy(span_of(bytes, sizeof bytes));
    uint8_t *p = (uint8_t *)(uintptr_t)copy.p;
    for (unsigned value = 0; value < 256; value++) {
        for (size_t at = 0; at < sizeof bytes; at++) {
            memset(p, 'a', sizeof bytes);
            p[at] = (uint8_t)value;
            p[(at + 1) % sizeof bytes] = '\n';
            compare(copy, 0);
            compare(copy, at);
        }
    }
}

/* More than a byte of a vector can count, one round and several. */
Test(octets, long_runs)
{
    static const char *const runs[] = {"\r", "\n", "\r\n", "\xff", "a\r\n\r", "\n\r"};
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        for (size_t n = 4070; n <= 4110; n++)
            compare(repeated(runs[i], n), n % 37);
        compare(repeated(runs[i], 100000), 99999);
    }
    struct span nul = guard_copy(span_of((uint8_t[5000]){0}, 5000));
    compare(nul, 0);
}

Test(octets, random_at_every_split)
{
    uint64_t seed = 7;
    for (int round = 0; round < 200; round++) {
        uint8_t bytes[100];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t) "\r\n\r\na\0\x80 "[random_next(&seed) % 8];
        for (size_t split = 0; split <= sizeof bytes; split++)
            compare(span_of(bytes, sizeof bytes), split);
    }
}
