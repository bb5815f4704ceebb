/*
 * What a DNS answer is parsed into once, for all messages that will use it (design idea 4).
 *
 * What an answer is for can be told from its name, and from how its texts begin:
 *
 *   a label "_domainkey"             DKIM keys (RFC 6376 3.6.2.1)
 *   "_dmarc" as the first label      a DMARC record (RFC 9989 4.7)
 *   a text that begins "v=spf1"      an SPF record (RFC 7208 4.5)
 *
 * A guess that is wrong costs a judge its own parse, never another verdict: each judge takes its
 * own kind only.
 */
#ifndef RUN_PREPARE_H
#define RUN_PREPARE_H

#include "dns/shared.h"

dns_prepare run_prepare;

#endif
