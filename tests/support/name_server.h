/* Name servers for the network tests: nsd with a zone, and a fake that misbehaves on demand. */
#ifndef SUPPORT_NAME_SERVER_H
#define SUPPORT_NAME_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/span.h"

enum
{
    RESOLVER_TEXT_MAX = 32,
};

struct nsd
{
    pid_t pid;
    char folder[64];
    char resolver[RESOLVER_TEXT_MAX]; /* "127.0.0.1@PORT" */
};

/* Starts nsd on loopback with `zone` as the zone "mail.test". Skips the running test with a reason
 * where nsd is not installed; fails it when nsd does not come up. */
void nsd_start(struct nsd *nsd, const char *zone);
/* The same for another zone than "mail.test". */
void nsd_start_zone(struct nsd *nsd, const char *name, const char *zone);
void nsd_stop(struct nsd *nsd);

/*
 * The fake server does what the first label of the question says; "ok" and all names it does not
 * know get the A record 192.0.2.53; "serial" has a TXT record "serial N" as well. See the table in
 * name_server.c.
 */
struct fake
{
    int udp, tcp, wake[2];
    pthread_t thread;
    atomic_uint queries;
    atomic_bool silent; /* answers nothing while set */
    atomic_uint serial; /* in the text of "serial" */
    atomic_uint ttl;    /* of all records */
    char resolver[RESOLVER_TEXT_MAX];
};

void fake_start(struct fake *fake);
void fake_stop(struct fake *fake);

#endif
