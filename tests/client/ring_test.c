/*
 * The shared-memory ring (PROTOCOL.md "Ring") against the real daemon: the same verdicts as by the
 * stream, and clients that write what they like into the memory or go away in the middle.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/ring.h"
#include "daemon.h"
#include "fake.h"
#include "samples.h"
#include "support/tool.h"

enum
{
    ROUNDS = 3000,    /* of scribbling */
    BIG = 900 * 1024, /* a message much larger than the ring */
    ANSWERS = 4096,
};

static struct sample samples[SAMPLES_MAX];

struct said
{
    unsigned answers;
    enum assay_client_outcome outcome;
    enum assay_client_result spf, dkim, arc, dmarc;
    enum assay_client_disposition disposition;
    char word[24];
};

static struct said said[ANSWERS];

static void done(void *context, const struct assay_client_answer *a)
{
    struct said *s = &said[(size_t)(uintptr_t)a->user];
    (void)context;
    *s = (struct said){s->answers + 1, a->outcome, a->spf,         a->dkim,
                       a->arc,         a->dmarc,   a->disposition, ""};
    if (a->word)
        snprintf(s->word, sizeof s->word, "%s", a->word);
}

static struct assay_client *connected(const char *socket, uint32_t ring_bytes)
{
    struct assay_client_options options = {
        .size = sizeof options, .done = done, .no_reconnect = 1, .ring_bytes = ring_bytes};
    char error[ASSAY_CLIENT_ERROR_MAX];
    struct assay_client *client = assay_client_open(socket, &options, error);
    cr_assert(client != NULL, "%s", error);
    for (int i = 0; i < 100 && assay_client_state(client) == ASSAY_CLIENT_CONNECTING; i++)
        assay_client_poll(client, 100);
    cr_assert(assay_client_state(client) == ASSAY_CLIENT_READY, "%s", assay_client_trouble(client));
    return client;
}

static void submit(struct assay_client *client, const struct sample *s, struct span text,
                   size_t number)
{
    struct assay_client_envelope envelope = {.size = sizeof envelope,
                                             .client_ip = s->ip,
                                             .helo = s->helo,
                                             .mail_from = s->mail_from,
                                             .received_at = atoll(s->now)};
    enum assay_client_status status;
    while ((status = assay_client_submit(client, &envelope, text.p, text.n,
                                         (void *)(uintptr_t)number, NULL)) ==
           ASSAY_CLIENT_WOULD_BLOCK)
        assay_client_poll(client, 1000);
    cr_assert(status == ASSAY_CLIENT_OK, "%d", status);
}

static void await_all(struct assay_client *client)
{
    for (int i = 0; i < 20000 && assay_client_open_requests(client); i++)
        assay_client_poll(client, 100);
    cr_assert(assay_client_open_requests(client) == 0);
}

static void same(const struct said *want, const struct said *got, const char *what)
{
    cr_expect(got->answers == 1 && got->outcome == ASSAY_CLIENT_VERDICT && want->spf == got->spf &&
                  want->dkim == got->dkim && want->arc == got->arc && want->dmarc == got->dmarc &&
                  want->disposition == got->disposition,
              "%s: %u answers, outcome %d %s; spf %s dkim %s dmarc %s, want %s %s %s", what,
              got->answers, got->outcome, got->word, assay_client_result_word(got->spf),
              assay_client_result_word(got->dkim), assay_client_result_word(got->dmarc),
              assay_client_result_word(want->spf), assay_client_result_word(want->dkim),
              assay_client_result_word(want->dmarc));
}

Test(ring, every_sample_has_the_verdict_of_the_stream)
{
    static const uint32_t rings[] = {CLIENT_RING_LEAST, 256 * 1024};
    struct daemon daemon;
    struct said want[SAMPLES_MAX];
    size_t count = samples_read(samples);
    daemon_start(&daemon, NULL);
    struct assay_client *client = connected(daemon.socket, 0);
    cr_expect(!assay_client_has_ring(client));
    for (size_t i = 0; i < count; i++)
        submit(client, &samples[i], samples[i].text, i);
    await_all(client);
    assay_client_close(&client);
    memcpy(want, said, sizeof want);
    for (size_t r = 0; r < 2; r++) {
        memset(said, 0, sizeof said);
        client = connected(daemon.socket, rings[r]);
        cr_assert(assay_client_has_ring(client));
        for (size_t i = 0; i < ANSWERS; i++) /* many times around the ring */
            submit(client, &samples[i % count], samples[i % count].text, i);
        await_all(client);
        for (size_t i = 0; i < ANSWERS; i++)
            same(&want[i % count], &said[i], samples[i % count].path);
        assay_client_close(&client);
    }
    int status = daemon_end(&daemon, SIGTERM);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x", (unsigned)status);
}

Test(ring, messages_larger_than_the_ring_and_queries_go_through_it)
{
    struct daemon daemon;
    cr_assert(samples_read(samples) > 0);
    daemon_start(&daemon, NULL);
    struct assay_client *client = connected(daemon.socket, CLIENT_RING_LEAST);
    uint8_t *big = malloc(BIG);
    cr_assert(big != NULL && assay_client_has_ring(client));
    memset(big, 'a', BIG);
    memcpy(big, "From: a@b.example\r\n\r\n", 21);
    for (size_t i = 0; i < 20; i++)
        submit(client, &samples[0], span_of(big, BIG), i);
    await_all(client);
    for (size_t i = 0; i < 20; i++)
        cr_expect(said[i].answers == 1 && said[i].outcome == ASSAY_CLIENT_VERDICT, "%zu: %s", i,
                  said[i].word);
    int fd = open(samples[0].path, O_RDONLY | O_CLOEXEC);
    cr_expect(assay_client_submit_fd(client, NULL, fd, 0, 0, NULL, NULL) == ASSAY_CLIENT_BAD_CALL,
              "descriptors do not travel through memory");
    close(fd);
    cr_assert(assay_client_stats(client, (void *)(uintptr_t)100, NULL) == ASSAY_CLIENT_OK);
    await_all(client);
    cr_expect(said[100].outcome == ASSAY_CLIENT_REPLY);
    submit(client, &samples[0], samples[0].text, 101);
    kill(daemon.pid, SIGTERM); /* what was accepted is answered, then the connection ends */
    await_all(client);
    cr_expect(said[101].answers == 1);
    assay_client_close(&client);
    free(big);
    daemon_end(&daemon, SIGTERM);
}

Test(ring, over_the_servers_limits_the_connection_stays_a_stream)
{
    static const struct
    {
        const char *option, *value;
        bool ring;
    } cases[] = {
        {"--max-ring-bytes", "0", false},          {"--max-ring-bytes", "135167", false},
        {"--max-ring-bytes", "135168", true},      {"--max-ring-bytes", "135169", true},
        {"--max-ring-uid-bytes", "135167", false}, {"--max-ring-uid-bytes", "135168", true},
    };
    cr_assert(samples_read(samples) > 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct daemon daemon;
        memset(said, 0, sizeof said);
        daemon_start(&daemon, (const char *const[]){cases[i].option, cases[i].value, NULL});
        for (int again = 0; again < 2; again++) { /* what was given comes back */
            struct assay_client *first = connected(daemon.socket, CLIENT_RING_LEAST);
            struct assay_client *second = connected(daemon.socket, CLIENT_RING_LEAST);
            cr_expect(assay_client_has_ring(first) == cases[i].ring, "%s %s", cases[i].option,
                      cases[i].value);
            cr_expect(!assay_client_has_ring(second), "there is room for one");
            submit(first, &samples[0], samples[0].text, (size_t)again * 2);
            submit(second, &samples[0], samples[0].text, (size_t)again * 2 + 1);
            await_all(first);
            await_all(second);
            assay_client_close(&first);
            assay_client_close(&second);
            poll(NULL, 0, 50);
        }
        for (int k = 0; k < 4; k++)
            cr_expect(said[k].answers == 1 && said[k].outcome == ASSAY_CLIENT_VERDICT, "%s",
                      said[k].word);
        daemon_end(&daemon, SIGTERM);
    }
}

/* --- clients that do as they like --- */

static const uint8_t hello[] = {0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
static const uint8_t asks[] = {0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {10, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static void send_with(int fd, const void *bytes, size_t n, int passed)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct iovec part = {(void *)(uintptr_t)bytes, n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof passed);
        memcpy(CMSG_DATA(header), &passed, sizeof passed);
    }
    cr_assert(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)n);
}

/* The next frame's type (its payload into text), or 0 where the connection ends. */
static int next_frame(int fd, uint8_t *flags, char text[256])
{
    uint8_t header[16];
    if (recv(fd, header, sizeof header, MSG_WAITALL) != sizeof header)
        return 0;
    size_t n = frame_get32(header);
    cr_assert(n < 256);
    cr_assert(n == 0 || recv(fd, text, n, MSG_WAITALL) == (ssize_t)n);
    text[n] = '\0';
    *flags = header[5];
    return header[4];
}

static int greeted_with_ring(const struct daemon *daemon, struct client_ring *ring)
{
    uint8_t flags = 0;
    char text[256];
    int fd = dial(daemon->socket), memory = client_ring_make(ring, CLIENT_RING_LEAST);
    send_with(fd, hello, sizeof hello, -1);
    cr_assert(next_frame(fd, &flags, text) == FRAME_HELLO);
    send_with(fd, asks, sizeof asks, memory);
    close(memory);
    cr_assert(next_frame(fd, &flags, text) == FRAME_RING && flags == 0, "%s", text);
    return fd;
}

static void lives(const struct daemon *daemon)
{
    struct assay_client *client = connected(daemon->socket, CLIENT_RING_LEAST);
    memset(said, 0, sizeof said);
    submit(client, &samples[0], samples[0].text, 0);
    await_all(client);
    cr_expect(said[0].outcome == ASSAY_CLIENT_VERDICT, "%s", said[0].word);
    assay_client_close(&client);
}

Test(ring, memory_that_cannot_be_is_refused_by_name_and_the_stream_goes_on)
{
    struct daemon daemon;
    cr_assert(samples_read(samples) > 0);
    daemon_start(&daemon, NULL);
    static const struct
    {
        off_t bytes;
        int seals;
        const char *want;
    } cases[] = {
        {4096 + 131072, 0, "the ring is not sealed"},
        {4096 + 131072 - 1, 7, "the ring's size is none that is allowed"},
        {4096 + 131072, 7, "the ring has holes"},
        {(off_t)4096 + 64 * 1024 * 1024, 7, "the ring's size is none that is allowed"},
        {-1, 0, "the ring is not a memfd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t flags = 0;
        char text[256] = "";
        int fd = dial(daemon.socket);
        int memory = cases[i].bytes < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
                                        : memfd_create("r", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (cases[i].bytes >= 0)
            cr_assert(ftruncate(memory, cases[i].bytes) == 0 &&
                      fcntl(memory, F_ADD_SEALS, cases[i].seals & 7) == 0);
        send_with(fd, hello, sizeof hello, -1);
        cr_assert(next_frame(fd, &flags, text) == FRAME_HELLO);
        send_with(fd, asks, sizeof asks, memory);
        cr_assert(next_frame(fd, &flags, text) == FRAME_RING && flags == FRAME_FLAG_REFUSED);
        cr_expect(strcmp(text, cases[i].want) == 0, "got %s, want %s", text, cases[i].want);
        uint8_t ping[16] = {0, 0, 0, 0, FRAME_PING};
        send_with(fd, ping, sizeof ping, -1);
        cr_expect(next_frame(fd, &flags, text) == FRAME_PONG);
        close(memory);
        close(fd);
    }
    lives(&daemon);
    daemon_end(&daemon, SIGTERM);
}

Test(ring, a_ring_stands_behind_hello_once_and_alone)
{
    struct daemon daemon;
    uint8_t flags = 0, both[32];
    char text[256] = "";
    struct client_ring ring = {0};
    cr_assert(samples_read(samples) > 0);
    daemon_start(&daemon, NULL);
    memcpy(both, asks, 16);
    memcpy(both + 16, asks, 16);
    for (int i = 0; i < 3; i++) {
        int fd = dial(daemon.socket), memory = client_ring_make(&ring, CLIENT_RING_LEAST);
        uint8_t ping[16] = {0, 0, 0, 0, FRAME_PING};
        send_with(fd, hello, sizeof hello, -1);
        cr_assert(next_frame(fd, &flags, text) == FRAME_HELLO);
        if (i == 0)
            send_with(fd, asks, sizeof asks, -1); /* without a descriptor */
        if (i == 1)
            send_with(fd, both, sizeof both, memory); /* something behind it */
        if (i == 2) {
            send_with(fd, ping, sizeof ping, -1);
            cr_assert(next_frame(fd, &flags, text) == FRAME_PONG);
            send_with(fd, asks, sizeof asks, memory); /* late */
        }
        cr_expect(next_frame(fd, &flags, text) == FRAME_ERROR && text[1] == 2, "case %d", i);
        cr_expect(next_frame(fd, &flags, text) == 0);
        client_ring_drop(&ring);
        close(memory);
        close(fd);
    }
    lives(&daemon);
    daemon_end(&daemon, SIGTERM);
}

static uint64_t seed = 20250901;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static uint32_t any(void)
{
    static const uint32_t edges[] = {0, 1, 65535, 65536, 65537, 131072, 0x7fffffff, 0xffffffff};
    return draw(2) ? edges[draw(8)] : draw(0x7fffffff) * 2;
}

/* Good frames with some bytes changed, or noise, at the place where the server reads next. */
static void scribble_bytes(struct client_ring *ring)
{
    uint8_t frame[64] = {0, 0, 0, (uint8_t)draw(48), (uint8_t)(1 + draw(8))};
    size_t n;
    frame[15] = (uint8_t)draw(4);
    for (uint32_t i = draw(3); i > 0; i--)
        frame[draw(sizeof frame)] = (uint8_t)draw(256);
    client_ring_write(ring, frame, 16u + frame[3] % 48, &n);
}

static void scribble_index(struct client_ring *ring)
{
    struct client_ring_shared *shared = ring->shared;
    _Atomic uint32_t *const words[] = {&shared->up_tail,       &shared->up_head,
                                       &shared->down_tail,     &shared->down_head,
                                       &shared->server_sleeps, &shared->client_sleeps};
    atomic_store(words[draw(6)], any());
}

/* Returns when the server has had enough, or after some steps. */
static void scribble(const struct daemon *daemon)
{
    struct client_ring ring = {0};
    int fd = greeted_with_ring(daemon, &ring);
    for (uint32_t steps = 1 + draw(12); steps > 0; steps--) {
        uint32_t kind = draw(8);
        if (kind < 4)
            scribble_bytes(&ring);
        else if (kind < 6)
            scribble_index(&ring);
        else if (kind < 7)
            memset(ring.down + draw(1024), (int)draw(256), draw(1024));
        else
            ring.up[draw(CLIENT_RING_LEAST)] = (uint8_t)draw(256);
        if (send(fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
    }
    if (draw(4) == 0)
        shutdown(fd, SHUT_WR);
    close(fd);
    client_ring_drop(&ring);
}

Test(ring, a_client_may_scribble_on_the_memory_and_harms_itself_alone)
{
    struct daemon daemon;
    cr_assert(samples_read(samples) > 0);
    daemon_start(&daemon, NULL);
    for (int round = 0; round < ROUNDS; round++)
        scribble(&daemon);
    lives(&daemon);
    int status = daemon_end(&daemon, SIGTERM);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x", (unsigned)status);
}

Test(ring, a_broken_index_ends_the_connection_as_malformed)
{
    struct daemon daemon;
    struct client_ring ring = {0};
    uint8_t got[256];
    size_t n = 0;
    cr_assert(samples_read(samples) > 0);
    daemon_start(&daemon, NULL);
    int fd = greeted_with_ring(&daemon, &ring);
    atomic_store(&ring.shared->up_tail, CLIENT_RING_LEAST + 1);
    send_with(fd, "", 1, -1);
    while (recv(fd, got, sizeof got, 0) > 0)
        ;
    cr_assert(client_ring_read(&ring, got, sizeof got, &n) && n > 18);
    cr_expect(got[4] == FRAME_ERROR && got[16] == 0 && got[17] == 2, "type %u, code %u", got[4],
              got[17]);
    client_ring_drop(&ring);
    close(fd);
    lives(&daemon);
    daemon_end(&daemon, SIGTERM);
}

/* Half-close: what is in the memory is taken first, each request has its answer, then the end. */
Test(ring, a_client_that_closes_its_sending_half_gets_what_is_due)
{
    static const uint8_t frames[] = {
        0,   0,   0,   0,    2,    0,   0,   0,   0,   0,    0,    0,    0,
        0,   0,   1, /* REQUEST 1 */
        0,   0,   0,   18,   3,    1,   0,   0,   0,   0,    0,    0,    0,
        0,   0,   1,                                                           /* DATA, END */
        'F', 'r', 'o', 'm',  ':',  ' ', 'a', '@', 'b', '\r', '\n', '\r', '\n', /* ... */
        'x', 'y', 'z', '\r', '\n',                                             /* body */
        0,   0,   0,   0,    2,    0,   0,   0,   0,   0,    0,    0,    0,
        0,   0,   2, /* not complete */
    };
    struct daemon daemon;
    struct client_ring ring = {0};
    uint8_t got[512];
    size_t n = 0;
    cr_assert(samples_read(samples) > 0);
    daemon_start(&daemon, NULL);
    int fd = greeted_with_ring(&daemon, &ring);
    cr_assert(client_ring_write(&ring, frames, sizeof frames, &n) && n == sizeof frames);
    shutdown(fd, SHUT_WR);
    while (recv(fd, got, sizeof got, 0) > 0)
        ;
    cr_assert(client_ring_read(&ring, got, sizeof got, &n) && n >= 40);
    unsigned result = 0, error = 0;
    for (size_t at = 0; at + 16 <= n; at += 16 + frame_get32(got + at)) {
        result += got[at + 4] == FRAME_RESULT && got[at + 15] == 1;
        error += got[at + 4] == FRAME_ERROR && got[at + 15] == 2;
    }
    cr_expect(result == 1 && error == 1, "%u results, %u errors", result, error);
    client_ring_drop(&ring);
    close(fd);
    daemon_end(&daemon, SIGTERM);
}

/* A process that is killed while it sends; the daemon goes on and gets its memory back. */
Test(ring, a_client_that_is_killed_in_the_middle_leaves_nothing)
{
    struct daemon daemon;
    cr_assert(samples_read(samples) > 0);
    daemon_start(&daemon, (const char *const[]){"--max-ring-bytes", "135168", NULL});
    for (int round = 0; round < 10; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(30);
            struct assay_client *client = connected(daemon.socket, CLIENT_RING_LEAST);
            for (size_t i = 0;; i = (i + 1) % ANSWERS)
                submit(client, &samples[1], samples[1].text, i);
        }
        poll(NULL, 0, 10 + 7 * round);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    bool ring = false;
    for (int i = 0; i < 100 && !ring; i++) {
        struct assay_client *client = connected(daemon.socket, CLIENT_RING_LEAST);
        ring = assay_client_has_ring(client);
        assay_client_close(&client);
        poll(NULL, 0, 20);
    }
    cr_expect(ring, "the memory of the dead is still counted");
    lives(&daemon);
    daemon_end(&daemon, SIGTERM);
}

/* --- the library and a server that says other things --- */

Test(ring, a_server_without_rings_is_not_asked)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client_options options = {.ring_bytes = CLIENT_RING_LEAST};
    struct assay_client *client = fake_client_with(&fake, 10, options);
    cr_expect(assay_client_state(client) == ASSAY_CLIENT_READY && !assay_client_has_ring(client));
    assay_client_close(&client);
    fake_close(&fake);
}
