/*
 * Many at once: 10,000 idle connections beside 1,000 active ones, a storm of connects, cancels;
 * the ledger of requests and answers has no loss and no double (R1).
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"

static struct daemon server;
static const struct talk_envelope envelope = {.ip = "192.0.2.10",
                                              .helo = "mx.shop.example",
                                              .mail_from = "orders@shop.example",
                                              .now = 1792972860};

static void fini(void)
{
    daemon_end_all();
}

TestSuite(load, .fini = fini);

/* As many descriptors as we may have; how many connections that is good for. */
static unsigned raise_files(unsigned wanted)
{
    struct rlimit limit = {wanted + 1000, wanted + 1000};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > wanted + 100 ? wanted : (unsigned)limit.rlim_cur - 100;
}

Test(load, ten_thousand_idle_and_a_thousand_active)
{
    enum
    {
        IDLE = 10000,
        ACTIVE = 1000,
        ROUNDS = 5,
    };
    static int fds[IDLE + ACTIVE];
    struct buffer out, in;
    unsigned answers = 0, idle = IDLE;
    if (raise_files(IDLE + ACTIVE) < IDLE + ACTIVE)
        cr_skip_test("cannot have 11,000 descriptors");
    DAEMON(&server, "--max-connections", "20000", "--max-per-uid", "20000");
    int64_t begun_ms = now_ms();
    for (unsigned i = 0; i < IDLE + ACTIVE; i++) {
        fds[i] = talk_connect(&server);
        cr_assert(fds[i] >= 0, "connection %u", i);
    }
    buffer_init(&out, 1 << 16);
    buffer_init(&in, 1 << 20);
    for (unsigned round = 0; round < ROUNDS; round++) {
        buffer_reset(&out);
        if (round == 0)
            talk_hello(&out);
        talk_request(&out, round + 1, &envelope);
        talk_message(&out, round + 1, SPAN("From: orders@shop.example\r\n\r\nhello\r\n"), 1000);
        for (unsigned i = idle; i < idle + ACTIVE; i++)
            talk_send(fds[i], buffer_span(&out));
        for (unsigned i = idle; i < idle + ACTIVE; i++) {
            buffer_reset(&in);
            cr_assert(talk_read_frames(fds[i], &in, FRAME_RESULT, 1, 30000), "connection %u", i);
            answers += talk_count(buffer_span(&in), FRAME_RESULT, round + 1);
        }
    }
    cr_expect(answers == ACTIVE * ROUNDS, "%u answers", answers);
    cr_expect(talk_stat(&server, "live_connections") == IDLE + ACTIVE + 1);
    cr_expect(now_ms() - begun_ms < 60000);
    for (unsigned i = 0; i < IDLE + ACTIVE; i++)
        close(fds[i]);
    int64_t until_ms = now_ms() + 20000;
    while (talk_stat(&server, "live_connections") > 1 && now_ms() < until_ms)
        usleep(20000);
    cr_expect(talk_stat(&server, "live_connections") == 1);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    buffer_fini(&out);
    buffer_fini(&in);
}

/* Frames that answer a request: the server's HELLO and CREDIT speak of the connection, with id 0.
 */
static unsigned count_answers(struct span rest)
{
    struct talk_frame frame;
    unsigned count = 0;
    while (talk_next(&rest, &frame))
        count += frame.id != 0;
    return count;
}

/* Sends all while reading what comes: one thread, so neither side waits for ever. */
static void exchange(int fd, struct span out, struct buffer *in, unsigned answers)
{
    int64_t until_ms = now_ms() + 60000;
    static uint8_t bytes[65536];
    while (now_ms() < until_ms) {
        struct pollfd poll_fd = {.fd = fd, .events = (short)(POLLIN | (out.n ? POLLOUT : 0))};
        if (poll(&poll_fd, 1, 1000) < 0)
            return;
        if (poll_fd.revents & POLLOUT) {
            ssize_t n = send(fd, out.p, out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
            out = span_skip(out, n > 0 ? (size_t)n : 0);
        }
        if (poll_fd.revents & POLLIN) {
            ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
            if (n <= 0)
                return;
            buffer_append(in, span_of(bytes, (size_t)n));
        }
        if (!out.n && in->n >= answers * 24u && count_answers(buffer_span(in)) >= answers)
            return; /* a RESULT alone has 24 bytes: below that the count is not worth its time */
    }
}

Test(load, sixteen_thousand_in_flight_on_one_connection)
{
    enum
    {
        REQUESTS = 16384
    };
    struct buffer out, in;
    struct talk_frame frame;
    unsigned results = 0, errors = 0;
    static uint8_t ledger[REQUESTS + 1];
    DAEMON(&server, "--max-in-flight", "16384");
    buffer_init(&out, 64 << 20);
    buffer_init(&in, 16 << 20);
    talk_hello(&out);
    for (uint64_t id = 1; id <= REQUESTS; id++)
        talk_request(&out, id, &envelope); /* all open before the first is complete */
    for (uint64_t id = 1; id <= REQUESTS; id++)
        talk_message(&out, id, SPAN("From: orders@shop.example\r\n\r\nhello\r\n"), 1000);
    int fd = talk_connect(&server);
    exchange(fd, buffer_span(&out), &in, REQUESTS);
    struct span rest = buffer_span(&in);
    while (talk_next(&rest, &frame)) {
        results += frame.type == FRAME_RESULT;
        errors += frame.type == FRAME_ERROR;
        if (frame.type == FRAME_RESULT && frame.id <= REQUESTS)
            ledger[frame.id]++;
    }
    for (unsigned id = 1; id <= REQUESTS; id++)
        cr_assert(ledger[id] == 1, "request %u: %u answers", id, ledger[id]);
    cr_expect(results == REQUESTS && errors == 0, "%u results, %u errors", results, errors);
    close(fd);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    buffer_fini(&out);
    buffer_fini(&in);
}

/* Every third is cancelled at some point of its way: one answer each, whichever it is. */
Test(load, R1_cancels_at_random_keep_the_ledger)
{
    enum
    {
        REQUESTS = 3000
    };
    struct buffer out, in;
    struct talk_frame frame;
    static uint8_t ledger[REQUESTS + 1];
    unsigned seed = 23, cancelled = 0, verdicts = 0;
    const struct sample *samples;
    size_t count = samples_load(&samples);
    DAEMON(&server, "--max-in-flight", "16384", "--workers", "2");
    buffer_init(&out, 64 << 20);
    buffer_init(&in, 16 << 20);
    talk_hello(&out);
    for (uint64_t id = 1; id <= REQUESTS; id++) {
        struct span message = samples[(size_t)rand_r(&seed) % count].bytes;
        talk_request(&out, id, &envelope);
        size_t cut = (size_t)rand_r(&seed) % message.n;
        talk_frame(&out, FRAME_DATA, 0, id, span_slice(message, 0, cut));
        int when = rand_r(&seed) % 6;
        if (when == 0)
            talk_frame(&out, FRAME_CANCEL, 0, id, SPAN(""));
        talk_frame(&out, FRAME_DATA, FRAME_FLAG_END, id, span_skip(message, cut));
        if (when == 1)
            talk_frame(&out, FRAME_CANCEL, 0, id, SPAN(""));
        if (when == 2 && id > 20)
            talk_frame(&out, FRAME_CANCEL, 0, id - 20, SPAN(""));
    }
    int fd = talk_connect(&server);
    exchange(fd, buffer_span(&out), &in, REQUESTS);
    shutdown(fd, SHUT_WR);
    talk_read_all(fd, &in, 10000);
    struct span rest = buffer_span(&in);
    while (talk_next(&rest, &frame)) {
        cancelled += talk_error_code(&frame) == FRONT_CANCELLED;
        verdicts += frame.type == FRAME_RESULT;
        if ((frame.type == FRAME_RESULT || frame.type == FRAME_ERROR) && frame.id <= REQUESTS)
            ledger[frame.id]++;
    }
    for (unsigned id = 1; id <= REQUESTS; id++)
        cr_assert(ledger[id] == 1, "request %u: %u answers", id, ledger[id]);
    cr_expect(cancelled + verdicts == REQUESTS && cancelled > 300, "%u cancelled, %u judged",
              cancelled, verdicts);
    close(fd);
    cr_expect(talk_stat(&server, "live_requests") == 0);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    buffer_fini(&out);
    buffer_fini(&in);
}

/* One large message must not hold up small ones of another connection. */
Test(load, a_large_message_delays_no_other)
{
    struct buffer out, in;
    static uint8_t body[1 << 20];
    DAEMON(&server, "--workers", "2");
    memset(body, 'x', sizeof body);
    for (size_t i = 78; i < sizeof body; i += 80)
        memcpy(body + i, "\r\n", 2);
    buffer_init(&out, 64 << 20);
    buffer_init(&in, 1 << 20);
    talk_hello(&out);
    talk_request(&out, 1, &envelope);
    talk_frame(&out, FRAME_DATA, 0, 1, SPAN("From: orders@shop.example\r\n\r\n"));
    for (int i = 0; i < 40; i++)
        talk_frame(&out, FRAME_DATA, 0, 1, span_of(body, sizeof body));
    talk_frame(&out, FRAME_DATA, FRAME_FLAG_END, 1, SPAN(""));
    pid_t child = fork();
    if (child == 0) {
        int fd = talk_connect(&server);
        talk_send(fd, buffer_span(&out));
        _exit(talk_read_frames(fd, &in, FRAME_RESULT, 1, 30000) ? 0 : 1);
    }
    int64_t worst_ms = 0;
    int fd = talk_connect(&server);
    for (int i = 0; i < 50; i++) {
        int64_t begun_ms = now_ms();
        buffer_reset(&in);
        talk_send(fd, SPAN("{\"size\":0}\n"));
        cr_assert(talk_read_lines(fd, &in, 1, 10000));
        worst_ms = now_ms() - begun_ms > worst_ms ? now_ms() - begun_ms : worst_ms;
    }
    cr_expect(worst_ms < 9000, "%lld ms", (long long)worst_ms);
    int status;
    cr_expect(waitpid(child, &status, 0) == child && status == 0);
    close(fd);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    buffer_fini(&out);
    buffer_fini(&in);
}
