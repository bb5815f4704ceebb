/* Sixteen bytes at a time: what is loaded, and masks as bits. */
#include "base/bytes16.h"

#include <criterion/criterion.h>

#include "support/guard.h"

/* In their order, zeros behind them, nothing else read. */
Test(bytes16, some_bytes)
{
    static const uint8_t text[] = "ABCDEFGHIJKLMNOP";
    for (size_t n = 0; n <= BYTES16; n++) {
        uint8_t got[BYTES16], want[BYTES16] = {0};
        bytes16 v = bytes16_load_some(guard_copy(span_of(text, n)).p, n);
        memcpy(got, &v, sizeof got);
        memcpy(want, text, n);
        cr_expect(memcmp(got, want, sizeof got) == 0, "%zu bytes", n);
    }
}

/* Each byte alone and each pair, by the processor's instruction and without it. */
Test(bytes16, bits)
{
    for (unsigned i = 0; i < BYTES16; i++) {
        for (unsigned k = 0; k < BYTES16; k++) {
            uint8_t bytes[BYTES16] = {0};
            bytes[i] = bytes[k] = 0xff;
            bytes16 mask = bytes16_load(bytes);
            bytes16_halves halves = (bytes16_halves)mask;
            unsigned want = 1u << i | 1u << k;
            cr_expect(bytes16_bits(mask) == want, "%u %u: got %x", i, k, bytes16_bits(mask));
            cr_expect((bytes16_half_bits(halves[0]) | bytes16_half_bits(halves[1]) << 8) == want);
        }
    }
}
