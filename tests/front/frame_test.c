/*
 * The codec of frames and TLVs: every edge of a header, every split, bytes of no meaning
 * (security.md J07).
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/guard.h"
#include "support/talk.h"

static const struct
{
    const char *name;
    uint32_t length;
    uint8_t type, flags;
    uint64_t id;
    enum front_error want;
} headers[] = {
    {"hello, least", 4, FRAME_HELLO, 0, 0, FRONT_OK},
    {"hello, one short", 3, FRAME_HELLO, 0, 0, FRONT_MALFORMED},
    {"hello, most", FRAME_HELLO_MAX, FRAME_HELLO, 0, 0, FRONT_OK},
    {"hello, one long", FRAME_HELLO_MAX + 1, FRAME_HELLO, 0, 0, FRONT_TOO_LARGE},
    {"hello with an id", 4, FRAME_HELLO, 0, 1, FRONT_MALFORMED},
    {"request, empty", 0, FRAME_REQUEST, 0, 1, FRONT_OK},
    {"request, most", FRAME_CONTROL_MAX, FRAME_REQUEST, 0, 1, FRONT_OK},
    {"request, one long", FRAME_CONTROL_MAX + 1, FRAME_REQUEST, 0, 1, FRONT_TOO_LARGE},
    {"request without id", 0, FRAME_REQUEST, 0, 0, FRONT_MALFORMED},
    {"request, largest id", 0, FRAME_REQUEST, 0, UINT64_MAX, FRONT_OK},
    {"data, empty", 0, FRAME_DATA, FRAME_FLAG_END, 1, FRONT_OK},
    {"data, one below", FRAME_BYTES_MAX - 1, FRAME_DATA, 0, 1, FRONT_OK},
    {"data, most", FRAME_BYTES_MAX, FRAME_DATA, 0, 1, FRONT_OK},
    {"data, one long", FRAME_BYTES_MAX + 1, FRAME_DATA, 0, 1, FRONT_TOO_LARGE},
    {"data, 4 GiB", UINT32_MAX, FRAME_DATA, 0, 1, FRONT_TOO_LARGE},
    {"data, flags nobody knows", 0, FRAME_DATA, 0xfe, 1, FRONT_OK},
    {"data without id", 0, FRAME_DATA, 0, 0, FRONT_MALFORMED},
    {"fd", 16, FRAME_FD, 0, 1, FRONT_OK},
    {"fd, short", 15, FRAME_FD, 0, 1, FRONT_MALFORMED},
    {"fd, long", 17, FRAME_FD, 0, 1, FRONT_TOO_LARGE},
    {"fd without id", 16, FRAME_FD, 0, 0, FRONT_MALFORMED},
    {"cancel", 0, FRAME_CANCEL, 0, 1, FRONT_OK},
    {"cancel, long", 1, FRAME_CANCEL, 0, 1, FRONT_TOO_LARGE},
    {"cancel without id", 0, FRAME_CANCEL, 0, 0, FRONT_MALFORMED},
    {"query, most", FRAME_CONTROL_MAX, FRAME_QUERY, 0, 1, FRONT_OK},
    {"query, one long", FRAME_CONTROL_MAX + 1, FRAME_QUERY, 0, 1, FRONT_TOO_LARGE},
    {"query without id", 2, FRAME_QUERY, 0, 0, FRONT_MALFORMED},
    {"ping", 0, FRAME_PING, 0, 0, FRONT_OK},
    {"ping, most", FRAME_PING_MAX, FRAME_PING, 0, 9, FRONT_OK},
    {"ping, one long", FRAME_PING_MAX + 1, FRAME_PING, 0, 0, FRONT_TOO_LARGE},
    {"type 0", 0, 0, 0, 1, FRONT_MALFORMED},
    {"type 8", 0, 8, 0, 1, FRONT_MALFORMED},
    {"type 255", 0, 255, 0, 1, FRONT_MALFORMED},
    {"a server's result", 8, FRAME_RESULT, 0, 1, FRONT_MALFORMED},
    {"a server's partial", 8, FRAME_PARTIAL, 0, 1, FRONT_MALFORMED},
    {"a server's error", 2, FRAME_ERROR, 0, 1, FRONT_MALFORMED},
    {"a server's credit", 4, FRAME_CREDIT, 0, 0, FRONT_MALFORMED},
    {"a server's pong", 0, FRAME_PONG, 0, 0, FRONT_MALFORMED},
    {"a server's goaway", 8, FRAME_GOAWAY, 0, 0, FRONT_MALFORMED},
};

Test(frame, J07_every_header_has_its_verdict)
{
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct frame_header header = {headers[i].length, headers[i].type, headers[i].flags,
                                      headers[i].id};
        uint8_t bytes[FRAME_HEADER_BYTES];
        struct frame_reader reader;
        struct span piece;
        frame_header_write(&header, bytes);
        struct span input = guard_copy(span_of(bytes, sizeof bytes));
        frame_reader_init(&reader);
        enum frame_event event = frame_next(&reader, &input, &piece);
        cr_expect(event == (headers[i].want ? FRAME_BAD : FRAME_BEGIN), "%s: event %d",
                  headers[i].name, event);
        cr_expect(reader.error == headers[i].want, "%s: got %s, want %s", headers[i].name,
                  front_error_word(reader.error), front_error_word(headers[i].want));
        cr_expect(!headers[i].want == !reader.why, "%s: why", headers[i].name);
    }
}

Test(frame, J07_reserved_bytes_are_zero)
{
    for (int at = 6; at <= 7; at++) {
        uint8_t bytes[FRAME_HEADER_BYTES] = {[4] = FRAME_PING};
        struct frame_reader reader;
        struct span piece, input = span_of(bytes, sizeof bytes);
        bytes[at] = 1;
        frame_reader_init(&reader);
        cr_expect(frame_next(&reader, &input, &piece) == FRAME_BAD);
        cr_expect(frame_next(&reader, &input, &piece) == FRAME_BAD, "a bad reader stays bad");
    }
}

/* What a reader saw, as text: one letter an event, and the payload bytes. */
static void trace(struct span input, size_t split, size_t step, struct buffer *out)
{
    struct frame_reader reader;
    frame_reader_init(&reader);
    while (input.n) {
        size_t n = split ? split : step;
        struct span part = span_slice(input, 0, n < input.n ? n : input.n);
        input = span_skip(input, part.n);
        split = 0;
        for (;;) {
            struct span piece = {NULL, 0};
            enum frame_event event = frame_next(&reader, &part, &piece);
            if (event == FRAME_MORE)
                break;
            if (event == FRAME_BEGIN)
                buffer_printf(out, "[%u:%llu", reader.header.type,
                              (unsigned long long)reader.header.id);
            if (event == FRAME_PAYLOAD)
                buffer_append(out, piece);
            if (event == FRAME_END)
                buffer_append_byte(out, ']');
            if (event == FRAME_BAD) {
                buffer_append_byte(out, '!');
                return;
            }
        }
    }
    if (frame_is_partial(&reader))
        buffer_append_byte(out, '~');
}

Test(frame, whole_is_every_split_in_two_is_byte_by_byte)
{
    static const struct talk_envelope envelope = {.ip = "192.0.2.1", .mail_from = "a@a.example"};
    struct buffer input, want, got;
    buffer_init(&input, 1 << 20);
    buffer_init(&want, 1 << 20);
    buffer_init(&got, 1 << 20);
    talk_conversation(&input, &envelope, SPAN("From: a@a.example\r\n\r\nhello\r\n"));
    talk_frame(&input, FRAME_CANCEL, 0, 7, SPAN(""));
    talk_frame(&input, FRAME_PING, 0, 0, SPAN("ping"));
    talk_frame(&input, FRAME_DATA, 0, 9, SPAN(""));
    buffer_append(&input, SPAN("\0\0\0"));
    trace(buffer_span(&input), 0, input.n, &want);
    for (size_t at = 1; at < input.n; at++) {
        buffer_reset(&got);
        trace(buffer_span(&input), at, input.n, &got);
        cr_assert(span_equal(buffer_span(&got), buffer_span(&want)), "split at %zu: %.*s", at,
                  (int)got.n, (const char *)got.p);
    }
    buffer_reset(&got);
    trace(buffer_span(&input), 0, 1, &got);
    cr_assert(span_equal(buffer_span(&got), buffer_span(&want)), "byte by byte");
    cr_expect(want.p[want.n - 1] == '~', "the cut frame shows");
    buffer_fini(&input);
    buffer_fini(&want);
    buffer_fini(&got);
}

Test(frame, J07_random_bytes_end_in_an_error_or_in_frames)
{
    unsigned seed = 7, bad = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        struct frame_reader reader;
        struct span piece;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(rand_r(&seed) % (i % 16 < 4 ? 2 : 24));
        struct span input = span_of(bytes, sizeof bytes);
        frame_reader_init(&reader);
        for (int events = 0;; events++) {
            enum frame_event event = frame_next(&reader, &input, &piece);
            cr_assert(events < 64, "does not end");
            cr_assert(event != FRAME_PAYLOAD ||
                      (piece.p >= bytes && span_end(piece) <= bytes + sizeof bytes));
            bad += event == FRAME_BAD;
            if (event == FRAME_MORE || event == FRAME_BAD)
                break;
        }
    }
    cr_expect(bad > 10000, "%u of 20000 refused", bad);
}

Test(frame, tlvs_end_where_their_payload_ends)
{
    static const struct
    {
        const char *name;
        struct span payload;
        unsigned count;
        bool failed;
    } cases[] = {
        {"none", {NULL, 0}, 0, false},
        {"empty value", {(const uint8_t *)"\x10\0\0\0", 4}, 1, false},
        {"one", {(const uint8_t *)"\x10\0\0\1x", 5}, 1, false},
        {"two", {(const uint8_t *)"\x10\0\0\1x\x11\0\0\0", 9}, 2, false},
        {"value cut", {(const uint8_t *)"\x10\0\0\2x", 5}, 0, true},
        {"value 16 MiB", {(const uint8_t *)"\x10\xff\xff\xffx", 5}, 0, true},
        {"head cut", {(const uint8_t *)"\x10\0\0", 3}, 0, true},
        {"second cut", {(const uint8_t *)"\x10\0\0\1x\x11", 6}, 1, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cursor cursor = cursor_of(guard_copy(cases[i].payload));
        struct tlv tlv;
        unsigned count = 0;
        while (tlv_next(&cursor, &tlv))
            count++;
        cr_expect(count == cases[i].count && cursor.failed == cases[i].failed,
                  "%s: %u TLVs, failed %d", cases[i].name, count, cursor.failed);
    }
}

Test(frame, a_frame_over_one_MiB_is_never_written)
{
    struct buffer out;
    static uint8_t bytes[FRAME_BYTES_MAX + 1];
    for (int over = -1; over <= 1; over++) {
        buffer_init(&out, 4 << 20);
        size_t at = frame_open(&out, FRAME_RESULT, 0, 1);
        buffer_append(&out, span_of(bytes, (size_t)(FRAME_BYTES_MAX + over)));
        frame_close(&out, at);
        cr_expect(out.failed == (over > 0), "%+d", over);
        cr_expect(over > 0 || get_u32(out.p) == (uint32_t)(FRAME_BYTES_MAX + over));
        buffer_fini(&out);
    }
}

/* The short way takes what the long way would, and nothing else. */
Test(frame, whole_frames_and_none_but_these)
{
    static const struct talk_envelope envelope = {.ip = "192.0.2.1", .mail_from = "a@a.example"};
    struct buffer input;
    buffer_init(&input, 1 << 20);
    talk_request(&input, 7, &envelope);
    for (size_t n = 0; n <= input.n + 1; n++) {
        struct frame_reader reader;
        struct span payload = {NULL, 0};
        struct buffer more;
        buffer_init(&more, 1 << 20);
        buffer_append(&more, buffer_span(&input));
        buffer_append(&more, SPAN("\0"));
        struct span part = guard_copy(span_slice(buffer_span(&more), 0, n));
        frame_reader_init(&reader);
        bool whole = frame_whole(&reader, part, &payload);
        cr_assert(whole == (n >= input.n), "%zu of %zu octets", n, input.n);
        cr_expect(!frame_is_partial(&reader), "%zu: nothing is taken", n);
        cr_expect(!whole || (reader.header.type == FRAME_REQUEST && reader.header.id == 7 &&
                             span_equal(payload, span_slice(part, FRAME_HEADER_BYTES, input.n))));
        buffer_fini(&more);
    }
    for (size_t have = 1; have < input.n; have++) { /* within one already */
        struct frame_reader reader;
        struct span payload, piece, part = span_slice(buffer_span(&input), 0, have);
        frame_reader_init(&reader);
        while (frame_next(&reader, &part, &piece) != FRAME_MORE)
            ;
        cr_expect(!frame_whole(&reader, buffer_span(&input), &payload), "behind %zu octets", have);
    }
    buffer_fini(&input);
}

Test(frame, J07_the_short_way_takes_no_header_that_is_refused)
{
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct frame_header header = {headers[i].length, headers[i].type, headers[i].flags,
                                      headers[i].id};
        static uint8_t bytes[FRAME_HEADER_BYTES + FRAME_BYTES_MAX + 1];
        struct frame_reader reader;
        struct span payload;
        frame_header_write(&header, bytes);
        frame_reader_init(&reader);
        bool whole = frame_whole(&reader, span_of(bytes, sizeof bytes), &payload);
        cr_expect(whole == (headers[i].want == FRONT_OK), "%s", headers[i].name);
        bytes[6] = 1;
        cr_expect(!frame_whole(&reader, span_of(bytes, sizeof bytes), &payload), "%s: reserved",
                  headers[i].name);
        bytes[6] = 0;
    }
}
