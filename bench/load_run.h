/*
 * Sends messages over any number of connections and keeps the ledger: every request that a client
 * accepted must come back exactly once, with the verdict that its message deserves. One thread.
 *
 *   load_open -> load_go (any number of times) -> load_drain -> load_close
 */
#ifndef BENCH_LOAD_RUN_H
#define BENCH_LOAD_RUN_H

#include <stdbool.h>

#include "base/histogram.h"
#include "bench/load_mail.h"

enum load_transport
{
    LOAD_STREAM,
    LOAD_RING, /* shared memory */
    LOAD_FD,   /* a sealed memfd for each message */
};

struct load_plan
{
    const char *socket;           /* borrowed */
    const struct load_mail *mail; /* borrowed */
    unsigned connections;
    unsigned depth;  /* open requests of a connection; 0: as many as the daemon grants */
    bool zipf;       /* message of rank r with a chance of 1/r; else one after the other */
    double rate;     /* messages a second, at even intervals; 0: as fast as answers come */
    uint32_t wishes; /* of the requests: ASSAY_CLIENT_WISH_... */
    enum load_transport transport;
    uint32_t ring_bytes; /* of each ring; LOAD_RING */
};

/* Nothing here is ever forgotten: what began open stays until it is answered. */
struct load_ledger
{
    uint64_t sent, answered;
    uint64_t lost;       /* connection error, or still open at load_close */
    uint64_t doubled;    /* answered twice */
    uint64_t wrong;      /* another verdict than expected */
    uint64_t refused;    /* an error of the server: busy, too_large ... */
    char complaint[160]; /* the first of these, for people */
};

struct load_run;

/* All connections are greeted when this returns. */
struct load_run *load_open(const struct load_plan *plan);
/*
 * Sends and receives for that long, or until so many more were sent (0: no such end). Latencies of
 * answers are added to `latency` in ns (may be NULL): from the moment the request was handed to the
 * client or, with a rate, was due.
 */
void load_go(struct load_run *run, double seconds, uint64_t messages, struct histogram *latency);
/* Sends nothing more and waits for all answers, at most that long. */
void load_drain(struct load_run *run, double seconds);
uint64_t load_open_requests(const struct load_run *run);
const struct load_ledger *load_ledger(const struct load_run *run);
/* Closes all connections; what is open is lost. The ledger's last state goes to *ledger. */
void load_close(struct load_run **run, struct load_ledger *ledger);
/* Nothing lost, doubled, wrong or refused. */
bool load_is_clean(const struct load_ledger *ledger);
/* Raises RLIMIT_NOFILE where it is below that. */
void load_allow_descriptors(unsigned wanted);
/* Adds up. */
void load_ledger_add(struct load_ledger *sum, const struct load_ledger *ledger);

#endif
