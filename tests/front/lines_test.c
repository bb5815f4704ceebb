/* The lines dialect (PROTOCOL.md). */
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

static struct fake fake;
#define MESSAGE "From: a@a.example\r\n\r\nbody\r\n"

static void init(void)
{
    fake_open(&fake);
}

static void fini(void)
{
    fake_close(&fake);
}

TestSuite(lines, .init = init, .fini = fini);

static void send_text(const char *text)
{
    fake_input(&fake, span_from_string(text));
    front_collect(&fake.front);
}

static bool said(const char *text)
{
    struct span output = fake_output(&fake);
    return memmem(output.p, output.n, text, strlen(text)) != NULL;
}

static unsigned lines_said(void)
{
    struct span output = fake_output(&fake);
    unsigned n = 0;
    for (size_t i = 0; i < output.n; i++)
        n += output.p[i] == '\n';
    return n;
}

Test(lines, a_verdict_with_its_id)
{
    cr_assert(strlen(MESSAGE) == 27);
    send_text("{\"id\":\"a\\\"b\",\"ip\":\"192.0.2.1\",\"mail_from\":\"a@a.example\",\"size\":27}"
              "\n" MESSAGE);
    fake_judge_all(&fake);
    cr_expect(said("{\"id\":\"a\\\"b\",\"v\":1,\"file\":null,"), "%.*s", (int)fake_output(&fake).n,
              (const char *)fake_output(&fake).p);
    cr_expect(lines_said() == 1);
}

Test(lines, a_verdict_without_id_is_the_object_alone)
{
    send_text("{\"size\":0}\n");
    fake_judge_all(&fake);
    struct span output = fake_output(&fake);
    cr_expect(output.n > 100 && memcmp(output.p, "{\"v\":1,", 7) == 0);
    cr_expect(output.p[output.n - 2] == '}' && output.p[output.n - 1] == '\n');
}

Test(lines, whole_is_every_split_is_byte_by_byte)
{
    static const char input[] = "\r\n{\"id\":1,\"size\":27}\n" MESSAGE "  \n"
                                "{\"op\":\"ping\",\"id\":2}\r\n{\"id\":3,\"size\":0}\n";
    struct span bytes = SPAN("\r\n{\"id\":1,\"size\":27}\n" MESSAGE "  \n"
                             "{\"op\":\"ping\",\"id\":2}\r\n{\"id\":3,\"size\":0}\n");
    struct buffer want;
    buffer_init(&want, 1 << 20);
    for (size_t split = 0; split <= bytes.n; split++) {
        struct fake one;
        fake_open(&one);
        if (split == bytes.n)
            fake_input_pieces(&one, bytes, 1);
        else
            fake_input(&one, span_slice(bytes, 0, split));
        if (split < bytes.n)
            fake_input(&one, span_skip(bytes, split));
        fake_judge_all(&one);
        if (split == 0)
            buffer_append(&want, fake_output(&one));
        cr_assert(one.submitted == 2, "split %zu of %s", split, input);
        cr_assert(span_equal(buffer_span(&fake_task(&one, 0)->bytes), SPAN(MESSAGE)));
        cr_assert(span_equal(fake_output(&one), buffer_span(&want)), "split %zu", split);
        fake_close(&one);
    }
    buffer_fini(&want);
}

Test(lines, L02_gone_at_every_byte)
{
    struct span bytes = SPAN("{\"id\":1,\"size\":27}\n" MESSAGE "{\"op\":\"spf\",\"ip\":\"::1\","
                             "\"helo\":\"h\"}\n{\"size\":5}\nabc");
    for (size_t n = 0; n <= bytes.n; n++) {
        struct fake one;
        fake_open(&one);
        fake_input(&one, span_slice(bytes, 0, n));
        fake_close(&one);
    }
}

Test(lines, half_close_at_every_byte)
{
    struct span bytes = SPAN("{\"id\":1,\"size\":27}\n" MESSAGE "{\"op\":\"ping\",\"id\":2}\n");
    for (size_t n = 0; n <= bytes.n; n++) {
        struct fake one;
        fake_open(&one);
        fake_input(&one, span_slice(bytes, 0, n));
        connection_eof(&one.connection);
        fake_judge_all(&one);
        struct span output = fake_output(&one);
        bool answered = output.n && memmem(output.p, output.n, "{\"id\":1,", 8) != NULL;
        cr_expect(answered == (one.submitted == 1), "cut at %zu", n);
        bool error = output.n && memmem(output.p, output.n, "\"error\"", 7) != NULL;
        bool between = n == 0 || n == 19 + 27 || n == bytes.n;
        cr_expect(error == !between, "cut at %zu: %.*s", n, (int)output.n, (const char *)output.p);
        fake_sent_all(&one);
        cr_expect(connection_is_over(&one.connection), "cut at %zu", n);
        fake_close(&one);
    }
}

static const struct
{
    const char *line, *want;
    bool closes;
} errors[] = {
    {"garbage\n", "{\"error\":\"malformed\",\"detail\":\"no JSON object\"}\n", true},
    {"GET / HTTP/1.1\r\n", "{\"error\":\"malformed\"", true},
    {"{\"id\":7,\"op\":\"x\"}\n", "{\"id\":7,\"error\":\"malformed\",\"detail\":\"unknown op\"}",
     true},
    {"{\"size\":4294967296}\n", "\"error\":\"too_large\"", true},
    {"{\"size\":9007199254740993}\n", "\"error\":\"too_large\"", true},
    {"{\"id\":1,\"path\":\"/etc/passwd\"}\n", "{\"id\":1,\"error\":\"forbidden\"", false},
    {"{\"id\":1,\"op\":\"flush\"}\n", "{\"id\":1,\"error\":\"forbidden\"", false},
    {"{\"op\":\"dmarc\",\"domain\":\"..\"}\n", "\"error\":\"malformed\"", false},
};

Test(lines, J07_errors_say_what_is_wrong)
{
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        fake_close(&fake);
        fake_open(&fake);
        send_text(errors[i].line);
        cr_expect(said(errors[i].want), "%s: %.*s", errors[i].line, (int)fake_output(&fake).n,
                  (const char *)fake_output(&fake).p);
        fake_sent_all(&fake);
        cr_expect(connection_is_over(&fake.connection) == errors[i].closes, "%s", errors[i].line);
    }
}

Test(lines, busy_drops_the_bytes_and_goes_on)
{
    fake.busy = true;
    send_text("{\"id\":1,\"size\":27}\n" MESSAGE "{\"id\":2,\"op\":\"ping\"}\n");
    cr_expect(said("{\"id\":1,\"error\":\"busy\"") && said("{\"id\":2,\"pong\":true}"));
}

Test(lines, in_flight_at_its_edge_stops_reading)
{
    fake.connection.in_flight = 3;
    for (int i = 0; i < 5; i++)
        fake_input(&fake, SPAN("{\"size\":0}\n"));
    fake_input(&fake, SPAN("{\"size\":0}\n{\"size\":0}\n"));
    cr_expect(fake.submitted == 3 && !connection_wants_input(&fake.connection));
    fake_judge(&fake, fake_task(&fake, 0));
    connection_resume(&fake.connection);
    cr_expect(connection_wants_input(&fake.connection) == false || fake.submitted == 3);
    fake_input(&fake, SPAN("{\"size\":0}\n{\"size\":0}\n"));
    cr_expect(fake.submitted == 4);
    fake_judge_all(&fake);
    connection_resume(&fake.connection);
    cr_expect(fake.submitted == 5, "what was held is read: %u", fake.submitted);
    fake_judge_all(&fake);
    cr_expect(lines_said() == 5);
}

Test(lines, a_line_at_its_limit)
{
    static char text[FRAME_CONTROL_MAX + 16];
    for (int over = -1; over <= 1; over++) {
        fake_close(&fake);
        fake_open(&fake);
        size_t n = (size_t)(FRAME_CONTROL_MAX + over);
        memset(text, ' ', sizeof text);
        memcpy(text, "{\"op\":\"ping\"}", 13);
        text[n] = '\n';
        fake_input_pieces(&fake, span_of(text, n + 1), over ? 1000 : n + 1);
        cr_expect(said(over > 0 ? "too_large" : "pong"), "%+d", over);
    }
}

Test(lines, a_line_without_end_is_refused_when_it_is_too_long)
{
    static char text[4096];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 100 && connection_wants_input(&fake.connection); i++)
        fake_input(&fake, span_of(text, sizeof text));
    cr_expect(said("too_large") && fake.connection.gather.capacity <= 2 * FRAME_CONTROL_MAX);
}

Test(lines, the_message_limit_at_its_edge)
{
    fake.front.limits.message_bytes = 27;
    send_text("{\"id\":1,\"size\":27}\n" MESSAGE "{\"id\":2,\"size\":26}\n" MESSAGE);
    cr_expect(fake.submitted == 2);
    fake_judge_all(&fake);
    cr_expect(said("{\"id\":1,\"v\":1") && said("{\"id\":2,\"v\":1"));
    fake_close(&fake);
    fake_open(&fake);
    fake.front.limits.message_bytes = 27;
    send_text("{\"id\":3,\"size\":28}\n" MESSAGE " {\"id\":2,\"op\":\"ping\"}\n");
    cr_expect(said("{\"id\":3,\"error\":\"too_large\"") && !said("pong"), "it closes");
}

Test(lines, the_deadline_is_at_most_the_servers)
{
    send_text("{\"size\":0,\"deadline_ms\":100}\n{\"size\":0,\"deadline_ms\":99999999}\n"
              "{\"size\":0}\n");
    cr_expect(fake_task(&fake, 0)->request.deadline_ms == 100);
    cr_expect(fake_task(&fake, 1)->request.deadline_ms == 25000);
    cr_expect(fake_task(&fake, 2)->request.deadline_ms == 25000);
    fake_judge_all(&fake);
}

Test(lines, stats_have_every_counter)
{
    send_text("{\"op\":\"stats\",\"id\":1}\n");
    cr_expect(said("{\"id\":1,\"accepted\":0,") && said("\"live_connections\":1") &&
              said("\"output_stalls\":0"));
}

Test(lines, a_drain_refuses_what_comes_and_ends)
{
    send_text("{\"id\":1,\"size\":27}\nFrom: ");
    connection_drain(&fake.connection);
    cr_expect(!connection_is_over(&fake.connection));
    fake_input(&fake, SPAN("a@a.example\r\n\r\nbody\r\n{\"id\":2,\"size\":0}\n"));
    cr_expect(said("{\"id\":2,\"error\":\"going_away\""));
    fake_judge_all(&fake);
    cr_expect(said("{\"id\":1,\"v\":1"));
    fake_sent_all(&fake);
    cr_expect(connection_is_over(&fake.connection));
}

Test(lines, J07_random_lines)
{
    static const char *const parts[] = {"{",
                                        "}",
                                        "\"size\":",
                                        "3",
                                        "\n",
                                        "\"op\":\"ping\"",
                                        ",",
                                        "abc",
                                        "{\"size\":3}\nabc",
                                        "{\"op\":\"ping\"}\n",
                                        "[",
                                        "\0"};
    unsigned seed = 5;
    for (int round = 0; round < 5000; round++) {
        struct fake one;
        fake_open(&one);
        fake_input(&one, SPAN(" "));
        for (int i = 0; i < 20; i++)
            fake_input(&one, span_from_string(parts[(size_t)rand_r(&seed) % COUNT_OF(parts)]));
        connection_eof(&one.connection);
        fake_judge_all(&one);
        fake_sent_all(&one);
        cr_assert(connection_is_over(&one.connection));
        fake_close(&one);
    }
}
