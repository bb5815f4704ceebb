/* The recorder: the answers that a message used, as zone-file text that zone.c reads back. */
#ifndef DNS_ZONE_WRITE_H
#define DNS_ZONE_WRITE_H

#include "base/buffer.h"
#include "dns/answer.h"

/*
 * Appends one or more lines for every answered question, in the order they were asked. A source
 * made from the text gives each of these questions an equal answer: outcome, reason, TTL, age,
 * cut, and the records in their order. False when `out` has failed.
 */
bool dns_zone_write(const struct dns_answers *answers, struct buffer *out) MUST_CHECK;

/*
 * Appends `text` as the rdata of a TXT record: a blank and a quoted string for each 255 bytes, so
 * that every name server reads it. An empty text is one empty string.
 */
void dns_zone_write_text(struct buffer *out, struct span text);

#endif
