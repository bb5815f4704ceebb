/* The frames dialect: what each frame does, in order and out of order (PROTOCOL.md). */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake.h"

static struct fake fake;
static struct buffer in;
static const struct talk_envelope envelope = {.ip = "192.0.2.1",
                                              .helo = "h.example",
                                              .mail_from = "a@a.example",
                                              .now = 1795000000,
                                              .wishes = WISH_JSON};
#define MESSAGE SPAN("From: a@a.example\r\nSubject: x\r\n\r\nbody\r\n")

static void init(void)
{
    fake_open(&fake);
    buffer_init(&in, 8 << 20);
}

static void fini(void)
{
    buffer_fini(&in);
    fake_close(&fake);
}

TestSuite(frames, .init = init, .fini = fini);

Test(frames, hello_then_a_verdict)
{
    struct talk_frame frame;
    talk_conversation(&in, &envelope, MESSAGE);
    fake_send(&fake, &in);
    cr_assert(talk_find(fake_output(&fake), FRAME_HELLO, 0, &frame));
    cr_expect(frame.payload.p[0] == 1 && frame.payload.p[1] == 0);
    fake_judge(&fake, fake_task(&fake, 0));
    cr_assert(talk_find(fake_output(&fake), FRAME_RESULT, 1, &frame));
    cr_expect(frame.payload.p[0] == RESULT_PASS, "spf 0x%x", frame.payload.p[0]);
    cr_expect(frame.payload.p[1] == RESULT_NONE && frame.payload.p[2] == RESULT_NONE);
    cr_expect(frame.payload.p[4] == 1, "disposition %u", frame.payload.p[4]);
    cr_expect(talk_tlv(&frame, TAG_JSON).n > 100 && !talk_tlv(&frame, TAG_RESULTS).p);
    cr_expect(fake.connection.open == 0);
    cr_expect(span_equal(buffer_span(&fake_task(&fake, 0)->bytes), MESSAGE));
}

Test(frames, the_server_hello_tells_its_limits)
{
    struct talk_frame frame;
    talk_hello(&in);
    fake_send(&fake, &in);
    cr_assert(talk_find(fake_output(&fake), FRAME_HELLO, 0, &frame));
    struct cursor cursor = cursor_of(span_skip(frame.payload, 4));
    struct tlv tlv;
    bool limits = false, features = false;
    while (tlv_next(&cursor, &tlv)) {
        if (tlv.tag == TAG_FEATURES)
            features = tlv.value.n == 4 && get_u32(tlv.value.p) == 15;
        if (tlv.tag != TAG_LIMITS || tlv.value.n != 16)
            continue;
        limits = get_u64(tlv.value.p) == MAX_MESSAGE_BYTES && get_u32(tlv.value.p + 8) == 64 &&
                 get_u32(tlv.value.p + 12) == FRAME_BYTES_MAX;
    }
    cr_expect(limits && features && !cursor.failed);
}

Test(frames, whole_is_every_split_is_byte_by_byte)
{
    talk_conversation(&in, &envelope, MESSAGE);
    talk_frame(&in, FRAME_PING, 0, 5, SPAN("p"));
    talk_frame(&in, FRAME_QUERY, 0, 6, SPAN("{\"op\":\"ping\"}"));
    struct buffer want;
    buffer_init(&want, 1 << 20);
    for (size_t split = 0; split <= in.n; split++) {
        struct fake one;
        fake_open(&one);
        if (split == in.n)
            fake_input_pieces(&one, buffer_span(&in), 1);
        else
            fake_input(&one, span_slice(buffer_span(&in), 0, split));
        if (split < in.n)
            fake_input(&one, span_skip(buffer_span(&in), split));
        fake_judge_all(&one);
        if (split == 0)
            buffer_append(&want, fake_output(&one));
        cr_assert(one.submitted == 1);
        cr_assert(span_equal(buffer_span(&fake_task(&one, 0)->bytes), MESSAGE), "split %zu", split);
        cr_assert(span_equal(fake_output(&one), buffer_span(&want)), "split %zu", split);
        fake_close(&one);
    }
    buffer_fini(&want);
}

Test(frames, L02_gone_at_every_byte)
{
    talk_conversation(&in, &envelope, MESSAGE);
    talk_frame(&in, FRAME_QUERY, 0, 6, SPAN("{\"op\":\"spf\",\"ip\":\"::1\",\"helo\":\"h\"}"));
    for (size_t n = 0; n <= in.n; n++) {
        struct fake one;
        fake_open(&one);
        fake_input(&one, span_slice(buffer_span(&in), 0, n));
        fake_close(&one); /* checks that each task was ended or cancelled, and came home */
    }
}

Test(frames, half_close_at_every_byte_answers_what_is_complete)
{
    talk_conversation(&in, &envelope, MESSAGE);
    talk_frame(&in, FRAME_PING, 0, 5, SPAN("p"));
    for (size_t n = 0; n <= in.n; n++) {
        struct fake one;
        struct talk_frame frame;
        fake_open(&one);
        fake_input(&one, span_slice(buffer_span(&in), 0, n));
        connection_eof(&one.connection);
        fake_judge_all(&one);
        unsigned answers = talk_count(fake_output(&one), FRAME_RESULT, 1) +
                           talk_count(fake_output(&one), FRAME_ERROR, 1);
        cr_expect(answers == one.submitted, "cut at %zu: %u answers", n, answers);
        if (talk_find(fake_output(&one), FRAME_ERROR, 0, &frame))
            cr_expect(talk_error_code(&frame) == FRONT_MALFORMED);
        fake_sent_all(&one);
        cr_expect(connection_is_over(&one.connection), "cut at %zu", n);
        fake_close(&one);
    }
}

Test(frames, answers_come_in_any_order)
{
    talk_hello(&in);
    for (uint64_t id = 1; id <= 20; id++) {
        talk_request(&in, id * 1000003, &envelope);
        talk_message(&in, id * 1000003, MESSAGE, 7);
    }
    fake_send(&fake, &in);
    for (unsigned i = 20; i-- > 0;)
        fake_judge(&fake, fake_task(&fake, i));
    for (uint64_t id = 1; id <= 20; id++)
        cr_expect(talk_count(fake_output(&fake), FRAME_RESULT, id * 1000003) == 1);
}

Test(frames, messages_may_be_interleaved)
{
    talk_hello(&in);
    talk_request(&in, 1, &envelope);
    talk_request(&in, 2, &envelope);
    for (size_t i = 0; i < MESSAGE.n; i++) {
        talk_frame(&in, FRAME_DATA, 0, 1, span_slice(MESSAGE, i, i + 1));
        talk_frame(&in, FRAME_DATA, 0, 2, span_slice(MESSAGE, i, i + 1));
    }
    talk_frame(&in, FRAME_DATA, FRAME_FLAG_END, 2, SPAN(""));
    talk_frame(&in, FRAME_DATA, FRAME_FLAG_END, 1, SPAN(""));
    fake_send(&fake, &in);
    fake_judge_all(&fake);
    for (unsigned i = 0; i < 2; i++)
        cr_expect(span_equal(buffer_span(&fake_task(&fake, i)->bytes), MESSAGE));
    cr_expect(talk_count(fake_output(&fake), FRAME_RESULT, 0) == 2);
}

static void expect_end(const char *name, enum front_error want)
{
    cr_expect(fake_error(&fake, 0) == want, "%s: got error %u, want %u", name, fake_error(&fake, 0),
              want);
    fake_sent_all(&fake);
    cr_expect(connection_is_over(&fake.connection), "%s: still open", name);
}

static const struct
{
    const char *name;
    struct span first; /* behind HELLO */
    enum front_error want;
} fatal[] = {
    {"second HELLO",
     {(const uint8_t *)"\0\0\0\4\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0", 20},
     FRONT_MALFORMED},
    {"unknown type", {(const uint8_t *)"\0\0\0\0\x63\0\0\0\0\0\0\0\0\0\0\1", 16}, FRONT_MALFORMED},
    {"4 GiB", {(const uint8_t *)"\xff\xff\xff\xff\3\0\0\0\0\0\0\0\0\0\0\1", 16}, FRONT_TOO_LARGE},
    {"id 0", {(const uint8_t *)"\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0", 16}, FRONT_MALFORMED},
    {"FD without descriptor",
     {(const uint8_t *)"\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\1"
                       "\0\0\0\x10\4\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
      48},
     FRONT_MALFORMED},
    {"an open id once more",
     {(const uint8_t *)"\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\1", 32},
     FRONT_MALFORMED},
};

Test(frames, J07_errors_of_the_connection_end_it)
{
    for (size_t i = 0; i < COUNT_OF(fatal); i++) {
        fake_close(&fake);
        fake_open(&fake);
        talk_hello(&in);
        buffer_append(&in, fatal[i].first);
        fake_send(&fake, &in);
        front_collect(&fake.front);
        expect_end(fatal[i].name, fatal[i].want);
    }
}

Test(frames, J07_no_hello_no_service)
{
    talk_request(&in, 1, &envelope);
    fake_send(&fake, &in);
    expect_end("request first", FRONT_MALFORMED);
    cr_expect(fake.submitted == 0);
}

Test(frames, another_major_version_is_told)
{
    talk_frame(&in, FRAME_HELLO, 0, 0, SPAN("\2\0\0\0"));
    fake_send(&fake, &in);
    expect_end("version 2", FRONT_VERSION);
}

Test(frames, another_minor_version_is_fine)
{
    talk_frame(&in, FRAME_HELLO, 0, 0, SPAN("\1\7\0\0\x7f\0\0\1x"));
    fake_send(&fake, &in);
    cr_expect(talk_count(fake_output(&fake), FRAME_HELLO, 0) == 1 && !fake.connection.closing);
}

Test(frames, a_malformed_request_is_an_error_of_its_id)
{
    talk_hello(&in);
    talk_frame(&in, FRAME_REQUEST, 0, 3, SPAN("\x10\0\0\1x"));
    talk_message(&in, 3, MESSAGE, 100); /* already on its way: ignored */
    talk_request(&in, 4, &envelope);
    talk_message(&in, 4, MESSAGE, 100);
    fake_send(&fake, &in);
    fake_judge_all(&fake);
    cr_expect(fake_error(&fake, 3) == FRONT_MALFORMED && fake_error(&fake, 0) == 0);
    cr_expect(talk_count(fake_output(&fake), FRAME_RESULT, 4) == 1);
}

Test(frames, credit_at_its_edge)
{
    fake.front.limits.in_flight = 4;
    fake.connection.in_flight = 4;
    talk_hello(&in);
    for (uint64_t id = 1; id <= 5; id++) {
        talk_request(&in, id, &envelope);
        talk_message(&in, id, MESSAGE, 100);
    }
    fake_send(&fake, &in);
    cr_expect(fake.submitted == 4 && fake.connection.open == 4);
    cr_expect(fake_error(&fake, 5) == FRONT_BUSY && fake.front.counters.busy == 1);
    fake_judge(&fake, fake_task(&fake, 2));
    talk_request(&in, 5, &envelope); /* an answer gave one back; the id may be used again */
    talk_message(&in, 5, MESSAGE, 100);
    fake_send(&fake, &in);
    cr_expect(fake.submitted == 5);
    fake_judge_all(&fake);
    cr_expect(talk_count(fake_output(&fake), FRAME_RESULT, 0) == 5);
}

Test(frames, more_credit_is_told)
{
    struct talk_frame frame;
    talk_hello(&in);
    fake_send(&fake, &in);
    connection_set_in_flight(&fake.connection, 100);
    cr_assert(talk_find(fake_output(&fake), FRAME_CREDIT, 0, &frame));
    cr_expect(frame.payload.n == 4 && get_u32(frame.payload.p) == 36);
    connection_set_in_flight(&fake.connection, 10);
    cr_expect(fake.connection.in_flight == 100, "credit that was given stays");
}

Test(frames, a_full_pool_is_busy)
{
    fake.busy = true;
    talk_conversation(&in, &envelope, MESSAGE);
    fake_send(&fake, &in);
    cr_expect(fake_error(&fake, 1) == FRONT_BUSY && fake.connection.open == 0);
    cr_expect(fake.front.live_requests == 0);
}

Test(frames, cancel_before_the_end_is_one_answer)
{
    talk_hello(&in);
    talk_request(&in, 1, &envelope);
    talk_frame(&in, FRAME_DATA, 0, 1, SPAN("From: "));
    talk_frame(&in, FRAME_CANCEL, 0, 1, SPAN(""));
    talk_frame(&in, FRAME_DATA, FRAME_FLAG_END, 1, SPAN("a@a.example\r\n\r\n"));
    talk_frame(&in, FRAME_CANCEL, 0, 1, SPAN(""));
    talk_frame(&in, FRAME_CANCEL, 0, 77, SPAN(""));
    fake_send(&fake, &in);
    front_collect(&fake.front);
    cr_expect(talk_count(fake_output(&fake), FRAME_ERROR, 1) == 1);
    cr_expect(fake_error(&fake, 1) == FRONT_CANCELLED && fake_error(&fake, 0) == 0);
    cr_expect(fake_task(&fake, 0)->cancelled && fake.connection.open == 0);
}

Test(frames, cancel_behind_the_end_is_one_answer)
{
    talk_conversation(&in, &envelope, MESSAGE);
    talk_frame(&in, FRAME_CANCEL, 0, 1, SPAN(""));
    fake_send(&fake, &in);
    cr_expect(fake.connection.open == 1, "open until it is answered");
    fake_judge(&fake, fake_task(&fake, 0));
    cr_expect(fake_error(&fake, 1) == FRONT_CANCELLED);
    cr_expect(talk_count(fake_output(&fake), FRAME_RESULT, 1) == 0);
}

Test(frames, early_spf_comes_once_and_first)
{
    struct talk_envelope early = envelope;
    struct talk_frame frame;
    early.wishes = WISH_PARTIAL;
    talk_conversation(&in, &early, MESSAGE);
    fake_send(&fake, &in);
    fake_judge(&fake, fake_task(&fake, 0));
    struct span output = fake_output(&fake);
    cr_assert(talk_next(&output, &frame) && frame.type == FRAME_HELLO);
    cr_assert(talk_next(&output, &frame) && frame.type == FRAME_PARTIAL && frame.id == 1);
    cr_expect(frame.payload.n == 8 && frame.payload.p[0] == RESULT_PASS);
    cr_assert(talk_next(&output, &frame) && frame.type == FRAME_RESULT && frame.id == 1);
    cr_expect(frame.payload.n == 8, "no JSON was wished for");
}

Test(frames, no_partial_without_a_client_address)
{
    struct talk_envelope early = {.mail_from = "a@a.example", .wishes = WISH_PARTIAL};
    talk_conversation(&in, &early, MESSAGE);
    fake_send(&fake, &in);
    fake_judge(&fake, fake_task(&fake, 0));
    cr_expect(talk_count(fake_output(&fake), FRAME_PARTIAL, 0) == 0);
    cr_expect(talk_count(fake_output(&fake), FRAME_RESULT, 1) == 1);
}

Test(frames, the_results_field_on_wish)
{
    struct talk_envelope wants = envelope;
    struct talk_frame frame;
    wants.wishes = WISH_RESULTS | 0x80000000;
    wants.authserv_id = "other.example";
    talk_conversation(&in, &wants, MESSAGE);
    fake_send(&fake, &in);
    cr_expect(span_equal(fake_task(&fake, 0)->request.authserv_id, SPAN("other.example")));
    fake_judge(&fake, fake_task(&fake, 0));
    cr_assert(talk_find(fake_output(&fake), FRAME_RESULT, 1, &frame));
    struct span text = talk_tlv(&frame, TAG_RESULTS);
    cr_expect(text.n > 12 && memcmp(text.p, "mx.example; ", 12) == 0, "%.*s", (int)text.n,
              (const char *)text.p);
}

Test(frames, lf_messages_on_wish)
{
    struct talk_envelope wants = envelope;
    wants.wishes = WISH_LF;
    talk_conversation(&in, &wants, SPAN("From: a@a.example\n\nbody\n"));
    fake_input_pieces(&fake, buffer_span(&in), 5);
    cr_expect(span_equal(buffer_span(&fake_task(&fake, 0)->bytes),
                         SPAN("From: a@a.example\r\n\r\nbody\r\n")));
    fake_judge_all(&fake);
}

Test(frames, queries_are_answered)
{
    struct talk_frame frame;
    talk_hello(&in);
    talk_frame(&in, FRAME_QUERY, 0, 1, SPAN("{\"op\":\"ping\",\"id\":\"ignored\"}"));
    talk_frame(&in, FRAME_QUERY, 0, 2,
               SPAN("{\"op\":\"spf\",\"ip\":\"192.0.2.1\",\"mail_from\":\"a@b.example\"}"));
    talk_frame(&in, FRAME_QUERY, 0, 3, SPAN("{\"op\":\"dmarc\",\"domain\":\"b.example\"}"));
    talk_frame(&in, FRAME_QUERY, 0, 4, SPAN("{\"op\":\"flush\"}"));
    talk_frame(&in, FRAME_QUERY, 0, 5, SPAN("{\"op\":\"dmarc\",\"domain\":\"b..example\"}"));
    talk_frame(&in, FRAME_QUERY, 0, 6, SPAN("{\"op\":\"check\"}"));
    fake_send(&fake, &in);
    front_collect(&fake.front);
    struct span output = fake_output(&fake);
    cr_assert(talk_find(output, FRAME_RESULT, 1, &frame));
    cr_expect(span_equal(talk_tlv(&frame, TAG_JSON), SPAN("{\"pong\":true}")));
    cr_expect(get_u64(frame.payload.p) == 0);
    cr_assert(talk_find(output, FRAME_RESULT, 2, &frame));
    cr_expect(talk_tlv(&frame, TAG_JSON).p[0] == '{');
    cr_expect(talk_count(output, FRAME_RESULT, 3) == 1);
    cr_expect(fake_error(&fake, 4) == FRONT_FORBIDDEN, "this peer may not flush");
    cr_expect(fake_error(&fake, 5) == FRONT_MALFORMED && fake_error(&fake, 6) == FRONT_MALFORMED);
    cr_expect(fake.queries == 2 && fake.front.live_requests == 0);
}

Test(frames, flush_by_one_who_may)
{
    struct talk_frame frame;
    fake.connection.peer.may_control = true;
    talk_hello(&in);
    talk_frame(&in, FRAME_QUERY, 0, 4, SPAN("{\"op\":\"flush\",\"domain\":\"a.example\"}"));
    fake_send(&fake, &in);
    cr_assert(talk_find(fake_output(&fake), FRAME_RESULT, 4, &frame));
    cr_expect(span_equal(talk_tlv(&frame, TAG_JSON), SPAN("{\"flushed\":3}")));
    cr_expect(!fake.flushed_all);
}

Test(frames, the_message_limit_at_its_edge)
{
    static uint8_t bytes[2000];
    fake.front.limits.message_bytes = 1000;
    memset(bytes, 'x', sizeof bytes);
    talk_hello(&in);
    for (int over = -1; over <= 1; over++) {
        uint64_t id = (uint64_t)(10 + over);
        talk_request(&in, id, &envelope);
        talk_message(&in, id, span_of(bytes, (size_t)(1000 + over)), 300);
    }
    fake_send(&fake, &in);
    fake_judge_all(&fake);
    struct span output = fake_output(&fake);
    cr_expect(talk_count(output, FRAME_RESULT, 9) == 1 &&
              talk_count(output, FRAME_RESULT, 10) == 1);
    cr_expect(fake_error(&fake, 11) == FRONT_TOO_LARGE &&
              talk_count(output, FRAME_RESULT, 11) == 0);
    cr_expect(fake.front.counters.too_large == 1);
}

Test(frames, L03_full_output_stops_reading_and_goes_on_later)
{
    fake.front.limits.output_bytes = 4096;
    talk_hello(&in);
    for (int i = 0; i < 1000; i++)
        talk_frame(&in, FRAME_PING, 0, 1, SPAN("0123456789012345678901234567890123456789"));
    fake_send(&fake, &in);
    cr_expect(!connection_wants_input(&fake.connection));
    cr_expect(fake_output(&fake).n < 4096 + 64, "%zu bytes queued", fake_output(&fake).n);
    cr_expect(fake.front.counters.output_stalls == 1);
    unsigned pongs = 0;
    for (int rounds = 0; rounds < 100 && !connection_wants_input(&fake.connection); rounds++) {
        pongs += talk_count(fake_output(&fake), FRAME_PONG, 1);
        fake_sent_all(&fake);
    }
    pongs += talk_count(fake_output(&fake), FRAME_PONG, 1);
    cr_expect(pongs == 1000, "%u pongs", pongs);
}

Test(frames, output_limit_at_its_edge)
{
    fake.front.limits.output_bytes = 1000;
    fake.connection.dialect = DIALECT_FRAMES;
    for (int over = -1; over <= 1; over++) {
        struct buffer *out = &fake.connection.out.copied;
        buffer_reset(out);
        cr_assert(buffer_reserve(out, 2000) != NULL);
        memset(out->p, 0, 2000);
        buffer_commit(out, (size_t)(1000 + over));
        cr_expect(connection_wants_input(&fake.connection) == (over < 0), "%+d", over);
    }
}

Test(frames, unhashed_mail_stops_reading_at_the_limit)
{
    fake.front.limits.unhashed_bytes = 1000;
    for (int over = -1; over <= 1; over++) {
        fake_close(&fake);
        fake_open(&fake);
        fake.front.limits.unhashed_bytes = 1000;
        fake.queued_now = (uint64_t)(1000 + over);
        talk_hello(&in);
        talk_request(&in, 1, &envelope);
        talk_message(&in, 1, MESSAGE, 10);
        fake_send(&fake, &in);
        cr_expect(fake_task(&fake, 0)->ended == (over < 0), "%+d", over);
        cr_expect(connection_waits_for_workers(&fake.connection) == (over >= 0), "%+d", over);
        fake_task(&fake, 0)->queued = 0;
        connection_resume(&fake.connection);
        cr_expect(fake_task(&fake, 0)->ended, "%+d", over);
        cr_expect(span_equal(buffer_span(&fake_task(&fake, 0)->bytes), MESSAGE), "%+d", over);
        fake_judge_all(&fake);
    }
}

Test(frames, a_drain_answers_what_was_accepted)
{
    struct talk_frame frame;
    talk_hello(&in);
    talk_request(&in, 7, &envelope);
    talk_frame(&in, FRAME_DATA, 0, 7, MESSAGE);
    fake_send(&fake, &in);
    connection_drain(&fake.connection);
    cr_assert(talk_find(fake_output(&fake), FRAME_GOAWAY, 0, &frame));
    cr_expect(frame.payload.n == 8 && get_u64(frame.payload.p) == 7);
    talk_request(&in, 8, &envelope);
    talk_frame(&in, FRAME_DATA, FRAME_FLAG_END, 7, SPAN(""));
    fake_send(&fake, &in);
    cr_expect(fake_error(&fake, 8) == FRONT_GOING_AWAY);
    fake_sent_all(&fake);
    cr_expect(!connection_is_over(&fake.connection), "7 is still due");
    fake_judge_all(&fake);
    cr_expect(talk_count(fake_output(&fake), FRAME_RESULT, 7) == 1);
    cr_expect(!connection_is_over(&fake.connection), "and to be sent");
    fake_sent_all(&fake);
    cr_expect(connection_is_over(&fake.connection));
}

Test(frames, the_pool_out_of_memory_is_internal)
{
    talk_hello(&in);
    talk_request(&in, 1, &envelope);
    fake_send(&fake, &in);
    struct task *task = fake_task(&fake, 0);
    task->done = true;
    task->request.done(task->request.context, TASK_FAILED, NULL); /* while the message comes */
    front_collect(&fake.front);
    cr_expect(fake_error(&fake, 1) == FRONT_INTERNAL && task->cancelled, "the task is let go of");
}

Test(frames, a_descriptor_that_nobody_claims_ends_it)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0);
    talk_hello(&in);
    fake_send(&fake, &in);
    connection_descriptor(&fake.connection, fd);
    talk_frame(&in, FRAME_PING, 0, 0, SPAN(""));
    fake_send(&fake, &in);
    expect_end("fd with PING", FRONT_MALFORMED);
    connection_fini(&fake.connection);
    cr_expect(fcntl(fd, F_GETFD) < 0, "it was closed");
    fake_connect(&fake, &fake.connection);
}

Test(frames, a_descriptor_behind_data_is_malformed)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uint8_t whole[16] = {0};
    cr_assert(fd >= 0);
    talk_hello(&in);
    talk_request(&in, 1, &envelope);
    talk_frame(&in, FRAME_DATA, 0, 1, SPAN("From: "));
    fake_send(&fake, &in);
    connection_descriptor(&fake.connection, fd);
    talk_frame(&in, FRAME_FD, 0, 1, span_of(whole, sizeof whole));
    fake_send(&fake, &in);
    front_collect(&fake.front);
    cr_expect(fake_error(&fake, 1) == FRONT_MALFORMED && fake_error(&fake, 0) == 0, "%u",
              fake_error(&fake, 1));
    cr_expect(fcntl(fd, F_GETFD) < 0, "it was closed");
}

Test(frames, a_descriptor_of_an_id_that_is_not_open_is_closed)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uint8_t whole[16] = {0};
    cr_assert(fd >= 0);
    talk_hello(&in);
    fake_send(&fake, &in);
    connection_descriptor(&fake.connection, fd);
    talk_frame(&in, FRAME_FD, 0, 9, span_of(whole, sizeof whole));
    fake_send(&fake, &in);
    cr_expect(fake_error(&fake, 0) == 0 && fake_error(&fake, 9) == 0 && !fake.connection.closing);
    cr_expect(fcntl(fd, F_GETFD) < 0);
}

/* J07: random frames of a client that has said HELLO; whatever comes, each request has at most one
 * answer, and everything comes home. */
Test(frames, J07_random_conversations)
{
    unsigned seed = 3;
    for (int round = 0; round < 3000; round++) {
        struct fake one;
        fake_open(&one);
        one.front.limits.in_flight = one.connection.in_flight = 3;
        talk_hello(&in);
        for (int i = 0; i < 12; i++) {
            static const uint8_t types[] = {2, 2, 3, 3, 3, 5, 6, 7, 2, 3, 8, 4};
            uint8_t payload[24];
            size_t n = (size_t)rand_r(&seed) % sizeof payload;
            for (size_t b = 0; b < n; b++)
                payload[b] = (uint8_t)(rand_r(&seed) % 5 ? 0 : rand_r(&seed));
            uint8_t type = types[(size_t)rand_r(&seed) % (round % 4 ? 10 : sizeof types)];
            talk_frame(&in, type, (uint8_t)(rand_r(&seed) % 2), 1 + (unsigned)rand_r(&seed) % 3,
                       span_of(payload, type == 5 ? 0 : (type == 2 ? n / 8 * 0 : n)));
        }
        fake_input_pieces(&one, buffer_span(&in), 1 + (size_t)rand_r(&seed) % 60);
        fake_judge_all(&one);
        unsigned opened = one.submitted;
        unsigned answered = talk_count(fake_output(&one), FRAME_RESULT, 0);
        cr_assert(answered <= opened + one.front.counters.queries);
        connection_eof(&one.connection);
        fake_judge_all(&one);
        fake_sent_all(&one);
        cr_assert(connection_is_over(&one.connection));
        fake_close(&one);
        buffer_reset(&in);
    }
}
