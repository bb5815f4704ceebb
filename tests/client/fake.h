/*
 * A server for the client's tests, in the test's own thread: the client never waits, so the test
 * plays both sides in turn and every run is the same. Also what the client reported, written down.
 */
#ifndef TESTS_CLIENT_FAKE_H
#define TESTS_CLIENT_FAKE_H

#include <criterion/criterion.h>

#include "base/span.h"
#include "client/assay_client.h"
#include "client/frame.h"

struct fake
{
    char folder[64], path[96];
    int listener, peer; /* -1: none */
    uint8_t *in;        /* what the client has sent and the test has not taken; malloc'd */
    size_t in_bytes, in_capacity;
    int fds[8]; /* descriptors that came, in order */
    unsigned fd_count;
};

struct taken
{
    uint32_t length;
    uint8_t type, flags;
    uint64_t id;
    uint8_t *payload; /* malloc'd by fake_take; taken_free */
};

void fake_open(struct fake *fake);
void fake_close(struct fake *fake);
void fake_listen(struct fake *fake);  /* again, after fake_deafen */
void fake_deafen(struct fake *fake);  /* nobody listens any more */
void fake_accept(struct fake *fake);  /* the client must be connecting */
void fake_hang_up(struct fake *fake); /* closes the peer, what it had not read is gone */
bool fake_has_caller(struct fake *fake);

void fake_send(struct fake *fake, const void *bytes, size_t n);
void fake_frame(struct fake *fake, enum frame_type type, uint64_t id, const void *payload,
                size_t n);
/* HELLO with that much credit, a message limit and a frame limit. */
void fake_greet(struct fake *fake, uint32_t credit, uint64_t message_limit, uint32_t frame_limit);
/* RESULT with five result bytes and an optional JSON. */
void fake_result(struct fake *fake, uint64_t id, const char results[5], const char *json);
void fake_error(struct fake *fake, uint64_t id, unsigned code, const char *text);

/* Reads what is there now. */
void fake_read(struct fake *fake);
/* The next frame of the client; the test fails where there is none. */
struct taken fake_take(struct fake *fake);
bool fake_has_frame(struct fake *fake);
void taken_free(struct taken *taken);

/* What done() and partial() were told. */
struct report
{
    enum assay_client_outcome outcome;
    uint64_t id;
    void *user;
    enum assay_client_result spf, dkim, arc, dmarc;
    enum assay_client_disposition disposition;
    unsigned error;
    char word[24], text[80], json[80], results[80];
    size_t json_bytes;
};

enum
{
    REPORTS = 4096,
};

struct reports
{
    struct report list[REPORTS];
    unsigned count;
    uint64_t partial_id;
    enum assay_client_result partial_spf;
    unsigned partials;
};

extern struct reports reports; /* each test is a process of its own */

/* A client of `fake` that writes into `reports`; greeted with `credit` where that is not 0. */
struct assay_client *fake_client(struct fake *fake, uint32_t credit);
struct assay_client *fake_client_with(struct fake *fake, uint32_t credit,
                                      struct assay_client_options options);
/* Process, and the test fails where it says anything but OK. */
void turn(struct assay_client *client);
/* A message submitted; its id. */
uint64_t submitted(struct assay_client *client, const char *text);

/* How many descriptors this process has open. */
unsigned open_descriptors(void);

#endif
