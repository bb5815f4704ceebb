#include "bench/load_dns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"
#include "dns/zone.h"

enum
{
    PACKET_MAX = 1232,
    HEADER = 12,
    RECEIVE_BUFFER = 4 * 1024 * 1024,
    CLASS_IN = 1,
    TYPE_SOA = 6,
    TTL = 300,
    STRING_MAX = 255,
};

struct load_dns_query
{
    struct sockaddr_in from;
    unsigned n;
    uint8_t bytes[LOAD_DNS_QUERY];
};

struct packet
{
    uint8_t bytes[PACKET_MAX];
    size_t n;
    bool full;
};

static void put(struct packet *packet, const void *bytes, size_t n)
{
    packet->full |= PACKET_MAX - packet->n < n;
    if (packet->full || n == 0)
        return;
    memcpy(packet->bytes + packet->n, bytes, n);
    packet->n += n;
}

static void put16(struct packet *packet, unsigned value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(packet, bytes, sizeof bytes);
}

/* Owner (a pointer to the question), type, class, TTL, length. */
static void put_record_head(struct packet *packet, unsigned type, size_t n)
{
    put16(packet, 0xc000 | HEADER);
    put16(packet, type);
    put16(packet, CLASS_IN);
    put16(packet, 0);
    put16(packet, TTL);
    put16(packet, (unsigned)n);
}

static void put_text(struct packet *packet, struct span text)
{
    put_record_head(packet, DNS_TXT, text.n + (text.n + STRING_MAX - 1) / STRING_MAX);
    while (text.n) {
        uint8_t n = (uint8_t)(text.n < STRING_MAX ? text.n : STRING_MAX);
        put(packet, &n, 1);
        put(packet, text.p, n);
        text = span_skip(text, n);
    }
}

/* RFC 2308: an answer without records says by its SOA how long that holds. */
static void put_soa(struct packet *packet)
{
    static const uint8_t numbers[20] = {[19] = 60};
    put_record_head(packet, TYPE_SOA, 2 + sizeof numbers);
    put(packet, "\0\0", 2); /* the root, twice */
    put(packet, numbers, sizeof numbers);
}

static void put_records(struct packet *packet, enum dns_type type, const struct dns_answer *answer)
{
    for (uint32_t i = 0; i < answer->count; i++) {
        const struct ip *address = &answer->records[i].address;
        if (type == DNS_TXT)
            put_text(packet, answer->records[i].text);
        if (type != DNS_A)
            continue;
        put_record_head(packet, DNS_A, 4);
        put(packet, address->bytes, 4);
    }
}

static size_t build_answer(const struct load_dns *dns, const struct load_dns_query *query,
                           const struct dns_name *name, size_t question, struct packet *packet)
{
    static struct dns_record records[MAX_DNS_RECORDS]; /* one thread */
    struct dns_answer answer;
    enum dns_type type =
        (enum dns_type)(query->bytes[question - 4] << 8 | query->bytes[question - 3]);
    dns_zone_answer(dns->zone, name, type, records, &answer);
    bool known = answer.outcome == DNS_ANSWER && (type == DNS_TXT || type == DNS_A);
    *packet = (struct packet){.n = 0};
    put(packet, query->bytes, 2);                                    /* id */
    put16(packet, answer.outcome == DNS_NXDOMAIN ? 0x8583 : 0x8580); /* QR AA RD RA */
    put16(packet, 1);
    put16(packet, known ? answer.count : 0);
    put16(packet, known ? 0 : 1);
    put16(packet, 0);
    put(packet, query->bytes + HEADER, question - HEADER);
    if (known)
        put_records(packet, type, &answer);
    else
        put_soa(packet);
    return packet->full ? 0 : packet->n;
}

/* Where the question ends; 0 where it cannot be read. */
static size_t read_question(const struct load_dns_query *query, struct dns_name *name)
{
    struct span packet = span_of(query->bytes, query->n);
    size_t end = query->n > HEADER ? dns_name_from_packet(name, packet, HEADER) : 0;
    return end && end + 4 <= query->n ? end + 4 : 0;
}

static void answer(struct load_dns *dns, const struct load_dns_query *query)
{
    struct dns_name name;
    struct packet packet;
    size_t question = read_question(query, &name);
    size_t n = question ? build_answer(dns, query, &name, question, &packet) : 0;
    if (n)
        sendto(dns->udp, packet.bytes, n, 0, (const struct sockaddr *)&query->from,
               sizeof query->from);
}

static void count(struct load_dns *dns, const struct load_dns_query *query)
{
    dns->questions++;
    if (memmem(query->bytes, query->n, "\x0a_domainkey", 11))
        dns->key_questions++;
}

static void receive(struct load_dns *dns)
{
    struct load_dns_query query;
    socklen_t length = sizeof query.from;
    ssize_t n = recvfrom(dns->udp, query.bytes, sizeof query.bytes, MSG_DONTWAIT,
                         (struct sockaddr *)&query.from, &length);
    if (n <= 0)
        return;
    query.n = (unsigned)n;
    count(dns, &query);
    if (!dns->hold)
        answer(dns, &query);
    else if (dns->held_count < LOAD_DNS_HELD)
        dns->held[dns->held_count++] = query;
}

static void *serve(void *argument)
{
    struct load_dns *dns = argument;
    struct pollfd watched[] = {{dns->udp, POLLIN, 0}, {dns->wake[0], POLLIN, 0}};
    for (;;) {
        char command = 0;
        poll(watched, 2, -1);
        if (watched[0].revents)
            receive(dns);
        if (watched[1].revents && read(dns->wake[0], &command, 1) == 1 && command == 's')
            return NULL;
        if (command != 'r')
            continue;
        for (unsigned i = 0; i < dns->held_count; i++)
            answer(dns, &dns->held[i]);
        dns->held_count = 0;
    }
}

void load_dns_start(struct load_dns *dns, struct span zone)
{
    struct dns_error error;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int room = RECEIVE_BUFFER;
    *dns = (struct load_dns){.zone = dns_zone_parse(zone, "zone", &error)};
    if (!dns->zone)
        load_stop("%s", error.text);
    dns->held = calloc(LOAD_DNS_HELD, sizeof *dns->held);
    dns->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(dns->udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (!dns->held || bind(dns->udp, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(dns->udp, (struct sockaddr *)&address, &length) != 0 ||
        pipe2(dns->wake, O_CLOEXEC) != 0 || pthread_create(&dns->thread, NULL, serve, dns) != 0)
        load_stop("cannot start a name server");
    snprintf(dns->resolver, sizeof dns->resolver, "127.0.0.1@%u", ntohs(address.sin_port));
}

static void tell(struct load_dns *dns, char command)
{
    if (write(dns->wake[1], &command, 1) != 1)
        load_stop("cannot reach our own name server");
}

void load_dns_release(struct load_dns *dns)
{
    dns->hold = false;
    tell(dns, 'r');
}

void load_dns_stop(struct load_dns *dns)
{
    tell(dns, 's');
    pthread_join(dns->thread, NULL);
    close(dns->udp);
    close(dns->wake[0]);
    close(dns->wake[1]);
    dns_source_free(&dns->zone);
    free(dns->held);
}
