/*
 * Answers in wire form: a DNS message becomes a struct dns_answer. Knows nothing of sockets or of
 * the resolver library, so that the bounds of the parser can be tested byte by byte (F05, F15).
 */
#ifndef DNS_PACKET_H
#define DNS_PACKET_H

#include "dns/answer.h"

/*
 * Reads `packet`, the final reply of a resolver to (name, type, class IN). Records and their texts
 * are copied into `arena`; nothing of the packet is borrowed. What cannot be read, is truncated or
 * answers another question becomes DNS_TEMPFAIL, never an empty answer (F08).
 */
void dns_packet_read(struct span packet, const struct dns_name *name, enum dns_type type,
                     struct arena *arena, struct dns_answer *answer);

/* The reason for TEMPFAIL that belongs to a response code other than NOERROR and NXDOMAIN. Static.
 */
const char *dns_rcode_reason(unsigned rcode);

#endif
