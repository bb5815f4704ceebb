/*
 * Tag lists cut by every level, against a plain loop: soup in which ends are frequent or rare, at
 * every length and from every offset, with room for a few only, in front of an inaccessible page.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/attributes.h"
#include "levels.h"

enum
{
    LONGEST = 330,
    ROUNDS = 3000,
    ROOM = LONGEST + SIMD_PARTS,
};

#define SEED UINT64_C(0x9e3779b97f4a7c15)
#define LEVEL kernel_level_name(kernel_level())

static bool is_control(uint8_t c)
{
    return (c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 127;
}

/* As the kernels have to, one octet after the other. */
static size_t cut(const uint8_t *in, size_t n, size_t from, uint32_t *ends)
{
    size_t count = 0;
    while (from < n) {
        size_t at = from;
        while (at < n && in[at] != ';')
            at++;
        ends[count++] = (uint32_t)at;
        from = at + 1;
    }
    return count;
}

static const struct span soups[] = {
    SPAN("v=1; d=a \r\n\tx"), SPAN(";=:=;:"),        SPAN("abcdefghijklmnop\xff\x80=;"),
    SPAN("from:to: \t:cc"),   SPAN("ABCDEFGHIJKLM"), SPAN("a=b;\x01:\x7f\x1f\0 c\xe4"),
};

static void fill(uint64_t *state, size_t round, uint8_t *in, size_t n)
{
    soup_fill(state, soups[round % COUNT_OF(soups)], in, n);
    for (size_t i = 0; i < n && round % 4 == 0; i++) /* long parts */
        if (soup_next(state) % 16)
            in[i] = 'x';
}

/* `odd` is held against the octets from `from` on. */
static size_t cut_specs(const uint8_t *in, size_t n, size_t from, uint32_t *out, size_t room)
{
    bool odd, want = false, more = false;
    uint32_t *ends = (uint32_t *)(void *)guarded(1, room * sizeof *ends);
    size_t count = simd_text()->tag_ends(in, n, from, ends, room, &odd);
    memcpy(out, ends, count * sizeof *ends);
    size_t told = count ? ends[count - 1] : from;
    for (size_t i = from; i < n; i++) {
        want |= i < told && is_control(in[i]);
        more |= is_control(in[i]);
    }
    cr_assert(odd || !want, "%s: a control among %zu octets was not seen", LEVEL, n);
    cr_assert(!odd || more, "%s: a control seen where none is", LEVEL);
    return count;
}

Test(list, tag_ends)
{
    static uint32_t got[2 * ROOM], want[ROOM];
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        for (size_t round = 0; round < ROUNDS; round++) {
            size_t n = round % LONGEST, from = n ? soup_next(&state) % n : 0, count = 0;
            uint8_t *in = guarded(0, n);
            fill(&state, round, in, n);
            size_t wanted = cut(in, n, from, want);
            size_t room = SIMD_PARTS + round % 9;
            for (size_t at = from; at < n; at = got[count - 1] + (size_t)1) {
                size_t part = cut_specs(in, n, at, got + count, room);
                cr_assert(part && part <= room, "%s: %zu", LEVEL, part);
                count += part;
            }
            cr_assert(count == wanted && memcmp(got, want, count * sizeof *got) == 0,
                      "%s, round %zu: %zu parts of %zu", LEVEL, round, count, wanted);
        }
    }
}

/* Nothing is read, nothing is told. */
Test(list, of_nothing)
{
    uint32_t ends[SIMD_PARTS];
    for (int level = -1; levels_next(&level);) {
        bool odd = true;
        uint8_t *in = guarded(0, 1);
        in[0] = ';';
        cr_expect(simd_text()->tag_ends(in, 0, 0, ends, SIMD_PARTS, &odd) == 0 && !odd);
    }
}

/* One octet of each value at every place of a block. */
Test(list, every_octet)
{
    static uint32_t got[SIMD_PARTS], want[SIMD_PARTS];
    for (int level = -1; levels_next(&level);) {
        for (unsigned c = 0; c < 256; c++) {
            for (size_t at = 0; at < SIMD_BLOCK; at++) {
                uint8_t *in = guarded(0, SIMD_BLOCK + 2);
                memset(in, 'x', SIMD_BLOCK + 2);
                in[at] = (uint8_t)c;
                size_t count = cut_specs(in, SIMD_BLOCK + 2, 0, got, SIMD_PARTS);
                size_t wanted = cut(in, SIMD_BLOCK + 2, 0, want);
                cr_assert(count == wanted && memcmp(got, want, count * sizeof *got) == 0,
                          "%s: %02x at %zu", LEVEL, c, at);
            }
        }
    }
}
