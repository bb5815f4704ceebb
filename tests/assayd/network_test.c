/*
 * The whole way with a real name server: message over the socket, questions to nsd, verdict; and a
 * name server that does not answer.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "daemon.h"
#include "sign/sign.h"
#include "support/name_server.h"

static struct daemon server;

static void fini(void)
{
    daemon_end_all();
}

TestSuite(network, .fini = fini);

#define MESSAGE                                                                                    \
    "From: a@mail.test\r\nTo: b@b.example\r\nSubject: hello\r\n"                                   \
    "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nhello\r\n"

/* A signed message and the zone that it needs. */
static void make_mail(struct buffer *zone, struct buffer *mail)
{
    struct arena arena;
    struct sign_message message;
    struct buffer public;
    struct private_key *key = private_key_generate(KEY_ED25519, 256);
    char text[BASE64_ENCODED_LENGTH(32) + 1] = "";
    cr_assert(key != NULL);
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&public, 64);
    cr_assert(private_key_public(key, &public) && public.n == 32);
    base64_encode(buffer_span(&public), text);
    text[sizeof text - 1] = '\0';
    buffer_printf(zone,
                  "$ORIGIN mail.test.\n@ 300 SOA ns hostmaster 1 3600 600 86400 120\n"
                  "@ 300 NS ns\nns 300 A 127.0.0.1\n@ 300 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
                  "_dmarc 300 TXT \"v=DMARC1; p=reject\"\n"
                  "s1._domainkey 300 TXT \"v=DKIM1; k=ed25519; p=%s\"\n",
                  text);
    buffer_append_byte(zone, 0);
    const char *wrong = sign_message_read(&message, SPAN(MESSAGE), &arena);
    cr_assert(!wrong, "%s", wrong);
    struct sign_options options = {
        .domain = SPAN("mail.test"),
        .selector = SPAN("s1"),
        .key = key,
        .header_canon = CANON_RELAXED,
        .body_canon = CANON_RELAXED,
        .t = 1795000000,
    };
    wrong = sign_dkim(&message, &options, mail);
    cr_assert(!wrong, "%s", wrong);
    buffer_append(mail, SPAN(MESSAGE));
    private_key_free(&key);
    buffer_fini(&public);
    arena_fini(&arena);
}

static void start(const char *resolver, const char *timeout)
{
    const char *options[] = {"--resolver", resolver, "--timeout", timeout, NULL};
    daemon_spawn(&server, options, NULL);
    int64_t until_ms = now_ms() + 20000;
    while (!daemon_answers(&server) && now_ms() < until_ms)
        usleep(5000);
}

static const struct talk_envelope envelope = {.ip = "192.0.2.7",
                                              .helo = "mail.test",
                                              .mail_from = "a@mail.test",
                                              .now = 1795000100,
                                              .wishes = WISH_PARTIAL};

static struct talk_frame judge(struct span message, struct buffer *in)
{
    struct buffer out;
    struct talk_frame frame = {0};
    buffer_init(&out, 1 << 20);
    buffer_reset(in);
    talk_conversation(&out, &envelope, message);
    talk_lines(&server, buffer_span(&out), in);
    cr_assert(talk_find(buffer_span(in), FRAME_RESULT, 1, &frame));
    buffer_fini(&out);
    return frame;
}

Test(network, verdicts_with_nsd)
{
    struct nsd nsd;
    struct buffer zone, mail, in;
    buffer_init(&zone, 1 << 16);
    buffer_init(&mail, 1 << 16);
    buffer_init(&in, 1 << 20);
    make_mail(&zone, &mail);
    nsd_start(&nsd, (const char *)zone.p);
    start(nsd.resolver, "10000");
    for (int round = 0; round < 3; round++) {
        struct talk_frame frame = judge(buffer_span(&mail), &in);
        cr_expect(frame.payload.p[0] == RESULT_PASS, "spf 0x%x", frame.payload.p[0]);
        cr_expect(frame.payload.p[1] == RESULT_PASS, "dkim 0x%x", frame.payload.p[1]);
        cr_expect(frame.payload.p[3] == RESULT_PASS, "dmarc 0x%x", frame.payload.p[3]);
        cr_expect(talk_find(buffer_span(&in), FRAME_PARTIAL, 1, &frame) &&
                  frame.payload.p[0] == RESULT_PASS);
    }
    long long queries = talk_stat(&server, "resolvers.queries");
    cr_expect(talk_stat(&server, "cache.hits") > 0, "later ones are from the cache");
    mail.p[mail.n - 4] ^= 1; /* a flipped bit of the body */
    struct talk_frame frame = judge(buffer_span(&mail), &in);
    cr_expect(frame.payload.p[1] == RESULT_FAIL, "dkim 0x%x", frame.payload.p[1]);
    cr_expect(talk_stat(&server, "resolvers.queries") == queries, "nothing new to ask");
    buffer_reset(&in);
    talk_lines(&server, SPAN("{\"op\":\"flush\",\"domain\":\"mail.test\"}\n"), &in);
    buffer_append_byte(&in, 0);
    cr_expect(strstr((char *)in.p, "{\"flushed\":0}") == NULL, "%s", (char *)in.p);
    frame = judge(buffer_span(&mail), &in);
    cr_expect(talk_stat(&server, "resolvers.queries") > queries, "asked anew");
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
    nsd_stop(&nsd);
    buffer_fini(&zone);
    buffer_fini(&mail);
    buffer_fini(&in);
}

/* F08: who cannot ask says temperror; the drain waits for it. */
Test(network, F08_a_silent_name_server_is_temperror)
{
    struct fake fake;
    struct buffer zone, mail, in;
    buffer_init(&zone, 1 << 16);
    buffer_init(&mail, 1 << 16);
    buffer_init(&in, 1 << 20);
    make_mail(&zone, &mail);
    fake_start(&fake);
    atomic_store(&fake.silent, true);
    start(fake.resolver, "700");
    struct buffer out;
    buffer_init(&out, 1 << 20);
    talk_conversation(&out, &envelope, buffer_span(&mail));
    int fd = talk_connect(&server);
    talk_send(fd, buffer_span(&out));
    int64_t until_ms = now_ms() + 10000;
    while (talk_stat(&server, "resolvers.in_flight") == 0 && now_ms() < until_ms)
        usleep(2000);
    kill(server.pid, SIGTERM);
    cr_assert(talk_read_all(fd, &in, 20000));
    struct talk_frame frame;
    cr_assert(talk_find(buffer_span(&in), FRAME_RESULT, 1, &frame), "its verdict, with SIGTERM");
    cr_expect(frame.payload.p[0] == RESULT_TEMPERROR && frame.payload.p[1] == RESULT_TEMPERROR &&
                  frame.payload.p[3] == RESULT_TEMPERROR,
              "0x%x 0x%x 0x%x", frame.payload.p[0], frame.payload.p[1], frame.payload.p[3]);
    cr_expect(daemon_wait(&server, 20000) == 0);
    close(fd);
    fake_stop(&fake);
    buffer_fini(&out);
    buffer_fini(&zone);
    buffer_fini(&mail);
    buffer_fini(&in);
}
