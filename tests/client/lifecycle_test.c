/* Opening, greeting, closing, the caller's own loop, and what callbacks may do. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake.h"

static void ignore(void *context, const struct assay_client_answer *answer)
{
    (void)context;
    (void)answer;
}

Test(lifecycle, nobody_listens_and_no_reconnect_is_an_error_of_open)
{
    struct assay_client_options options = {
        .size = sizeof options, .done = ignore, .no_reconnect = 1};
    char error[ASSAY_CLIENT_ERROR_MAX];
    cr_assert(assay_client_open("/nonexistent/socket", &options, error) == NULL);
    cr_expect_str_eq(error, "/nonexistent/socket: No such file or directory");
    cr_expect(assay_client_open("/nonexistent/socket", &options, NULL) == NULL);
}

struct bad_open
{
    const char *name, *path;
    struct assay_client_options options;
};

Test(lifecycle, arguments_that_cannot_be_are_refused)
{
    char long_path[200], error[ASSAY_CLIENT_ERROR_MAX];
    memset(long_path, 'x', sizeof long_path);
    long_path[108] = '\0'; /* sun_path has room for 107 and the NUL */
    const struct bad_open cases[] = {
        {"no path", NULL, {.size = sizeof cases[0].options, .done = ignore}},
        {"empty path", "", {.size = sizeof cases[0].options, .done = ignore}},
        {"path too long", long_path, {.size = sizeof cases[0].options, .done = ignore}},
        {"no done", "/x", {.size = sizeof cases[0].options}},
        {"no size", "/x", {.done = ignore}},
        {"size of the future", "/x", {.size = sizeof cases[0].options + 8, .done = ignore}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(assay_client_open(cases[i].path, &cases[i].options, error) == NULL && *error,
                  "%s: accepted", cases[i].name);
    cr_expect(assay_client_open("/x", NULL, error) == NULL);
    long_path[107] = '\0';
    struct assay_client *client = assay_client_open(long_path, &cases[0].options, error);
    cr_assert(client != NULL, "107 bytes: %s", error);
    assay_client_close(&client);
    cr_expect(client == NULL);
    assay_client_close(&client);
    assay_client_close(NULL);
}

/* A program built against a header without the last fields. */
Test(lifecycle, shorter_structs_of_older_programs_are_taken)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client_options options;
    memset(&options, 0xa5, sizeof options);
    options.size = offsetof(struct assay_client_options, name);
    options.done = ignore;
    options.partial = NULL;
    options.context = NULL;
    struct assay_client *client = assay_client_open(fake.path, &options, NULL);
    cr_assert(client != NULL);
    fake_accept(&fake);
    struct taken hello = fake_take(&fake);
    cr_expect(memmem(hello.payload, hello.length, "libassay-client", 15) != NULL);
    taken_free(&hello);
    fake_greet(&fake, 4, 1000, 1000);
    turn(client);
    struct assay_client_envelope envelope;
    memset(&envelope, 0xa5, sizeof envelope);
    envelope.size = offsetof(struct assay_client_envelope, mail_from);
    envelope.client_ip = "192.0.2.1";
    envelope.helo = NULL;
    cr_assert(assay_client_submit(client, &envelope, "x", 1, NULL, NULL) == ASSAY_CLIENT_OK);
    assay_client_flush(client);
    struct taken request = fake_take(&fake);
    cr_expect(request.length == 4 + 9, "%u bytes", request.length);
    taken_free(&request);
    assay_client_close(&client);
    fake_close(&fake);
}

Test(lifecycle, greeting)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client =
        fake_client_with(&fake, 0, (struct assay_client_options){.name = "a mail system"});
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_CONNECTING);
    cr_expect(assay_client_room(client) == 0);
    cr_expect(assay_client_submit(client, NULL, "x", 1, NULL, NULL) == ASSAY_CLIENT_WOULD_BLOCK);
    fake_accept(&fake);
    struct taken hello = fake_take(&fake);
    cr_expect(hello.type == FRAME_HELLO && hello.id == 0 && hello.payload[0] == 1 &&
              hello.payload[1] == 0 && hello.payload[2] == 0 && hello.payload[3] == 0);
    cr_expect(memmem(hello.payload, hello.length, "a mail system", 13) != NULL);
    taken_free(&hello);
    fake_greet(&fake, 17, 12345678901, 65536);
    turn(client);
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_READY);
    cr_expect(assay_client_room(client) == 17);
    cr_expect(assay_client_message_limit(client) == 12345678901);
    cr_expect_str_eq(assay_client_server(client), "fake 1");
    assay_client_close(&client);
    fake_close(&fake);
}

Test(lifecycle, close_answers_what_is_open_once)
{
    struct fake fake;
    unsigned before = open_descriptors();
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    uint64_t a = submitted(client, "one"), b = submitted(client, "two");
    assay_client_close(&client);
    cr_assert(reports.count == 2, "%u answers", reports.count);
    for (unsigned i = 0; i < 2; i++) {
        cr_expect(reports.list[i].outcome == ASSAY_CLIENT_LOST);
        cr_expect(reports.list[i].id == (i ? b : a));
        cr_expect_str_eq(reports.list[i].word, "closed");
    }
    fake_close(&fake);
    cr_expect(open_descriptors() == before, "descriptors leak");
}

/* The loop of a program that watches other things as well. */
Test(lifecycle, the_callers_own_loop)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    cr_expect(assay_client_events(client) == POLLIN);
    uint64_t id = submitted(client, "From: a@b.example\r\n\r\n");
    cr_expect(assay_client_events(client) == (POLLIN | POLLOUT), "small messages wait");
    cr_expect(!fake_has_frame(&fake));
    struct pollfd watched = {assay_client_fd(client), assay_client_events(client), 0};
    cr_assert(poll(&watched, 1, assay_client_timeout(client)) == 1);
    turn(client);
    cr_expect(assay_client_events(client) == POLLIN);
    cr_assert(fake_has_frame(&fake));
    fake_result(&fake, id, "\x14\x5a\x11\x5a\x01", NULL);
    watched.events = assay_client_events(client);
    cr_assert(poll(&watched, 1, assay_client_timeout(client)) == 1);
    turn(client);
    cr_assert(reports.count == 1 && reports.list[0].dkim == ASSAY_CLIENT_PASS);
    assay_client_close(&client);
    fake_close(&fake);
}

Test(lifecycle, poll_waits_no_longer_than_told)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 8);
    uint64_t id = submitted(client, "x");
    cr_expect(assay_client_poll(client, 0) == 0);
    cr_expect(assay_client_poll(client, 30) == 0);
    fake_result(&fake, id, "\x11\x11\x11\x11\x01", NULL);
    cr_expect(assay_client_poll(client, -1) == 1);
    assay_client_close(&client);
    fake_close(&fake);
}

struct nested
{
    struct assay_client *client;
    unsigned calls, wrong;
    uint64_t next;
};

static void nested_done(void *context, const struct assay_client_answer *answer)
{
    struct nested *nested = context;
    struct assay_client *client = nested->client;
    nested->calls++;
    if (answer->outcome == ASSAY_CLIENT_LOST)
        return;
    nested->wrong += assay_client_process(client) != ASSAY_CLIENT_BAD_CALL;
    nested->wrong += assay_client_poll(client, -1) != 0;
    assay_client_close(&client);
    nested->wrong += client == NULL;
    /* The credit of the request that ends is there again. */
    nested->wrong +=
        assay_client_submit(client, NULL, "next", 4, NULL, &nested->next) != ASSAY_CLIENT_OK;
    nested->wrong += assay_client_cancel(client, answer->id) != ASSAY_CLIENT_ENDED;
}

Test(lifecycle, callbacks_may_submit_and_must_not_loop)
{
    struct fake fake;
    struct nested nested = {0};
    fake_open(&fake);
    nested.client = fake_client_with(
        &fake, 1, (struct assay_client_options){.done = nested_done, .context = &nested});
    uint64_t id = submitted(nested.client, "first");
    turn(nested.client);
    cr_expect(assay_client_room(nested.client) == 0);
    fake_result(&fake, id, "\x11\x11\x11\x11\x01", NULL);
    turn(nested.client);
    cr_assert(nested.calls == 1 && nested.wrong == 0, "%u calls, %u wrong", nested.calls,
              nested.wrong);
    cr_expect(nested.next != id && nested.next != 0);
    for (int i = 0; i < 4; i++) {
        struct taken taken = fake_take(&fake);
        cr_expect(taken.id == (i < 2 ? id : nested.next));
        taken_free(&taken);
    }
    assay_client_close(&nested.client);
    cr_expect(nested.calls == 2);
    fake_close(&fake);
}

Test(lifecycle, words)
{
    cr_expect_str_eq(assay_client_result_word(ASSAY_CLIENT_PASS), "pass");
    cr_expect_str_eq(assay_client_result_word(ASSAY_CLIENT_UNSET), "temperror");
    cr_expect_str_eq(assay_client_result_word((enum assay_client_result)0x5b), "temperror");
    cr_expect_str_eq(assay_client_result_word(ASSAY_CLIENT_SOFTFAIL), "softfail");
    cr_expect_str_eq(assay_client_disposition_word(ASSAY_CLIENT_DISPOSE_REJECT), "reject");
    cr_expect_str_eq(assay_client_disposition_word(ASSAY_CLIENT_DISPOSE_UNSET), "none");
    cr_expect_str_eq(assay_client_version(), ASSAY_VERSION);
}
