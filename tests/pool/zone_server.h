/*
 * A name server on loopback (UDP) that answers from zone text, which may be replaced while it runs,
 * and never answers for names below "slow.example": a tar-pit.
 */
#ifndef POOL_ZONE_SERVER_H
#define POOL_ZONE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "dns/source.h"

struct zone_server
{
    int udp;
    pthread_t thread;
    pthread_mutex_t lock; /* protects `zone` */
    struct dns_source *zone;
    _Atomic bool stop;
    _Atomic bool silent;      /* no answer to anything */
    _Atomic uint32_t queries; /* the tar-pit's too */
    char resolver[32];        /* "127.0.0.1@PORT" */
};

void zone_server_start(struct zone_server *server, struct span zone);
void zone_server_set(struct zone_server *server, struct span zone);
void zone_server_stop(struct zone_server *server);

#endif
