/*
 * Answers on their way out of the real daemon: more than the socket takes, read slowly, or not to
 * the end. A leak in the daemon is its exit status under LeakSanitizer.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"

static struct daemon server;
static struct buffer out, in;
static const struct talk_envelope envelope = {.ip = "192.0.2.10",
                                              .helo = "mx.shop.example",
                                              .mail_from = "orders@shop.example",
                                              .now = 1792972860,
                                              .wishes = WISH_JSON};
#define MESSAGE SPAN("From: orders@shop.example\r\nSubject: x\r\n\r\nhello\r\n")

static void init(void)
{
    buffer_init(&out, 64 << 20);
    buffer_init(&in, 64 << 20);
}

static void fini(void)
{
    if (server.folder[0])
        cr_expect(daemon_stop(&server, SIGTERM) == 0, "status %d", server.status);
    daemon_end_all();
    buffer_fini(&out);
    buffer_fini(&in);
}

TestSuite(output, .init = init, .fini = fini);

/* A connection that has asked for `count` verdicts in JSON, and read nothing. */
static int ask(unsigned count)
{
    int fd = talk_connect(&server);
    cr_assert(fd >= 0);
    buffer_reset(&out);
    talk_hello(&out);
    for (unsigned i = 1; i <= count; i++) {
        talk_request(&out, i, &envelope);
        talk_message(&out, i, MESSAGE, 1000);
    }
    talk_send(fd, buffer_span(&out));
    return fd;
}

/* Waits until that many were taken in since the start, and nothing is with the workers. */
static void wait_for_answers(long long requests)
{
    int64_t until_ms = now_ms() + 60000;
    while (talk_stat(&server, "requests") < requests || talk_stat(&server, "live_requests") > 0) {
        cr_assert(now_ms() < until_ms, "requests are still open");
        usleep(10000);
    }
}

/* Each id has one RESULT, which is whole; nothing else is there but HELLO. */
static void expect_each_once(unsigned count)
{
    struct span rest = buffer_span(&in);
    struct talk_frame frame;
    unsigned results = 0;
    bool *seen = calloc(count + 1, sizeof *seen);
    while (talk_next(&rest, &frame)) {
        if (frame.type == FRAME_HELLO)
            continue;
        cr_assert(frame.type == FRAME_RESULT && frame.id >= 1 && frame.id <= count,
                  "type %u of %llu", frame.type, (unsigned long long)frame.id);
        struct span json = talk_tlv(&frame, TAG_JSON);
        cr_assert(json.n > 1024 && json.p[0] == '{' && json.p[json.n - 1] == '}', "%zu of JSON",
                  json.n);
        cr_assert(!seen[frame.id], "%llu twice", (unsigned long long)frame.id);
        seen[frame.id] = true;
        results++;
    }
    cr_expect(rest.n == 0 && results == count, "%u of %u answers, %zu octets left", results, count,
              rest.n);
    free(seen);
}

/* Thousands are unsent at once: far more than one call takes and than the socket holds. */
Test(output, thousands_of_answers_that_waited)
{
    enum
    {
        COUNT = 4000,
    };
    DAEMON(&server, "--max-in-flight", "5000", "--max-output-bytes", "100000000");
    int fd = ask(COUNT);
    wait_for_answers(COUNT);
    cr_assert(talk_read_frames(fd, &in, FRAME_RESULT, COUNT, 60000));
    expect_each_once(COUNT);
    close(fd);
}

/* The limit on what is unsent holds answers back, and lets them go one after the other. */
Test(output, L03_more_answers_than_may_be_unsent)
{
    enum
    {
        COUNT = 2000,
    };
    DAEMON(&server, "--max-in-flight", "100", "--max-output-bytes", "8192");
    int fd = talk_connect(&server);
    struct talk_frame frame;
    talk_hello(&out);
    talk_send(fd, buffer_span(&out));
    cr_assert(talk_read_frames(fd, &in, FRAME_HELLO, 1, 20000));
    unsigned asked = 0;
    for (unsigned have = 0; have < COUNT;) {
        buffer_reset(&out);
        for (; asked < COUNT && asked < have + 100; asked++) {
            talk_request(&out, asked + 1, &envelope);
            talk_message(&out, asked + 1, MESSAGE, 1000);
        }
        talk_send(fd, buffer_span(&out));
        cr_assert(talk_read_frames(fd, &in, FRAME_RESULT, have + 1, 20000));
        have = talk_count(buffer_span(&in), FRAME_RESULT, 0);
    }
    cr_expect(!talk_find(buffer_span(&in), FRAME_ERROR, 0, &frame));
    expect_each_once(COUNT);
    close(fd);
}

Test(output, a_reader_that_takes_one_octet_at_a_time)
{
    enum
    {
        COUNT = 200,
    };
    DAEMON(&server, "--max-in-flight", "200", "--max-output-bytes", "4096");
    int fd = ask(COUNT);
    struct talk_frame frame;
    struct span rest = {NULL, 0};
    struct timeval wait = {.tv_sec = 60};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (unsigned results = 0; results < COUNT;) {
        uint8_t *octet = buffer_reserve(&in, 1);
        cr_assert(octet && recv(fd, octet, 1, 0) == 1, "%u answers", results);
        buffer_commit(&in, 1);
        rest = span_of(in.p + in.n - rest.n - 1, rest.n + 1);
        if (talk_next(&rest, &frame))
            results += frame.type == FRAME_RESULT;
    }
    expect_each_once(COUNT);
    close(fd);
}

/* In the middle of a frame, of whatever is unsent, again and again. */
Test(output, L02_a_reader_that_goes_in_the_middle_of_an_answer)
{
    enum
    {
        CLIENTS = 20,
        COUNT = 1000,
    };
    uint8_t bytes[CLIENTS * 37];
    DAEMON(&server, "--max-in-flight", "1000", "--max-output-bytes", "100000000");
    for (size_t i = 0; i < CLIENTS; i++) {
        long long before = talk_stat(&server, "requests");
        int fd = ask(COUNT);
        if (i % 2) /* with all answers unsent but what the socket holds, or in the midst of them */
            wait_for_answers(before + COUNT);
        cr_expect(recv(fd, bytes, i * 37 + 1, MSG_WAITALL) == (ssize_t)(i * 37 + 1));
        close(fd);
    }
    int64_t until_ms = now_ms() + 20000;
    while (
        (talk_stat(&server, "live_connections") > 1 || talk_stat(&server, "live_requests") > 0) &&
        now_ms() < until_ms)
        usleep(10000);
    cr_expect(talk_stat(&server, "live_connections") == 1, "but the one that asks");
    cr_expect(talk_stat(&server, "live_requests") == 0);
    cr_expect(daemon_answers(&server));
}

/* The daemon is stopped at once while answers wait for a reader. */
Test(output, stopped_with_answers_unsent)
{
    DAEMON(&server, "--max-in-flight", "1000", "--max-output-bytes", "100000000", "--drain-ms",
           "100");
    int fd = ask(1000);
    wait_for_answers(1000);
    cr_expect(daemon_stop(&server, SIGTERM) == 0, "status %d", server.status);
    close(fd);
}
