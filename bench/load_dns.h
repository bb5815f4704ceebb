/*
 * A name server of our own on loopback, UDP: answers from a zone text, counts, and can hold its
 * answers back. One thread.
 *
 * BUGS: No TCP, no EDNS; answers fit into 1232 bytes or are not sent.
 */
#ifndef BENCH_LOAD_DNS_H
#define BENCH_LOAD_DNS_H

#include <pthread.h>
#include <stdatomic.h>

#include "dns/source.h"

enum
{
    LOAD_DNS_HELD = 4096,
    LOAD_DNS_QUERY = 512,
};

struct load_dns_query;

struct load_dns
{
    int udp, wake[2];
    pthread_t thread;
    struct dns_source *zone; /* owned */
    char resolver[32];       /* "127.0.0.1@PORT" */
    atomic_bool hold;        /* questions are counted and kept until it is false again */
    atomic_uint questions;
    atomic_uint key_questions;   /* of these for a name below _domainkey */
    struct load_dns_query *held; /* owned */
    unsigned held_count;
};

void load_dns_start(struct load_dns *dns, struct span zone);
void load_dns_release(struct load_dns *dns);
void load_dns_stop(struct load_dns *dns);

#endif
