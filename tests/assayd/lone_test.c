/*
 * A lone message on an idle engine is judged by the front thread (run/guest.h); what comes in
 * company, in pieces or large goes to the workers. `pool.by_front` tells.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "run/guest.h"
#include "support/name_server.h"

static struct daemon server;
static struct buffer out, in;
static const struct talk_envelope envelope = {.ip = "192.0.2.10",
                                              .helo = "mx.shop.example",
                                              .mail_from = "orders@shop.example",
                                              .now = 1792972860};

#define MESSAGE "From: orders@shop.example\r\n\r\nhello\r\n"

static void init(void)
{
    buffer_init(&out, 1 << 20);
    buffer_init(&in, 1 << 20);
}

static void fini(void)
{
    daemon_end_all();
    buffer_fini(&out);
    buffer_fini(&in);
}

TestSuite(lone, .init = init, .fini = fini);

static int connect_with_hello(void)
{
    int fd = talk_connect(&server);
    buffer_reset(&out);
    talk_hello(&out);
    talk_send(fd, buffer_span(&out));
    return fd;
}

/* `count` messages with `body` bytes more each, in one write; waits for their verdicts. */
static void send_messages(int fd, unsigned count, size_t body)
{
    static uint64_t id;
    buffer_reset(&out);
    buffer_reset(&in);
    struct buffer message;
    buffer_init(&message, 1 << 20);
    buffer_append_string(&message, MESSAGE);
    for (size_t i = 0; i < body; i++)
        buffer_append_byte(&message, i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'x');
    for (unsigned i = 0; i < count; i++) {
        talk_request(&out, ++id, &envelope);
        talk_message(&out, id, buffer_span(&message), FRAME_BYTES_MAX / 2);
    }
    talk_send(fd, buffer_span(&out));
    cr_assert(talk_read_frames(fd, &in, FRAME_RESULT, count, 20000));
    buffer_fini(&message);
}

/* The workers fall asleep a moment after their last verdict was sent: one message after the other
 * until the front has judged one. */
static void expect_by_front(int fd, size_t body)
{
    long long before = talk_stat(&server, "pool.by_front");
    int64_t until_ms = now_ms() + 20000;
    do
        send_messages(fd, 1, body);
    while (talk_stat(&server, "pool.by_front") == before && now_ms() < until_ms);
    cr_expect(talk_stat(&server, "pool.by_front") > before, "%zu bytes", body);
}

static void expect_by_workers(int fd, unsigned count, size_t body)
{
    long long before = talk_stat(&server, "pool.by_front");
    send_messages(fd, count, body);
    cr_expect(talk_stat(&server, "pool.by_front") == before, "%u of %zu bytes", count, body);
}

Test(lone, by_front_or_by_workers)
{
    DAEMON(&server, "--workers", "2");
    int fd = connect_with_hello();
    cr_expect(talk_stat(&server, "pool.by_front") == 0);
    expect_by_front(fd, 0);
    expect_by_front(fd, GUEST_BYTES - sizeof MESSAGE);
    expect_by_workers(fd, 2, 0);
    expect_by_workers(fd, 20, 0);
    expect_by_workers(fd, 1, GUEST_BYTES);
    cr_expect(talk_stat(&server, "pool.workers") == 2);
    cr_expect(talk_stat(&server, "pool.cpu_ns") > 0);
    close(fd);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

Test(lone, a_message_in_pieces_is_the_workers)
{
    DAEMON(&server, "--workers", "1");
    int fd = connect_with_hello();
    buffer_reset(&out);
    talk_request(&out, 1, &envelope);
    talk_frame(&out, FRAME_DATA, 0, 1, SPAN("From: orders@shop.example\r\n"));
    talk_send(fd, buffer_span(&out));
    int64_t until_ms = now_ms() + 20000;
    while (talk_stat(&server, "requests") < 1 && now_ms() < until_ms)
        usleep(2000);
    buffer_reset(&out);
    talk_frame(&out, FRAME_DATA, FRAME_FLAG_END, 1, SPAN("\r\nhello\r\n"));
    talk_send(fd, buffer_span(&out));
    cr_assert(talk_read_frames(fd, &in, FRAME_RESULT, 1, 20000));
    cr_expect(talk_stat(&server, "pool.by_front") == 0);
    cr_expect(talk_stat(&server, "pool.messages") == 1);
    close(fd);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

static void start_with_silence(struct fake *fake, const char *timeout)
{
    fake_start(fake);
    atomic_store(&fake->silent, true);
    const char *options[] = {"--resolver", fake->resolver, "--timeout", timeout, "--workers", "1",
                             NULL};
    daemon_spawn(&server, options, NULL);
    int64_t until_ms = now_ms() + 20000;
    while (!daemon_answers(&server) && now_ms() < until_ms)
        usleep(5000);
}

static void send_one(int fd, uint64_t id)
{
    buffer_reset(&out);
    talk_request(&out, id, &envelope);
    talk_message(&out, id, SPAN(MESSAGE), FRAME_BYTES_MAX / 2);
    talk_send(fd, buffer_span(&out));
}

/* Both wait for names, wherever they are; the deadline of each ends it. */
Test(lone, one_waits_while_another_comes)
{
    struct fake fake;
    struct talk_frame frame;
    start_with_silence(&fake, "500");
    int fd = connect_with_hello();
    send_one(fd, 1);
    int64_t until_ms = now_ms() + 10000;
    while (talk_stat(&server, "pool.parked") == 0 && now_ms() < until_ms)
        usleep(2000);
    send_one(fd, 2);
    cr_assert(talk_read_frames(fd, &in, FRAME_RESULT, 2, 20000));
    for (uint64_t id = 1; id <= 2; id++)
        cr_expect(talk_find(buffer_span(&in), FRAME_RESULT, id, &frame) &&
                  frame.payload.p[0] == RESULT_TEMPERROR);
    cr_expect(talk_stat(&server, "pool.messages") == 2);
    cr_expect(talk_stat(&server, "pool.in_flight") == 0);
    close(fd);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    fake_stop(&fake);
}

/* A client that goes, and a stop that does not wait: the front's task is cancelled. */
Test(lone, a_stop_while_one_waits)
{
    struct fake fake;
    start_with_silence(&fake, "60000");
    int gone = connect_with_hello(), fd;
    send_one(gone, 1);
    int64_t until_ms = now_ms() + 10000;
    while (talk_stat(&server, "pool.parked") == 0 && now_ms() < until_ms)
        usleep(2000);
    close(gone);
    fd = connect_with_hello();
    send_one(fd, 1);
    while (talk_stat(&server, "pool.parked") < 2 && now_ms() < until_ms)
        usleep(2000);
    kill(server.pid, SIGTERM);
    usleep(50000);
    cr_expect(daemon_wait(&server, 0) < 0, "it waits");
    kill(server.pid, SIGTERM);
    cr_expect(daemon_wait(&server, 20000) == 0);
    cr_expect(strstr(daemon_log(&server), "event=stopped messages=0 unanswered=2") != NULL, "%s",
              daemon_log(&server));
    buffer_reset(&in);
    cr_expect(talk_read_all(fd, &in, 1000));
    cr_expect(talk_count(buffer_span(&in), FRAME_RESULT, 0) == 0, "no verdict was made up");
    close(fd);
    fake_stop(&fake);
}
