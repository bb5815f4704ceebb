/* Losing a connection, coming back, servers that drain, silence. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fake.h"

static void wait_ms(unsigned ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Turns until the client has connected again; at most two seconds. */
static void await_caller(struct fake *fake, struct assay_client *client)
{
    for (int i = 0; i < 400 && !fake_has_caller(fake); i++) {
        turn(client);
        wait_ms(5);
    }
    fake_accept(fake);
    struct taken hello = fake_take(fake);
    cr_assert(hello.type == FRAME_HELLO);
    taken_free(&hello);
}

static const struct assay_client_options quick = {.backoff_min_ms = 10, .backoff_max_ms = 40};

Test(reconnect, lost_requests_are_told_once_and_never_sent_again)
{
    struct fake fake;
    unsigned before = open_descriptors();
    fake_open(&fake);
    struct assay_client *client = fake_client_with(&fake, 8, quick);
    int answered, lost;
    uint64_t id = 0;
    cr_assert(assay_client_submit(client, NULL, "a", 1, &answered, &id) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_submit(client, NULL, "b", 1, &lost, NULL) == ASSAY_CLIENT_OK);
    turn(client);
    fake_result(&fake, id, "\x11\x11\x11\x11\x01", NULL);
    fake_hang_up(&fake);
    for (int i = 0; i < 3; i++)
        turn(client);
    cr_assert(reports.count == 2, "%u answers", reports.count);
    cr_expect(reports.list[0].outcome == ASSAY_CLIENT_VERDICT && reports.list[0].user == &answered);
    cr_expect(reports.list[1].outcome == ASSAY_CLIENT_LOST && reports.list[1].user == &lost);
    cr_expect_str_eq(reports.list[1].word, "connection");
    cr_expect(*reports.list[1].text);
    await_caller(&fake, client);
    fake_greet(&fake, 3, 1000, 1000);
    turn(client);
    cr_expect(assay_client_room(client) == 3, "credit is the new server's alone");
    cr_expect(!fake_has_frame(&fake), "something was sent again");
    submitted(client, "c");
    turn(client);
    cr_expect(fake_has_frame(&fake) && reports.count == 2);
    assay_client_close(&client);
    fake_close(&fake);
    cr_expect(open_descriptors() == before);
}

/* The stream that was under way has ended; the caller hears so from each call and from done(). */
Test(reconnect, the_server_goes_in_the_middle_of_a_message)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client_with(&fake, 8, quick);
    uint64_t id;
    cr_assert(assay_client_begin(client, NULL, NULL, &id) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_data(client, id, "From: a", 7) == ASSAY_CLIENT_OK);
    turn(client);
    fake_hang_up(&fake);
    char large[65536] = {0};
    enum assay_client_status status = assay_client_data(client, id, large, sizeof large);
    cr_expect(status == ASSAY_CLIENT_OK || status == ASSAY_CLIENT_ENDED, "status %d", status);
    cr_expect(reports.count == 0, "told outside of process");
    cr_expect(assay_client_timeout(client) == 0, "a broken connection is told at once");
    turn(client);
    cr_assert(reports.count == 1 && reports.list[0].outcome == ASSAY_CLIENT_LOST);
    cr_expect(assay_client_data(client, id, "x", 1) == ASSAY_CLIENT_ENDED);
    cr_expect(assay_client_end(client, id) == ASSAY_CLIENT_ENDED);
    cr_expect(assay_client_cancel(client, id) == ASSAY_CLIENT_ENDED);
    assay_client_close(&client);
    cr_expect(reports.count == 1);
    fake_close(&fake);
}

/* What the server said before it went is heard, even if writing to it has failed already. */
Test(reconnect, answers_before_the_end_are_delivered)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client_with(&fake, 8, quick);
    uint64_t a = submitted(client, "a");
    turn(client);
    fake_read(&fake);
    fake_result(&fake, a, "\x14\x14\x11\x14\x03", NULL);
    fake_error(&fake, 0, ASSAY_CLIENT_ERROR_MALFORMED, "frame 7");
    fake_hang_up(&fake);
    submitted(client, "b");
    assay_client_flush(client);
    turn(client);
    cr_assert(reports.count == 2, "%u answers", reports.count);
    cr_expect(reports.list[0].outcome == ASSAY_CLIENT_VERDICT &&
              reports.list[0].disposition == ASSAY_CLIENT_DISPOSE_REJECT);
    cr_expect_str_eq(reports.list[1].text, "the server says malformed: frame 7");
    assay_client_close(&client);
    fake_close(&fake);
}

Test(reconnect, no_reconnect_is_final)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client =
        fake_client_with(&fake, 8, (struct assay_client_options){.no_reconnect = 1});
    submitted(client, "a");
    turn(client);
    fake_hang_up(&fake);
    cr_expect(assay_client_poll(client, 1000) == 1);
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_GONE);
    cr_expect(assay_client_timeout(client) == -1 && assay_client_fd(client) == -1);
    cr_expect(assay_client_poll(client, -1) == 0, "poll would wait for ever");
    cr_expect(assay_client_submit(client, NULL, "b", 1, NULL, NULL) == ASSAY_CLIENT_WOULD_BLOCK);
    assay_client_close(&client);
    fake_close(&fake);
}

/* Pauses grow from the least to the most and have a random part: counted, not timed exactly. */
Test(reconnect, attempts_become_rarer)
{
    struct fake fake;
    fake_open(&fake);
    fake_deafen(&fake);
    struct assay_client *client = fake_client_with(
        &fake, 0,
        (struct assay_client_options){.backoff_min_ms = 20, .backoff_max_ms = 80, .name = "x"});
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_AWAY);
    cr_expect(strstr(assay_client_trouble(client), "No such file") != NULL);
    int most = 0;
    for (int i = 0; i < 8; i++) {
        int pause = assay_client_timeout(client);
        cr_expect(pause >= 0 && pause <= 80, "pause of %d ms", pause);
        cr_expect(i > 0 || pause <= 20, "first pause of %d ms", pause);
        cr_expect(i < 4 || pause >= 30, "pause of %d ms after %d attempts", pause, i);
        most = pause > most ? pause : most;
        wait_ms((unsigned)pause + 1);
        turn(client);
    }
    cr_expect(most > 20);
    fake_listen(&fake);
    await_caller(&fake, client);
    fake_greet(&fake, 1, 1000, 1000);
    turn(client);
    fake_hang_up(&fake);
    turn(client);
    cr_expect(assay_client_timeout(client) <= 20, "a greeting starts the pauses anew");
    assay_client_close(&client);
    fake_close(&fake);
}

/* GOAWAY: what is open is answered, nothing new is taken, then the next server is looked for. */
Test(reconnect, a_server_that_drains)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client_with(&fake, 8, quick);
    uint64_t a = submitted(client, "a"), stream;
    cr_assert(assay_client_begin(client, NULL, NULL, &stream) == ASSAY_CLIENT_OK);
    turn(client);
    fake_frame(&fake, FRAME_GOAWAY, 0, "\0\0\0\0\0\0\0\x01", 8);
    turn(client);
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_DRAINING);
    cr_expect(assay_client_submit(client, NULL, "b", 1, NULL, NULL) == ASSAY_CLIENT_WOULD_BLOCK);
    cr_expect(assay_client_data(client, stream, "x", 1) == ASSAY_CLIENT_OK, "accepted: goes on");
    cr_expect(assay_client_end(client, stream) == ASSAY_CLIENT_OK);
    turn(client);
    fake_error(&fake, stream, ASSAY_CLIENT_ERROR_GOING_AWAY, "");
    fake_result(&fake, a, "\x11\x11\x11\x11\x01", NULL);
    turn(client);
    cr_assert(reports.count == 2, "%u answers", reports.count);
    cr_expect_str_eq(reports.list[0].word, "going_away");
    cr_expect(reports.list[1].outcome == ASSAY_CLIENT_VERDICT);
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_AWAY);
    fake_hang_up(&fake);
    await_caller(&fake, client);
    fake_greet(&fake, 8, 1000, 1000);
    turn(client);
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_READY);
    assay_client_close(&client);
    fake_close(&fake);
}

/* A server that hangs: pinged, then given up. */
Test(reconnect, silence_is_noticed)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client_with(
        &fake, 8, (struct assay_client_options){.alive_ms = 40, .backoff_min_ms = 5000});
    submitted(client, "a");
    turn(client);
    fake_read(&fake);
    fake.in_bytes = 0;
    int64_t begin = now_ms();
    cr_expect(assay_client_poll(client, 60) == 0);
    struct taken ping = fake_take(&fake);
    cr_expect(ping.type == FRAME_PING && ping.id == 0);
    taken_free(&ping);
    fake_frame(&fake, FRAME_PONG, 0, NULL, 0);
    cr_expect(assay_client_poll(client, 0) == 0);
    cr_expect(assay_client_poll(client, 60) == 0, "the answer to the ping counts");
    cr_expect(assay_client_poll(client, 2000) == 1);
    cr_expect(now_ms() - begin >= 120, "given up after %lld ms", (long long)(now_ms() - begin));
    cr_assert(reports.count == 1 && reports.list[0].outcome == ASSAY_CLIENT_LOST);
    cr_expect_str_eq(reports.list[0].text, "the server does not answer");
    assay_client_close(&client);
    fake_close(&fake);
}

/* A program that was asleep for long does not take its own sleep for the server's silence. */
Test(reconnect, a_caller_that_slept_asks_first)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client =
        fake_client_with(&fake, 8, (struct assay_client_options){.alive_ms = 20});
    wait_ms(100);
    turn(client);
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_READY);
    struct taken ping = fake_take(&fake);
    cr_expect(ping.type == FRAME_PING);
    taken_free(&ping);
    assay_client_close(&client);
    fake_close(&fake);
}

/* The server's farewell to the whole connection. */
Test(reconnect, the_server_says_why_it_closes)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client_with(&fake, 8, quick);
    submitted(client, "a");
    turn(client);
    fake_error(&fake, 0, ASSAY_CLIENT_ERROR_IDLE, "\x1b[31mred");
    turn(client);
    cr_expect(reports.count == 0 && assay_client_room(client) == 0);
    fake_hang_up(&fake);
    turn(client);
    cr_assert(reports.count == 1);
    cr_expect_str_eq(reports.list[0].text, "the server says idle: ?[31mred"); /* J08 */
    assay_client_close(&client);
    fake_close(&fake);
}
