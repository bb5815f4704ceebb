#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cursor.h"
#include "base/limit.h"
#include "base/result.h"

Test(arena, memory_is_zeroed_and_apart)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    for (int round = 0; round < 3; round++) {
        uint8_t *before = NULL;
        for (size_t n = 1; n < 3000; n += 7) {
            uint8_t *p = arena_alloc(&arena, n);
            cr_assert(p != NULL && p != before);
            for (size_t i = 0; i < n; i++)
                cr_assert(p[i] == 0);
            memset(p, 0xff, n);
            before = p;
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

Test(arena, ceiling_is_a_limit)
{
    struct arena arena;
    arena_init(&arena, 4096);
    cr_expect(arena_alloc(&arena, 4096 - 16) != NULL);
    cr_expect(!arena.failed);
    cr_expect(arena_alloc(&arena, 16) != NULL);
    cr_expect(arena_alloc(&arena, 1) == NULL);
    cr_expect(arena.failed, "a refusal stays until the reset");
    arena_reset(&arena);
    cr_expect(!arena.failed && arena_alloc(&arena, 4096) != NULL);
    arena_reset(&arena);
    cr_expect(arena_alloc(&arena, 4097) == NULL);
    arena_fini(&arena);
}

Test(arena, products_do_not_overflow)
{
    struct arena arena;
    volatile size_t huge = SIZE_MAX; /* so that no compiler can see it */
    arena_init(&arena, SIZE_MAX);
    cr_expect(arena_array(&arena, SIZE_MAX / 2, 3) == NULL);
    cr_expect(arena_alloc(&arena, huge) == NULL);
    cr_expect(arena_copy(&arena, span_of("x", 1)).n == 1);
    arena_fini(&arena);
}

Test(arena, resize_in_place)
{
    struct arena arena;
    arena_init(&arena, 6000);
    uint8_t *p = arena_alloc(&arena, 100);
    cr_assert(p != NULL);
    memset(p, 0xff, 100);
    cr_assert(arena_resize(&arena, p, 100, 200));
    for (size_t i = 0; i < 200; i++)
        cr_assert(p[i] == (i < 100 ? 0xff : 0), "byte %zu", i);
    cr_assert(arena_resize(&arena, p, 200, 10) && arena_resize(&arena, p, 10, 16));
    cr_expect(p[9] == 0xff && p[10] == 0 && p[15] == 0);
    cr_assert(arena_resize(&arena, p, 16, 10));
    uint8_t *next = arena_alloc(&arena, 10);
    cr_expect(next == p + 16, "what was given back is used again");
    for (size_t i = 0; i < 10; i++)
        cr_expect(next[i] == 0);
    cr_expect(arena.used_bytes == 32);
    cr_expect(!arena_resize(&arena, p, 10, 5) && arena.used_bytes == 32, "not the newest");
    cr_expect(arena_resize(&arena, next, 10, 6000 - 16), "to the ceiling");
    cr_expect(arena_resize(&arena, next, 6000 - 16, 10));
    cr_expect(!arena_resize(&arena, next, 10, 6000 - 15), "not over it");
    cr_expect(!arena_resize(&arena, next, 10, SIZE_MAX) && !arena.failed);
    arena_fini(&arena);
    arena_init_sized(&arena, 6000, 64);
    p = arena_alloc(&arena, 64);
    cr_expect(!arena_resize(&arena, p, 64, 65), "the block has no more room");
    arena_fini(&arena);
}

/* What is held is counted, and small where the first block was made to measure. */
Test(arena, held_bytes)
{
    struct arena arena;
    arena_init_sized(&arena, 1024 * 1024, 100);
    cr_expect(arena.held_bytes == 0);
    cr_assert(arena_alloc(&arena, 90) != NULL);
    cr_expect(arena.held_bytes >= 100 && arena.held_bytes <= 100 + 64, "%zu", arena.held_bytes);
    size_t one = arena.held_bytes;
    cr_assert(arena_alloc(&arena, 90) != NULL);
    cr_expect(arena.held_bytes > one && arena.held_bytes <= one + 2048 + 64);
    for (int i = 0; i < 1000; i++)
        cr_assert(arena_alloc(&arena, 500) != NULL);
    cr_expect(arena.held_bytes < arena.used_bytes + arena.used_bytes / 2, "%zu held, %zu used",
              arena.held_bytes, arena.used_bytes);
    arena_reset(&arena);
    cr_expect(arena.held_bytes > 0 && arena.used_bytes == 0, "one block is kept");
    arena_fini(&arena);
    cr_expect(arena.held_bytes == 0);
}

Test(buffer, ceiling_drops_and_sticks)
{
    struct buffer buffer;
    buffer_init(&buffer, 4);
    buffer_append(&buffer, SPAN("abcd"));
    cr_expect(!buffer.failed && buffer.n == 4);
    buffer_append_byte(&buffer, 'e');
    cr_expect(buffer.failed && buffer.n == 4);
    buffer_reset(&buffer);
    buffer_append(&buffer, SPAN("abcde"));
    cr_expect(buffer.failed && buffer.n == 0, "a piece goes in whole or not at all");
    buffer_append(&buffer, SPAN("a"));
    cr_expect(buffer.n == 0, "nothing follows a failure");
    buffer_fini(&buffer);
}

Test(buffer, formats)
{
    struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_printf(&buffer, "%s=%d", "a", 7);
    cr_expect(span_equal(buffer_span(&buffer), SPAN("a=7")));
    buffer_printf(&buffer, "%5000d", 1);
    cr_expect(buffer.failed);
    buffer_fini(&buffer);
}

Test(cursor, reads_nothing_after_a_failure)
{
    struct cursor c = cursor_of(SPAN("\x01\x02\x03\x04\x05"));
    cr_expect(cursor_u8(&c) == 1 && cursor_u16(&c) == 0x0203);
    cr_expect(cursor_u32(&c) == 0 && c.failed);
    cr_expect(cursor_u8(&c) == 0, "the byte that is left is not read any more");
    cr_expect(!cursor_done(&c));
    struct cursor whole = cursor_of(SPAN("\xff\xff\xff\xff"));
    cr_expect(cursor_u32(&whole) == UINT32_MAX && cursor_done(&whole));
}

/* security.md 6.6: cleared memory and unknown numbers never read as pass. */
Test(result, nothing_but_pass_is_pass)
{
    for (int i = -1; i < 256; i++)
        cr_expect((strcmp(result_word((enum result)i), "pass") == 0) == (i == RESULT_PASS), "%d",
                  i);
    cr_expect(strcmp(result_word(RESULT_UNSET), "temperror") == 0);
}

Test(limit, every_limit_has_a_word_and_a_name)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        cr_expect(limit_word((enum limit)i) && *limit_word((enum limit)i));
        cr_expect(limit_name((enum limit)i) && *limit_name((enum limit)i));
    }
    cr_expect(strcmp(limit_word(LIMIT_SPF_LOOKUPS), "too_many_lookups") == 0);
    cr_expect(MAX_SPF_LOOKUPS == 10 && MAX_SPF_VOID_LOOKUPS == 2 && MAX_DMARC_WALK == 8);
}

/* Hits of a run, begun in memory that holds anything, against plain counts. */
Test(limit, hits_begun_in_old_memory_count_alike)
{
    uint32_t want[LIMIT_COUNT] = {0};
    struct limit_hits total = {.set = 0}, run;
    uint32_t x = 1;
    for (unsigned n = 0; n < 200; n++) {
        memset(&run, 0xa5, sizeof run);
        limit_hits_begin(&run);
        unsigned first = LIMIT_COUNT;
        for (unsigned hit = 0; hit < n % 4; hit++) {
            x = x * 1103515245 + 12345;
            enum limit limit = (enum limit)((x >> 16) % LIMIT_COUNT);
            limit_hit(&run, limit);
            want[limit]++;
            first = limit < first ? limit : first;
        }
        cr_expect(limit_over(&run) == (n % 4 ? first + 1 : 0), "%u: %u", n, limit_over(&run));
        limit_hits_add(&total, &run);
        for (unsigned i = 0; i < LIMIT_COUNT; i++)
            cr_expect(total.n[i] == want[i] && limit_hits_of(&total, (enum limit)i) == want[i],
                      "run %u, %s: %u, not %u", n, limit_name((enum limit)i), total.n[i], want[i]);
    }
    limit_hit_over(&total, limit_over(&total));
    cr_expect(total.n[limit_over(&total) - 1] == want[limit_over(&total) - 1] + 1);
}
