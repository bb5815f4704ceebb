/*
 * Two threads at the two ends of one ring pair, each asleep in poll() whenever it has nothing to
 * do: every byte is checked, and a wake-up that got lost shows as a poll() that nobody ends. Pieces
 * are of random size, so rings run full and empty all the time. Then a conversation of single
 * bytes, in which each side dawdles for a random moment before it sleeps: the other's byte comes at
 * about the time at which it makes up its mind, and no later byte would heal a wake-up that got
 * lost.
 *
 *   ring_stress [MIB [BYTES OF CONVERSATION]]
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/ring.h"
#include "front/ring.h"

enum
{
    SIZE = RING_LEAST_BYTES,
    PIECE = 48 * 1024,
    LOST_MS = 10000,
};

static uint8_t memory[RING_HEADER_BYTES + 2 * SIZE] __attribute__((aligned(4096)));
static uint64_t total = 256u << 20; /* bytes each way */
static uint64_t talk = 50000;       /* of them behind, one by one */

struct end
{
    int fd;
    bool server;
    struct ring ring;
    struct client_ring client;
    uint64_t sent, received, sleeps, random;
    uint8_t bytes[PIECE];
};

static void stop(const char *what)
{
    fprintf(stderr, "ring_stress: %s\n", what);
    exit(1);
}

static size_t draw(struct end *end)
{
    end->random = end->random * 6364136223846793005u + 1442695040888963407u;
    uint64_t most = end->random >> 60 < 12 ? 200 : PIECE;
    return 1 + (size_t)((end->random >> 20) % most);
}

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at ^ at >> 8 ^ at >> 16);
}

static bool bell_is_due(struct end *end)
{
    return end->server ? ring_must_wake(&end->ring) : client_ring_must_wake(&end->client);
}

static void ring_bell(struct end *end)
{
    if (bell_is_due(end) && send(end->fd, "", 1, MSG_DONTWAIT) < 0 && errno != EAGAIN)
        stop("send");
}

static bool give(struct end *end)
{
    size_t n, piece = draw(end);
    if (piece > total - end->sent)
        piece = (size_t)(total - end->sent);
    for (size_t i = 0; i < piece; i++)
        end->bytes[i] = byte_at(end->sent + i);
    if (end->server ? !ring_write(&end->ring, span_of(end->bytes, piece), &n)
                    : !client_ring_write(&end->client, end->bytes, piece, &n))
        stop("broken on writing");
    end->sent += n;
    ring_bell(end);
    return n > 0;
}

static bool take(struct end *end)
{
    size_t n, piece = draw(end);
    if (end->server ? !ring_read(&end->ring, end->bytes, piece, &n)
                    : !client_ring_read(&end->client, end->bytes, piece, &n))
        stop("broken on reading");
    for (size_t i = 0; i < n; i++)
        if (end->bytes[i] != byte_at(end->received + i))
            stop("a byte is wrong");
    end->received += n;
    ring_bell(end);
    return n > 0;
}

static bool may_sleep(struct end *end)
{
    uint32_t wants = (end->received < total ? (uint32_t)RING_WANTS_BYTES : 0) |
                     (end->sent < total ? (uint32_t)RING_WANTS_ROOM : 0);
    return end->server ? ring_sleep(&end->ring, wants) == RING_ASLEEP
                       : client_ring_sleep(&end->client, wants);
}

static void sleep_once(struct end *end)
{
    char bells[64];
    struct pollfd watched = {end->fd, POLLIN, 0};
    end->sleeps++;
    if (poll(&watched, 1, LOST_MS) != 1)
        stop("a wake-up was lost");
    if (recv(end->fd, bells, sizeof bells, MSG_DONTWAIT) < 0)
        stop("recv");
}

static void *run(void *argument)
{
    struct end *end = argument;
    while (end->sent < total || end->received < total) {
        bool moved = end->sent < total && give(end);
        moved |= end->received < total && take(end);
        if (!moved && may_sleep(end))
            sleep_once(end);
    }
    return NULL;
}

/* About 0 to 2 us. */
static void dawdle(struct end *end)
{
    for (volatile size_t i = draw(end) % 800; i > 0; i--)
        ;
}

static void answer_one(struct end *end, uint8_t what)
{
    size_t n;
    end->bytes[0] = what;
    if (end->server ? !ring_write(&end->ring, span_of(end->bytes, 1), &n)
                    : !client_ring_write(&end->client, end->bytes, 1, &n))
        stop("broken on writing");
    ring_bell(end);
}

static void await_one(struct end *end, uint8_t want)
{
    size_t n = 0;
    for (;;) {
        if (end->server ? !ring_read(&end->ring, end->bytes, 1, &n)
                        : !client_ring_read(&end->client, end->bytes, 1, &n))
            stop("broken on reading");
        if (n)
            break;
        dawdle(end);
        if (end->server ? ring_sleep(&end->ring, RING_WANTS_BYTES) == RING_ASLEEP
                        : client_ring_sleep(&end->client, CLIENT_WANTS_BYTES))
            sleep_once(end);
    }
    if (end->bytes[0] != want)
        stop("a byte is wrong");
    ring_bell(end);
}

static void *converse(void *argument)
{
    struct end *end = argument;
    for (uint64_t i = 0; i < talk; i++) {
        if (!end->server)
            answer_one(end, (uint8_t)i);
        await_one(end, (uint8_t)i);
        if (end->server)
            answer_one(end, (uint8_t)i);
    }
    return NULL;
}

/* Side by side, else the scheduler lets them take turns and nothing ever happens at once. */
static void part(pthread_t thread, int i)
{
    cpu_set_t may, own;
    int cpu = 0, nth = i;
    if (pthread_getaffinity_np(pthread_self(), sizeof may, &may) != 0 || CPU_COUNT(&may) < 2)
        return;
    while (!CPU_ISSET(cpu, &may) || nth-- > 0)
        cpu++;
    CPU_ZERO(&own);
    CPU_SET(cpu, &own);
    pthread_setaffinity_np(thread, sizeof own, &own);
}

static void both(struct end ends[2], void *(*what)(void *))
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, what, &ends[i]) != 0)
            stop("pthread_create");
    for (int i = 0; i < 2; i++)
        part(threads[i], i);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("ring_stress: %llu and %llu sleeps\n", (unsigned long long)ends[0].sleeps,
           (unsigned long long)ends[1].sleeps);
}

int main(int argc, char **argv)
{
    static struct end ends[2];
    int sockets[2];
    if (argc > 1)
        total = strtoull(argv[1], NULL, 10) << 20;
    if (argc > 2)
        talk = strtoull(argv[2], NULL, 10);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
        stop("socketpair");
    ring_attach(&ends[0].ring, memory, SIZE);
    client_ring_attach(&ends[1].client, memory, SIZE);
    for (int i = 0; i < 2; i++) {
        ends[i].fd = sockets[i];
        ends[i].server = i == 0;
        ends[i].random = (uint64_t)i + 1;
    }
    both(ends, run);
    both(ends, converse);
    printf("ring_stress: %llu MiB each way, then %llu bytes in turn, no wake-up lost\n",
           (unsigned long long)(total >> 20), (unsigned long long)talk);
    return 0;
}
