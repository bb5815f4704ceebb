/*
 * libopendkim in this process, fed the same messages: DKIM alone, keys from a callback that has
 * them at hand (its way to be used with a key source of one's own), no DNS.
 *
 * It gets the header as its milter would give it: field by field (split with memchr, a thousandth
 * of its time); the body in one piece.
 */
#ifndef BENCH_PEER_OPENDKIM_H
#define BENCH_PEER_OPENDKIM_H

#include "bench/mail_set.h"

struct peer_opendkim; /* opaque; one thread */

/* `zone` is the text of mail_set_zone, borrowed. Ends the program where the library refuses. */
struct peer_opendkim *peer_opendkim_open(struct span zone);
void peer_opendkim_close(struct peer_opendkim **peer);
/* Verifies one message; true: the best signature passes. */
bool peer_opendkim_verify(struct peer_opendkim *peer, const struct mail_set_message *message);
/* "2.11.0". Static. */
const char *peer_opendkim_version(void);

#endif
