#include "support/name_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/attributes.h"

static void pause_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool bind_to(int fd, unsigned port)
{
    struct sockaddr_in address = loopback(port);
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static unsigned port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t n = sizeof address;
    cr_assert(getsockname(fd, (struct sockaddr *)&address, &n) == 0);
    return ntohs(address.sin_port);
}

/* UDP and TCP sockets bound to one free port. */
static unsigned bind_pair(int *udp, int *tcp)
{
    for (int attempt = 0; attempt < 50; attempt++) {
        *udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        *tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        cr_assert(*udp >= 0 && *tcp >= 0 && bind_to(*udp, 0));
        unsigned port = port_of(*udp);
        if (bind_to(*tcp, port))
            return port;
        close(*udp);
        close(*tcp);
    }
    cr_assert_fail("no port that is free for UDP and TCP");
    return 0;
}

/* nsd */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s: %s", path, strerror(errno));
}

static void write_nsd_files(const struct nsd *nsd, unsigned port, const char *name,
                            const char *zone)
{
    char conf[1024];
    snprintf(conf, sizeof conf,
             "server:\n"
             "  ip-address: 127.0.0.1@%u\n"
             "  server-count: 1\n"
             "  username: \"\"\n"
             "  chroot: \"\"\n"
             "  zonesdir: \"%s\"\n"
             "  database: \"\"\n"
             "  pidfile: \"\"\n"
             "  xfrdfile: \"%s/xfrd.state\"\n"
             "  xfrdir: \"%s\"\n"
             "  zonelistfile: \"%s/zone.list\"\n"
             "  logfile: \"%s/log\"\n"
             "  rrl-ratelimit: 0\n"
             "remote-control:\n"
             "  control-enable: no\n"
             "zone:\n"
             "  name: %s\n"
             "  zonefile: zone\n",
             port, nsd->folder, nsd->folder, nsd->folder, nsd->folder, nsd->folder, name);
    write_file(nsd->folder, "conf", conf);
    write_file(nsd->folder, "zone", zone);
}

static const char *nsd_program(void)
{
    static const char *const places[] = {"/usr/sbin/nsd", "/usr/local/sbin/nsd"};
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* nsd is up when it takes a TCP connection. */
static bool takes_connections(unsigned port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return up;
}

void nsd_start(struct nsd *nsd, const char *zone)
{
    nsd_start_zone(nsd, "mail.test", zone);
}

void nsd_start_zone(struct nsd *nsd, const char *name, const char *zone)
{
    const char *program = nsd_program();
    if (!program)
        cr_skip_test("nsd is not installed (Debian package nsd)");
    int udp, tcp;
    unsigned port = bind_pair(&udp, &tcp);
    close(udp);
    close(tcp);
    snprintf(nsd->resolver, sizeof nsd->resolver, "127.0.0.1@%u", port);
    snprintf(nsd->folder, sizeof nsd->folder, "/tmp/assay-nsd-XXXXXX");
    cr_assert(mkdtemp(nsd->folder), "mkdtemp: %s", strerror(errno));
    write_nsd_files(nsd, port, name, zone);
    char conf[96];
    snprintf(conf, sizeof conf, "%s/conf", nsd->folder);
    nsd->pid = fork();
    cr_assert(nsd->pid >= 0);
    if (nsd->pid == 0) {
        /* Ends with the test, also where that fails, hangs or crashes. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execl(program, program, "-d", "-c", conf, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200; i++) {
        if (takes_connections(port))
            return;
        pause_ms(25);
    }
    nsd_stop(nsd);
    cr_assert_fail("nsd does not answer on %s", nsd->resolver);
}

void nsd_stop(struct nsd *nsd)
{
    static const char *const files[] = {"conf", "zone", "log", "xfrd.state", "zone.list"};
    char path[128];
    kill(nsd->pid, SIGTERM);
    waitpid(nsd->pid, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(path, sizeof path, "%s/%s", nsd->folder, files[i]);
        unlink(path);
    }
    rmdir(nsd->folder);
}

/* The fake */

enum
{
    MESSAGE_MAX = 2048,
    FLAG_TC = 0x02,
};

struct message
{
    uint8_t bytes[MESSAGE_MAX];
    size_t n;
};

static void put(struct message *m, const void *bytes, size_t n)
{
    if (n <= sizeof m->bytes - m->n) {
        memcpy(m->bytes + m->n, bytes, n);
        m->n += n;
    }
}

/* A record owned by the question's name, and one answer more in the header. */
static void put_record(struct message *m, uint8_t type, uint32_t ttl, const void *rdata, size_t n)
{
    const uint8_t head[] = {0xc0,
                            12,
                            0,
                            type,
                            0,
                            1,
                            (uint8_t)(ttl >> 24),
                            (uint8_t)(ttl >> 16),
                            (uint8_t)(ttl >> 8),
                            (uint8_t)ttl,
                            (uint8_t)(n >> 8),
                            (uint8_t)n};
    put(m, head, sizeof head);
    put(m, rdata, n);
    m->bytes[7]++;
}

/* "x.test. A 192.0.2.99": nobody asked for it (F03). */
static void put_stray(struct message *m)
{
    static const uint8_t stray[] = "\1x\4test\0\0\1\0\1\0\0\1\54\0\4\300\0\2\143";
    put(m, stray, sizeof stray - 1);
    m->bytes[7]++;
}

/* The question of `query` with the header of a reply: no records, no error. */
static bool begin_reply(struct message *m, struct span query)
{
    size_t end = 12;
    if (query.n < 17)
        return false;
    while (end < query.n && query.p[end])
        end += query.p[end] + 1U;
    if (end + 5 > query.n)
        return false;
    m->n = 0;
    put(m, query.p, end + 5);
    m->bytes[2] |= 0x80;
    m->bytes[3] = 0x80;
    memset(m->bytes + 6, 0, 6);
    m->bytes[5] = 1;
    return true;
}

static bool label_is(struct span query, const char *label)
{
    size_t n = strlen(label);
    return query.p[12] == n && strncasecmp((const char *)query.p + 13, label, n) == 0;
}

/* What the first label of the question asks for. */
static const struct behaviour
{
    const char *label;
    uint8_t rcode;
    bool silent; /* no reply */
    bool truncated;
    bool drip; /* over TCP, a byte each 300 ms (F11) */
    bool cut;  /* TCP closes after half of the message */
    bool wrong_ids;
    bool wrong_question;
    bool stray;
    unsigned delay_ms;
    const char *txt; /* RDATA */
    size_t txt_bytes;
} behaviours[] = {
    {.label = "formerr", .rcode = 1},
    {.label = "servfail", .rcode = 2},
    {.label = "notimp", .rcode = 4},
    {.label = "refused", .rcode = 5},
    {.label = "silent", .silent = true},
    {.label = "late", .delay_ms = 700},
    {.label = "drip", .truncated = true, .drip = true},
    {.label = "cut", .truncated = true, .cut = true},
    {.label = "wrongid", .wrong_ids = true},
    {.label = "wrongname", .wrong_question = true},
    {.label = "stray", .stray = true},
    {.label = "overrun", .txt = "\5a", .txt_bytes = 2},
    {.label = "nostring", .txt = "", .txt_bytes = 0},
    {.label = "ok"},
};

static const struct behaviour *behaviour_of(struct span query)
{
    for (size_t i = 0; i < COUNT_OF(behaviours); i++)
        if (label_is(query, behaviours[i].label))
            return &behaviours[i];
    return &behaviours[COUNT_OF(behaviours) - 1];
}

/* "serial N" as a TXT record. */
static void put_serial(struct message *m, uint32_t ttl, unsigned serial)
{
    char text[32];
    int n = snprintf(text + 1, sizeof text - 1, "serial %u", serial);
    text[0] = (char)n;
    put_record(m, 16, ttl, text, (size_t)n + 1);
}

static bool make_reply(struct fake *fake, struct message *m, struct span query, bool udp)
{
    static const uint8_t address[] = {192, 0, 2, 53};
    uint32_t ttl = atomic_load(&fake->ttl);
    const struct behaviour *b = behaviour_of(query);
    if (!begin_reply(m, query))
        return false;
    uint8_t type = m->bytes[m->n - 3];
    m->bytes[3] |= b->rcode;
    if (b->stray)
        put_stray(m);
    if (b->txt)
        put_record(m, 16, ttl, b->txt, b->txt_bytes);
    else if (!b->rcode && type == 1)
        put_record(m, 1, ttl, address, sizeof address);
    else if (!b->rcode && type == 16 && label_is(query, "serial"))
        put_serial(m, ttl, atomic_load(&fake->serial));
    if (b->truncated && udp)
        m->bytes[2] |= FLAG_TC;
    if (b->wrong_question)
        m->bytes[13] ^= 1;
    if (b->delay_ms)
        pause_ms(b->delay_ms);
    return true;
}

static void serve_udp(struct fake *fake)
{
    struct sockaddr_in peer;
    socklen_t peer_n = sizeof peer;
    uint8_t query[MESSAGE_MAX];
    static struct message m;
    ssize_t n = recvfrom(fake->udp, query, sizeof query, 0, (struct sockaddr *)&peer, &peer_n);
    struct span q = span_of(query, n > 0 ? (size_t)n : 0);
    atomic_fetch_add(&fake->queries, 1);
    if (q.n < 17 || atomic_load(&fake->silent) || behaviour_of(q)->silent ||
        !make_reply(fake, &m, q, true))
        return;
    for (unsigned i = 1; behaviour_of(q)->wrong_ids && i <= 1000; i++) {
        struct message wrong = m;
        wrong.bytes[0] ^= (uint8_t)(i >> 8);
        wrong.bytes[1] ^= (uint8_t)i;
        wrong.bytes[wrong.n - 1] = 66;
        sendto(fake->udp, wrong.bytes, wrong.n, 0, (struct sockaddr *)&peer, peer_n);
        /* Small enough pieces that the receiver's buffer holds the right one, too. */
        if (i % 50 == 0)
            pause_ms(1);
    }
    sendto(fake->udp, m.bytes, m.n, 0, (struct sockaddr *)&peer, peer_n);
}

static void drip(struct fake *fake, int fd, struct span s)
{
    struct pollfd wake = {.fd = fake->wake[0], .events = POLLIN};
    for (size_t i = 0; i < s.n; i++) {
        if (send(fd, s.p + i, 1, MSG_NOSIGNAL) != 1 || poll(&wake, 1, 300) != 0)
            return;
    }
}

static void serve_tcp(struct fake *fake)
{
    uint8_t query[MESSAGE_MAX];
    static struct message m;
    int fd = accept4(fake->tcp, NULL, NULL, SOCK_CLOEXEC);
    ssize_t n = fd >= 0 ? recv(fd, query, sizeof query, 0) : -1;
    struct span q = n > 2 ? span_of(query + 2, (size_t)n - 2) : span_of(query, 0);
    if (q.n >= 17 && make_reply(fake, &m, q, false)) {
        const uint8_t length[2] = {(uint8_t)(m.n >> 8), (uint8_t)m.n};
        (void)!send(fd, length, 2, MSG_NOSIGNAL);
        if (behaviour_of(q)->drip)
            drip(fake, fd, span_of(m.bytes, m.n));
        else
            (void)!send(fd, m.bytes, behaviour_of(q)->cut ? m.n / 2 : m.n, MSG_NOSIGNAL);
    }
    if (fd >= 0)
        close(fd);
}

static void *fake_run(void *arg)
{
    struct fake *fake = arg;
    for (;;) {
        struct pollfd fds[] = {{.fd = fake->wake[0], .events = POLLIN},
                               {.fd = fake->udp, .events = POLLIN},
                               {.fd = fake->tcp, .events = POLLIN}};
        poll(fds, COUNT_OF(fds), -1);
        if (fds[0].revents)
            return NULL;
        if (fds[1].revents)
            serve_udp(fake);
        if (fds[2].revents)
            serve_tcp(fake);
    }
}

void fake_start(struct fake *fake)
{
    *fake = (struct fake){.ttl = 300};
    unsigned port = bind_pair(&fake->udp, &fake->tcp);
    snprintf(fake->resolver, sizeof fake->resolver, "127.0.0.1@%u", port);
    cr_assert(listen(fake->tcp, 16) == 0 && pipe2(fake->wake, O_CLOEXEC) == 0);
    cr_assert(pthread_create(&fake->thread, NULL, fake_run, fake) == 0);
}

void fake_stop(struct fake *fake)
{
    (void)!write(fake->wake[1], "", 1);
    pthread_join(fake->thread, NULL);
    close(fake->udp);
    close(fake->tcp);
    close(fake->wake[0]);
    close(fake->wake[1]);
}
