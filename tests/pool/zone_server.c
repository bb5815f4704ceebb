#include "zone_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/zone.h"

enum
{
    HEADER_BYTES = 12,
    REPLY_BYTES = 4096,
    POLL_MS = 20,
};

struct reply
{
    uint8_t bytes[REPLY_BYTES];
    size_t n;
};

static void put(struct reply *reply, const void *bytes, size_t n)
{
    if (n > sizeof reply->bytes - reply->n)
        return; /* the records of these tests are small */
    memcpy(reply->bytes + reply->n, bytes, n);
    reply->n += n;
}

static void put16(struct reply *reply, unsigned value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(reply, bytes, 2);
}

static void put_head(struct reply *reply, unsigned type, uint32_t ttl)
{
    put16(reply, 0xc000 | HEADER_BYTES); /* the name of the question */
    put16(reply, type);
    put16(reply, 1);
    put16(reply, ttl >> 16);
    put16(reply, ttl & 0xffff);
}

static void put_text(struct reply *reply, struct span text)
{
    size_t strings = text.n / 255 + 1;
    put16(reply, (unsigned)(text.n + strings));
    for (size_t i = 0; i < strings; i++) {
        size_t from = i * 255, n = text.n - from < 255 ? text.n - from : 255;
        uint8_t length = (uint8_t)n;
        put(reply, &length, 1);
        put(reply, text.p + from, n);
    }
}

static void put_record(struct reply *reply, enum dns_type type, uint32_t ttl,
                       const struct dns_record *record)
{
    put_head(reply, (unsigned)type, ttl);
    if (type == DNS_TXT) {
        put_text(reply, record->text);
    } else if (type == DNS_A || type == DNS_AAAA) {
        put16(reply, type == DNS_A ? 4 : 16);
        put(reply, record->address.bytes, type == DNS_A ? 4 : 16);
    } else {
        put16(reply, record->name.length + (type == DNS_MX ? 2u : 0u));
        if (type == DNS_MX)
            put16(reply, record->preference);
        put(reply, record->name.wire, record->name.length);
    }
}

/* An SOA of the question's own name, for answers without records (RFC 2308). */
static void put_soa(struct reply *reply)
{
    static const uint8_t rdata[22] = {0, 0, [21] = 60};
    put_head(reply, 6, 60);
    put16(reply, sizeof rdata);
    put(reply, rdata, sizeof rdata);
}

static void begin(struct reply *reply, struct span query, size_t question_end,
                  const struct dns_answer *answer)
{
    uint8_t rcode = answer->outcome == DNS_NXDOMAIN ? 3 : answer->outcome == DNS_TEMPFAIL ? 2 : 0;
    put(reply, query.p, question_end);
    reply->bytes[2] = 0x85; /* response, authoritative, recursion desired */
    reply->bytes[3] = 0x80 | rcode;
    memset(reply->bytes + 6, 0, 6);
    reply->bytes[7] = (uint8_t)answer->count;
    reply->bytes[9] = answer->outcome == DNS_EMPTY || answer->outcome == DNS_NXDOMAIN;
}

static bool is_slow(const struct dns_name *name)
{
    struct dns_name slow;
    return dns_name_from_domain(&slow, SPAN("slow.example")) == DNS_NAME_OK &&
           dns_name_is_at_or_below(name, &slow);
}

/* False: no reply. */
static bool make_reply(struct zone_server *server, struct span query, struct reply *reply)
{
    struct dns_name name;
    struct dns_record records[MAX_DNS_RECORDS];
    struct dns_answer answer;
    size_t end = query.n > HEADER_BYTES ? dns_name_from_packet(&name, query, HEADER_BYTES) : 0;
    if (end == 0 || query.n < end + 4 || is_slow(&name))
        return false;
    enum dns_type type = (enum dns_type)(query.p[end] << 8 | query.p[end + 1]);
    pthread_mutex_lock(&server->lock);
    dns_zone_answer(server->zone, &name, type, records, &answer);
    begin(reply, query, end + 4, &answer);
    for (uint32_t i = 0; i < answer.count; i++)
        put_record(reply, type, answer.ttl, &answer.records[i]);
    pthread_mutex_unlock(&server->lock);
    if (answer.outcome == DNS_EMPTY || answer.outcome == DNS_NXDOMAIN)
        put_soa(reply);
    return true;
}

static void serve(struct zone_server *server)
{
    uint8_t query[REPLY_BYTES];
    struct sockaddr_storage from;
    socklen_t from_n = sizeof from;
    struct reply reply = {.n = 0};
    ssize_t n =
        recvfrom(server->udp, query, sizeof query, MSG_DONTWAIT, (struct sockaddr *)&from, &from_n);
    if (n <= 0)
        return;
    atomic_fetch_add(&server->queries, 1);
    if (!atomic_load(&server->silent) && make_reply(server, span_of(query, (size_t)n), &reply))
        (void)!sendto(server->udp, reply.bytes, reply.n, 0, (struct sockaddr *)&from, from_n);
}

static void *server_main(void *argument)
{
    struct zone_server *server = argument;
    struct pollfd poll_for = {.fd = server->udp, .events = POLLIN};
    while (!atomic_load(&server->stop))
        if (poll(&poll_for, 1, POLL_MS) > 0)
            serve(server);
    return NULL;
}

static struct dns_source *parse(struct span zone)
{
    struct dns_error error = {""};
    struct dns_source *source = dns_zone_parse(zone, "zone", &error);
    cr_assert(source, "%s", error.text);
    return source;
}

void zone_server_start(struct zone_server *server, struct span zone)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int room = 4 * 1024 * 1024;
    *server = (struct zone_server){.zone = parse(zone)};
    pthread_mutex_init(&server->lock, NULL);
    server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert(server->udp >= 0 && bind(server->udp, (struct sockaddr *)&address, n) == 0);
    setsockopt(server->udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    cr_assert(getsockname(server->udp, (struct sockaddr *)&address, &n) == 0);
    snprintf(server->resolver, sizeof server->resolver, "127.0.0.1@%u", ntohs(address.sin_port));
    cr_assert(pthread_create(&server->thread, NULL, server_main, server) == 0);
}

void zone_server_set(struct zone_server *server, struct span zone)
{
    struct dns_source *next = parse(zone);
    pthread_mutex_lock(&server->lock);
    struct dns_source *before = server->zone;
    server->zone = next;
    pthread_mutex_unlock(&server->lock);
    dns_source_free(&before);
}

void zone_server_stop(struct zone_server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    pthread_mutex_destroy(&server->lock);
    dns_source_free(&server->zone);
    close(server->udp);
}
