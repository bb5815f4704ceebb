/*
 * canon_body_step and _finish at every level: all rooms and splits give what the slow reference
 * gives, nothing is written behind `room`, a call that leaves input has written something.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "levels.h"
#include "mail/canon_reference.h"

enum
{
    BODY_MAX = 1500,
    OUT_MAX = 2 * BODY_MAX,
    TWICE = 2,
};

#define SEED UINT64_C(0x9e3779b97f4a7c15)

static const char *const canon_names[] = {"simple", "relaxed"};

struct pulled
{
    size_t n;
    uint8_t bytes[OUT_MAX];
};

static void pull_piece(struct canon_body *body, struct span piece, size_t room, struct pulled *all)
{
    while (piece.n) {
        uint8_t *out = guarded(1, room);
        size_t n = canon_body_step(body, &piece, out, room);
        cr_assert(n <= room && (n || piece.n == 0), "no progress");
        cr_assert(n <= sizeof all->bytes - all->n);
        memcpy(all->bytes + all->n, out, n);
        all->n += n;
    }
}

static void pull(enum canon canon, struct span text, size_t split, size_t step, size_t room,
                 struct pulled *all)
{
    struct canon_body body;
    size_t n;
    all->n = 0;
    canon_body_init(&body, canon);
    for (size_t at = 0; at < text.n;) {
        size_t end = at + step < text.n ? at + step : text.n;
        if (at < split && split < end)
            end = split;
        pull_piece(&body, span_slice(text, at, end), room, all);
        at = end;
    }
    while ((n = canon_body_finish(&body, guarded(1, room), room)) != 0) {
        cr_assert(n <= sizeof all->bytes - all->n);
        memcpy(all->bytes + all->n, guarded(1, room), n);
        all->n += n;
    }
}

static void compare(enum canon canon, struct span text, size_t split, size_t step, size_t room,
                    struct span want)
{
    static struct pulled all;
    pull(canon, text, split, step, room, &all);
    cr_assert(span_equal(span_of(all.bytes, all.n), want),
              "%s, %s, %zu octets, split %zu, step %zu, room %zu: %zu octets, want %zu",
              kernel_level_name(kernel_level()), canon_names[canon], text.n, split, step, room,
              all.n, want.n);
}

/* Bodies as the kernels dislike them: runs of one octet, and soup in which few octets are plain. */
static struct span body_make(uint64_t *state, size_t n)
{
    static const struct span hard = {(const uint8_t *)"\r\n\r\n\r\n   \t\tab\r", 15};
    static const struct span easy = {(const uint8_t *)"abcdefghijklmnop \r\n \r\nqrst", 27};
    uint8_t *text = guarded(0, n);
    for (size_t at = 0; at < n;) {
        size_t run = 1 + soup_next(state) % 90;
        run = run < n - at ? run : n - at;
        switch (soup_next(state) % 6) {
        case 0:
            memset(text + at, " \tx\r\n"[soup_next(state) % 5], run);
            break;
        case 1:
            for (size_t i = 0; i < run; i++)
                text[at + i] = "\r\n"[i % 2];
            break;
        case 2:
        case 3:
            soup_fill(state, hard, text + at, run);
            break;
        default:
            soup_fill(state, easy, text + at, run);
        }
        at += run;
    }
    return span_of(text, n);
}

Test(body, all_rooms_and_splits)
{
    static const size_t rooms[] = {CANON_STEP_ROOM, CANON_STEP_ROOM + 1, 640, 777, 4096};
    for (int level = -1; levels_next(&level);) {
        uint64_t state = SEED;
        for (size_t round = 0; round < 150; round++) {
            size_t n = round % 10 ? round * 3 % 200 : soup_next(&state) % BODY_MAX;
            struct span text = body_make(&state, n);
            for (int canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
                uint8_t expected[BODY_MAX + TWICE];
                struct span want =
                    span_of(expected, canon_reference((enum canon)canon, text, expected));
                size_t room = rooms[round % COUNT_OF(rooms)];
                for (size_t split = 0; split <= n; split += n > 200 ? 7 : 1)
                    compare((enum canon)canon, text, split, n + 1, room, want);
                compare((enum canon)canon, text, 0, 1, room, want);
                compare((enum canon)canon, text, 0, 1 + round, room, want);
            }
        }
    }
}

/* Held lines of any number come out in pieces that fit, in front of a CR at the body's end too. */
Test(body, held_lines_in_bounded_pieces)
{
    static const char *const behind[] = {"a", " a", "\r", " \r", "\ra", " \r "};
    for (int level = -1; levels_next(&level);) {
        for (size_t lines = 200; lines < 640; lines += 11) {
            for (size_t i = 0; i < COUNT_OF(behind); i++) {
                size_t last = strlen(behind[i]), n = 2 * lines + last;
                uint8_t *text = guarded(0, n), expected[BODY_MAX + TWICE];
                for (size_t k = 0; k < 2 * lines; k++)
                    text[k] = "\r\n"[k % 2];
                memcpy(text + 2 * lines, behind[i], last);
                struct span body = span_of(text, n);
                struct span want = span_of(expected, 0);
                want.n = canon_reference(CANON_RELAXED, body, expected);
                compare(CANON_RELAXED, body, 0, n, CANON_STEP_ROOM, want);
                want.n = canon_reference(CANON_SIMPLE, body, expected);
                compare(CANON_SIMPLE, body, 0, n, CANON_STEP_ROOM, want);
            }
        }
    }
}

/* A copy of the state goes on by itself: l= reads hashes off in the middle, tasks move. */
Test(body, a_copied_state_goes_on)
{
    for (int level = -1; levels_next(&level);) {
        static struct pulled all, rest;
        struct canon_body one, two;
        canon_body_init(&one, CANON_RELAXED);
        all.n = rest.n = 0;
        pull_piece(&one, SPAN("a \r\n\r\n \r"), CANON_STEP_ROOM, &all);
        two = one;
        pull_piece(&one, SPAN("\nb"), CANON_STEP_ROOM, &all);
        pull_piece(&two, SPAN("c"), CANON_STEP_ROOM, &rest);
        cr_expect(span_equal(span_of(all.bytes, all.n), SPAN("a\r\n\r\n\r\nb")));
        cr_expect(span_equal(span_of(rest.bytes, rest.n), SPAN("\r\n\r\n \rc")), "got \"%.*s\"",
                  (int)rest.n, (const char *)rest.bytes);
    }
}
