/*
 * The load generator's ledger: a server that loses, doubles, swaps or falsifies one verdict among
 * many must not get away with it.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/load_run.h"
#include "client/frame.h"
#include "support/tool.h"

void load_stop(const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cr_assert(false, "%s", text);
    abort();
}

enum fault
{
    NO_FAULT,
    LOSE,    /* one verdict is never sent */
    DOUBLE,  /* one is sent twice */
    SWAP,    /* two go to each other's request */
    FALSIFY, /* dmarc pass where fail is due */
    UNSET,   /* a verdict of zeros */
    REFUSE,  /* "busy" */
    HANG_UP, /* the connection ends */
};

struct server
{
    enum fault fault;
    int listener;
    unsigned seen; /* requests */
};

enum
{
    VICTIM = 22, /* the request that the fault happens to */
    REQUESTS = 60,
};

static bool receive(int fd, void *bytes, size_t n)
{
    return n == 0 || recv(fd, bytes, n, MSG_WAITALL) == (ssize_t)n;
}

static void reply(int fd, uint64_t id, enum load_kind kind)
{
    const struct load_expectation *e = load_expected(kind);
    uint8_t bytes[FRAME_HEADER + 8] = {0};
    uint8_t *p = frame_put_header(bytes, 8, FRAME_RESULT, 0, id);
    p[0] = (uint8_t)e->spf, p[1] = (uint8_t)e->dkim, p[2] = (uint8_t)e->arc;
    p[3] = (uint8_t)e->dmarc, p[4] = (uint8_t)e->disposition;
    send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
}

static void refuse(int fd, uint64_t id)
{
    uint8_t bytes[FRAME_HEADER + 2];
    uint8_t *p = frame_put_header(bytes, 2, FRAME_ERROR, 0, id);
    p[0] = 0, p[1] = ASSAY_CLIENT_ERROR_BUSY;
    send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
}

/* False: hang up. */
static bool answer(struct server *server, int fd, uint64_t id, enum load_kind kind)
{
    static uint64_t other;
    static enum load_kind other_kind;
    bool victim = server->seen++ == VICTIM;
    enum fault fault = victim ? server->fault : NO_FAULT;
    uint8_t zeros[FRAME_HEADER + 8] = {0};
    if (server->fault == SWAP && server->seen == VICTIM) {
        other = id, other_kind = kind; /* waits for the victim */
        return true;
    }
    switch (fault) {
    case LOSE:
        return true;
    case DOUBLE:
        reply(fd, id, kind);
        break;
    case SWAP:
        reply(fd, other, kind);
        reply(fd, id, other_kind);
        return true;
    case FALSIFY:
        reply(fd, id, kind == LOAD_FORGED ? LOAD_SIGNED : LOAD_FORGED);
        return true;
    case UNSET:
        frame_put_header(zeros, 8, FRAME_RESULT, 0, id);
        send(fd, zeros, sizeof zeros, MSG_NOSIGNAL);
        return true;
    case REFUSE:
        refuse(fd, id);
        return true;
    case HANG_UP:
        return false;
    case NO_FAULT:
        break;
    }
    reply(fd, id, kind);
    return true;
}

/* The kind is told by client address and signature, as the load generator makes them. */
static enum load_kind kind_of(bool forger, const uint8_t *text, size_t n)
{
    if (forger)
        return LOAD_FORGED;
    return memmem(text, n, "DKIM-Signature", 14) ? LOAD_SIGNED : LOAD_PLAIN;
}

static void greet(int fd)
{
    uint8_t bytes[FRAME_HEADER + 24] = {0}, limits[16];
    uint8_t *p = frame_put_header(bytes, 24, FRAME_HELLO, 0, 0);
    p[0] = FRAME_MAJOR;
    frame_put32(frame_put32(frame_put64(limits, 1 << 20), 8), 1 << 20);
    frame_put_tlv(p + 4, TAG_LIMITS, limits, sizeof limits);
    send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
}

static void *serve(void *argument)
{
    static uint8_t payload[FRAME_PAYLOAD_MAX];
    struct server *server = argument;
    uint8_t header[FRAME_HEADER];
    bool forger = false;
    int fd = accept(server->listener, NULL, NULL);
    greet(fd);
    while (receive(fd, header, sizeof header)) {
        struct frame frame = frame_read(header);
        if (frame.length > sizeof payload || !receive(fd, payload, frame.length))
            break;
        if (frame.type == FRAME_REQUEST)
            forger = memmem(payload, frame.length, load_client_ip(LOAD_FORGED), 13) != NULL;
        if (frame.type == FRAME_DATA &&
            !answer(server, fd, frame.id, kind_of(forger, payload, frame.length)))
            break;
    }
    close(fd);
    return NULL;
}

static struct load_ledger run_against(enum fault fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct server server = {.fault = fault, .listener = socket(AF_UNIX, SOCK_STREAM, 0)};
    struct load_mail mail;
    struct load_ledger ledger;
    pthread_t thread;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%d", temporary_folder(), fault);
    cr_assert(bind(server.listener, (struct sockaddr *)&address, sizeof address) == 0 &&
              listen(server.listener, 1) == 0 &&
              pthread_create(&thread, NULL, serve, &server) == 0);
    load_mail_make(&mail,
                   &(struct load_mail_options){
                       .messages = 20, .domains = 5, .bytes = 3000, .percent = {50, 30, 20}});
    struct load_run *run =
        load_open(&(struct load_plan){.socket = address.sun_path, .mail = &mail, .connections = 1});
    static struct histogram latency;
    load_go(run, 0.7, REQUESTS, &latency);
    load_drain(run, 0.3);
    load_close(&run, &ledger);
    pthread_join(thread, NULL);
    close(server.listener);
    unlink(address.sun_path);
    load_mail_free(&mail);
    return ledger;
}

struct ledger_case
{
    const char *name;
    enum fault fault;
    uint64_t lost, doubled, wrong, refused; /* at least, where not 0 */
    bool all_sent;
};

static const struct ledger_case cases[] = {
    {"a good server", NO_FAULT, 0, 0, 0, 0, true},
    {"one verdict lost", LOSE, 1, 0, 0, 0, true},
    {"one verdict doubled", DOUBLE, 1, 1, 0, 0, false},
    {"two verdicts swapped", SWAP, 0, 0, 2, 0, true},
    {"a forged message passes", FALSIFY, 0, 0, 1, 0, true},
    {"no verdict at all", UNSET, 0, 0, 1, 0, true},
    {"one request refused", REFUSE, 0, 0, 0, 1, true},
    {"the server goes", HANG_UP, 1, 0, 0, 0, false},
};

Test(ledger, one_bad_verdict_is_seen)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ledger_case *c = &cases[i];
        struct load_ledger l = run_against(c->fault);
        cr_expect(load_is_clean(&l) == (c->fault == NO_FAULT), "%s: clean", c->name);
        cr_expect((l.lost >= c->lost) && (c->lost || !l.lost), "%s: %lu lost", c->name, l.lost);
        cr_expect(l.doubled == c->doubled, "%s: %lu doubled", c->name, l.doubled);
        cr_expect(l.wrong == c->wrong, "%s: %lu wrong (%s)", c->name, l.wrong, l.complaint);
        cr_expect(l.refused == c->refused, "%s: %lu refused", c->name, l.refused);
        cr_expect(l.sent == l.answered + l.lost + l.refused, "%s: the books do not balance",
                  c->name);
        cr_expect(!c->all_sent || l.sent == REQUESTS, "%s: %lu sent", c->name, l.sent);
    }
}
