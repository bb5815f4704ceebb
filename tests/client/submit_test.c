/* What the client puts on the wire: envelopes, pieces, descriptors, limits, credits, bounds. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"

struct tlv_want
{
    uint8_t tag;
    const char *value;
    size_t n;
};

static void expect_tlvs(const struct taken *taken, const struct tlv_want *want, size_t count)
{
    struct frame frame = {taken->length, taken->type, taken->flags, taken->id, taken->payload};
    struct frame_tlv tlv;
    uint32_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        cr_assert(frame_next_tlv(&frame, &offset, &tlv) == FRAME_TLV, "TLV %zu is missing", i);
        cr_expect(tlv.tag == want[i].tag && tlv.length == want[i].n &&
                      memcmp(tlv.value, want[i].value, want[i].n) == 0,
                  "TLV %zu: got tag %#x, %u bytes, want %#x, %zu", i, tlv.tag, tlv.length,
                  want[i].tag, want[i].n);
    }
    cr_expect(frame_next_tlv(&frame, &offset, &tlv) == FRAME_NO_TLV, "more TLVs");
}

Test(submit, an_envelope_with_everything)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    const char *recipients[] = {"one@c.example", "two@c.example"};
    struct assay_client_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = "2001:db8::1",
        .helo = "mx.a.example",
        .mail_from = "",
        .rcpt_to = recipients,
        .rcpt_count = 2,
        .received_at = 0x102030405,
        .tls_version = "TLSv1.3",
        .tls_cipher = "X",
        .authserv_id = "mx.c.example",
        .deadline_ms = 1500,
        .wishes = ASSAY_CLIENT_WISH_JSON | ASSAY_CLIENT_WISH_PARTIAL,
    };
    uint64_t id = 0;
    cr_assert(assay_client_submit(client, &envelope, "body", 4, NULL, &id) == ASSAY_CLIENT_OK);
    assay_client_flush(client);
    struct taken request = fake_take(&fake), data = fake_take(&fake);
    cr_expect(request.type == FRAME_REQUEST && request.id == id && request.flags == 0);
    static const struct tlv_want want[] = {
        {0x10, "2001:db8::1", 11},
        {0x11, "mx.a.example", 12},
        {0x12, "", 0},
        {0x14, "TLSv1.3", 7},
        {0x15, "X", 1},
        {0x16, "mx.c.example", 12},
        {0x13, "one@c.example", 13},
        {0x13, "two@c.example", 13},
        {0x17, "\0\0\x05\xdc", 4},
        {0x18, "\0\0\0\x01\x02\x03\x04\x05", 8},
        {0x19, "\0\0\0\x03", 4},
    };
    expect_tlvs(&request, want, sizeof want / sizeof *want);
    cr_expect(data.type == FRAME_DATA && data.id == id && data.flags == FRAME_FLAG_END &&
              data.length == 4 && memcmp(data.payload, "body", 4) == 0);
    taken_free(&request);
    taken_free(&data);
    assay_client_close(&client);
    fake_close(&fake);
}

static uint8_t *pattern(size_t n, unsigned seed)
{
    uint8_t *bytes = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)((i * 2654435761u + seed) >> 11);
    return bytes;
}

/* Takes DATA frames of `id` up to END, in turns with the client, and compares. */
static void expect_message(struct fake *fake, struct assay_client *client, uint64_t id,
                           const uint8_t *want, size_t n, uint32_t frame_limit)
{
    size_t got = 0;
    for (bool last = false; !last;) {
        for (int turns = 0; !fake_has_frame(fake); turns++) {
            cr_assert(turns < 10000, "the message does not end: %zu of %zu bytes", got, n);
            turn(client);
        }
        struct taken data = fake_take(fake);
        cr_assert(data.type == FRAME_DATA && data.id == id && data.length <= frame_limit &&
                      data.length <= n - got,
                  "type %u, %u bytes at %zu", data.type, data.length, got);
        cr_assert(memcmp(data.payload, want + got, data.length) == 0, "wrong bytes at %zu", got);
        got += data.length;
        last = data.flags & FRAME_FLAG_END;
        taken_free(&data);
    }
    cr_assert(got == n, "got %zu, want %zu", got, n);
}

static void expect_request(struct fake *fake, uint64_t id)
{
    struct taken request = fake_take(fake);
    cr_assert(request.type == FRAME_REQUEST && request.id == id, "type %u", request.type);
    taken_free(&request);
}

/* Edges: nothing, gathered or direct (32 KiB), one frame or two (the limit that the server said).
 */
Test(submit, whole_messages_of_all_sizes_arrive_as_they_were)
{
    enum
    {
        FRAME = 100000,
    };
    static const size_t sizes[] = {0,         1,         32767,         32768,  32769,
                                   FRAME - 1, FRAME,     FRAME + 1,     65535,  65536,
                                   65537,     FRAME * 3, FRAME * 3 + 1, 2500000};
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 0);
    fake_accept(&fake);
    struct taken hello = fake_take(&fake);
    taken_free(&hello);
    fake_greet(&fake, 8, 50 << 20, FRAME);
    turn(client);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *bytes = pattern(sizes[i], (unsigned)i);
        uint64_t id;
        cr_assert(assay_client_submit(client, NULL, bytes, sizes[i], NULL, &id) == ASSAY_CLIENT_OK);
        turn(client);
        expect_request(&fake, id);
        expect_message(&fake, client, id, bytes, sizes[i], FRAME);
        free(bytes);
        fake_result(&fake, id, "\x11\x11\x11\x11\x01", NULL);
        turn(client);
    }
    cr_expect(reports.count == sizeof sizes / sizeof *sizes);
    assay_client_close(&client);
    fake_close(&fake);
}

/* Whole = every split in two = byte by byte, as the server sees it. */
Test(submit, streams_in_any_pieces_are_the_same_message)
{
    static const uint8_t text[] = "From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n";
    enum
    {
        N = sizeof text - 1,
    };
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 4);
    for (size_t split = 0; split <= N + 1; split++) {
        uint64_t id;
        cr_assert(assay_client_begin(client, NULL, NULL, &id) == ASSAY_CLIENT_OK);
        size_t step = split == N + 1 ? 1 : split;
        for (size_t at = 0; at < N;) {
            size_t n = split == N + 1 || at == 0 ? step : N - at;
            n = n ? n : N;
            cr_assert(assay_client_data(client, id, text + at, n) == ASSAY_CLIENT_OK);
            at += n;
        }
        cr_assert(assay_client_data(client, id, NULL, 0) == ASSAY_CLIENT_OK);
        cr_assert(assay_client_end(client, id) == ASSAY_CLIENT_OK);
        cr_expect(assay_client_end(client, id) == ASSAY_CLIENT_ENDED);
        cr_expect(assay_client_data(client, id, "x", 1) == ASSAY_CLIENT_ENDED);
        turn(client);
        expect_request(&fake, id);
        expect_message(&fake, client, id, text, N, 1 << 20);
        fake_result(&fake, id, "\x11\x11\x11\x11\x01", NULL);
        turn(client);
    }
    assay_client_close(&client);
    fake_close(&fake);
}

Test(submit, two_streams_side_by_side)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 4);
    uint64_t a, b;
    cr_assert(assay_client_begin(client, NULL, NULL, &a) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_begin(client, NULL, NULL, &b) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_data(client, b, "B1", 2) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_data(client, a, "A1", 2) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_end(client, a) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_data(client, b, "B2", 2) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_end(client, b) == ASSAY_CLIENT_OK);
    turn(client);
    static const char want[] = "RARBB1A1A.B2B."; /* id and content in order */
    char got[32] = "";
    while (fake_has_frame(&fake)) {
        struct taken t = fake_take(&fake);
        size_t n = strlen(got);
        if (t.type == FRAME_REQUEST)
            snprintf(got + n, sizeof got - n, "R%c", t.id == a ? 'A' : 'B');
        else if (t.length)
            snprintf(got + n, sizeof got - n, "%s", (char *)t.payload);
        else
            snprintf(got + n, sizeof got - n, "%c.", t.id == a ? 'A' : 'B');
        taken_free(&t);
    }
    cr_expect_str_eq(got, want);
    assay_client_close(&client);
    fake_close(&fake);
}

Test(submit, a_descriptor_travels_with_its_frame)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    unsigned before = open_descriptors();
    uint64_t ids[3];
    for (int i = 0; i < 3; i++) {
        char text[32];
        int fd = memfd_create("message", MFD_CLOEXEC);
        int n = snprintf(text, sizeof text, "message %d", i);
        cr_assert(write(fd, text, (size_t)n) == n);
        submitted(client, "between");
        cr_assert(assay_client_submit_fd(client, NULL, fd, 3, (uint64_t)i, NULL, &ids[i]) ==
                  ASSAY_CLIENT_OK);
        close(fd);
    }
    turn(client);
    for (int i = 0; i < 3; i++) {
        for (int skip = 0; skip < 3; skip++) {
            struct taken other = fake_take(&fake);
            cr_assert(other.type == (skip == 1 ? FRAME_DATA : FRAME_REQUEST));
            taken_free(&other);
        }
        struct taken passed = fake_take(&fake);
        cr_assert(passed.type == FRAME_FD && passed.id == ids[i] && passed.length == 16);
        cr_expect(frame_get64(passed.payload) == 3 &&
                  frame_get64(passed.payload + 8) == (uint64_t)i);
        taken_free(&passed);
        char text[32] = "";
        cr_assert(fake.fd_count == 3, "%u descriptors came", fake.fd_count);
        cr_expect(pread(fake.fds[i], text, sizeof text - 1, 0) == 9 && text[8] == '0' + i,
                  "descriptor %d holds \"%s\"", i, text);
    }
    cr_expect(open_descriptors() == before + 3, "the client keeps descriptors");
    assay_client_close(&client);
    fake_close(&fake);
}

Test(submit, what_is_no_file_is_not_passed)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    int ends[2];
    cr_assert(pipe(ends) == 0);
    cr_expect(assay_client_submit_fd(client, NULL, ends[0], 0, 0, NULL, NULL) ==
              ASSAY_CLIENT_BAD_CALL);
    cr_expect(assay_client_submit_fd(client, NULL, -1, 0, 0, NULL, NULL) == ASSAY_CLIENT_BAD_CALL);
    cr_expect(assay_client_room(client) == 8);
    assay_client_close(&client);
    fake_close(&fake);
}

Test(submit, limits_of_the_server_hold_before_anything_is_sent)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 0);
    fake_accept(&fake);
    struct taken hello = fake_take(&fake);
    taken_free(&hello);
    fake_greet(&fake, 8, 1000, 1 << 20);
    turn(client);
    uint8_t *bytes = pattern(1001, 1);
    uint64_t id;
    cr_expect(assay_client_submit(client, NULL, bytes, 999, NULL, &id) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_submit(client, NULL, bytes, 1000, NULL, &id) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_submit(client, NULL, bytes, 1001, NULL, &id) == ASSAY_CLIENT_TOO_LARGE);
    cr_assert(assay_client_begin(client, NULL, NULL, &id) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_data(client, id, bytes, 999) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_data(client, id, bytes, 2) == ASSAY_CLIENT_TOO_LARGE);
    cr_expect(assay_client_data(client, id, bytes, 1) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_data(client, id, bytes, 1) == ASSAY_CLIENT_TOO_LARGE);
    cr_expect(assay_client_open_requests(client) == 3);
    free(bytes);
    assay_client_close(&client);
    fake_close(&fake);
}

/* A REQUEST is 256 KiB at most: one byte more is refused here, not by the server. */
Test(submit, an_envelope_over_a_frame_is_refused)
{
    enum
    {
        MOST = 256 * 1024 - 4,
    };
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    char *helo = malloc(MOST + 2);
    struct assay_client_envelope envelope = {.size = sizeof envelope, .helo = helo};
    for (int more = -1; more <= 1; more++) {
        memset(helo, 'h', MOST + 1);
        helo[MOST + more] = '\0';
        enum assay_client_status want = more > 0 ? ASSAY_CLIENT_TOO_LARGE : ASSAY_CLIENT_OK;
        enum assay_client_status got = assay_client_begin(client, &envelope, NULL, NULL);
        cr_expect(got == want, "%+d: got %d, want %d", more, got, want);
    }
    cr_expect(assay_client_room(client) == 6);
    envelope.rcpt_count = 1;
    cr_expect(assay_client_begin(client, &envelope, NULL, NULL) == ASSAY_CLIENT_BAD_CALL);
    cr_expect(assay_client_submit(client, NULL, NULL, 1, NULL, NULL) == ASSAY_CLIENT_BAD_CALL);
    free(helo);
    assay_client_close(&client);
    fake_close(&fake);
}

/* --- credit --- */

Test(credit, is_spent_by_opening_and_given_back_by_answers)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 2);
    uint64_t a = submitted(client, "a"), b = submitted(client, "b"), c = 0;
    cr_expect(assay_client_room(client) == 0);
    cr_expect(assay_client_submit(client, NULL, "c", 1, NULL, &c) == ASSAY_CLIENT_WOULD_BLOCK);
    cr_expect(assay_client_begin(client, NULL, NULL, &c) == ASSAY_CLIENT_WOULD_BLOCK);
    cr_expect(assay_client_ping(client, NULL, &c) == ASSAY_CLIENT_WOULD_BLOCK);
    cr_expect(c == 0 && assay_client_open_requests(client) == 2);
    turn(client);
    fake_result(&fake, b, "\x11\x11\x11\x11\x01", NULL);
    turn(client);
    cr_expect(assay_client_room(client) == 1);
    fake_error(&fake, a, ASSAY_CLIENT_ERROR_BUSY, "later");
    turn(client);
    cr_expect(assay_client_room(client) == 2);
    cr_expect(reports.list[1].outcome == ASSAY_CLIENT_REFUSED &&
              reports.list[1].error == ASSAY_CLIENT_ERROR_BUSY);
    cr_expect_str_eq(reports.list[1].word, "busy");
    cr_expect_str_eq(reports.list[1].text, "later");
    fake_frame(&fake, FRAME_CREDIT, 0, "\0\0\0\x05", 4);
    turn(client);
    cr_expect(assay_client_room(client) == 7, "room %u", assay_client_room(client));
    assay_client_close(&client);
    fake_close(&fake);
}

Test(credit, the_callers_own_limit_and_a_credit_beyond_all_numbers)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client =
        fake_client_with(&fake, 0xffffffff, (struct assay_client_options){.max_open = 3});
    for (int i = 0; i < 5; i++)
        fake_frame(&fake, FRAME_CREDIT, 0, "\xff\xff\xff\xff", 4);
    turn(client);
    cr_expect(assay_client_room(client) == 3);
    for (int i = 0; i < 3; i++)
        submitted(client, "x");
    cr_expect(assay_client_room(client) == 0);
    assay_client_close(&client);
    fake_close(&fake);
}

/* Answers in another order than the questions: 1,000 open, answered backwards and twice over. */
Test(credit, many_open_in_any_order)
{
    enum
    {
        OPEN = 1000,
    };
    static uint64_t ids[2][OPEN];
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, OPEN);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < OPEN; i++)
            ids[round][i] = submitted(client, "x");
        turn(client);
        fake_read(&fake);
        fake.in_bytes = 0;
        for (unsigned i = OPEN; i-- > 0;) {
            fake_result(&fake, ids[round][i], "\x11\x11\x11\x11\x01", NULL);
            if (i % 50 == 0)
                turn(client);
        }
    }
    cr_assert(reports.count == 2 * OPEN, "%u answers", reports.count);
    for (unsigned i = 0; i < 2 * OPEN; i++) {
        cr_expect(reports.list[i].id == ids[i / OPEN][OPEN - 1 - i % OPEN]);
        cr_expect(i < OPEN || ids[1][i % OPEN] > ids[0][OPEN - 1], "an id was used again");
    }
    assay_client_close(&client);
    fake_close(&fake);
}

/* L03 from the other side: a server that does not read bounds what the client holds. */
Test(credit, a_server_that_does_not_read_blocks_and_nothing_is_lost)
{
    enum
    {
        BYTES = 10000,
        QUEUE = 100000,
    };
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client =
        fake_client_with(&fake, 4000, (struct assay_client_options){.queue_bytes = QUEUE});
    uint8_t *bytes = pattern(BYTES, 3);
    static uint64_t ids[4000];
    unsigned count = 0;
    while (assay_client_submit(client, NULL, bytes, BYTES, NULL, &ids[count]) == ASSAY_CLIENT_OK)
        count++;
    cr_assert(count > QUEUE / BYTES && count < 1000, "%u messages were taken", count);
    uint64_t stream;
    cr_expect(assay_client_begin(client, NULL, NULL, &stream) == ASSAY_CLIENT_WOULD_BLOCK);
    cr_expect(assay_client_cancel(client, ids[0]) == ASSAY_CLIENT_OK, "cancel works at any time");
    for (unsigned i = 0; i < count; i++) {
        while (!fake_has_frame(&fake))
            turn(client);
        expect_request(&fake, ids[i]);
        expect_message(&fake, client, ids[i], bytes, BYTES, 1 << 20);
    }
    turn(client);
    struct taken cancel = fake_take(&fake);
    cr_expect(cancel.type == FRAME_CANCEL && cancel.id == ids[0] && cancel.length == 0);
    taken_free(&cancel);
    cr_expect(assay_client_room(client) == 4000 - count);
    free(bytes);
    assay_client_close(&client);
    fake_close(&fake);
}

Test(credit, cancelled_requests_are_answered_once)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    uint64_t whole = submitted(client, "x"), stream;
    cr_assert(assay_client_begin(client, NULL, NULL, &stream) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_cancel(client, stream) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_cancel(client, stream) == ASSAY_CLIENT_OK);
    cr_expect(assay_client_data(client, stream, "x", 1) == ASSAY_CLIENT_ENDED);
    cr_expect(assay_client_cancel(client, whole) == ASSAY_CLIENT_OK);
    turn(client);
    unsigned cancels = 0;
    while (fake_has_frame(&fake)) {
        struct taken t = fake_take(&fake);
        cancels += t.type == FRAME_CANCEL;
        taken_free(&t);
    }
    cr_expect(cancels == 2, "%u CANCEL frames", cancels);
    fake_result(&fake, whole, "\x11\x11\x11\x5a\x01", NULL); /* it was faster */
    fake_error(&fake, stream, ASSAY_CLIENT_ERROR_CANCELLED, "");
    turn(client);
    cr_assert(reports.count == 2);
    cr_expect(reports.list[0].outcome == ASSAY_CLIENT_VERDICT && reports.list[0].id == whole);
    cr_expect(reports.list[1].error == ASSAY_CLIENT_ERROR_CANCELLED);
    cr_expect(assay_client_cancel(client, whole) == ASSAY_CLIENT_ENDED);
    cr_expect(assay_client_cancel(client, 0) == ASSAY_CLIENT_ENDED);
    assay_client_close(&client);
    fake_close(&fake);
}
