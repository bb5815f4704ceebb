/*
 * One Received field, for showing a message's way (RFC 5321 4.4). Much freer than the grammar: what
 * Postfix, Sendmail, Exim, qmail, Exchange and the large providers write. Nothing here is believed;
 * the engine's own reading of a client (mail/trace.h) is stricter.
 *
 * BUGS: comments within comments are read to the end of the outermost, and their words ignored.
 */
#ifndef DIAGNOSE_RECEIVED_H
#define DIAGNOSE_RECEIVED_H

#include "base/ip.h"

enum received_tls
{
    RECEIVED_TLS_UNKNOWN = 0,
    RECEIVED_TLS_YES,
    RECEIVED_TLS_NO, /* "with SMTP" or "with ESMTP", and no word of TLS */
};

struct received
{
    struct span from;      /* the name in HELO; borrowed, as all; empty where it is not there */
    struct span from_host; /* the name that the server looked up */
    struct ip client;
    struct span by, with, id, recipient;
    enum received_tls tls;
    struct span tls_text; /* "TLSv1.3", "TLS1_2" */
    bool has_time;
    int64_t time;
    struct span time_text;
};

/* `value`: all behind the colon. Never fails: what cannot be read is empty. */
void received_read(struct span value, struct received *received);

/* Not reachable from outside: private, loopback, link-local, shared (RFC 1918, 4193, 6598). */
bool received_ip_is_inside(const struct ip *ip);

#endif
