/*
 * The door to libunbound: one context on one event base of the caller's. The blocking source
 * (dns/unbound_source.c) and the resolver threads (dns/resolvers.c) stand on it.
 *
 * A context belongs to the thread that runs its event base, and is made by the main thread before
 * other threads start (security.md F13).
 */
#ifndef DNS_UNBOUND_H
#define DNS_UNBOUND_H

#include "dns/source.h"

struct event_base;
struct unbound;

/* One question in flight, in the caller's storage, which stays where it is until the answer. */
struct unbound_query
{
    /*
     * Called once, from the event loop or before unbound_ask returns, unless the query has been
     * cancelled. `answer` and all it points to end with the call; the query may be freed in it.
     */
    void (*answered)(struct unbound_query *query, const struct dns_answer *answer);
    struct dns_name name;
    enum dns_type type;
    struct unbound *owner; /* the rest is unbound.c's */
    int async_id;
};

struct unbound_config
{
    struct event_base *base; /* borrowed */
    const char *resolver;    /* "ADDR" or "ADDR@PORT"; NULL: the resolvers of /etc/resolv.conf */
    unsigned at_once;        /* questions in flight; more wait inside the library */
    unsigned sockets;        /* open at once for them */
    bool keeps_answers;      /* false: every question goes to the resolver, as a refresh needs it */
};

struct unbound *unbound_open(const struct unbound_config *config,
                             struct dns_error *error) MUST_CHECK;
/* No query may be in flight: unbound_cancel first. Nulls the pointer. */
void unbound_close(struct unbound **unbound);

/* Sends query->name, query->type. There is no deadline: the caller cancels (F11). */
void unbound_ask(struct unbound *unbound, struct unbound_query *query);
/* A query in flight: `answered` will not be called, the storage is the caller's again. */
void unbound_cancel(struct unbound_query *query);

#endif
