/* Timers (security.md L01, L03), each just before and at its limit. */
#include "fake.h"

static struct fake fake;
static struct buffer in;
static const struct talk_envelope envelope = {.ip = "192.0.2.1"};

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

TestSuite(times, .init = init, .fini = fini);

Test(times, L01_idle_connections_are_closed)
{
    talk_hello(&in);
    fake_send(&fake, &in);
    fake_sent_all(&fake);
    fake_pass_ms(&fake, 59999);
    cr_expect(!fake.connection.closing);
    fake_pass_ms(&fake, 1);
    cr_expect(fake_error(&fake, 0) == FRONT_IDLE && fake.front.counters.idle == 1);
    fake_sent_all(&fake);
    cr_expect(connection_is_over(&fake.connection));
}

Test(times, L01_a_connection_that_never_speaks_is_closed)
{
    fake_pass_ms(&fake, 59999);
    cr_expect(!fake.connection.closing);
    fake_pass_ms(&fake, 1);
    fake_sent_all(&fake);
    cr_expect(connection_is_over(&fake.connection));
}

Test(times, who_waits_for_a_verdict_is_not_idle)
{
    talk_conversation(&in, &envelope, SPAN("From: a@a.example\r\n\r\n"));
    fake_send(&fake, &in);
    fake_sent_all(&fake);
    for (int i = 0; i < 10; i++)
        fake_pass_ms(&fake, 30000);
    cr_expect(!fake.connection.closing);
    fake_judge_all(&fake);
    fake_sent_all(&fake);
    fake_pass_ms(&fake, 59999);
    cr_expect(!fake.connection.closing, "the time begins with the answer");
    fake_pass_ms(&fake, 1);
    cr_expect(fake.connection.closing);
}

Test(times, L01_a_partial_header_has_ten_seconds)
{
    talk_hello(&in);
    talk_frame(&in, FRAME_PING, 0, 0, SPAN("x"));
    fake_input(&fake, span_slice(buffer_span(&in), 0, in.n - 1));
    fake_pass_ms(&fake, 9999);
    cr_expect(!fake.connection.closing);
    fake_pass_ms(&fake, 1);
    cr_expect(fake_error(&fake, 0) == FRONT_IDLE);
}

Test(times, L01_dripping_does_not_prolong_a_frame)
{
    talk_hello(&in);
    fake_send(&fake, &in);
    talk_frame(&in, FRAME_REQUEST, 0, 1, SPAN("\x11\0\0\5abcde"));
    unsigned sent = 0;
    for (; sent < in.n && connection_wants_input(&fake.connection); sent++) {
        fake_input(&fake, span_slice(buffer_span(&in), sent, sent + 1));
        fake_pass_ms(&fake, 1000);
    }
    cr_expect(sent == 10 && fake_error(&fake, 0) == FRONT_IDLE, "%u bytes", sent);
}

Test(times, L01_a_line_has_ten_seconds)
{
    fake_input(&fake, SPAN("{\"op\":"));
    fake_pass_ms(&fake, 9999);
    cr_expect(!fake.connection.closing);
    fake_pass_ms(&fake, 1);
    struct span output = fake_output(&fake);
    cr_expect(memmem(output.p, output.n, "\"error\":\"idle\"", 14) != NULL);
}

/* One DATA frame; the first byte, then `bytes` more within the window. */
static void drip_message(size_t bytes)
{
    static uint8_t body[20000];
    struct frame_header header = {sizeof body, FRAME_DATA, 0, 1};
    uint8_t head[FRAME_HEADER_BYTES];
    frame_header_write(&header, head);
    talk_hello(&in);
    talk_request(&in, 1, &envelope);
    buffer_append(&in, span_of(head, sizeof head));
    buffer_append(&in, span_of(body, 1));
    fake_send(&fake, &in);
    fake_pass_ms(&fake, 5000);
    fake_input(&fake, span_of(body, bytes));
    fake_pass_ms(&fake, 4999);
    cr_expect(!fake.connection.closing);
    fake_pass_ms(&fake, 1);
}

Test(times, L01_the_least_rate_at_its_edge)
{
    drip_message(10239);
    cr_expect(fake_error(&fake, 0) == FRONT_IDLE, "one byte short");
    cr_expect(fake_task(&fake, 0)->cancelled);
}

Test(times, L01_the_least_rate_is_enough)
{
    drip_message(10240);
    cr_expect(!fake.connection.closing);
    fake_pass_ms(&fake, 10000);
    cr_expect(fake_error(&fake, 0) == FRONT_IDLE, "the next window is empty");
}

Test(times, L01_size_bytes_have_a_rate_too)
{
    fake_input(&fake, SPAN("{\"id\":1,\"size\":100}\nFrom: "));
    fake_pass_ms(&fake, 10000);
    struct span output = fake_output(&fake);
    cr_expect(memmem(output.p, output.n, "{\"id\":1,\"error\":\"idle\"", 22) != NULL, "%.*s",
              (int)output.n, (const char *)output.p);
    fake_sent_all(&fake);
    cr_expect(connection_is_over(&fake.connection));
}

Test(times, a_message_that_stops_between_frames_ends_alone)
{
    talk_hello(&in);
    talk_request(&in, 1, &envelope);
    talk_frame(&in, FRAME_DATA, 0, 1, SPAN("From: "));
    fake_send(&fake, &in);
    for (int i = 0; i < 6; i++) {
        talk_frame(&in, FRAME_PING, 0, 0, SPAN(""));
        fake_send(&fake, &in);
        fake_sent_all(&fake);
        cr_expect(fake_error(&fake, 1) == 0);
        fake_pass_ms(&fake, 10000);
    }
    cr_expect(fake_error(&fake, 1) == FRONT_IDLE && fake_error(&fake, 0) == 0);
}

Test(times, L03_who_takes_no_answer_is_cut_off)
{
    talk_hello(&in);
    fake_send(&fake, &in); /* HELLO waits to be taken */
    fake_pass_ms(&fake, 1);
    for (int i = 0; i < 59; i++) {
        talk_frame(&in, FRAME_PING, 0, 0, SPAN(""));
        fake_send(&fake, &in);
        fake_pass_ms(&fake, 1000);
    }
    cr_expect(!connection_is_over(&fake.connection));
    fake_pass_ms(&fake, 1000);
    cr_expect(connection_is_over(&fake.connection) && fake.front.counters.idle == 1);
}

Test(times, time_in_which_we_do_not_read_does_not_count)
{
    fake.queued_now = fake.front.limits.unhashed_bytes;
    talk_hello(&in);
    talk_request(&in, 1, &envelope);
    talk_message(&in, 1, SPAN("From: a@a.example\r\n\r\n"), 4);
    fake_send(&fake, &in);
    fake_sent_all(&fake);
    cr_expect(connection_waits_for_workers(&fake.connection));
    for (int i = 0; i < 10; i++)
        fake_pass_ms(&fake, 30000);
    cr_expect(!fake.connection.closing && !connection_is_over(&fake.connection));
    fake_task(&fake, 0)->queued = 0;
    fake_pass_ms(&fake, 1);
    cr_expect(fake_task(&fake, 0)->ended);
    fake_judge_all(&fake);
}

Test(times, each_partial_frame_has_its_own_ten_seconds)
{
    talk_hello(&in);
    for (int i = 0; i < 20; i++)
        talk_frame(&in, FRAME_PING, 0, 0, SPAN("0123456789"));
    struct span rest = buffer_span(&in);
    fake_input(&fake, span_slice(rest, 0, 50));
    rest = span_skip(rest, 50);
    while (rest.n > 26) { /* every read ends within a frame */
        fake_pass_ms(&fake, 9000);
        cr_assert(!fake.connection.closing, "%zu left", rest.n);
        fake_input(&fake, span_slice(rest, 0, 26));
        rest = span_skip(rest, 26);
        fake_sent_all(&fake);
    }
}
