/*
 * Clients that are broken, slow, greedy or gone (security.md J07, L01 to L04), against the real
 * daemon. After each storm it answers, and it has no descriptor more than before (R5).
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"

static struct daemon server;
static const struct talk_envelope envelope = {.ip = "192.0.2.10",
                                              .helo = "mx.shop.example",
                                              .mail_from = "orders@shop.example",
                                              .now = 1792972860,
                                              .wishes = WISH_JSON};

static void fini(void)
{
    if (server.folder[0])
        cr_expect(daemon_stop(&server, SIGTERM) == 0, "status %d", server.status);
    daemon_end_all();
}

TestSuite(hostile, .fini = fini);

static const struct sample *pass(void)
{
    const struct sample *samples;
    samples_load(&samples);
    return &samples[0];
}

static unsigned open_files(void)
{
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)server.pid);
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n;
}

/* It still serves, and everything of the storm is gone. */
static void expect_well(unsigned files_before)
{
    cr_assert(daemon_answers(&server), "%s", daemon_log(&server));
    int64_t until_ms = now_ms() + 20000;
    while ((talk_stat(&server, "live_requests") > 0 || open_files() > files_before) &&
           now_ms() < until_ms)
        usleep(20000);
    cr_expect(open_files() <= files_before, "%u descriptors, %u before", open_files(),
              files_before);
    cr_expect(talk_stat(&server, "live_connections") == 1, "the one that asks");
    cr_expect(talk_stat(&server, "pool.in_flight") == 0);
}

Test(hostile, L02_gone_at_every_byte_of_a_conversation)
{
    struct buffer out;
    DAEMON(&server, "--workers", "2");
    unsigned files = open_files();
    buffer_init(&out, 1 << 20);
    talk_conversation(&out, &envelope, pass()->bytes);
    for (size_t n = 1; n <= out.n; n++) {
        int fd = talk_connect(&server);
        cr_assert(fd >= 0);
        talk_send(fd, span_slice(buffer_span(&out), 0, n));
        close(fd);
    }
    expect_well(files);
    buffer_fini(&out);
}

Test(hostile, L02_half_close_at_every_byte_has_one_answer)
{
    struct buffer out, in;
    DAEMON(&server, "--workers", "2");
    unsigned files = open_files();
    buffer_init(&out, 1 << 20);
    buffer_init(&in, 1 << 20);
    talk_conversation(&out, &envelope, pass()->bytes);
    size_t request_ends = 0;
    struct span rest = buffer_span(&out);
    struct talk_frame frame;
    while (talk_next(&rest, &frame) && frame.type != FRAME_DATA)
        request_ends = out.n - rest.n;
    for (size_t n = 1; n <= out.n; n += n < 200 || n > out.n - 50 ? 1 : 37) {
        buffer_reset(&in);
        talk_lines(&server, span_slice(buffer_span(&out), 0, n), &in);
        unsigned results = talk_count(buffer_span(&in), FRAME_RESULT, 1);
        unsigned errors = talk_count(buffer_span(&in), FRAME_ERROR, 1);
        cr_expect(results == (n == out.n), "%zu of %zu: %u results", n, out.n, results);
        cr_expect(results + errors == (n >= request_ends), "%zu: %u answers", n, results + errors);
    }
    expect_well(files);
    buffer_fini(&out);
    buffer_fini(&in);
}

Test(hostile, J07_garbage_from_many)
{
    unsigned seed = 17;
    static uint8_t bytes[3000];
    DAEMON(&server, "--workers", "2");
    unsigned files = open_files();
    for (int round = 0; round < 1000; round++) {
        size_t n = 1 + (size_t)rand_r(&seed) % (round % 10 ? 200 : sizeof bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)rand_r(&seed);
        struct buffer out;
        buffer_init(&out, 8192);
        if (round % 3 == 0)
            talk_hello(&out);
        if (round % 3 == 1)
            bytes[0] = 0;
        buffer_append(&out, span_of(bytes, n));
        int fd = talk_connect(&server);
        cr_assert(fd >= 0);
        talk_send(fd, buffer_span(&out));
        close(fd);
        buffer_fini(&out);
    }
    expect_well(files);
}

Test(hostile, J07_lengths_of_4_GiB_are_refused_before_memory_is_had)
{
    struct buffer in;
    struct talk_frame frame;
    uint8_t header[FRAME_HEADER_BYTES];
    DAEMON(&server, "--workers", "1");
    for (uint8_t type = 1; type <= 7; type++) {
        struct buffer out;
        buffer_init(&in, 1 << 20);
        buffer_init(&out, 4096);
        memset(header, 0, sizeof header);
        header[1] = header[2] = header[3] = 0xff;
        header[0] = type == 1 ? 0 : 0xff; /* a first byte that is not 0 would be a line */
        header[4] = type;
        header[15] = type == 1 ? 0 : 1;
        if (type != 1)
            talk_hello(&out);
        buffer_append(&out, span_of(header, sizeof header));
        int fd = talk_connect(&server);
        talk_send(fd, buffer_span(&out));
        cr_assert(talk_read_all(fd, &in, 10000), "type %u: it stays open", type);
        cr_expect(talk_find(buffer_span(&in), FRAME_ERROR, 0, &frame) &&
                      talk_error_code(&frame) == FRONT_TOO_LARGE,
                  "type %u", type);
        close(fd);
        buffer_fini(&in);
        buffer_fini(&out);
    }
}

Test(hostile, messages_at_the_limit)
{
    struct buffer out, in;
    struct talk_frame frame;
    DAEMON(&server, "--max-message-bytes", "100000");
    buffer_init(&out, 1 << 20);
    buffer_init(&in, 1 << 20);
    static uint8_t bytes[100001];
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "From: a@a.example\r\n\r\n", 21);
    talk_hello(&out);
    for (int over = -1; over <= 1; over++) {
        talk_request(&out, (uint64_t)(2 + over), &envelope);
        talk_message(&out, (uint64_t)(2 + over), span_of(bytes, (size_t)(100000 + over)), 9999);
    }
    talk_lines(&server, buffer_span(&out), &in);
    cr_expect(talk_count(buffer_span(&in), FRAME_RESULT, 1) == 1);
    cr_expect(talk_count(buffer_span(&in), FRAME_RESULT, 2) == 1);
    cr_expect(talk_find(buffer_span(&in), FRAME_ERROR, 3, &frame) &&
              talk_error_code(&frame) == FRONT_TOO_LARGE);
    buffer_fini(&out);
    buffer_fini(&in);
}

Test(hostile, L01_dripping_and_silent_clients_are_closed)
{
    struct buffer in;
    DAEMON(&server, "--idle-ms", "1500", "--partial-ms", "400", "--rate-ms", "400", "--rate-bytes",
           "1000");
    int silent = talk_connect(&server), dripping = talk_connect(&server);
    int slow = talk_connect(&server), busy = talk_connect(&server);
    struct buffer out;
    buffer_init(&out, 4096);
    buffer_init(&in, 1 << 20);
    talk_hello(&out);
    talk_send(dripping, span_slice(buffer_span(&out), 0, 3));
    talk_send(slow, SPAN("{\"id\":1,\"size\":5000}\nFrom: a@a.example\r\n"));
    for (int i = 0; i < 18; i++) { /* who speaks stays */
        usleep(100000);
        talk_send(busy, SPAN("{\"op\":\"ping\"}\n"));
        if (i < 8)
            talk_send(dripping, span_slice(buffer_span(&out), 3 + (size_t)i, 4 + (size_t)i));
    }
    cr_expect(talk_read_all(silent, &in, 20000), "silent");
    buffer_reset(&in);
    cr_expect(talk_read_all(dripping, &in, 20000), "dripping");
    buffer_reset(&in);
    cr_expect(talk_read_all(slow, &in, 20000), "slow");
    buffer_append_byte(&in, 0);
    cr_expect(strstr((char *)in.p, "{\"id\":1,\"error\":\"idle\"") != NULL, "%s", (char *)in.p);
    buffer_reset(&in);
    cr_expect(talk_read_lines(busy, &in, 10, 2000), "busy");
    cr_expect(talk_stat(&server, "idle") >= 3);
    close(silent);
    close(dripping);
    close(slow);
    close(busy);
    buffer_fini(&in);
    buffer_fini(&out);
}

/* What the daemon holds in memory, in KiB. */
static long resident(void)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)server.pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "VmRSS: %ld", &kib);
    if (file)
        fclose(file);
    return kib;
}

Test(hostile, L03_who_never_reads_is_not_read_from)
{
    struct buffer out;
    DAEMON(&server, "--max-in-flight", "1000", "--max-output-bytes", "65536", "--idle-ms", "1500");
    unsigned files = open_files();
    buffer_init(&out, 64 << 20);
    talk_hello(&out);
    for (uint64_t id = 1; id <= 100000; id++) {
        talk_request(&out, id, &envelope);
        talk_message(&out, id, SPAN("From: a@a.example\r\n\r\nhello\r\n"), 1000);
    }
    int fd = talk_connect(&server);
    struct span rest = buffer_span(&out);
    int64_t until_ms = now_ms() + 15000;
    bool stopped = false;
    while (rest.n && now_ms() < until_ms) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
        if (poll(&poll_fd, 1, 500) == 0) {
            stopped = true;
            break;
        }
        ssize_t n = send(fd, rest.p, rest.n < 65536 ? rest.n : 65536, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            break;
        rest = span_skip(rest, (size_t)n);
    }
    cr_expect(stopped && rest.n > out.n / 2, "%zu of %zu were read", out.n - rest.n, out.n);
    cr_expect(resident() < 300 * 1024, "%ld KiB", resident());
    cr_expect(daemon_answers(&server), "others are served");
    until_ms = now_ms() + 10000;
    while (talk_stat(&server, "output_stalls") == 0 && now_ms() < until_ms)
        usleep(20000);
    cr_expect(talk_stat(&server, "output_stalls") >= 1);
    struct pollfd poll_fd = {.fd = fd, .events = 0};
    cr_expect(poll(&poll_fd, 1, 10000) == 1 && (poll_fd.revents & POLLHUP), "it is cut off");
    close(fd);
    expect_well(files);
    buffer_fini(&out);
}

/* Many that never read must not stop the others: what waits is not kept in shared chunks. */
Test(hostile, L03_a_hundred_who_never_read)
{
    struct buffer out, in;
    enum
    {
        CLIENTS = 100
    };
    static int fds[CLIENTS];
    DAEMON(&server, "--max-chunks", "16", "--max-output-bytes", "4096");
    unsigned files = open_files();
    buffer_init(&out, 1 << 20);
    buffer_init(&in, 1 << 20);
    for (int i = 0; i < 9000; i++)
        buffer_append(&out, SPAN("{\"op\":\"ping\"}\n"));
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = talk_connect(&server);
        cr_assert(fds[i] >= 0);
        ssize_t n = send(fds[i], out.p, out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        cr_assert(n > 0);
    }
    buffer_reset(&out);
    talk_conversation(&out, &envelope, pass()->bytes);
    talk_lines(&server, buffer_span(&out), &in);
    cr_expect(talk_count(buffer_span(&in), FRAME_RESULT, 1) == 1);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    expect_well(files);
    buffer_fini(&out);
    buffer_fini(&in);
}

Test(hostile, L04_out_of_descriptors)
{
    struct buffer in;
    int fds[100];
    unsigned closed = 0, served = 0;
    few_files = true;
    DAEMON(&server, "--workers", "1");
    cr_assert(daemon_answers(&server));
    int first = talk_connect(&server);
    for (int i = 0; i < 100; i++)
        fds[i] = talk_connect(&server);
    buffer_init(&in, 1 << 20);
    talk_send(first, SPAN("{\"size\":0}\n")); /* work that is there goes on */
    cr_expect(talk_read_lines(first, &in, 1, 10000));
    usleep(500000);
    for (int i = 0; i < 100; i++) {
        struct pollfd poll_fd = {.fd = fds[i], .events = POLLIN};
        closed += fds[i] < 0 || (poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLHUP));
    }
    cr_expect(closed > 0, "refused ones see it");
    for (int i = 0; i < 100; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    usleep(300000);
    for (int i = 0; i < 20; i++)
        served += daemon_answers(&server);
    cr_expect(served == 20, "%u of 20 afterwards", served);
    cr_expect(talk_stat(&server, "out_of_descriptors") > 0);
    close(first);
    buffer_fini(&in);
}

Test(hostile, connections_at_the_limit_wait_for_a_place)
{
    int fds[5];
    DAEMON(&server, "--max-connections", "4");
    usleep(500000); /* the connection of DAEMON has gone */
    for (int i = 0; i < 4; i++)
        fds[i] = talk_connect(&server);
    struct buffer in;
    buffer_init(&in, 4096);
    for (int i = 0; i < 4; i++) {
        buffer_reset(&in);
        talk_send(fds[i], SPAN("{\"op\":\"ping\"}\n"));
        cr_expect(talk_read_lines(fds[i], &in, 1, 5000), "%d", i);
    }
    fds[4] = talk_connect(&server); /* in the queue of the kernel */
    buffer_reset(&in);
    talk_send(fds[4], SPAN("{\"op\":\"ping\"}\n"));
    cr_expect(!talk_read_lines(fds[4], &in, 1, 300), "the fifth waits");
    close(fds[0]);
    cr_expect(talk_read_lines(fds[4], &in, 1, 5000), "and has its turn");
    for (int i = 1; i < 5; i++)
        close(fds[i]);
    buffer_fini(&in);
}

Test(hostile, connections_of_one_user_at_the_limit)
{
    struct buffer in;
    int fds[4];
    DAEMON(&server, "--max-per-uid", "3");
    usleep(500000);
    buffer_init(&in, 4096);
    for (int i = 0; i < 4; i++)
        fds[i] = talk_connect(&server);
    for (int i = 0; i < 3; i++) {
        buffer_reset(&in);
        talk_send(fds[i], SPAN("{\"op\":\"ping\"}\n"));
        cr_expect(talk_read_lines(fds[i], &in, 1, 5000), "%d", i);
    }
    buffer_reset(&in);
    cr_expect(talk_read_all(fds[3], &in, 5000) && in.n == 0, "the fourth is closed");
    close(fds[0]);
    usleep(500000);
    cr_expect(talk_stat(&server, "refused_per_uid") == 1);
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    buffer_fini(&in);
}

Test(hostile, the_whole_pool_full_is_busy_and_recovers)
{
    struct buffer out, in;
    unsigned results, busy;
    DAEMON(&server, "--max-messages", "8", "--max-in-flight", "64");
    buffer_init(&out, 1 << 20);
    buffer_init(&in, 1 << 20);
    talk_hello(&out);
    for (uint64_t id = 1; id <= 32; id++)
        talk_request(&out, id, &envelope);
    int fd = talk_connect(&server);
    talk_send(fd, buffer_span(&out));
    cr_assert(talk_read_frames(fd, &in, FRAME_ERROR, 24, 10000));
    buffer_reset(&out);
    for (uint64_t id = 1; id <= 32; id++)
        talk_message(&out, id, SPAN("From: a@a.example\r\n\r\n"), 1000);
    talk_send(fd, buffer_span(&out));
    shutdown(fd, SHUT_WR);
    cr_assert(talk_read_all(fd, &in, 10000));
    results = talk_count(buffer_span(&in), FRAME_RESULT, 0);
    busy = talk_count(buffer_span(&in), FRAME_ERROR, 0);
    cr_expect(results == 8 && busy == 24, "%u results, %u errors", results, busy);
    cr_expect(talk_stat(&server, "busy") == 24);
    close(fd);
    buffer_fini(&out);
    buffer_fini(&in);
}
